#pragma once

// The engine of Groups: one thread that owns the State, and the ways out. Private to alerting/groups.

#include <condition_variable>
#include <deque>
#include <mutex>
#include <set>
#include <span>
#include <thread>
#include <unordered_map>

#include "alerting/groups/detail/mail.h"
#include "alerting/groups/groups.h"
#include "base/net/client.h"

namespace mydr24::groups {

namespace rows {
inline constexpr std::string_view alerts = "labels";
inline constexpr std::string_view silences = "silences";
inline constexpr std::string_view proposals = "silence_proposals";
inline constexpr std::string_view log = "notifications";
inline constexpr std::string_view keys = "label_keys";
}  // namespace rows

// More than this between wall clock and steady clock is a clock that was set.
inline constexpr std::chrono::seconds clock_step_least{2};

// What a slice changed.
struct Changes {
  std::vector<Fingerprint> fired;
  std::vector<Fingerprint> resolved;
  std::vector<Fingerprint> written;  // all of them, where another server tells
  Result<> note(store::Transaction& transaction) const;
};

RequestClass class_of(routing::Severity severity);
std::string cause_of(Fingerprint fingerprint);     // of an emergency's alert in the Book
std::string cause_of_group(std::string_view way);  // its place in the log: each way calls its own people

// Everything but the atomics, and what `mutex_` guards, belongs to the engine's thread.
struct Groups::Inside {
  // A notice on its way.
  struct Job {
    Notice notice;
    std::string lane;
    std::chrono::nanoseconds deadline{0};  // steady
    int attempt = 0;
    std::set<std::string> mailed;  // addresses that have it
    std::string remark;            // on a delivery, as addresses that were refused
  };
  using JobPointer = std::shared_ptr<Job>;
  struct Lane {
    std::size_t sending = 0;
    std::size_t held = 0;  // queued, being sent, or waiting for another attempt
    std::deque<JobPointer> queue;
  };

  // The machine's clock was set, and the rows of alerts still have the times of before.
  struct ClockStep {
    Microseconds by{0};
    Instant at;                                      // by the clock as it is now
    std::unordered_map<Fingerprint, Instant> known;  // what was known then, and when it had been told of last
    std::string after;                               // rows up to this one are done
  };

  Inside(const alerts::Book& book, const Clock& clock, Settings settings, Counters& counters);

  // groups.cc
  Result<> start(store::Store& store, routing::ConfigPtr config);
  void stop();
  Result<> load(State& state) const;
  void post(std::move_only_function<void()> work);
  void work();
  void end_alerts();
  void shift_rows();
  Task<> shift_all_rows();
  void forget();
  void sweep();
  void after_change();
  Instant now() const { return clock_.now(); }
  Microseconds clock_step() const;
  void add_busy();
  void end_busy();

  // leader.cc
  // Another server on the store tells and ends; this one writes down and shows. Any thread.
  bool another_leads() const { return !store_->leads(); }
  // Takes over what another server has left, or lets go; whether this one leads now.
  bool lead();
  void let_go();
  // The state as the store has it, and what could not be written into it.
  Result<> read_again();
  // Before something is shown.
  void catch_up();
  void tell_alone(const Alert& alert);
  // What was written while this server led, and another one does now: that one has to hear of it.
  void hand_over(std::span<const Alert> written);
  void take_from_others(std::vector<Alert> alerts, std::vector<Silence> silences);

  // intake.cc: inside a transaction
  Result<> take(store::Transaction& transaction, Alert& alert, Changes& changes) const;
  Result<> end_in_book(store::Transaction& transaction, std::string_view cause, std::string_view why) const;
  // Writes it in slices; then puts it into the State.
  Task<Result<>> write(std::vector<Alert> alerts, RequestClass request_class);
  Task<Result<>> write_slice(std::span<Alert> part, RequestClass request_class);
  Task<Result<>> submit(RequestClass request_class, store::Work work);
  // Told of and not in the store: written down as soon as that works, so that the Book calls people.
  void not_recorded(const Alert& alert);
  void write_again();

  // silences.cc
  Result<> put(store::Transaction& transaction, Silence& silence, Instant at, std::vector<Silence>& written) const;
  Result<std::string> asked_by_another(const Silence& silence, std::string_view who, Instant at) const;
  void end_proposals(Instant at);

  // deliver.cc
  void send(Notice notice);
  void enter(const JobPointer& job);
  void pump(Lane& lane);
  Task<> run(Lane& lane, JobPointer job);
  Task<notify::SendOutcome> attempt(Job& job);
  Task<notify::SendOutcome> call(const Job& job);
  void outcome(const JobPointer& job, const notify::SendOutcome& outcome);
  void call_oncall(const JobPointer& job);
  Result<> tell_book(store::Transaction& transaction, const Notice& notice) const;
  void record(const JobPointer& job);
  void give_up(const JobPointer& job, const notify::SendOutcome& outcome);
  void finish(const JobPointer& job, bool success);
  bool has_room(const routing::Receiver& receiver, std::size_t way) const;

  const alerts::Book& book_;
  const Clock& clock_;
  const Settings settings_;
  Counters& counters_;
  Instant started_at_;

  store::Store* store_ = nullptr;
  std::unique_ptr<State> state_;
  asio::io_context context_{1};
  asio::executor_work_guard<Executor> guard_{context_.get_executor()};
  std::unique_ptr<net::Client> client_;
  GroupMail mail_;
  std::map<std::string, Lane, std::less<>> lanes_;
  std::multimap<std::chrono::nanoseconds, JobPointer> retries_;  // by steady time
  // Brings what other servers have written. Only where there can be any.
  class Others final : public store::Follower {
   public:
    explicit Others(Inside& inside) : inside_(inside) {}
    std::string_view name() const override { return "label-alerts"; }
    Result<> follow(std::span<const store::Event> events) override;

   private:
    Inside& inside_;
  };
  Others others_{*this};
  bool leading_ = true;
  std::chrono::nanoseconds read_again_at_{0};  // steady
  // Emergencies that are not in the store yet.
  struct Waiting {
    int rounds = 0;
    std::chrono::nanoseconds next_call{0};  // steady
  };
  std::map<Fingerprint, Waiting> unrecorded_;
  std::chrono::nanoseconds next_unrecorded_{0};  // steady: when they are tried again
  std::vector<Fingerprint> unended_;             // whose end is not written down yet
  std::deque<ClockStep> clock_steps_;            // no end is written down before their rows are
  bool is_shifting_ = false;
  std::chrono::nanoseconds next_shift_{0};  // steady: when what could not be written is tried again
  std::string sweep_after_;
  Instant next_sweep_;

  std::atomic<std::int64_t> next_ = 0;                // when there is something to do, Instant in us
  std::atomic<std::int64_t> next_retry_ = INT64_MAX;  // steady, ns
  std::atomic<std::int64_t> apart_ = 0;               // wall clock minus steady clock, us
  std::atomic<bool> ticking_ = false;
  std::atomic<bool> stopping_ = false;
  std::thread thread_;

  std::mutex mutex_;
  std::condition_variable idle_;
  std::int64_t busy_ = 0;
};

}  // namespace mydr24::groups
