#include "app/load/process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <ctime>
#include <fstream>
#include <sstream>
#include <thread>

#include "base/core/clock.h"
#include "base/core/id.h"
#include "base/json/document.h"

namespace mydr24::load {
namespace {

namespace fs = std::filesystem;

int append_to(const fs::path& file) { return ::open(file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644); }

pid_t spawn_to_files(const std::vector<std::string>& arguments, const fs::path& out, const fs::path& err,
                     const Placement& placement = {}) {
  const int out_file = append_to(out);
  const int err_file = append_to(err);
  const pid_t pid = spawn(arguments, STDIN_FILENO, out_file, err_file, placement);
  ::close(out_file);
  ::close(err_file);
  return pid;
}

int exit_code(int status) { return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status); }

double seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

}  // namespace

// Only async-signal-safe calls between fork and exec: the parent may have threads.
pid_t spawn(const std::vector<std::string>& arguments, int in, int out, int err, const Placement& placement) {
  std::vector<char*> pointers;
  for (const std::string& argument : arguments) pointers.push_back(const_cast<char*>(argument.c_str()));
  pointers.push_back(nullptr);
  cpu_set_t processors;
  CPU_ZERO(&processors);
  if (placement.cpu >= 0) CPU_SET(static_cast<std::size_t>(placement.cpu), &processors);
  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();
  if (pid != 0) return pid;
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(127);
  if (placement.cpu >= 0 && ::sched_setaffinity(0, sizeof processors, &processors) != 0) ::_exit(126);
  // Out of the bounding set before exec: a program run by root does not get it back.
  if (placement.give_up_nice && ::prctl(PR_CAPBSET_READ, CAP_SYS_NICE) == 1 &&
      ::prctl(PR_CAPBSET_DROP, CAP_SYS_NICE) != 0)
    ::_exit(126);
  ::dup2(in, STDIN_FILENO);
  ::dup2(out, STDOUT_FILENO);
  ::dup2(err, STDERR_FILENO);
  ::execvp(pointers[0], pointers.data());
  ::_exit(127);
}

TempFolder::TempFolder() : path_(fs::temp_directory_path() / ("mydr24-" + make_secret().substr(0, 12))) {
  fs::create_directories(path_);
}

TempFolder::~TempFolder() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

std::uint64_t disk_bytes(const fs::path& folder) {
  std::uint64_t bytes = 0;
  std::error_code error;
  for (const auto& entry : fs::recursive_directory_iterator(folder, error)) {
    struct stat info{};
    if (entry.is_regular_file() && ::stat(entry.path().c_str(), &info) == 0)
      bytes += static_cast<std::uint64_t>(info.st_blocks) * 512;
  }
  return bytes;
}

std::string read_text(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return std::move(text).str();
}

void write_text(const fs::path& file, std::string_view text) {
  std::ofstream(file, std::ios::binary).write(text.data(), static_cast<std::streamsize>(text.size()));
}

Finished run_command(const std::vector<std::string>& arguments) {
  const TempFolder folder;
  const auto begin = system_clock().steady();
  const pid_t pid = spawn_to_files(arguments, folder.path() / "out", folder.path() / "err");
  int status = 0;
  rusage usage{};
  ::wait4(pid, &status, 0, &usage);
  Finished finished;
  finished.seconds = std::chrono::duration<double>(system_clock().steady() - begin).count();
  finished.exit_code = exit_code(status);
  finished.out = read_text(folder.path() / "out");
  finished.err = read_text(folder.path() / "err");
  finished.cpu_s = seconds(usage.ru_utime) + seconds(usage.ru_stime);
  finished.rss_max_mb = static_cast<double>(usage.ru_maxrss) / 1024;
  return finished;
}

Result<Server> Server::start(const Options& options) {
  if (!fs::exists(options.binary))
    return fail(Code::not_found,
                fmt::format("{}: no such program; build it or pass --binary", options.binary.string()));
  fs::create_directories(options.data.parent_path());
  Server server;
  server.log_ = options.data.string() + ".log";
  fs::remove(server.log_);
  std::vector<std::string> arguments{
      options.binary.string(), "serve",   "--data",     options.data.string(), "--listen",
      "127.0.0.1:0",           "--admin", "127.0.0.1:0"};
  // What is measured or tested is mostly not who asks.
  const bool says_access = options.config.find("[access]") != std::string::npos;
  const std::string file = options.data.string() + ".toml";
  write_text(file, options.config + (says_access ? "" : "\n[access]\nmode = \"off\"\n"));
  arguments.insert(arguments.end(), {"--config", file});
  const auto begin = system_clock().steady();
  server.pid_ = spawn_to_files(arguments, server.log_, server.log_, options.placement);
  if (auto ready = server.wait_ready(options.ready_max); !ready) {
    server.kill();
    const std::string log = server.log();
    return fail(Code::internal, fmt::format("{}: {}", ready.error().text,
                                            log.substr(log.size() - std::min<std::size_t>(log.size(), 4000))));
  }
  server.startup_ms_ = std::chrono::duration<double, std::milli>(system_clock().steady() - begin).count();
  return server;
}

Result<> Server::wait_ready(std::chrono::seconds time_max) {
  const auto end = system_clock().steady() + time_max;
  while (system_clock().steady() < end) {
    const bool alive = running();
    std::istringstream lines(log());
    for (std::string line; std::getline(lines, line);) {
      if (line.find("\"ready\"") == std::string::npos) continue;
      const auto document = json::Document::parse_view(line);
      if (!document || document->root()["msg"].text() != "ready") continue;
      MYDR24_ASSIGN(endpoint_, parse_endpoint(document->root()["url"].text()));
      MYDR24_ASSIGN(admin_, parse_endpoint(document->root()["admin"].text()));
      emergency_ = endpoint_;
      if (const auto url = document->root()["emergency_url"].text(); !url.empty()) {
        MYDR24_ASSIGN(emergency_, parse_endpoint(url));
      }
      return {};
    }
    if (!alive) return fail(Code::internal, "the server ended before it was ready");
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return fail(Code::busy, "the server did not become ready");
}

Server::Server(Server&& other) noexcept { *this = std::move(other); }

Server& Server::operator=(Server&& other) noexcept {
  if (this == &other) return *this;
  kill();
  pid_ = std::exchange(other.pid_, -1);
  log_ = std::move(other.log_);
  endpoint_ = std::move(other.endpoint_);
  admin_ = std::move(other.admin_);
  emergency_ = std::move(other.emergency_);
  startup_ms_ = other.startup_ms_;
  return *this;
}

Server::~Server() { kill(); }

double Server::cpu_s() const {
  clockid_t clock{};
  timespec time{};
  if (::clock_getcpuclockid(pid_, &clock) != 0 || ::clock_gettime(clock, &time) != 0) return 0;
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

double Server::status_mb(std::string_view name) const {
  std::istringstream lines(read_text(fmt::format("/proc/{}/status", pid_)));
  for (std::string line; std::getline(lines, line);)
    if (line.starts_with(name)) return std::strtod(line.c_str() + name.size() + 1, nullptr) / 1024;
  return 0;
}

double Server::rss_mb() const { return status_mb("VmRSS"); }
double Server::anonymous_mb() const { return status_mb("RssAnon"); }
double Server::rss_max_mb() const { return status_mb("VmHWM"); }

bool Server::running() {
  if (pid_ < 0) return false;
  if (::waitpid(pid_, nullptr, WNOHANG) == 0) return true;
  pid_ = -1;
  return false;
}

int Server::stop(std::chrono::seconds time_max) {
  if (pid_ < 0) return -1;
  ::kill(pid_, SIGTERM);
  const auto end = system_clock().steady() + time_max;
  int status = 0;
  while (::waitpid(pid_, &status, WNOHANG) == 0) {
    if (system_clock().steady() > end) ::kill(pid_, SIGKILL);
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  pid_ = -1;
  return exit_code(status);
}

void Server::kill() {
  if (pid_ < 0) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
  pid_ = -1;
}

}  // namespace mydr24::load
