#pragma once

// The two programs under test, and what receives their notifications.

#include <sys/types.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "alertmanager/case.h"
#include "app/load/process.h"
#include "base/json/document.h"
#include "base/net/client.h"
#include "base/net/http.h"

namespace mydr24::alertmanager {

class Target {
 public:
  virtual ~Target() = default;
  virtual std::string url() const = 0;  // without the prefix
  virtual void kill_and_restart() = 0;  // kill -9
};

struct TargetOptions {
  std::string config;  // YAML
  std::string prefix;
  double start_delay = 0;
  std::string settings;  // further lines of [alerting], ours only
};

// Ready when they return; std::runtime_error else. Skipped tests ask real_alertmanager() first.
std::unique_ptr<Target> start_ours(const TargetOptions& options);
std::unique_ptr<Target> start_real(const TargetOptions& options);
bool real_alertmanager();

// In PATH?
bool has_program(const std::string& name);

// Another program, killed when this goes out of scope or its thread ends. Its output goes to `log`.
class Child {
 public:
  Child(std::vector<std::string> arguments, const std::filesystem::path& log);
  ~Child() { stop(); }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  void stop();

 private:
  pid_t pid_ = -1;
};

struct Reply {
  int status = 0;
  std::string body;
};
Reply call(net::Method method, const std::string& url, std::string body = {},
           std::vector<std::pair<std::string, std::string>> headers = {});

// Receives notifications at /NAME and notes when.
class Hooks {
 public:
  using Clock = std::chrono::steady_clock;
  struct Arrival {
    std::string hook;
    Clock::time_point at;
    std::string body;
    std::string headers;  // "Idempotency-Key: ..." of those that tests look at
  };

  explicit Hooks(std::vector<Hook> manners = {});
  std::string url(std::string_view name) const;
  void begin(Clock::time_point start) { start_ = start; }
  std::vector<Arrival> arrivals() const;
  // Waits until there are so many, at most `time_max`.
  bool wait(std::size_t count, std::chrono::milliseconds time_max) const;

 private:
  Task<> receive(net::Exchange& exchange);

  std::vector<Hook> manners_;
  std::atomic<Clock::time_point> start_{Clock::now()};
  mutable std::mutex mutex_;
  std::vector<Arrival> arrivals_;
  std::unique_ptr<net::Server> server_;
};

// Waits until `holds()`, looking every 20 ms; false when it does not within `time_max`.
template <class Holds>
bool eventually(Holds holds, std::chrono::milliseconds time_max) {
  const auto end = std::chrono::steady_clock::now() + time_max;
  while (!holds()) {
    if (std::chrono::steady_clock::now() >= end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return true;
}

}  // namespace mydr24::alertmanager
