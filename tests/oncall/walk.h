#pragma once

// Reads a walk (README.md) and walks it on a clock of its own.

#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "alerting/alerts/dispatcher.h"
#include "alerting/alerts/monitors.h"
#include "alerting/alerts/upkeep.h"
#include "base/core/paced_clock.h"
#include "storage/store/fake_store.h"

namespace mydr24::oncall_walks {

// The machine's clock: time passes when the walk says so, and somebody may set it.
class MachineClock : public Clock {
 public:
  Instant now() const override { return from_us(wall_us_.load()); }
  std::chrono::nanoseconds steady() const override { return Microseconds(steady_us_.load()); }
  void start(Instant at) { wall_us_ = to_us(at); }
  void pass(Microseconds time) {
    steady_us_ += time.count();
    wall_us_ += time.count();
  }
  void set(Microseconds by) { wall_us_ += by.count(); }

 private:
  std::atomic<std::int64_t> wall_us_ = 0;
  std::atomic<std::int64_t> steady_us_ = 0;
};

// The providers: what they were given, and how they answer. Outlives the processes of a walk.
struct World {
  struct Call {
    std::string contact, medium, title;
    bool repeat = false, retry = false;
  };
  std::mutex mutex;
  std::vector<Call> calls;  // that no line has told of yet
  std::map<std::string, notify::SendStatus, std::less<>> answers;
};

class Walk {
 public:
  explicit Walk(const std::filesystem::path& file);
  ~Walk();
  Walk(const Walk&) = delete;
  Walk& operator=(const Walk&) = delete;
  // Says what went otherwise than told, with its line; empty when nothing did.
  std::string run();

 private:
  using Words = std::vector<std::string>;
  struct Process;

  std::string line(const std::string& text);
  bool part(const std::string& text, const Words& words);
  std::string step(const Words& words);
  std::string alert_step(const Words& words);
  std::string hold_step(const Words& words);
  std::string told(const Words& words);
  std::string leftover();
  std::string pass(std::string_view duration, bool to_the_end, bool engine);
  std::string is(const Words& words);
  std::string log_of(const Words& words);
  std::string apply();
  std::string change(const oncall::Documents& documents);
  void start_process();
  void run_engine();

  void contact_part(const Words& words);
  void schedule_part(const std::string& text, const Words& words);
  void policy_part(const std::string& text, const Words& words);
  oncall::Documents documents() const;

  Result<> write(const std::function<Result<>(store::Transaction&)>& work);
  Result<alerts::Alert> alert(const std::string& cause);

  struct Person {
    Words methods;
    std::string backup;
    std::vector<std::pair<std::string, std::int64_t>> rules;
    std::vector<std::pair<std::string, std::string>> away;
  };
  std::map<std::string, Person> people_;
  oncall::Documents parts_;  // but contacts
  std::map<std::string, std::string> defaults_;
  alerts::UpkeepSettings upkeep_;

  std::vector<std::string> lines_;
  bool started_ = false;
  MachineClock machine_;
  World world_;
  std::unique_ptr<PacedClock> clock_;
  std::unique_ptr<store::FakeStore> store_;
  std::unique_ptr<oncall::Directory> directory_;
  std::unique_ptr<Process> process_;
  std::map<std::string, std::string> ids_;  // by cause
  std::string override_;
};

}  // namespace mydr24::oncall_walks
