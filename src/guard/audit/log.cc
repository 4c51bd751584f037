#include "guard/audit/log.h"

#include <fmt/format.h>
#include <pthread.h>
#include <sched.h>

#include <algorithm>
#include <utility>

#include "base/core/id.h"
#include "base/json/document.h"
#include "guard/audit/detail/segment.h"

namespace mydr24::audit {
namespace {

namespace fs = std::filesystem;

using namespace std::chrono_literals;

}  // namespace

// Shared with the metrics, which may outlive the Log.
class Log::Lag {
 public:
  explicit Lag(const Clock& clock) : clock_(clock) {}

  void written() {
    if (oldest_.load(std::memory_order_relaxed) == 0) oldest_ = clock_.steady().count();
  }
  // The lines so far are being synced; those that come now are not among them.
  void begin_sync() {
    syncing_ = oldest_.load();
    oldest_ = 0;
  }
  void end_sync(bool succeeded) {
    if (!succeeded && syncing_ != 0) oldest_ = syncing_.load();
    syncing_ = 0;
  }
  bool all_synced() const { return oldest_ == 0; }
  std::chrono::nanoseconds now() const {
    const std::int64_t syncing = syncing_;
    const std::int64_t oldest = syncing != 0 ? syncing : oldest_.load();
    return oldest == 0 ? 0ns : std::max(0ns, clock_.steady() - std::chrono::nanoseconds(oldest));
  }

 private:
  const Clock& clock_;
  std::atomic<std::int64_t> oldest_ = 0;  // steady nanoseconds; 0: none
  std::atomic<std::int64_t> syncing_ = 0;
};

Log::Log(Settings settings, const Clock& clock)
    : settings_(std::move(settings)), clock_(clock), trail_(settings_.folder), lag_(std::make_shared<Lag>(clock)) {}

Result<std::unique_ptr<Log>> Log::open(const Settings& given, const Clock& clock, telemetry::Metrics* metrics) {
  Settings settings = given;
  if (settings.key_file.empty()) settings.key_file = settings.folder / key_file_name;
  if (settings.checkpoints_file.empty()) settings.checkpoints_file = settings.folder / checkpoints_file_name;
  std::unique_ptr<Log> log(new Log(std::move(settings), clock));
  MYDR24_TRY(log->open_folder());
  MYDR24_TRY(log->open_keys());
  if (metrics != nullptr) log->count(*metrics);
  if (auto recovered = log->recover(); !recovered) {
    std::error_code ignored;
    if (log->made_keys_) fs::remove(log->settings_.folder / keyring::file_name, ignored);  // they sealed nothing
    return recovered.error();
  }
  log->syncer_ = std::thread([&log = *log] { log.run_sync(); });
  log->sealer_ = std::thread([&log = *log] { log.run_seal(); });
  return log;
}

Log::~Log() {
  {
    const std::lock_guard lock(waking_);
    stopping_ = true;
  }
  woken_.notify_all();
  stop_sealing_ = true;
  ask_to_seal();
  if (sealer_.joinable()) sealer_.join();
  if (!syncer_.joinable()) return;  // it was never open
  syncer_.join();
  {
    const std::lock_guard lock(mutex_);
    if (unchecked_ > 0 && !sync_failed_) {
      if (const auto written = write_checkpoint(); !written)
        tell(telemetry::Level::error, "audit: no checkpoint at the end: " + written.error().text);
    }
  }
  if (const auto trimmed = file_->truncate(file_bytes_); !trimmed) tell_of(trimmed.error());
  if (const auto synced = sync(); !synced) tell(telemetry::Level::error, "audit: " + synced.error().text);
}

Result<> Log::open_folder() {
  std::error_code error;
  if (fs::create_directories(settings_.folder, error); error)
    return file_error(error.value(), "cannot be made", settings_.folder);
  fs::permissions(settings_.folder, fs::perms::owner_all, error);
  MYDR24_ASSIGN(lock_, File::append_to(settings_.folder / "lock"));
  if (!lock_->lock()) return fail(Code::busy, "another process writes this audit trail", settings_.folder.string());
  for (const auto& entry : fs::directory_iterator(settings_.folder, error))
    if (entry.path().extension() == ".tmp") fs::remove(entry.path(), error);

  MYDR24_ASSIGN(key_, SigningKey::load(settings_.key_file, true));
  const std::string public_key = key_.public_key().pem();
  key_id_ = key_.public_key().id();
  const auto known = read_whole(settings_.folder / public_key_file_name, 4096);
  if (!known || *known != public_key)
    MYDR24_TRY(write_whole(settings_.folder / public_key_file_name, public_key, 0644));
  return {};
}

Result<> Log::open_keys() {
  const fs::path file = settings_.folder / keyring::file_name;
  std::error_code ignored;
  const bool there = fs::exists(file, ignored);
  if (settings_.encryption_key_file.empty()) {
    MYDR24_TRY(open_trail(settings_.folder, {}));  // refused, when it is encrypted
  } else if (there) {
    MYDR24_ASSIGN(keys_, keyring::Keyring::open(file, settings_.encryption_key_file));
  } else {
    MYDR24_ASSIGN(keys_, keyring::Keyring::create(file, settings_.encryption_key_file, clock_.now()));
    made_keys_ = true;
  }
  trail_.keys = keys_;
  cipher_ = Sealing(trail_.keys);
  return {};
}

void Log::count(telemetry::Metrics& metrics) {
  entries_ = metrics.counter("audit_entries_total", "Entries appended to the audit trail");
  bytes_ = metrics.counter("audit_bytes_total", "Bytes written to the audit trail");
  refused_ = metrics.counter("audit_refused_total", "Appends to the audit trail that failed");
  const auto gauge = metrics.gauge("audit_lag_seconds", "Age of the oldest entry of the audit trail not yet synced");
  metrics.before_expose([gauge, lag = lag_] { gauge.set(std::chrono::duration<double>(lag->now()).count()); });
}

// Where the trail ends: the last whole line of the last segment that has one.
Result<> Log::recover() {
  MYDR24_ASSIGN(const auto segments, segments_in(settings_.folder));
  std::string torn;
  bool found = false;
  for (auto first = segments.rbegin(); first != segments.rend() && !found; ++first) {
    MYDR24_ASSIGN(found, recover_from(*first, torn));
  }
  const std::lock_guard lock(mutex_);
  if (file_ == nullptr) MYDR24_TRY(begin_segment());
  // What a process that was killed had not synced, the first sync does.
  for (const std::int64_t first : segments)
    if (auto file = File::open(open_path(settings_.folder, first)); file && first != first_)
      ended_.push_back(std::move(*file));
  ended_before_ = first_;
  folder_changed_ = true;
  lag_->written();
  warn_of_lost_lines();
  if (torn.empty()) return {};
  tell(telemetry::Level::warn, "audit: " + torn);
  Entry repair{.id = make_uuid7(clock_.now()), .at = clock_.now(), .action = Action::execute};
  repair.interaction = "audit.repair";
  repair.outcome = Outcome::serious_failure;
  repair.principal_kind = access::PrincipalKind::system;
  repair.rule = torn;
  return write_line(Kind::entry, to_json(repair));
}

// The last checkpoint that was published is of a line that is not there: somebody took lines away, or an older copy of
// the folder was put back. verify() tells which; here an operator is told that it is time to ask.
void Log::warn_of_lost_lines() const {
  constexpr std::size_t statement_bytes_max = 4096;
  const auto file = File::open(settings_.checkpoints_file);
  const auto size = file ? (*file)->size() : Result<std::size_t>(file.error());
  if (!size) return;
  std::string tail;
  const std::size_t bytes = std::min(*size, statement_bytes_max);
  if (!(*file)->read(*size - bytes, bytes, tail)) return;
  std::int64_t last = 0;
  for_each_line(tail, [&](std::string_view text) {
    if (const auto line = parse_line(text)) last = line->number;
    return true;
  });
  if (last >= next_)
    tell(telemetry::Level::error,
         fmt::format("audit: the trail ends at line {}, but a checkpoint was made of line {}: run mydr24 audit verify",
                     next_ - 1, last));
}

// The trail goes on after this line.
void Log::take_up(const Line& line) {
  next_ = line.number + 1;
  previous_ = line.digest;
  if (line.kind == Kind::entry) ++unchecked_;
  if (line.kind == Kind::checkpoint) {
    unchecked_ = 0;
    const auto checkpoint = checkpoint_of(line.body);
    if (!checkpoint) return;
    followed_ = std::max(followed_, checkpoint->followed);
    if (line.number == first_) began_ = checkpoint->at;
  } else if (line.body.contains("\"store_sequence\":")) {
    const auto document = json::Document::parse_view(line.body);
    const auto entry = document ? entry_of(document->root()) : Result<Entry>(document.error());
    if (entry) followed_ = std::max(followed_, entry->store_sequence);
  }
}

// Whether the segment has a whole line; then the trail goes on after its last. A torn tail is cut off.
Result<bool> Log::recover_from(std::int64_t first, std::string& torn) {
  MYDR24_ASSIGN(const Segment segment, Segment::open(trail_, first));
  first_ = first;
  std::size_t size = 0;
  std::size_t whole = 0;  // bytes up to the end of the last whole line
  bool any = false;
  bool opened = false;  // a sealed line
  bool lacks_keys = false;
  std::string block;
  std::string room;
  for (std::size_t i = 0; i < segment.blocks(); ++i) {
    MYDR24_TRY(segment.sealed() ? segment.read(i, block) : segment.read_stored(i, block));
    for_each_line(block, [&](std::string_view text) {
      const std::size_t end = static_cast<std::size_t>(text.data() - block.data()) + text.size() + 1;
      const std::string_view plain = cipher_.open_line(text, room);
      if (!segment.sealed() && end <= block.size() && Sealing::is_sealed_line(text)) {
        opened = opened || plain.data() != text.data();
        lacks_keys = lacks_keys || !opened || !cipher_.has_key_of(text);
      }
      const auto line = parse_line(plain);
      if (!line || end > block.size()) return true;
      take_up(*line);
      whole = size + end;
      any = true;
      return true;
    });
    size += block.size();
  }
  unchecked_since_ = clock_.steady();
  // They are not torn: they would be cut off for want of their keys.
  if (lacks_keys) {
    return fail(Code::refused, "holds lines that its keys.json does not open: put the right keys.json back",
                open_path(settings_.folder, first).string());
  }
  if (segment.sealed()) return any;

  const fs::path path = open_path(settings_.folder, first);
  if (size > whole) {
    MYDR24_ASSIGN(const auto file, File::open(path));
    MYDR24_TRY(file->read(whole, size - whole, block));
    torn = fmt::format("a torn tail of {} bytes (SHA-256 {}) was cut off", block.size(), to_text(sha256(block)));
  }
  if (!any) {  // not even its first line: the segment before goes on
    std::error_code error;
    fs::remove(path, error);
    return false;
  }
  MYDR24_ASSIGN(file_, File::add_to(path));
  MYDR24_TRY(file_->truncate(whole));  // and the room after it
  file_bytes_ = whole;
  return true;
}

// Its first line is a checkpoint: it says how the segment before ended.
Result<> Log::begin_segment() {
  const fs::path path = open_path(settings_.folder, next_);
  MYDR24_ASSIGN(auto file, File::add_to(path));
  auto before = std::exchange(file_, std::move(file));
  const std::size_t bytes_before = std::exchange(file_bytes_, 0);
  const Instant began_before = std::exchange(began_, clock_.now());
  const std::int64_t first_before = std::exchange(first_, next_);
  if (auto written = write_checkpoint(); !written) {
    file_ = std::move(before);
    file_bytes_ = bytes_before;
    began_ = began_before;
    first_ = first_before;
    std::error_code error;
    fs::remove(path, error);
    return written;
  }
  if (before) {
    // Room that cannot be given back goes when the segment is sealed.
    if (const auto trimmed = before->truncate(bytes_before); !trimmed) tell_of(trimmed.error());
    ended_.push_back(std::move(before));
  }
  ended_before_ = first_;
  folder_changed_ = true;
  return {};
}

Result<> Log::write_line(Kind kind, std::string_view body) {
  if (sync_failed_) return fail(Code::internal, "a sync of the audit trail failed: restart, and look at the disk");
  line_.clear();
  const Digest digest = append_line(line_, sha_, next_, previous_, kind, body, kind == Kind::entry ? nullptr : &key_);
  std::string_view stored = line_;
  if (cipher_.seals()) {
    stored_.clear();
    MYDR24_TRY(cipher_.append_line(stored_, stored.substr(0, stored.size() - 1)));
    stored_ += '\n';
    stored = stored_;
  }
  MYDR24_TRY(file_->add(stored, file_bytes_));
  previous_ = digest;
  ++next_;
  file_bytes_ += stored.size();
  statistics_.bytes += static_cast<std::int64_t>(stored.size());
  bytes_.add(static_cast<double>(stored.size()));
  lag_->written();
  if (kind != Kind::entry) {
    statements_ += line_;
    return {};
  }
  if (unchecked_++ == 0) unchecked_since_ = clock_.steady();
  return {};
}

Result<> Log::write_checkpoint() {
  const auto at = clock_.now();
  MYDR24_TRY(write_line(Kind::checkpoint, to_json(Checkpoint{at, followed_, key_id_})));
  statistics_.last_checkpoint = next_ - 1;
  statistics_.checkpoint_at = at;
  unchecked_ = 0;
  return {};
}

Result<> Log::rotate_if(bool due) {
  if (!due) return {};
  MYDR24_TRY(begin_segment());
  ask_to_seal();
  return {};
}

void Log::ask_to_seal() {
  ++seals_asked_;
  seals_asked_.notify_one();
}

Result<std::int64_t> Log::append(Entry entry) {
  if (entry.id.empty()) entry.id = make_uuid7(entry.at);
  thread_local std::string body;
  body.clear();
  append_json(body, entry);

  const std::lock_guard lock(mutex_);
  // The line still has its place when no new segment can be begun.
  if (const auto rotated = rotate_if(file_bytes_ >= settings_.segment_bytes); !rotated) tell_of(rotated.error());
  if (auto written = write_line(Kind::entry, body); !written) {
    ++statistics_.refused;
    refused_.add();
    tell_of(written.error());
    return written.error();
  }
  followed_ = std::max(followed_, entry.store_sequence);
  ++statistics_.entries;
  entries_.add();
  return next_ - 1;
}

Result<> Log::append_once(Entry entry) {
  {
    const std::lock_guard lock(mutex_);
    if (entry.store_sequence <= followed_) return {};
  }
  MYDR24_TRY(append(std::move(entry)));
  return {};
}

Result<> Log::sync() {
  const std::lock_guard one(syncing_);
  std::vector<std::shared_ptr<File>> files;
  std::string statements;
  bool folder_changed = false;
  {
    const std::lock_guard lock(mutex_);
    if (sync_failed_) return fail(Code::internal, "a sync of the audit trail failed before");
    if (lag_->all_synced() && statements_.empty()) return {};
    folder_changed = std::exchange(folder_changed_, false);
    files = std::move(ended_);
    ended_.clear();
    files.push_back(file_);
    statements = std::exchange(statements_, {});
    lag_->begin_sync();
  }
  Result<> synced;
  for (const auto& file : files)
    if (synced) synced = file->sync();
  if (synced && folder_changed) synced = sync_folder(settings_.folder);
  lag_->end_sync(synced.has_value());
  if (!synced) {
    const std::lock_guard lock(mutex_);
    sync_failed_ = true;
    return synced;
  }
  // After the trail: a checkpoint elsewhere never speaks of lines that a power cut could still take.
  if (auto published = publish(statements); !published) {
    const std::lock_guard lock(mutex_);
    statements_.insert(0, statements);
    return published;
  }
  return {};
}

Result<> Log::publish(const std::string& statements) {
  if (statements.empty()) return {};
  MYDR24_ASSIGN(const auto file, File::append_to(settings_.checkpoints_file));
  MYDR24_ASSIGN(const std::size_t size, file->size());
  MYDR24_TRY(file->write(statements, size));
  return file->sync();
}

std::chrono::nanoseconds Log::lag() const { return lag_->now(); }

bool Log::is_checkpoint_due() const {
  return unchecked_ > 0 && (unchecked_ >= settings_.checkpoint_entries ||
                            clock_.steady() - unchecked_since_ >= settings_.checkpoint_interval);
}

bool Log::is_segment_old() const {
  return file_bytes_ > 0 && first_ != next_ - 1 && clock_.now() - began_ >= settings_.segment_time;
}

void Log::run_sync() {
  pthread_setname_np(pthread_self(), "audit-sync");
  const auto look_at = [&](const Result<>& done) {
    if (!done) tell_of(done.error());
  };
  std::unique_lock waiting(waking_);
  while (!stopping_) {
    woken_.wait_for(waiting, settings_.sync_interval, [&] { return stopping_; });
    waiting.unlock();
    // Another process may have made a new one (`mydr24 key rotate`).
    if (keys_ != nullptr)
      if (const auto refreshed = keys_->refresh(); !refreshed) tell_of(refreshed.error());
    {
      const std::lock_guard lock(mutex_);
      look_at(rotate_if(is_segment_old()));
      if (is_checkpoint_due()) look_at(write_checkpoint());
    }
    look_at(sync());
    waiting.lock();
  }
}

void Log::run_seal() {
  // Compressing can wait; what is asked of the server cannot. Where the kernel refuses, it runs as the others.
  const sched_param lowest{};
  ::sched_setscheduler(0, SCHED_IDLE, &lowest);
  while (!stop_sealing_) {
    seals_asked_.wait(seals_done_);
    const int asked = seals_asked_;
    seal_all();
    seals_done_ = asked;
    seals_done_.notify_all();
  }
}

void Log::seal_all() {
  const std::lock_guard one(sealing_);
  const auto segments = segments_in(settings_.folder);
  if (!segments) return;
  const std::int64_t open = ended_before_;
  for (const std::int64_t first : *segments) {
    if (first >= open || stop_sealing_) continue;
    Result<> done = seal(trail_, first, stop_sealing_);
    if (const auto segment = Segment::open(trail_, first); done && segment && !segment->index_was_good())
      done = make_index(trail_, first);
    if (!done && done.error().code != Code::busy)
      tell(telemetry::Level::error, fmt::format("audit: segment {} is not sealed: {}", first, done.error().text));
  }
}

// The same fault comes again with every entry: once a minute is enough.
void Log::tell_of(const Error& error) {
  if (limit_.admit(clock_)) tell(telemetry::Level::error, fmt::format("audit: {} {}", error.where, error.text));
}

void Log::settle() {
  const int asked = seals_asked_;
  for (int done = seals_done_; done < asked; done = seals_done_) seals_done_.wait(done);
}

Result<> Log::rotate() {
  const std::lock_guard lock(mutex_);
  return rotate_if(true);
}

Result<Page> Log::search(const Query& query, std::size_t limit, std::string_view cursor) const {
  return audit::search(trail_, query, limit, cursor);
}

Statistics Log::statistics() const {
  const std::lock_guard lock(mutex_);
  Statistics statistics = statistics_;
  statistics.last = next_ - 1;
  return statistics;
}

}  // namespace mydr24::audit
