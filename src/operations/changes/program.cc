#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstring>

#include "operations/changes/outside.h"

namespace mydr24::changes {
namespace {

constexpr std::chrono::milliseconds look_every{50};
constexpr std::size_t told_bytes_max = 500;

class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  ~Descriptor() { close(); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return number_; }
  void close() {
    if (number_ >= 0) ::close(std::exchange(number_, -1));
  }

 private:
  int number_;
};

struct SpawnSettings {
  posix_spawn_file_actions_t actions{};
  posix_spawnattr_t attributes{};
  SpawnSettings() {
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
  }
  ~SpawnSettings() {
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
  }
  SpawnSettings(const SpawnSettings&) = delete;
  SpawnSettings& operator=(const SpawnSettings&) = delete;
};

// In a process group of its own, reading nothing, writing both outputs to `output`.
Result<pid_t> spawn(const Command& command, int output) {
  SpawnSettings settings;
  posix_spawn_file_actions_addopen(&settings.actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&settings.actions, output, 1);
  posix_spawn_file_actions_adddup2(&settings.actions, output, 2);
  posix_spawn_file_actions_addclosefrom_np(&settings.actions, 3);
  sigset_t none;
  sigemptyset(&none);
  posix_spawnattr_setsigmask(&settings.attributes, &none);
  posix_spawnattr_setpgroup(&settings.attributes, 0);
  posix_spawnattr_setflags(&settings.attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK);
  std::vector<std::string> words{command.path};
  words.insert(words.end(), command.arguments.begin(), command.arguments.end());
  std::vector<char*> arguments;
  for (auto& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  std::string path = "PATH=/usr/local/bin:/usr/bin:/bin";
  std::array<char*, 2> environment{path.data(), nullptr};
  pid_t child = 0;
  const int error = posix_spawn(&child, command.path.c_str(), &settings.actions, &settings.attributes, arguments.data(),
                                environment.data());
  if (error != 0) return fail(Code::conflict, fmt::format("{} cannot be run: {}", command.path, std::strerror(error)));
  return child;
}

// Reads what is there; false at the end.
bool read_some(int from, std::string& output) {
  std::array<char, 4096> buffer{};
  const auto got = ::read(from, buffer.data(), buffer.size());
  if (got <= 0) return false;
  const auto room = output_bytes_max - std::min(output_bytes_max, output.size());
  output.append(buffer.data(), std::min(static_cast<std::size_t>(got), room));
  return true;
}

}  // namespace

Result<std::string> run_program(const Command& command, std::chrono::milliseconds time_max,
                                const std::atomic<bool>& stopping) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return fail(Code::internal, "no pipe can be made");
  Descriptor from(ends[0]), to(ends[1]);
  MYDR24_ASSIGN(const auto child, spawn(command, to.get()));
  to.close();
  std::string output;
  int status = 0;
  bool ended = false, open = true;
  const auto until = system_clock().steady() + time_max;
  while (system_clock().steady() < until && !stopping) {
    pollfd wait{.fd = open ? from.get() : -1, .events = POLLIN, .revents = 0};
    ::poll(&wait, 1, static_cast<int>(look_every.count()));
    if (open && wait.revents != 0) open = read_some(from.get(), output);
    ended = ::waitpid(child, &status, WNOHANG) == child;
    if (ended) break;
  }
  ::kill(-child, SIGKILL);
  if (!ended) {
    ::waitpid(child, &status, 0);
    return fail(Code::busy, fmt::format("it was ended after {} ms", time_max.count()));
  }
  pollfd rest{.fd = from.get(), .events = POLLIN, .revents = 0};
  while (open && ::poll(&rest, 1, 0) > 0) open = read_some(from.get(), output);
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return output;
  const auto told = output.size() > told_bytes_max ? output.substr(output.size() - told_bytes_max) : output;
  return fail(Code::conflict, fmt::format("it ended with {}: {}", WIFEXITED(status) ? WEXITSTATUS(status) : -1, told));
}

}  // namespace mydr24::changes
