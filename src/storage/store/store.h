#pragma once

// What is kept, and the journal of what happened: the one interface to durable storage.
//
// The journal is the truth: one line, with an ever-growing sequence number, for every version of every
// resource and for every event of another module ("alert.raised"). Everything else (current versions, search
// index, module state, timers) is written in the same transaction as the line that changes it.
//
// Invariants
// - A write that reported success is on stable storage. A write that reported an error left nothing.
// - Writes run one after another in the order of their RequestClass; several share one commit, each in a savepoint of
//   its own.
// - Sequence numbers grow in commit order without being reused; a reader that saw a line sees every line before it.
// - lastUpdated never goes backwards along the journal, even if the machine's clock does.
//
// Inside the transaction, calls (Work); after the commit, followers and timers.

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/core/clock.h"
#include "base/core/request_class.h"
#include "base/core/result.h"
#include "fhir/search/search.h"

namespace mydr24::store {

using Sequence = std::int64_t;

// How a version came to be. The first version of a record is an update when the client chose its id (PUT).
enum class Action : std::uint8_t { create, update, remove };

// One version of a resource as it stands in the journal.
struct Version {
  std::string type;
  std::string id;
  std::int64_t version = 0;  // 1, 2, 3 ...; a deletion is a version of its own
  Sequence sequence = 0;
  Instant at;  // lastUpdated
  Action action = Action::create;
  std::string body;  // resource text without meta.versionId and meta.lastUpdated; empty when deleted or not asked for
  std::uint32_t meta_at = 0;  // where in the body those two belong: just after the '{' of meta
};

// A resource text made ready for writing (compressed) outside the transaction, by any thread.
struct PackedBody {
  std::string bytes;
  std::uint32_t meta_at = 0;
};

struct Put {
  std::string_view type;
  std::string_view id;
  Action action = Action::create;
  const PackedBody* body = nullptr;  // null for remove
  // Sorted. What the new version is found by, and what the one before was (empty for the first): the
  // difference is written.
  std::span<const search::IndexEntry> entries;
  std::span<const search::IndexEntry> entries_before;
};

struct Written {
  std::int64_t version = 0;
  Sequence sequence = 0;
  Instant at;
};

struct HistoryQuery {
  std::string type;                      // empty: the whole system
  std::string id;                        // empty: the whole type
  std::optional<Instant> since;          // lastUpdated at or after
  std::optional<Instant> before;         // lastUpdated before
  Sequence before_sequence = INT64_MAX;  // paging: only older lines
  std::uint32_t count = 20;
};

struct SearchPage {
  std::vector<Version> matches;  // bodies included, in the order of the query
  std::string next_cursor;       // empty: no more
  std::optional<std::int64_t> total;
};

// A value that resources of a type are found by, and the newest that has it.
struct ParameterValue {
  std::string system;  // of a token
  std::string value;
  Version newest;
};

// A line of another module: kind is "alert.raised" or the like, payload is JSON.
struct Event {
  Sequence sequence = 0;
  Instant at;
  std::string kind;
  std::string payload;
};

struct StateRow {
  std::string key;
  std::string value;
};

// A time at which something is due, kept with the thing that is due so that it survives a crash.
struct Timer {
  std::string key;  // unique; setting it again replaces it
  Instant due;
  std::string kind;  // chooses the handler: "alert.escalate"
  std::string payload;
};

// A line of the journal as it stands: for copying a store.
struct JournalLine {
  Version version;  // of a resource; `type` is empty for an event
  Event event;      // `kind` is empty for a resource
};

// A row of module state with its space, for copying a store.
struct SpaceRow {
  std::string space;
  StateRow row;
};

// What one call of Store::read may cost. When it is exceeded the Reader's next answer is Code::too_costly.
struct ReadLimits {
  std::chrono::milliseconds time_max{0};         // by a steady clock; 0: none
  const std::atomic<bool>* cancelled = nullptr;  // set by another thread when nobody waits for the answer any more
  RequestClass request_class = RequestClass::routine;  // a pool of readers keeps room for the higher ones
};

// A consistent view for reading. Not thread-safe; short-lived: an open Reader holds back checkpoints.
// What has a body here answers Code::unsupported until an engine overrides it.
class Reader {
 public:
  virtual ~Reader() = default;

  // The newest version, also when it is a deletion; nothing when there never was one.
  virtual Result<std::optional<Version>> current(std::string_view type, std::string_view id) = 0;
  // The same without the body: for preconditions.
  virtual Result<std::optional<Version>> current_head(std::string_view type, std::string_view id) = 0;
  virtual Result<std::optional<Version>> version(std::string_view type, std::string_view id, std::int64_t version) = 0;
  // Newest first.
  virtual Result<std::vector<Version>> history(const HistoryQuery& query) = 0;
  virtual Result<SearchPage> search(const search::Query& query) = 0;
  // How search() would answer: the steps, the index each uses, and how many rows each expects, as text for people.
  virtual Result<std::string> explain(const search::Query& query);
  // The different values of a token, reference or uri parameter, at most `count`.
  virtual Result<std::vector<ParameterValue>> values(const search::Parameter& parameter, std::uint32_t count);
  virtual Result<std::int64_t> count_resources(std::string_view type) = 0;  // empty type: all; deleted ones not counted

  // Small rows that modules keep for themselves, ordered by key inside a space ("alerts", "vitals").
  virtual Result<std::optional<std::string>> state(std::string_view space, std::string_view key) = 0;
  // Rows whose key begins with `prefix` and is above `after`, in key order.
  virtual Result<std::vector<StateRow>> states(std::string_view space, std::string_view prefix, std::string_view after,
                                               std::uint32_t count) = 0;

  // Events above `after`, oldest first.
  virtual Result<std::vector<Event>> events(Sequence after, std::uint32_t count) = 0;
  virtual Result<Sequence> last_sequence() = 0;

  // For copying a store: lines above `after`, oldest first; state rows above (space, key); timers above the key;
  // followers' cursors.
  virtual Result<std::vector<JournalLine>> journal(Sequence after, std::uint32_t count);
  virtual Result<std::vector<SpaceRow>> all_states(std::string_view space, std::string_view key, std::uint32_t count);
  virtual Result<std::vector<Timer>> all_timers(std::string_view after, std::uint32_t count);
  virtual Result<std::vector<std::pair<std::string, Sequence>>> cursors();
};

// A Reader that sees its own writes. Everything it did is undone when the Work returns an error.
class Transaction : public Reader {
 public:
  // The time that every line of this transaction carries.
  virtual Instant now() const = 0;
  virtual Result<Written> put(const Put& put) = 0;
  virtual Result<Sequence> note(std::string_view kind, std::string_view payload) = 0;
  virtual Result<> set_state(std::string_view space, std::string_view key, std::string_view value) = 0;
  virtual Result<> erase_state(std::string_view space, std::string_view key) = 0;
  virtual Result<> set_timer(const Timer& timer) = 0;
  virtual Result<> cancel_timer(std::string_view key) = 0;                 // no error when there is none
  virtual Result<std::vector<Timer>> due_timers(std::uint32_t count) = 0;  // due <= now(), earliest first

  // Replaces index rows of the version that stands, which stays as it is: for a reindex. Code::stale when the newest
  // version is not `version` any more.
  virtual Result<> reindex(std::string_view type, std::string_view id, std::int64_t version,
                           std::span<const search::IndexEntry> before, std::span<const search::IndexEntry> after);

  // Only for a copy, into a store that nothing else writes: appends the line with its sequence, time and version as they
  // are. `body` is packed by this store; null for a removal or an event. Lines come in ascending sequence.
  virtual Result<> replay(const JournalLine& line, const PackedBody* body, std::span<const search::IndexEntry> before,
                          std::span<const search::IndexEntry> after);
  virtual Result<> set_cursor(std::string_view follower, Sequence sequence);
};

using Work = std::move_only_function<Result<>(Transaction&)>;
// Called on the store's thread after the commit, in class order: must be quick and must not throw.
using Done = std::move_only_function<void(Result<>)>;

// Sees events after their commit, with its own durable cursor: at least once, in order. Called on the store's
// follower thread, one call at a time per follower. An error is logged and the same call is made again a little later.
class Follower {
 public:
  virtual ~Follower() = default;
  virtual std::string_view name() const = 0;  // names the cursor: never change it
  // true: every process on the database is given the events, from the end of the journal as it is when the follower is
  // added; it has no durable cursor, and what a restart misses is read by begin(). For what only a process's memory keeps.
  // false: one process at a time is given them.
  virtual bool in_every_process() const { return false; }
  // Before the first events that this process is given, at its start or when it takes over from another that follows the
  // same database: what that one left unfinished is taken up here.
  virtual Result<> begin() { return {}; }
  // This process lives and follows no longer: another takes up, or has taken up, what is unfinished. Events come again only
  // after the next begin(). Not called at the end of the process.
  virtual void end() {}
  virtual Result<> follow(std::span<const Event> events) = 0;
};

struct Statistics {
  std::int64_t commits = 0;
  std::int64_t writes = 0;  // Works that succeeded
  std::int64_t writes_failed = 0;
  std::array<std::int64_t, request_class_count> queued{};  // waiting now
  std::int64_t commit_us_last = 0;
  std::int64_t bytes_on_disk = 0;
  bool writable = true;  // false after a failed sync: every write is refused until the next start
};

class Store {
 public:
  // Waits for the Works already submitted, then closes.
  virtual ~Store() = default;

  // Compresses. `text` is the resource without meta.versionId and meta.lastUpdated. Thread-safe.
  virtual PackedBody pack(std::string_view text, std::uint32_t meta_at) const = 0;

  // Queues a write. Code::busy at once (through `done`, on the caller's thread) when the class's queue is full.
  virtual void submit(RequestClass request_class, Work work, Done done) = 0;
  // The same for a caller that may block (command line, tests).
  Result<> write(RequestClass request_class, Work work);

  // Runs `read` with a Reader of the pool, on the calling thread. Thread-safe. One consistent view for the whole call.
  // `after`: the view must hold at least this line of the journal (read-your-writes on a replica); 0: any.
  virtual Result<> read(const std::function<Result<>(Reader&)>& read, const ReadLimits& limits, Sequence after) = 0;
  // As `after`: every line that is committed, so no replica.
  static constexpr Sequence everything_committed = INT64_MAX;
  // What is committed is seen: a follower that misses the row it was told of would forget it for good.
  Result<> read(const std::function<Result<>(Reader&)>& read) { return this->read(read, {}, everything_committed); }

  // Parameters beyond the published ones may be used in entries and queries from now on. Call it before; parameters are
  // known to the database by type and code. Thread-safe.
  virtual Result<> learn(const search::CataloguePtr& catalogue);

  // Whether other processes may open the same database, and whether this is the one that runs timers and followers: none
  // is while the database cannot be reached. The latter may change at any time, and is seen a moment late. Thread-safe.
  virtual bool is_shared() const { return false; }
  virtual bool leads() const { return true; }
  // Before the first submit; the follower must outlive the store. Its cursor begins at the end of the journal when new.
  virtual void add_follower(Follower& follower) = 0;
  // Timers of that kind are given to `handler` inside a write transaction of class emergency when tick() finds them
  // due; the timer is gone when the handler succeeds (unless it set it again). Before the first tick.
  using TimerHandler = std::function<Result<>(Transaction&, const Timer&)>;
  virtual void on_timer(std::string kind, TimerHandler handler) = 0;
  // Runs what is due at the clock's time. Returns at once; call it often (10 times a second is fine: it costs
  // nothing when nothing is due).
  virtual void tick() = 0;
  // Blocks until every event committed so far has been followed and queued work is done: for tests and shutdown.
  virtual void settle() = 0;

  // A consistent copy while the store is in use. `to` must not exist; it appears only when complete.
  virtual Result<> backup(const std::filesystem::path& to) = 0;
  // Reads everything: the engine's own check, every body, every index row against its record. The texts of
  // what is wrong.
  virtual Result<std::vector<std::string>> verify() = 0;

  virtual Statistics statistics() const = 0;
};

}  // namespace mydr24::store
