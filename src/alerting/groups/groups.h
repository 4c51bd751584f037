#pragma once

// Alerts posted with labels, from the message to the notification: kept, grouped, held back where that was asked for,
// told to receivers, told again, ended. The one behind the Alertmanager API.
//
// Invariants
// - What was answered with success is in the store: alerts, silences and what receivers were told survive a crash. Only
//   what follows from them (groups, times) is in memory and is worked out again at the start.
// - An emergency is raised in the Book in the transaction that stores it (cause "label/FINGERPRINT") and resolved there
//   when it ends. When it cannot be stored its receivers are told all the same, and people are called from memory.
// - A receiver that hangs delays no other: every way of every receiver has a lane of its own.
// - Where several servers share the store, one of them tells and ends; what the others are sent reaches it through the
//   journal, and they show what the store has, a second old at most. Without a store each tells of emergencies.
// - Many alerts at once are written in slices, so that an emergency never waits for more than one slice.
//
// In the store: spaces "labels" (FINGERPRINT -> alert), "silences" (ID -> silence), "notifications" (place -> what was told),
// "label_keys" (key of an event -> FINGERPRINT), "silence_proposals" (ID -> proposal). Events: label.fired, label.resolved,
// label.written (by another server than the one that tells), silence.created, silence.expired, silence.refused,
// silence.proposed, silence.declined, silence.withdrawn, silence.lapsed, notification.sent, notification.failed.
//
// Life: construct, start(store) before the store's first tick, stop() before the store is closed, destroy after it.

#include <algorithm>
#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <type_traits>
#include <vector>

#include "alerting/alerts/book.h"
#include "alerting/groups/state.h"
#include "alerting/notify/channel.h"
#include "base/async/task.h"
#include "storage/store/store.h"

namespace mydr24::groups {

// Sends a notice in place of the network, for tests.
using Sender = std::function<Task<notify::SendOutcome>(const Notice&)>;

struct Settings {
  routing::Names names = routing::Names::utf8;
  milliseconds start_delay{0};       // after the start nobody is told anything for so long, emergencies excepted
  std::string external_url;          // of this server, in notifications
  std::size_t alerts_max = 200'000;  // known at the same time; above it only emergencies are taken
  Sender sender;                     // null: the network
  // An emergency that could not be written down: at once (round 0), then every unrecorded_again until it is. Called on the
  // engine's thread.
  std::function<void(const Alert&, int round)> unrecorded;
};

inline constexpr std::chrono::seconds unrecorded_again{30};

// Since the start of the process. Readable by any thread.
struct Counters {
  std::atomic<std::int64_t> received = 0;
  std::atomic<std::int64_t> invalid = 0;
  std::atomic<std::int64_t> sent = 0;    // notifications
  std::atomic<std::int64_t> failed = 0;  // attempts
  std::atomic<std::int64_t> given_up = 0;
  std::atomic<std::int64_t> unrecorded = 0;  // emergencies that are not written down, now
  std::atomic<std::int64_t> known = 0;       // alerts, now
  std::atomic<std::int64_t> groups = 0;      // now
  std::atomic<std::int64_t> silences = 0;    // now, expired ones included
};

// A message of a system that names its alerts itself (PagerDuty Events v2, generic webhook).
struct Event {
  enum class Action : std::uint8_t { trigger, acknowledge, resolve };
  std::string integration;  // whose keys they are
  std::string dedup_key;    // at most dedup_key_max bytes
  Action action = Action::trigger;
  Labels labels;  // of a trigger
  Labels annotations;
  std::string by;  // who acknowledges
};
inline constexpr std::size_t dedup_key_max = 255;

struct EventOutcome {
  bool is_new = false;   // a trigger that opened an alert
  bool is_open = false;  // there is one now
};

// What a silence would hold back.
struct Preview {
  std::size_t firing = 0;           // now
  std::size_t recent = 0;           // in the last 30 days, those of now included
  std::size_t urgent = 0;           // of the recent
  std::size_t emergency = 0;        // of those firing: not held back, whatever the silence says
  std::vector<std::string> names;   // of alerts, at most 20
  std::string needs_second_person;  // why; empty: it does not
};

inline constexpr std::chrono::hours proposal_valid{24};
inline constexpr std::size_t proposals_max = 100;
inline constexpr std::size_t decline_reason_max = 1'000;

// A silence that waits for a second person. What is asked for never changes: who approves it has seen what is made.
struct Proposal {
  std::string id;
  Silence silence;          // as it was asked for: createdBy proposes it, at updatedAt
  std::string declined_by;  // empty: it waits
  std::string reason;       // why it was declined

  bool waits() const { return declined_by.empty(); }
  // By itself, undecided or declined.
  Instant ends_at() const { return std::min(silence.updated_at + proposal_valid, silence.ends_at); }
};
// {id, until, silence} and, when it was declined, {declined_by, reason}.
std::string to_json(const Proposal& proposal);

class Groups {
 public:
  // `clock`: the machine's, as senders and people set theirs. It may be set: what waits is moved by as much.
  Groups(const alerts::Book& book, const Clock& clock, Settings settings);
  ~Groups();
  Groups(const Groups&) = delete;
  Groups& operator=(const Groups&) = delete;

  Result<> start(store::Store& store, routing::ConfigPtr config);
  void stop();
  // Does what is due. Call it often, as Store::tick(). Thread-safe, cheap when nothing is due.
  void tick();
  // Blocks until nothing is being worked on (what waits for a retry is not counted), at most `time_max`.
  bool settle(milliseconds time_max = std::chrono::seconds(5));

  // These go on on the caller's executor. Success: it is on disk.
  Task<Result<>> take(std::vector<Alert> alerts);
  Task<Result<EventOutcome>> take(Event event);
  // The same for who does not wait for it: alerts that this server raises by itself.
  void take_later(std::vector<Alert> alerts);
  // A new silence, or (with an id) a change of one; the id. `seen` is what preview() found. Code::not_found,
  // Code::invalid, Code::refused (a second person is needed, or it asks for emergencies alone): that is noted. `who`: who is
  // logged in; what lacks a second person is proposed by them then, and one who names an approver approves what another has
  // proposed in the same words. Empty: nobody is asked who they are, and names are what was said.
  Task<Result<std::string>> put_silence(Silence silence, Preview seen, std::string who = {});
  Task<Result<>> expire_silence(std::string id);

  // For a second person. In place of what createdBy has proposed of the same alerts. Code::invalid, Code::refused (it asks for
  // emergencies alone), Code::conflict: proposals_max wait.
  Task<Result<Proposal>> propose(Silence silence);
  // Those that wait and those that were declined, until their end; the oldest first.
  Result<std::vector<Proposal>> proposals() const;
  // By another person than who proposed it, else Code::refused. Code::not_found; Code::conflict: it was declined. The id of the
  // silence, which ends when it was proposed to.
  Task<Result<std::string>> approve(std::string id, std::string by);
  Task<Result<>> decline(std::string id, std::string by, std::string reason);
  // By who proposed it.
  Task<Result<>> withdraw(std::string id, std::string by);
  // Reads the alerts of the last 30 days: not for an I/O thread.
  Result<Preview> preview(const Silence& silence) const;
  Task<> reload(routing::ConfigPtr config);

  // Runs `look(const State&, Instant now)` on the engine's thread.
  template <class Look>
  auto ask(Look look) -> Task<std::invoke_result_t<Look&, const State&, Instant>> {
    using T = std::invoke_result_t<Look&, const State&, Instant>;
    co_return co_await async_call<T>([this, &look](auto done) {
      post([&look, done = std::move(done)](const State& state, Instant now) mutable { done(look(state, now)); });
    });
  }

  const Settings& settings() const;
  const Counters& counters() const { return counters_; }
  Instant started_at() const;
  Instant now() const;

 private:
  struct Inside;
  void post(std::move_only_function<void(State&, Instant)> work);
  Task<bool> leave_room(std::vector<Alert>& alerts);
  Task<> show(std::vector<Silence> written);
  Counters counters_;
  std::unique_ptr<Inside> inside_;
};

}  // namespace mydr24::groups
