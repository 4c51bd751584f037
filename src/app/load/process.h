#pragma once

// The program under test as a child process: started in a folder of its own, measured from outside, stopped
// or killed. A child dies with its parent, so that an aborted bench leaves nothing behind.

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "app/load/http.h"
#include "base/core/result.h"

namespace mydr24::load {

// A new empty folder below the system's temporary folder, removed with all it holds.
class TempFolder {
 public:
  TempFolder();
  ~TempFolder();
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

// Bytes that the files of a folder take on the disk (blocks, not lengths).
std::uint64_t disk_bytes(const std::filesystem::path& folder);
std::string read_text(const std::filesystem::path& file);
void write_text(const std::filesystem::path& file, std::string_view text);

// Where and with what rights a child runs.
struct Placement {
  int cpu = -1;               // pinned to that processor; -1: any
  bool give_up_nice = false;  // without CAP_SYS_NICE, as a service without privileges
};

// Forks and runs a program, looked up in PATH, with these open files as its standard ones; it is killed when this thread
// ends. The caller waits for it. -1: no process could be made.
pid_t spawn(const std::vector<std::string>& arguments, int in, int out, int err, const Placement& placement = {});

struct Finished {
  int exit_code = -1;  // 128 + signal when killed
  std::string out;
  std::string err;
  double seconds = 0;
  double cpu_s = 0;
  double rss_max_mb = 0;
};
// Runs a program to its end; `arguments[0]` is the program, looked up in PATH.
Finished run_command(const std::vector<std::string>& arguments);

// `mydr24 serve` on free ports of 127.0.0.1.
class Server {
 public:
  struct Options {
    std::filesystem::path binary;
    std::filesystem::path data;  // the data folder, made when it is not there
    std::string config;          // TOML, written beside the data folder; empty: none
    std::chrono::seconds ready_max{60};
    Placement placement;
  };
  // Waits until the server says it is ready. The error holds the end of its log.
  static Result<Server> start(const Options& options);

  Server(Server&& other) noexcept;
  Server& operator=(Server&& other) noexcept;
  ~Server();

  const Endpoint& endpoint() const { return endpoint_; }
  const Endpoint& admin() const { return admin_; }
  // The listener for emergencies, when the server told of one; else the same as endpoint().
  const Endpoint& emergency() const { return emergency_; }
  pid_t pid() const { return pid_; }
  double startup_ms() const { return startup_ms_; }
  std::string log() const { return read_text(log_); }

  double cpu_s() const;         // user and system time of the whole process since its start
  double rss_mb() const;        // now
  double rss_max_mb() const;    // the highest so far
  double anonymous_mb() const;  // of rss_mb, what no file stands behind
  bool running();

  // SIGTERM, then waits; the exit code (128 + signal when killed; SIGKILL after `time_max`).
  int stop(std::chrono::seconds time_max = std::chrono::seconds(30));
  // SIGKILL, then waits.
  void kill();

 private:
  Server() = default;
  double status_mb(std::string_view name) const;
  Result<> wait_ready(std::chrono::seconds time_max);

  pid_t pid_ = -1;
  std::filesystem::path log_;
  Endpoint endpoint_;
  Endpoint admin_;
  Endpoint emergency_;
  double startup_ms_ = 0;
};

}  // namespace mydr24::load
