#pragma once

// The embedded store: one folder, one process, no server. The default.
//
// Invariants
// - Exactly one connection writes and checkpoints; readers are query-only. A second process is refused.
// - Every commit is synced (WAL, synchronous=FULL) before anybody is told of it.
// - Nothing that must survive is kept outside the folder: the process may be killed at any time.
// - With a key file nothing of the content is ever written plain (sealed_vfs.h).

#include <array>
#include <cstddef>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string_view>

#include "base/core/clock.h"
#include "base/telemetry/log.h"
#include "storage/store/search_sql.h"
#include "storage/store/store.h"

namespace mydr24::sqlite {

// The file inside the folder. A backup is a single file of this kind: to restore it, give it this name in an empty
// folder. The keys of an encrypted one stand beside it, as backup_keys_file() says: they become keys.json in that folder.
inline constexpr std::string_view database_file = "mydr24.db";
std::filesystem::path backup_keys_file(const std::filesystem::path& backup);
// Whether the store in that folder is encrypted. False also when there is none.
bool is_encrypted(const std::filesystem::path& folder);
// How many pages of the database file each generation of its keys has sealed. Not in a process that has the store open:
// the file is opened and closed, which ends the locks of that process.
Result<std::map<std::uint32_t, std::int64_t>> pages_by_key(const std::filesystem::path& folder);

using LogLine = std::function<void(telemetry::Level, std::string_view)>;

struct Settings {
  std::filesystem::path folder;  // made (mode 0700) when it is not there
  // Its key-encryption key (storage/keyring). Empty: a new store is not encrypted. A store is one or the other for good.
  std::filesystem::path key_file;
  std::size_t writer_cache_bytes = std::size_t{64} << 20;
  // Each; filled as it is needed. Measured with the searches of bench/search on 16,000 patients (2.4 GB): 3,616 a second
  // with 8 MiB, 4,528 with 32, 4,530 with 128.
  std::size_t reader_cache_bytes = std::size_t{32} << 20;
  store::SearchLimits search;         // when a search takes another way
  std::size_t readers_max = 8;        // reads beyond this wait for one to end
  std::size_t emergency_readers = 2;  // beyond those, only for reads of the emergency class
  // Writes that wait, by RequestClass; more are refused with Code::busy.
  std::array<std::size_t, request_class_count> queue_max{8'192, 8'192, 8'192, 1'024};
  // A batch commits when the queues are empty, or after this long; the second when all of it is background.
  Microseconds batch_max{4'000};
  Microseconds background_batch_max{20'000};
  // The file takes over the write-ahead log when it has grown by this. More: pages that change again and again are written
  // fewer times, but the sync at the end keeps the next commit waiting for longer.
  std::size_t checkpoint_bytes = std::size_t{4} << 20;
  // Above this a checkpoint also waits (briefly) for readers, so that the write-ahead log can begin anew.
  std::size_t wal_bytes_max = std::size_t{64} << 20;
  // What operators should know, a line each. From several threads.
  LogLine log = [](telemetry::Level, std::string_view) {};
  // Runs first on the writer's thread: its weight. Empty: nothing.
  std::function<void()> writer_begun;
};

// For a process that does nothing but load: long batches, so that a page of an index is written once for many resources.
void settle_for_bulk(Settings& settings);

// Code::busy: another process has the folder open. Code::unsupported: made by a newer version of this program.
// Code::refused: it is encrypted and no key file is given, or another one. Code::conflict: a key file is given and it is
// not encrypted.
// The clock must outlive the store.
Result<std::unique_ptr<store::Store>> open(const Settings& settings, const Clock& clock);

}  // namespace mydr24::sqlite
