#pragma once

// The trail itself: a folder of its own that only ever grows at its end.
//
// Invariants
// - append() returns success only when the line is with the operating system (in a page of its file): the process may be
//   killed at any time after. A thread of its own syncs: what a power cut may take is at most lag() old.
// - Every line holds the SHA-256 of the one before; checkpoints signed with Ed25519 say where the trail stood
//   (verify.h).
// - What the disk refuses is an Error of the append, and nothing of it stays.
//
// In the folder (default names): segments and indexes (detail/segment.h), `signing-key.pem` (mode 0600, made at the
// first start), `signing-key.pub`, `checkpoints` (every signed line again, never cut: copy it to where nobody who may
// write here may write), `holds.json`, `lock`.

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/core/clock.h"
#include "base/core/result.h"
#include "base/telemetry/log.h"
#include "base/telemetry/metrics.h"
#include "guard/audit/detail/crypto.h"
#include "guard/audit/detail/file.h"
#include "guard/audit/detail/record.h"
#include "guard/audit/detail/sealing.h"
#include "guard/audit/entry.h"
#include "guard/audit/search.h"
#include "guard/audit/trail.h"

namespace mydr24::audit {

inline constexpr std::string_view key_file_name = "signing-key.pem";
inline constexpr std::string_view public_key_file_name = "signing-key.pub";
inline constexpr std::string_view checkpoints_file_name = "checkpoints";

using LogLine = std::function<void(telemetry::Level, std::string_view)>;

struct Settings {
  std::filesystem::path folder;            // made (mode 0700) when it is not there
  std::filesystem::path key_file;          // empty: in the folder
  std::filesystem::path checkpoints_file;  // empty: in the folder
  // The key-encryption key of an encrypted trail (storage/keyring; its keys.json is in the folder). A trail that has
  // none yet is encrypted from the next line on; what is there stays readable. Empty: not encrypted.
  std::filesystem::path encryption_key_file;
  // A segment ends when it is this large or, so that retention can go by days, this old.
  std::size_t segment_bytes = std::size_t{64} << 20;
  std::chrono::hours segment_time{24};
  std::chrono::milliseconds sync_interval{500};
  // A checkpoint is written after so many entries, or this long after the first that has none: what is cut off the end
  // later than the last checkpoint, nobody can tell.
  std::int64_t checkpoint_entries = 10'000;
  std::chrono::seconds checkpoint_interval{60};
  // What operators should know, a line each. From several threads.
  LogLine log = [](telemetry::Level, std::string_view) {};
};

struct Statistics {
  std::int64_t entries = 0;          // appended by this process
  std::int64_t bytes = 0;            // written by it
  std::int64_t refused = 0;          // appends that failed
  std::int64_t last = 0;             // number of the last line
  std::int64_t last_checkpoint = 0;  // number of the last signed one of them; 0: none yet
  Instant checkpoint_at;
};

// Entries of that patient are kept beyond every retention, and nothing of the record is erased.
struct Hold {
  std::string patient;
  std::string reason;
  std::string by;
  Instant at;
  std::optional<Instant> until;  // it ends by itself then; nothing: when it is released

  bool is_in_force(Instant now) const { return !until || now < *until; }
};
// {"holds": [{"patient", "reason", "by", "at", "until"?}]}
std::string to_json(const std::vector<Hold>& holds);
// "2026-05-10", or with a time; nothing for an empty text. Code::invalid names `where`.
Result<std::optional<Instant>> time_of(std::string_view text, std::string_view where);

struct Retained {
  std::int64_t segments_removed = 0;
  std::int64_t lines_removed = 0;
  std::int64_t segments_held = 0;  // old enough, but an entry of theirs is of a patient under a hold
};

class Log {
 public:
  // Cuts a torn tail back to the last whole line, and says so in an entry ("audit.repair"). Code::busy: another process
  // has the folder open. Code::refused: it is encrypted, and the key file is not the right one or not given. The clock and
  // the metrics must outlive the Log.
  static Result<std::unique_ptr<Log>> open(const Settings& settings, const Clock& clock,
                                           telemetry::Metrics* metrics = nullptr);
  // A checkpoint, a sync, and the end.
  ~Log();
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;

  // The number of its line. Thread-safe. Code::full: the disk has no room. Code::internal: it cannot be written, or a
  // sync failed before (nothing is taken until the next start: what the disk holds is not known any more).
  Result<std::int64_t> append(Entry entry);
  // As append(), unless an entry with this store_sequence or a higher one is there already: exactly once for a follower
  // that is given events at least once. Numbers come in ascending order, from one thread.
  Result<> append_once(Entry entry);

  // What was appended before is on disk. Thread-safe.
  Result<> sync();
  // Age of the oldest line that is not; zero when all are.
  std::chrono::nanoseconds lag() const;

  // Entries, newest first. Thread-safe; sees everything whose append() has returned.
  Result<Page> search(const Query& query, std::size_t limit, std::string_view cursor = {}) const;

  // Removes whole segments whose every entry is older than `days` (at least 1) by the clock, but those that hold an
  // entry of a patient under a legal hold. A signed anchor in the trail stands for each. Thread-safe; may take long.
  Result<Retained> retain(int days);
  // Each is noted in the trail ("audit.hold", "audit.release"). A new hold takes the place of one on the same patient.
  // Code::invalid: no such id, no reason, or an end that is past. Code::not_found: no hold to release.
  Result<> hold(std::string_view patient, std::string_view reason, std::string_view by,
                std::optional<Instant> until = std::nullopt);
  Result<> release(std::string_view patient, std::string_view reason, std::string_view by);
  // Those in force, in the order in which they were placed.
  Result<std::vector<Hold>> holds() const;

  // Ends the segment now: for tests and before a copy is taken.
  Result<> rotate();
  // Waits until every ended segment is sealed and every index is there.
  void settle();

  Statistics statistics() const;
  // For reading it beside the process that writes it.
  const Trail& trail() const { return trail_; }

 private:
  class Lag;

  Log(Settings settings, const Clock& clock);
  Result<> open_folder();
  Result<> open_keys();
  Result<> recover();
  Result<bool> recover_from(std::int64_t first, std::string& torn);
  void take_up(const Line& line);
  void warn_of_lost_lines() const;
  Result<> begin_segment();
  void count(telemetry::Metrics& metrics);

  Result<> write_line(Kind kind, std::string_view body);  // under mutex_
  Result<> write_checkpoint();                            // under mutex_
  Result<> rotate_if(bool due);                           // under mutex_
  bool is_checkpoint_due() const;                         // under mutex_
  bool is_segment_old() const;                            // under mutex_
  Result<> publish(const std::string& statements);

  void run_sync();
  void run_seal();
  void ask_to_seal();
  void seal_all();
  Result<> retain_segment(std::int64_t first, Instant before, const std::vector<Hold>& holds, Retained& retained);
  Result<std::vector<Hold>> read_holds() const;          // under holds_
  Result<> write_holds(const std::vector<Hold>& holds);  // under holds_
  Result<> note_hold(std::string_view interaction, std::string_view patient, std::string_view reason,
                     std::string_view by);
  void tell(telemetry::Level level, std::string_view text) const { settings_.log(level, text); }
  void tell_of(const Error& error);

  const Settings settings_;
  const Clock& clock_;
  std::shared_ptr<File> lock_;
  SigningKey key_;
  std::string key_id_;
  std::shared_ptr<keyring::Keyring> keys_;  // of an encrypted trail; those of trail_
  Trail trail_;
  bool made_keys_ = false;

  mutable std::mutex mutex_;
  Sha256 sha_;
  std::shared_ptr<File> file_;
  std::int64_t first_ = 0;  // of the open segment
  std::size_t file_bytes_ = 0;
  Instant began_;  // the open segment
  std::int64_t next_ = 1;
  Digest previous_{};
  std::int64_t followed_ = 0;
  std::int64_t unchecked_ = 0;  // entries since the last checkpoint
  std::chrono::nanoseconds unchecked_since_{0};
  std::string line_;
  Sealing cipher_{nullptr};
  std::string stored_;      // the line as it goes to the disk
  std::string statements_;  // signed lines that are not yet in the checkpoints file
  std::vector<std::shared_ptr<File>> ended_;
  bool folder_changed_ = false;
  bool sync_failed_ = false;
  Statistics statistics_;
  telemetry::LogLimit limit_{std::chrono::minutes(1)};
  std::shared_ptr<Lag> lag_;
  telemetry::Counter entries_, bytes_, refused_;

  std::mutex syncing_;        // one sync at a time; before mutex_
  std::mutex sealing_;        // segments are sealed or removed by one thread at a time
  mutable std::mutex holds_;  // the file of holds
  std::mutex waking_;         // of the thread that syncs
  std::condition_variable woken_;
  bool stopping_ = false;  // under waking_
  // The thread that seals runs when nothing else does: were it to hold a lock that appends take, they would wait for it
  // as long as the processor is busy. So it is told without one.
  std::atomic<int> seals_asked_ = 1, seals_done_ = 0;
  std::atomic<std::int64_t> ended_before_ = 0;  // segments before this one have ended
  std::atomic<bool> stop_sealing_ = false;
  std::thread syncer_, sealer_;
};

}  // namespace mydr24::audit
