#pragma once

// The store on PostgreSQL 15 or later: the same journal and index tables as the embedded store, for a deployment that
// has outgrown one machine. Any number of processes may open one database.
//
// Invariants
// - A commit is durable (synchronous_commit on) before anybody is told of it.
// - Lines of the journal become visible in the order of their sequence: groups of writes take one advisory lock.
// - Timers and followers are run by one process at a time (an advisory lock); another takes over when it goes. Followers in
//   every process see what another process wrote a fifth of a second late.
//
// Connections of a process, opened when they are needed: one for writing, `readers_max` for reading (on each replica as
// many) and two more that only reads of the emergency class may take, up to four for followers, one that watches.

#include <array>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/core/clock.h"
#include "base/telemetry/log.h"
#include "storage/store/store.h"

namespace mydr24::postgres {

using LogLine = std::function<void(telemetry::Level, std::string_view)>;

struct Settings {
  std::string url;                     // postgres://user@host:port/database, or a libpq connection string
  std::vector<std::string> read_urls;  // replicas; empty: reads go to `url`
  std::size_t readers_max = 8;
  std::array<std::size_t, request_class_count> queue_max{8'192, 8'192, 8'192, 1'024};
  Microseconds batch_max{4'000};
  std::int64_t kept_total_min = 200;  // totals from here on are kept up to date once they were asked for
  bool may_lead = true;               // false: never runs timers and followers, for commands beside the servers
  bool migrate = true;  // bring the schema up to date when opening; false: Code::unsupported when it is not
  LogLine log = [](telemetry::Level, std::string_view) {};
  // Runs first on the writer's thread: its weight. Empty: nothing.
  std::function<void()> writer_begun;
};

// Code::busy: the server cannot be reached. Code::refused: it does not let us in. Code::unsupported: the schema is of a
// newer version of this program. The clock must outlive the store.
Result<std::unique_ptr<store::Store>> open(const Settings& settings, const Clock& clock);

// The schema's versions, oldest first: which are applied and which are to come.
struct Migration {
  int number = 0;
  std::string name;
  bool applied = false;
  std::string sql;
};
Result<std::vector<Migration>> migrations(const std::string& url);
// Applies those that are missing, one transaction for all; nothing is left half-done.
Result<int> migrate(const std::string& url);

}  // namespace mydr24::postgres
