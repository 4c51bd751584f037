#include "app/surge/crew.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>

#include "app/surge/open_loop.h"

namespace mydr24::surge {
namespace {

using std::chrono::milliseconds;

constexpr std::string_view ready_line = "ready";
constexpr std::string_view start_word = "start ";
constexpr milliseconds ready_max{90'000};  // and as long as the connections may take
constexpr milliseconds ready_max_per_connection{10};
constexpr milliseconds start_max{3'600'000};
constexpr milliseconds collect_beyond_profile{30'000};
constexpr milliseconds head_start{100};
constexpr std::size_t line_bytes_max = 64U << 20;

bool write_all(int to, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(to, text.data(), text.size());
    if (written <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

// To a generator, which may have ended: no signal then, that would end this process as well.
bool tell(int socket, std::string_view text) {
  while (!text.empty()) {
    const ssize_t sent = ::send(socket, text.data(), text.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

// Bytes up to a newline, which is taken away; what came behind it stays in `unread`. An error at the end of the input.
Result<std::string> read_line_from(int from, std::string& unread, milliseconds time_max, const Clock& clock) {
  const auto end = clock.steady() + time_max;
  std::array<char, 64U << 10> space;
  while (true) {
    if (const auto at = unread.find('\n'); at != unread.npos) {
      std::string line = unread.substr(0, at);
      unread.erase(0, at + 1);
      return line;
    }
    const auto left = std::chrono::duration_cast<milliseconds>(end - clock.steady());
    pollfd polled{.fd = from, .events = POLLIN, .revents = 0};
    if (left.count() <= 0 || ::poll(&polled, 1, static_cast<int>(left.count())) == 0)
      return fail(Code::busy, "a generator did not answer in time");
    const ssize_t got = ::read(from, space.data(), space.size());
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0 || unread.size() > line_bytes_max) return fail(Code::internal, "a generator ended before its time");
    unread.append(space.data(), static_cast<std::size_t>(got));
  }
}

// As urgent as the machine permits; the generator's lateness tells whether it was enough.
void raise_priority(int fifo) {
  if (fifo <= 0) return;
  const sched_param parameter{.sched_priority = fifo};
  if (::sched_setscheduler(0, SCHED_FIFO, &parameter) != 0) ::setpriority(PRIO_PROCESS, 0, -15);
}

void raise_descriptor_limit() {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace

Result<Crew> Crew::gather(const std::filesystem::path& binary, int cpu, const std::vector<LoadSpec>& specs,
                          const Clock& clock) {
  Crew crew(clock);
  for (const LoadSpec& spec : specs) {
    std::array<int, 2> down{};
    std::array<int, 2> up{};
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, down.data()) != 0 || ::pipe2(up.data(), O_CLOEXEC) != 0)
      return fail(Code::internal, fmt::format("no way to a generator: {}", std::strerror(errno)));
    Member member;
    member.pid = load::spawn({binary.string(), "bench", "generate"}, down[0], up[1], STDERR_FILENO, {.cpu = cpu});
    ::close(down[0]);
    ::close(up[1]);
    member.to = down[1];
    member.from = up[0];
    member.length =
        std::chrono::duration_cast<milliseconds>(Arrivals(spec.phases, spec.pace, spec.seed).length()) + spec.timeout;
    crew.members_.push_back(std::move(member));
    if (crew.members_.back().pid < 0 || !tell(crew.members_.back().to, to_json(spec) + "\n"))
      return fail(Code::internal, "a generator cannot be started");
  }
  for (std::size_t i = 0; i < specs.size(); ++i) {
    MYDR24_ASSIGN(const std::string line,
                  crew.read_line(crew.members_[i], ready_max + ready_max_per_connection * specs[i].connections));
    if (line != ready_line) return fail(Code::busy, fmt::format("the generator of {}: {}", specs[i].name, line));
  }
  return crew;
}

Crew::~Crew() {
  for (Member& member : members_) {
    if (member.to >= 0) ::close(member.to);
    if (member.from >= 0) ::close(member.from);
    if (member.pid <= 0) continue;
    ::kill(member.pid, SIGKILL);
    ::waitpid(member.pid, nullptr, 0);
  }
}

void Crew::stop() const {
  for (const Member& member : members_)
    if (member.pid > 0) ::kill(member.pid, SIGKILL);
}

std::chrono::nanoseconds Crew::begin() {
  const auto at = clock_->steady() + head_start;
  for (Member& member : members_) tell(member.to, fmt::format("{}{}\n", start_word, at.count()));
  return at;
}

Result<std::string> Crew::read_line(Member& member, milliseconds time_max) {
  return read_line_from(member.from, member.unread, time_max, *clock_);
}

Result<std::vector<LoadResult>> Crew::collect() {
  std::vector<LoadResult> results;
  for (Member& member : members_) {
    MYDR24_ASSIGN(const std::string line, read_line(member, member.length + collect_beyond_profile));
    MYDR24_ASSIGN(auto result, parse_load_result(line));
    results.push_back(std::move(result));
  }
  return results;
}

int run_generator(int in, int out, const Clock& clock) {
  std::string unread;
  const auto give_up = [&](const Error& error) {
    write_all(out, error.text + "\n");
    return 1;
  };
  const auto line = read_line_from(in, unread, ready_max, clock);
  if (!line) return give_up(line.error());
  auto spec = parse_load_spec(*line);
  if (!spec) return give_up(spec.error());
  raise_descriptor_limit();
  raise_priority(spec->fifo);
  ::prctl(PR_SET_TIMERSLACK, 1UL);
  OpenLoop loop(std::move(*spec), clock);
  if (const auto connected = loop.connect(); !connected) return give_up(connected.error());
  write_all(out, fmt::format("{}\n", ready_line));
  const auto start = read_line_from(in, unread, start_max, clock);
  if (!start) return give_up(start.error());
  std::int64_t begin = 0;
  if (!start->starts_with(start_word) ||
      std::from_chars(start->data() + start_word.size(), start->data() + start->size(), begin).ec != std::errc())
    return give_up(fail(Code::invalid, "told something else than when to start: " + *start));
  const LoadResult result = loop.run(std::chrono::nanoseconds(begin));
  return write_all(out, to_json(result) + "\n") ? 0 : 1;
}

}  // namespace mydr24::surge
