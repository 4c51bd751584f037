#pragma once

// Runs a change: a piece at a time, its place written down before and after each. What failed is rolled back, and
// what was rolled back is verified by the checks that held before.
//
// Invariants
// - A process that ends in the middle of a run, wherever, leaves a run that the next one rolls back; it is never
//   taken for a success.
// - An error, an exception or a time-out of a check or a step is a failure.
// - A program or a receiver is called once in a step, or it is unknown how often and the change is rolled back; a step
//   of the way back may be done again.
// - The number that something was scaled from is in the store before it is scaled.
// - A process that ends, or a store that takes nothing just now, decides nothing: the run goes on later, or elsewhere.
// - A way back that fails is, in one transaction, the state rollback_failed, an incident asked for, and the service
//   frozen.

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <thread>

#include "base/core/clock.h"
#include "operations/changes/book.h"

namespace mydr24::changes {

// What a run does outside the store. Each call ends within its time limit. Thread-safe.
class Effects {
 public:
  struct Answer {
    int status = 0;
    std::string body;
  };
  virtual ~Effects() = default;
  // `url`: absolute, or a path of this server.
  virtual Result<Answer> http(const Check& check) = 0;
  virtual Result<> webhook(const Step& step, std::string_view delivery) = 0;
  virtual Result<std::string> command(const Command& command, std::chrono::milliseconds time_max) = 0;
  // Reads, or sets, the number of something that the policy names.
  virtual Result<std::int64_t> read_scale(const Scale& scale, std::chrono::milliseconds time_max) = 0;
  virtual Result<> set_scale(const Scale& scale, std::int64_t number, std::string_view delivery,
                             std::chrono::milliseconds time_max) = 0;
  // How many resources match.
  virtual Result<std::int64_t> fhir(const std::string& search) = 0;
  // Nothing: there is no value, which fails a check.
  virtual std::optional<double> metric(const std::string& name, const std::string& scope) = 0;
  virtual std::optional<double> burn(const std::string& slo) = 0;
  // This process ends: what fails now says nothing about the change.
  virtual bool stopping() const { return false; }
};

// The outcome of one check, and what was found.
struct Checked {
  judge::Measurement measurement = judge::Measurement::success;
  std::string text;
  bool ok() const { return measurement == judge::Measurement::success; }
};
Checked run_check(const Check& check, Effects& effects, const live_settings::Registry& settings);

class Engine {
 public:
  // All must outlive it. `process`: names this process; another one takes its runs over.
  Engine(store::Store& store, const Book& book, Effects& effects, const Clock& clock, std::string process);

  // At the start of this process, or when it takes over: runs of others are rolled back from here.
  Result<> take_over();
  struct Next {
    bool over = false;  // or paused: nothing to do until somebody does something
    std::optional<Instant> not_before;
  };
  // The next piece of a run. Blocks for as long as its effect takes. Code::conflict: another process has it;
  // Code::busy, Code::full: nothing was decided, try again.
  Result<Next> advance(std::string_view id);

 private:
  using Work = std::function<Result<>(store::Transaction&, Change&)>;
  // In a transaction, when the run is still this process's and the process is not about to end.
  Result<Change> step_on(std::string_view id, const Work& work);
  Result<Next> go_back(std::string_view id, State ends_as, std::string_view because);
  Result<Next> check_all(const Change& change, bool after);
  Result<Next> do_step(const Change& change, const Step& step);
  Result<Next> set(const Change& change, const Step& step);
  Result<Next> begin_step(const Change& change, const Step& step);
  Result<Next> watch(const Change& change, const Step& step);
  Result<Next> compare(const Change& change, const Step& step);
  Result<> act(const Change& change, const Step& step, std::string& text);
  // engine_scale.cc
  Result<const Scale*> scale_of(std::string_view name) const;
  Result<Next> scale(const Change& change, const Step& step);
  Result<Next> scale_back(const Change& change);
  Result<std::int64_t> read_number(const Scale& scale, const Step& step);
  Result<> set_number(const Change& change, const Scale& scale, const Step& step, std::int64_t number);
  enum class Reached : std::uint8_t { yes, not_yet, never };
  Reached look(const Change& change, const Scale& scale, const Step& step, std::int64_t number, std::string& text);
  Result<Next> look_again(const Change& change, const Step& step);
  Result<Next> act_once(const Change& change, const Step& step);
  Result<Next> undo(const Change& change);
  Result<Next> put_back_last(const Change& change);
  Result<Next> set_on_way_back(const Change& change, const Step& step);
  Result<Next> verify_way_back(const Change& change);
  Result<Next> fail_way_back(std::string_view id, std::string_view why);
  Result<Next> finish(std::string_view id, State state);
  Result<Next> next_step(const Change& change, std::string_view text);
  void log(Change& change, std::string_view name, bool ok, std::string_view text) const;
  Result<> finished(store::Transaction& transaction, Change& change, State state) const;
  void wait_applied(std::string_view setting, int version) const;

  store::Store& store_;
  const Book& book_;
  Effects& effects_;
  const Clock& clock_;
  const std::string process_;
};

// Runs what is active on threads of its own, in the server that leads. What waits for longer than a moment keeps no
// thread; an emergency change does not wait for one.
class Runner {
 public:
  Runner(Engine& engine, store::Store& store, const Book& book, const Clock& clock,
         std::function<void(std::string_view)> failed);
  ~Runner() { stop(); }
  Runner(const Runner&) = delete;
  Runner& operator=(const Runner&) = delete;
  void start();
  void stop();

 private:
  static constexpr std::size_t threads_max = 8;
  void run(const std::stop_token& stop);
  struct Worker;
  void look();
  void run_one(const std::stop_token& stop, const std::string& id, Worker& worker);

  Engine& engine_;
  store::Store& store_;
  const Book& book_;
  const Clock& clock_;
  const std::function<void(std::string_view)> failed_;
  struct Worker {
    // Once it is over: nothing to do until then; it failed, or has to wait.
    std::optional<Instant> not_before;
    bool failed = false;
    std::atomic<bool> over = false;
    std::jthread thread;
  };
  std::map<std::string, std::unique_ptr<Worker>> workers_;
  bool leads_ = false;
  std::jthread thread_;
};

}  // namespace mydr24::changes
