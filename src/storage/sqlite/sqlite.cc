#include "storage/sqlite/sqlite.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <map>
#include <mutex>
#include <shared_mutex>

#include "storage/sqlite/maintenance.h"
#include "storage/sqlite/migrations.h"
#include "storage/sqlite/sealed_page.h"
#include "storage/sqlite/sealed_vfs.h"
#include "storage/sqlite/writer.h"
#include "storage/store/followers.h"
#include "storage/store/trainer.h"

namespace mydr24::sqlite {
namespace {

using store::Timer;
using store::Transaction;

constexpr std::uint32_t timers_per_tick_max = 256;
constexpr auto timer_retry = std::chrono::seconds(1);
constexpr auto page_bytes = static_cast<int>(sealed_page_bytes);
constexpr Microseconds bulk_batch_max{250'000};
constexpr std::size_t bulk_cache_bytes = std::size_t{128} << 20;

// Holds the folder for this process; the system lets go of it when the process ends, however it ends.
class FolderLock {
 public:
  FolderLock() = default;
  FolderLock(FolderLock&& other) noexcept : file_(std::exchange(other.file_, -1)) {}
  FolderLock& operator=(FolderLock&& other) noexcept {
    std::swap(file_, other.file_);
    return *this;
  }
  ~FolderLock() {
    if (file_ >= 0) ::close(file_);
  }

  static Result<FolderLock> take(const std::filesystem::path& folder) {
    FolderLock lock;
    lock.file_ = ::open((folder / "lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (lock.file_ < 0) {
      return fail(Code::internal,
                  fmt::format("cannot write in the folder {}: {}", folder.string(), std::strerror(errno)));
    }
    if (flock(lock.file_, LOCK_EX | LOCK_NB) != 0) {
      return fail(Code::busy,
                  fmt::format("the folder {} is in use by another process: one process at a time", folder.string()));
    }
    return lock;
  }

 private:
  int file_ = -1;
};

Result<> make_folder(const std::filesystem::path& folder) {
  std::error_code error;
  if (std::filesystem::is_directory(folder, error)) return {};
  std::filesystem::create_directories(folder, error);
  if (error)
    return fail(Code::internal, fmt::format("cannot make the folder {}: {}", folder.string(), error.message()));
  std::filesystem::permissions(folder, std::filesystem::perms::owner_all,
                               error);  // health data: nobody else's business
  return {};
}

Result<> migrate(Connection& connection, const std::string& file) {
  MYDR24_ASSIGN(const auto marked, connection.number("PRAGMA application_id", 0));
  MYDR24_ASSIGN(const auto tables, connection.number("SELECT count(*) FROM sqlite_schema", 0));
  if (tables > 0 && marked != application_id) {
    return fail(Code::unsupported, fmt::format("{} is a database of another program", file));
  }
  MYDR24_ASSIGN(const auto version, connection.number("PRAGMA user_version", 0));
  const auto steps = migrations();
  if (static_cast<std::size_t>(version) > steps.size()) {
    return fail(Code::unsupported,
                fmt::format("{} was written by a newer version of this program (schema {}; this one knows {}): "
                            "use that version, or restore a backup made before the upgrade",
                            file, version, steps.size()));
  }
  if (static_cast<std::size_t>(version) == steps.size()) return {};
  std::string script = "BEGIN IMMEDIATE;";
  for (const auto step : steps.subspan(static_cast<std::size_t>(version))) script += step;
  script += fmt::format("PRAGMA application_id = {}; PRAGMA user_version = {}; COMMIT;", application_id, steps.size());
  return connection.execute(script.c_str());
}

// What an encrypted store needs; nothing of it in a plain one.
struct Encryption {
  std::shared_ptr<keyring::Keyring> keys;
  std::unique_ptr<SealedVfs> vfs;
  bool is_new = false;  // there is no database yet
};

Result<Encryption> open_keys(const Settings& settings, const Clock& clock) {
  const auto database = settings.folder / database_file;
  const auto file = settings.folder / keyring::file_name;
  const FileKind kind = kind_of(database);
  std::error_code ignored;
  const bool has_keys = std::filesystem::exists(file, ignored);
  if (settings.key_file.empty()) {
    if (kind != FileKind::sealed && (kind != FileKind::none || !has_keys)) return Encryption{};
    return fail(
        Code::refused,
        fmt::format("the store in {} is encrypted: name its key file (encryption.key_file, --encryption-key-file)",
                    settings.folder.string()));
  }
  if (kind == FileKind::plain) {
    return fail(
        Code::conflict,
        fmt::format(
            "the store in {0} is not encrypted, but there is a key file: make an encrypted copy with "
            "`mydr24 store copy --from {0} --to NEW-FOLDER --to-key-file {1}`, or leave encryption.key_file empty",
            settings.folder.string(), settings.key_file.string()));
  }
  Encryption encryption;
  if (kind == FileKind::none && !has_keys) {
    MYDR24_ASSIGN(encryption.keys, keyring::Keyring::create(file, settings.key_file, clock.now()));
  } else {
    MYDR24_ASSIGN(encryption.keys, keyring::Keyring::open(file, settings.key_file));
  }
  MYDR24_ASSIGN(encryption.vfs, SealedVfs::make(encryption.keys));
  encryption.is_new = kind == FileKind::none;
  if (!encryption.is_new) MYDR24_TRY(put_back_pages(database, *encryption.keys));
  return encryption;
}

// Before the first page of a new database is written.
Result<> make_sealed(Connection& connection) {
  int reserved = static_cast<int>(reserved_bytes);
  if (sqlite3_file_control(connection.handle(), "main", SQLITE_FCNTL_RESERVE_BYTES, &reserved) != SQLITE_OK)
    return fail(Code::unsupported, "this SQLite cannot reserve bytes of a page");
  // The first page is written before there is a write-ahead log; there is nothing yet that a journal could keep.
  return connection.execute("PRAGMA journal_mode = MEMORY");
}

class SqliteStore final : public store::Store {
 public:
  SqliteStore(const Settings& settings, const Clock& clock, FolderLock lock, Encryption encryption)
      : settings_(settings),
        file_((settings.folder / database_file).string()),
        lock_(std::move(lock)),
        encryption_(std::move(encryption)),
        place_{file_, encryption_.vfs == nullptr ? nullptr : encryption_.vfs->name()},
        shared_(clock, settings.search),
        readers_(place_, settings.readers_max, settings.emergency_readers, settings.reader_cache_bytes, shared_),
        followers_({.read = [this](const auto& read) { return readers_.read(read); },
                    .submit =
                        [this](store::Work work, store::Done done) {
                          writer_->queue().push(RequestClass::background, std::move(work), std::move(done), false);
                        },
                    .term = [] { return std::optional<std::uint64_t>(1); }},
                   settings.log) {}

  ~SqliteStore() override {
    // Followers and the last Works may still pack and write: what they use ends after them.
    followers_.stop(writer_ != nullptr);
    if (writer_ != nullptr) writer_->stop();
    trainer_.reset();
  }

  Result<> start() {
    MYDR24_ASSIGN(auto connection, Connection::open(place_, Connection::Role::writer, settings_.writer_cache_bytes));
    if (encryption_.is_new) MYDR24_TRY(make_sealed(*connection));
    MYDR24_TRY(connection->execute(
        fmt::format("PRAGMA page_size = {}; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;", page_bytes)
            .c_str()));
    MYDR24_TRY(migrate(*connection, file_));
    MYDR24_TRY(connection->execute("BEGIN IMMEDIATE"));
    MYDR24_TRY(prepare_index(*connection));
    MYDR24_TRY(connection->execute("COMMIT"));
    MYDR24_TRY(load_dictionaries(*connection));
    writing_ = connection->handle();
    writer_ = std::make_unique<Writer>(std::move(connection), shared_, settings_, readers_, [this] {
      const auto last_event = writer_->last_event();
      if (std::exchange(announced_, last_event) != last_event) followers_.wake();
    });
    MYDR24_TRY(writer_->start());
    trainer_ = std::make_unique<store::Trainer>(
        shared_.codec,
        [this](std::uint32_t number, std::string_view bytes) {
          return write(RequestClass::background, [&](Transaction& transaction) {
            return static_cast<WriteTransaction&>(transaction).save_dictionary(number, bytes);
          });
        },
        settings_.log);
    return {};
  }

  store::PackedBody pack(std::string_view text, std::uint32_t meta_at) const override {
    trainer_->sample(text);
    return {.bytes = shared_.codec.pack(text), .meta_at = meta_at};
  }

  void submit(RequestClass request_class, store::Work work, store::Done done) override {
    writer_->queue().push(request_class, std::move(work), std::move(done), true);
  }

  using Store::read;
  Result<> read(const std::function<Result<>(store::Reader&)>& read, const store::ReadLimits& limits,
                store::Sequence) override {
    return readers_.read(read, limits);
  }

  // Not inside a Work: it is one.
  Result<> learn(const search::CataloguePtr& catalogue) override {
    std::unique_ptr<const ParameterNumbers> learnt;
    MYDR24_TRY(write(RequestClass::background, [&](Transaction& transaction) -> Result<> {
      MYDR24_ASSIGN(learnt, static_cast<WriteTransaction&>(transaction).number(catalogue));
      return {};
    }));
    shared_.learn(std::move(learnt));
    return {};
  }

  void add_follower(store::Follower& follower) override { followers_.add(follower, *this); }
  void on_timer(std::string kind, TimerHandler handler) override { handlers_[std::move(kind)] = std::move(handler); }
  void tick() override;
  void settle() override;

  Result<> backup(const std::filesystem::path& to) override;
  Result<std::vector<std::string>> verify() override {
    return check_database(place_, settings_.reader_cache_bytes, shared_);
  }
  store::Statistics statistics() const override;

 private:
  Result<> load_dictionaries(Connection& connection);
  Result<> prepare_index(Connection& connection);
  void index_some();
  void look_after_keys();
  bool has_pages_to_reseal();
  Result<> reseal_some();
  Result<> run_timers(WriteTransaction& transaction);

  const Settings settings_;
  const std::string file_;
  FolderLock lock_;
  Encryption encryption_;
  const DatabasePlace place_;
  Shared shared_;
  ReaderPool readers_;
  store::Followers followers_;
  std::map<std::string, TimerHandler, std::less<>> handlers_;
  std::atomic<bool> tick_pending_{false};
  std::atomic<bool> indexing_{false};
  // Of an encrypted store whose key was changed: pages of generations below this one are sealed anew.
  struct Resealing {
    keyring::Generation below = 0;
    std::uint32_t next = 1;           // page; 0: all are done, the log is being emptied
    int attempts = 0;                 // at that
    keyring::Generation gave_up = 0;  // until the next start
  };
  Resealing resealing_;  // by whoever set is_resealing_
  std::atomic<bool> is_resealing_{false};
  std::shared_mutex keys_;         // shared by backups: they need the keys that their pages were sealed with
  sqlite3* writing_ = nullptr;     // the writer's connection, for its thread
  store::Sequence announced_ = 0;  // the writer's thread only
  std::unique_ptr<Writer> writer_;
  std::unique_ptr<store::Trainer> trainer_;
};

Result<> SqliteStore::load_dictionaries(Connection& connection) {
  MYDR24_ASSIGN(Statement row, connection.prepare("SELECT bytes FROM dictionary ORDER BY number"));
  for (;;) {
    MYDR24_ASSIGN(const bool found, row.step());
    if (!found) return {};
    MYDR24_TRY(shared_.codec.add(std::string(row.blob(0))));
  }
}

// Index tables that lack parameters which this program publishes are made anew from the bodies.
Result<> SqliteStore::prepare_index(Connection& connection) {
  std::size_t added = 0;
  MYDR24_ASSIGN(auto numbers, number_parameters(connection, nullptr, added));
  shared_.learn(std::move(numbers));
  if (added == 0) return {};
  MYDR24_TRY(connection.execute(std::string(index_tables()).c_str()));
  MYDR24_TRY(connection.run("DELETE FROM reindex"));
  return connection.run("INSERT INTO reindex (done, last) SELECT 0, record FROM record ORDER BY record DESC LIMIT 1");
}

// One Work after another until the index is complete. Begins after the deployment's own parameters have been learnt.
void SqliteStore::index_some() {
  if (shared_.index_is_complete() || indexing_.exchange(true)) return;
  constexpr std::int64_t records_per_work = 100;
  writer_->queue().push(
      RequestClass::background,
      [](Transaction& transaction) { return static_cast<WriteTransaction&>(transaction).index_more(records_per_work); },
      [this](Result<> outcome) {
        indexing_ = false;
        if (outcome) return index_some();
        if (outcome.error().code != Code::busy) {
          settings_.log(
              telemetry::Level::warn,
              fmt::format("the search index is not complete and will be tried again: {}", outcome.error().text));
        }
      },
      false);
}

// Keys are changed by other processes (`mydr24 key`), in keys.json. What older ones sealed is sealed anew, some pages
// after each tick; when there is nothing of theirs any more they are taken away.
void SqliteStore::look_after_keys() {
  if (encryption_.keys == nullptr || is_resealing_.exchange(true)) return;
  if (!has_pages_to_reseal()) {
    is_resealing_ = false;
    return;
  }
  writer_->queue().push(
      RequestClass::background, [this](Transaction&) { return reseal_some(); },
      [this](Result<> outcome) {
        if (!outcome && outcome.error().code != Code::busy) {
          settings_.log(telemetry::Level::error, outcome.error().text);
          resealing_.gave_up = resealing_.below;
        }
        is_resealing_ = false;
      },
      false);
}

bool SqliteStore::has_pages_to_reseal() {
  constexpr int ticks_between_attempts = 20;  // to empty the log, for which reads are held up
  keyring::Keyring& keys = *encryption_.keys;
  const std::unique_lock lock(keys_, std::try_to_lock);
  if (!lock) return false;
  if (const auto refreshed = keys.refresh(); !refreshed) {
    const Error& error = refreshed.error();
    settings_.log(telemetry::Level::error, fmt::format("{} {}: the keys stay what they were", error.where, error.text));
  }
  const auto newest = keys.newest();
  if (keys.oldest() == newest || resealing_.gave_up == newest) return false;
  if (resealing_.below != newest) resealing_ = {.below = newest};
  if (resealing_.next != 0) return true;
  if (!writer_->has_emptied_log()) return resealing_.attempts++ % ticks_between_attempts == 0;
  if (const auto forgotten = keys.forget_below(newest); !forgotten) {
    resealing_.gave_up = newest;
    settings_.log(telemetry::Level::error,
                  fmt::format("older keys stay: {} {}", forgotten.error().where, forgotten.error().text));
  } else {
    settings_.log(telemetry::Level::info,
                  fmt::format("every page is sealed with key {}: older keys are taken away", newest));
  }
  return false;
}

// A Work: only the writer's thread may write where pages stand.
Result<> SqliteStore::reseal_some() {
  constexpr std::size_t pages_per_step = 256;
  if (resealing_.next != 0) {
    MYDR24_ASSIGN(const auto done, SealedVfs::reseal(writing_, resealing_.next, pages_per_step, resealing_.below));
    resealing_.next = done.next;
  }
  if (resealing_.next == 0) writer_->empty_log();
  return {};
}

void SqliteStore::tick() {
  index_some();
  look_after_keys();
  if (shared_.clock.now() < writer_->earliest_due() || tick_pending_.exchange(true)) return;
  submit(
      RequestClass::emergency,
      [this](Transaction& transaction) { return run_timers(static_cast<WriteTransaction&>(transaction)); },
      [this](Result<> outcome) {
        tick_pending_ = false;
        if (!outcome)
          settings_.log(telemetry::Level::warn, fmt::format("timers will be tried again: {}", outcome.error().text));
      });
}

Result<> SqliteStore::run_timers(WriteTransaction& transaction) {
  MYDR24_ASSIGN(const auto timers, transaction.due_timers(timers_per_tick_max));
  for (const Timer& timer : timers) {
    const auto outcome = transaction.attempt([&]() -> Result<> {
      const auto handler = handlers_.find(timer.kind);
      if (handler == handlers_.end())
        return fail(Code::unsupported, fmt::format("nothing handles timers of kind {}", timer.kind));
      MYDR24_TRY(transaction.cancel_timer(timer.key));
      return handler->second(transaction, timer);
    });
    if (outcome) continue;
    settings_.log(telemetry::Level::warn,
                  fmt::format("timer {} ({}) will be tried again: {}", timer.key, timer.kind, outcome.error().text));
    Timer later = timer;
    later.due = transaction.now() + timer_retry;
    MYDR24_TRY(transaction.set_timer(later));
  }
  return {};
}

void SqliteStore::settle() {
  index_some();
  do {
    writer_->queue().wait_until_idle();
    followers_.wait_until_caught_up(writer_->last_event());
  } while (!writer_->queue().idle() || !followers_.caught_up(writer_->last_event()));
}

Result<> SqliteStore::backup(const std::filesystem::path& to) {
  if (encryption_.keys == nullptr) return copy_database(place_, to);
  const std::shared_lock lock(keys_);
  // The keys first: a copy that is there can be opened.
  const auto keys = backup_keys_file(to);
  MYDR24_TRY(encryption_.keys->copy_to(keys));
  auto copied = copy_database(place_, to);
  std::error_code ignored;
  if (!copied) std::filesystem::remove(keys, ignored);
  return copied;
}

store::Statistics SqliteStore::statistics() const {
  store::Statistics statistics;
  writer_->count(statistics);
  for (const auto* const suffix : {"", "-wal"}) {
    std::error_code error;
    const auto bytes = std::filesystem::file_size(file_ + suffix, error);
    if (!error) statistics.bytes_on_disk += static_cast<std::int64_t>(bytes);
  }
  return statistics;
}

}  // namespace

std::filesystem::path backup_keys_file(const std::filesystem::path& backup) {
  return backup.string() + "." + std::string(keyring::file_name);
}

bool is_encrypted(const std::filesystem::path& folder) { return kind_of(folder / database_file) == FileKind::sealed; }

Result<std::map<keyring::Generation, std::int64_t>> pages_by_key(const std::filesystem::path& folder) {
  const auto path = folder / database_file;
  std::ifstream in(path, std::ios::binary);
  if (!in) return fail(Code::not_found, "cannot be read", path.string());
  std::map<keyring::Generation, std::int64_t> pages;
  std::vector<char> piece(std::size_t{256} * sealed_page_bytes);
  do {
    in.read(piece.data(), static_cast<std::streamsize>(piece.size()));
    const auto whole = static_cast<std::size_t>(in.gcount()) / sealed_page_bytes;
    for (std::size_t i = 0; i < whole; ++i)
      ++pages[PageSealer::generation_of(reinterpret_cast<const unsigned char*>(piece.data()) + i * sealed_page_bytes)];
  } while (in);
  return pages;
}

void settle_for_bulk(Settings& settings) {
  settings.background_batch_max = bulk_batch_max;
  settings.checkpoint_bytes = settings.wal_bytes_max;
  settings.writer_cache_bytes = std::max(settings.writer_cache_bytes, bulk_cache_bytes);
}

Result<std::unique_ptr<store::Store>> open(const Settings& settings, const Clock& clock) {
  MYDR24_TRY(make_folder(settings.folder));
  MYDR24_ASSIGN(auto lock, FolderLock::take(settings.folder));
  MYDR24_ASSIGN(auto encryption, open_keys(settings, clock));
  auto opened = std::make_unique<SqliteStore>(settings, clock, std::move(lock), std::move(encryption));
  MYDR24_TRY(opened->start());
  return opened;
}

}  // namespace mydr24::sqlite
