#pragma once

// Sends what the Book put in the outbox. Follows the journal's alert events, sends each delivery over its
// contact's channel at once, writes down what became of it, and tries again with back-off until it is
// delivered, no longer wanted, or given up.
//
// Invariants
// - A delivery is sent again only as a marked retry (attempt > 1): after a failure, or when another process may have sent
//   it and its outcome is not known. Every attempt carries the same delivery id.
// - A channel that hangs delays no other: each address of a contact has a lane of its own. In a lane emergencies go
//   first; then the sources of alerts take turns, so that the first page of one does not wait behind the many of another.
// - A provider that refuses is not asked again: the contact's next method is called at once.
// - Nothing waits only in memory: what is not finished is in the outbox, and is found again by the process that follows
//   the journal next.
//
// Life: construct, start(store) before the store's first submit, stop() before the store is closed, destroy
// after the store.

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "alerting/alerts/alert.h"
#include "alerting/notify/channel.h"
#include "alerting/notify/console_hub.h"
#include "alerting/oncall/directory.h"
#include "base/core/clock.h"
#include "base/telemetry/traces.h"
#include "storage/store/store.h"

namespace mydr24::alerts {

// Counted after the commit; since the start of the process. Readable by any thread.
struct Counters {
  std::atomic<std::int64_t> raised = 0;
  std::atomic<std::int64_t> escalated = 0;  // calls of a further step, repeats included
  std::atomic<std::int64_t> repeated = 0;   // of them, of the last step again
  std::atomic<std::int64_t> acknowledged = 0;
  std::atomic<std::int64_t> resolved = 0;
  std::atomic<std::int64_t> attempts = 0;
  std::atomic<std::int64_t> delivered = 0;         // deliveries
  std::atomic<std::int64_t> failed = 0;            // attempts
  std::atomic<std::int64_t> given_up = 0;          // deliveries
  std::atomic<std::int64_t> recovered = 0;         // deliveries that another process left unfinished
  std::atomic<std::int64_t> waiting = 0;           // deliveries taken from the outbox and not finished, now
  std::atomic<std::int64_t> from_memory = 0;       // calls about what could not be written down that were delivered
  std::atomic<std::int64_t> delivery_us_last = 0;  // from the call's commit time to its delivery, first attempts only
  std::atomic<std::int64_t> delivery_us_max = 0;
};

struct DispatcherSettings {
  std::chrono::milliseconds retry_first{1'000};  // then twice as long each time
  std::chrono::milliseconds retry_max{30'000};
  int attempts_max = 50;               // then given up
  std::size_t sends_per_lane_max = 4;  // at the same time; as many places again are for emergencies
  std::size_t waiting_max = 20'000;    // then the journal waits
  bool include_patient = false;        // webhooks carry the patient reference and the reason
  std::string link_base;               // see WebhookSettings
  // Told how long each delivery took; null: nobody is. Must outlive the dispatcher.
  telemetry::Traces* traces = nullptr;
};

// What could not be written down: an emergency, or what another module has to tell people of.
struct Unrecorded {
  std::string id;  // the same in every round
  std::string title;
  Instant raised_at;
  int round = 0;
  Severity severity = Severity::emergency;
  std::string policy = {};  // empty, or one that the plan does not have: that of the severity
};

// Makes the channel of a contact's address for the dispatcher's io_context; tests put their own in place.
using ChannelFactory =
    std::function<Result<std::unique_ptr<notify::Channel>>(asio::io_context&, const notify::Address&)>;

class Dispatcher : public store::Follower {
 public:
  // `clock` and `hub` (told of calls from memory) must outlive it. Without a factory, webhooks and the hub's console channel are made.
  Dispatcher(oncall::Directory directory, const Clock& clock, notify::ConsoleHub& hub, DispatcherSettings settings = {},
             ChannelFactory factory = {});
  ~Dispatcher() override;
  Dispatcher(const Dispatcher&) = delete;
  Dispatcher& operator=(const Dispatcher&) = delete;

  // Starts the thread and follows the store. Errors name a contact whose channel cannot be made.
  Result<> start(store::Store& store);
  // Sends nothing new, waits for what is being sent and written down (seconds at most). After this the store may close.
  void stop();
  // Begins the retries that are due. Call it often, as Store::tick(). Thread-safe, cheap.
  void tick();
  // Calls the people of step `round` of its policy (of the last one beyond it) by every method they have.
  // Nothing is read from or written to the store: for when nothing can be. Who calls it calls again until it is written
  // down. Thread-safe.
  void call_from_memory(Unrecorded emergency);
  // Blocks until nothing is being sent or written down (what waits for a retry is not counted), at most `time_max`.
  bool settle(std::chrono::milliseconds time_max = std::chrono::seconds(5));

  const Counters& counters() const { return counters_; }

  std::string_view name() const override { return "alerts.dispatcher"; }
  // Takes up what an earlier process, or the one that followed before, left in the outbox.
  Result<> begin() override;
  // Another server sends what is left: nothing is begun any more. What is being sent ends, and is written down.
  void end() override;
  Result<> follow(std::span<const store::Event> events) override;

 private:
  struct Inside;
  Counters counters_;
  std::unique_ptr<Inside> inside_;
};

}  // namespace mydr24::alerts
