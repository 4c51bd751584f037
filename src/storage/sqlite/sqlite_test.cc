#include "storage/sqlite/sqlite.h"

#include <gtest/gtest.h>

#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <semaphore>

#include "storage/keyring/keyring.h"
#include "storage/sqlite/connection.h"
#include "storage/store/contract_more_test.h"
#include "storage/store/contract_oracle_test.h"
#include "storage/store/contract_search_test.h"
#include "storage/store/contract_test.h"
#include "storage/store/search_sql.h"

namespace mydr24::sqlite {
namespace {

class Folder {
 public:
  Folder() {
    auto pattern = (std::filesystem::temp_directory_path() / "mydr24-store-XXXXXX").string();
    path_ = mkdtemp(pattern.data());
  }
  ~Folder() {
    std::error_code error;
    std::filesystem::remove_all(path_, error);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

class SqlitePlace final : public store::Place {
 public:
  explicit SqlitePlace(const store::SearchLimits& search) : search_(search) {}
  Result<std::unique_ptr<store::Store>> open(const Clock& clock) override {
    return sqlite::open({.folder = folder_.path() / "data", .search = search_}, clock);
  }
  std::filesystem::path backup_path() override { return folder_.path() / "backup.db"; }
  Result<std::unique_ptr<store::Store>> open_backup(const std::filesystem::path& backup, const Clock& clock) override {
    const auto restored = folder_.path() / "restored";
    std::filesystem::create_directory(restored);
    std::filesystem::copy_file(backup, restored / database_file);
    return sqlite::open({.folder = restored}, clock);
  }

 private:
  Folder folder_;
  store::SearchLimits search_;
};

// The same, encrypted.
class SealedPlace final : public store::Place {
 public:
  SealedPlace() {
    std::ofstream(key_file()) << std::string(64, '5');
    std::filesystem::permissions(key_file(), std::filesystem::perms::owner_read);
  }
  Result<std::unique_ptr<store::Store>> open(const Clock& clock) override {
    return sqlite::open({.folder = folder_.path() / "data", .key_file = key_file()}, clock);
  }
  std::filesystem::path backup_path() override { return folder_.path() / "backup.db"; }
  Result<std::unique_ptr<store::Store>> open_backup(const std::filesystem::path& backup, const Clock& clock) override {
    const auto restored = folder_.path() / "restored";
    std::filesystem::create_directory(restored);
    std::filesystem::copy_file(backup, restored / database_file);
    std::filesystem::copy_file(backup_keys_file(backup), restored / keyring::file_name);
    return sqlite::open({.folder = restored, .key_file = key_file()}, clock);
  }

 private:
  std::filesystem::path key_file() const { return folder_.path() / "key"; }
  Folder folder_;
};

std::unique_ptr<store::Place> make_sealed_place() { return std::make_unique<SealedPlace>(); }
std::unique_ptr<store::Place> make_place() { return std::make_unique<SqlitePlace>(store::SearchLimits{}); }
// Where a handful of resources is many: searches take the ways that they otherwise take in large databases.
std::unique_ptr<store::Place> make_small_place() {
  return std::make_unique<SqlitePlace>(store::SearchLimits{
      .few_rows = 3, .window = 8, .collected_rows_max = 6, .set_rows_beside_few = 4, .sorted_max = 4});
}

std::string patient(std::string_view id, std::string_view family = "Meyer") {
  return fmt::format(
      R"({{"resourceType":"Patient","id":"{}","meta":{{}},"name":[{{"family":"{}","given":["Anna","Maria"]}}],"gender":"female","birthDate":"1980-05-17"}})",
      id, family);
}

store::Work create_patient(const store::Store& store, std::string id, std::string family = "Meyer") {
  return [&store, id = std::move(id), family = std::move(family)](store::Transaction& transaction) -> Result<> {
    const auto text = patient(id, family);
    const auto document = json::Document::parse(text);
    const auto entries = search::extract(document->root());
    const auto body = store.pack(text, 1);
    MYDR24_TRY(transaction.put({.type = "Patient", .id = id, .body = &body, .entries = entries}));
    return {};
  };
}

class SqliteStore : public testing::Test {
 protected:
  Result<std::unique_ptr<store::Store>> open() { return sqlite::open(settings_, system_clock()); }
  // Changes the file behind the store's back. Nobody may have it open.
  void tamper(const char* sql) {
    const auto connection =
        Connection::open({(settings_.folder / database_file).string()}, Connection::Role::writer, 1 << 20);
    ASSERT_TRUE(connection);
    const auto done = (*connection)->execute(sql);
    ASSERT_TRUE(done) << done.error().text;
  }
  std::vector<std::string> logged() {
    const std::scoped_lock lock(mutex_);
    return log_;
  }

  Folder folder_;
  std::mutex mutex_;
  std::vector<std::string> log_;
  Settings settings_{.folder = folder_.path() / "data", .log = [this](telemetry::Level, std::string_view line) {
                       const std::scoped_lock lock(mutex_);
                       log_.emplace_back(line);
                     }};
};

// Packs for a while, as the writers of resources among the followers do.
class PackingFollower : public store::Follower {
 public:
  std::string_view name() const override { return "test.packing"; }
  Result<> follow(std::span<const store::Event>) override {
    entered.release();
    for (int i = 0; i < 2'000; ++i) (void)store->pack(patient("a", "Meyer"), 1);
    return {};
  }
  store::Store* store = nullptr;
  std::binary_semaphore entered{0};
};

TEST_F(SqliteStore, ClosingWaitsForFollowersAndWorksThatStillPack) {
  PackingFollower follower;
  auto store = open();
  ASSERT_TRUE(store) << store.error().text;
  follower.store = store->get();
  (*store)->add_follower(follower);
  ASSERT_TRUE((*store)->write(RequestClass::routine, [](store::Transaction& transaction) -> Result<> {
    MYDR24_TRY(transaction.note("test.event", "{}"));
    return {};
  }));
  follower.entered.acquire();
  int done = 0;
  for (int i = 0; i < 200; ++i) {
    (*store)->submit(RequestClass::background, create_patient(**store, std::to_string(i)), [&done](Result<> result) {
      if (result) ++done;
    });
  }
  delete store->release();  // the pointer stays for those who are still at work
  EXPECT_EQ(done, 200);
}

TEST_F(SqliteStore, VerifyFindsEveryKindOfPlantedFault) {
  struct Fault {
    const char* sql;
    std::string_view finding;
  };
  constexpr Fault faults[] = {
      {"DELETE FROM token_index WHERE record = 1", "Patient/a: what it is found by"},
      {"INSERT INTO string_index SELECT parameter, 'other', record FROM string_index LIMIT 1", "what it is found by"},
      {"UPDATE date_index SET high = high + 1", "what it is found by"},
      {"INSERT INTO reference_index VALUES (1, 1, 99)", "records that are not there"},
      {"UPDATE journal SET body = zeroblob(40) WHERE sequence = 1", "Patient/a (line 1)"},
      {"UPDATE record SET id = 'z' WHERE id = 'a'", "its body is of Patient/a"},
      {"UPDATE record SET version = 2 WHERE id = 'a'", "not on its newest line"},
      {"UPDATE journal SET version = 3 WHERE sequence = 1", "version 1 is missing"},
      {"UPDATE journal SET at = at + 1000000000000 WHERE sequence = 1", "its time is before"},
      {"DELETE FROM record WHERE id = 'b'", "its record is missing"},
  };
  for (const auto& [sql, expected] : faults) {
    std::filesystem::remove_all(settings_.folder);
    {
      auto store = open();
      ASSERT_TRUE(store) << store.error().text;
      for (const auto* id : {"a", "b"})
        ASSERT_TRUE((*store)->write(RequestClass::routine, create_patient(**store, id)));
      EXPECT_TRUE((*store)->verify()->empty());
    }
    tamper(sql);
    auto store = open();
    ASSERT_TRUE(store);
    const auto findings = (*store)->verify();
    ASSERT_TRUE(findings) << sql << ": " << findings.error().text;
    const auto all = fmt::format("{}", fmt::join(*findings, "; "));
    EXPECT_TRUE(all.contains(expected)) << sql << ": " << all;
  }
}

TEST_F(SqliteStore, AFlippedBitInABodyIsAnErrorThatNamesTheResource) {
  {
    auto store = open();
    ASSERT_TRUE((*store)->write(RequestClass::routine, create_patient(**store, "a")));
  }
  tamper("UPDATE journal SET body = CAST(substr(body, 1, 30) || x'00' || substr(body, 32) AS BLOB)");
  auto store = open();
  const auto read = (*store)->read([](store::Reader& reader) -> Result<> {
    MYDR24_TRY(reader.current("Patient", "a"));
    return {};
  });
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, Code::internal);
  EXPECT_EQ(read.error().where, "Patient/a/_history/1");
}

// Whatever leads, SQLite finds the rows by an index, never by reading a table from end to end.
TEST_F(SqliteStore, EveryLeadIsFoundByAnIndex) {
  ASSERT_TRUE(open());
  const auto connection =
      Connection::open({(settings_.folder / database_file).string()}, Connection::Role::reader, 1 << 20);
  std::vector<search::Condition> conditions;
  const auto add = [&](std::string_view code, search::Term term) {
    conditions.push_back({.parameter = search::find_parameter("Encounter", code), .any_of = {std::move(term)}});
  };
  using enum search::Prefix;
  for (const auto prefix : {eq, ne, gt, lt, ge, le, sa, eb, ap}) add("date", {.prefix = prefix, .low = 10, .high = 20});
  add("status", {.value = "finished"});
  add("identifier", {.value = "1", .system = "s", .system_is = search::Term::System::named});
  add("subject", {.value = "Patient/1"});
  add("_id", {.value = "1"});
  add("_lastUpdated", {.prefix = ge, .low = 10, .high = 20});
  const std::vector<std::int64_t> numbers(search::parameters().size(), 1);
  const store::SearchContext context{.dialect = store::sqlite_dialect,
                                     .parameters = numbers,
                                     .contained_parameters = numbers,
                                     .type = [](std::string_view) { return Result<std::int64_t>(1); },
                                     .sequence_at = [](Instant at) { return Result<std::int64_t>(to_us(at)); },
                                     .count = [](const store::SqlStatement&) { return Result<std::int64_t>(1); },
                                     .now = {}};
  const auto plan_of = [&](const store::SqlStatement& statement) {
    std::string plan;
    auto row = (*connection)->prepare("EXPLAIN QUERY PLAN " + statement.text);
    EXPECT_TRUE(row) << row.error().text;
    while (row && row->step().value_or(false)) plan += std::string(row->text(3)) + "; ";
    return plan;
  };
  for (const auto& condition : conditions) {
    for (const bool by_last_updated : {false, true}) {
      const search::Query query{.type = "Encounter", .conditions = {condition}, .by_last_updated = by_last_updated};
      auto sql = store::SearchSql::compile(query, context);
      ASSERT_TRUE(sql);
      const auto lead = *sql->best_lead(100);
      ASSERT_TRUE(lead);
      const auto led = plan_of(sql->page(&*lead, 5, std::nullopt, 10));
      ASSERT_TRUE(sql->choose_probes(nullptr));
      const auto probed = plan_of(sql->page(nullptr, 5, 1, 10));
      for (const auto& plan : {led, probed}) {
        EXPECT_FALSE(plan.contains("SCAN date_index") || plan.contains("SCAN token_index") ||
                     plan.contains("SCAN record") || plan.contains("SCAN journal") || plan.contains("SCAN r") ||
                     plan.contains("(parameter=?)"))
            << condition.parameter->code << ": " << plan;
      }
      if (condition.parameter->code == "status" && !by_last_updated) {
        EXPECT_FALSE(led.contains("TEMP B-TREE")) << led;
      }
    }
  }
}

// The first schema knew fewer parameters: its index rows are made anew from the bodies, in the background.
TEST_F(SqliteStore, AnOlderDatabaseIsIndexedAnew) {
  constexpr int count = 250;
  {
    auto store = open();
    for (int i = 0; i < count; ++i) {
      ASSERT_TRUE((*store)->write(RequestClass::background, create_patient(**store, fmt::format("p{}", i))));
    }
  }
  tamper("DROP TABLE reindex; DELETE FROM parameter; PRAGMA user_version = 1");
  auto store = open();
  ASSERT_TRUE(store) << store.error().text;
  const auto query = search::parse_query(
      "Patient", std::vector<std::pair<std::string, std::string>>{{"family", "meyer"}, {"_total", "accurate"}},
      search::ParseOptions{});
  std::int64_t total = 0;
  const auto search = [&] {
    return (*store)->read([&](store::Reader& reader) -> Result<> {
      MYDR24_ASSIGN(const auto page, reader.search(*query));
      total = page.total.value_or(0);
      return {};
    });
  };
  EXPECT_EQ(search().error().code, Code::busy);
  // What is written meanwhile finds its way into the index too.
  ASSERT_TRUE((*store)->write(RequestClass::routine, create_patient(**store, "new")));
  (*store)->settle();
  const auto outcome = search();
  ASSERT_TRUE(outcome) << outcome.error().text;
  EXPECT_EQ(total, count + 1);
  EXPECT_TRUE((*store)->verify()->empty());
}

TEST_F(SqliteStore, ADatabaseOfANewerVersionIsRefused) {
  ASSERT_TRUE(open());
  tamper("PRAGMA user_version = 999");
  const auto store = open();
  ASSERT_FALSE(store);
  EXPECT_EQ(store.error().code, Code::unsupported);
  EXPECT_TRUE(store.error().text.contains("newer version")) << store.error().text;
}

TEST_F(SqliteStore, ADatabaseOfAnotherProgramIsRefused) {
  std::filesystem::create_directory(settings_.folder);
  tamper("CREATE TABLE theirs (x)");
  const auto store = open();
  ASSERT_FALSE(store);
  EXPECT_TRUE(store.error().text.contains("another program")) << store.error().text;
}

TEST_F(SqliteStore, TheFolderIsForItsOwnerOnlyAndASecondOpenNamesIt) {
  const auto store = open();
  ASSERT_TRUE(store);
  EXPECT_EQ(std::filesystem::status(settings_.folder).permissions(), std::filesystem::perms::owner_all);
  const auto second = open();
  ASSERT_FALSE(second);
  EXPECT_TRUE(second.error().text.contains(settings_.folder.string())) << second.error().text;
}

TEST_F(SqliteStore, BodiesArePackedWithADictionaryOnceThereAreEnoughAndReadAfterReopening) {
  std::size_t before = 0;
  std::size_t after = 0;
  {
    auto store = open();
    before = (*store)->pack(patient("x"), 1).bytes.size();
    ASSERT_TRUE((*store)->write(RequestClass::routine, create_patient(**store, "old")));
    for (int i = 0; i < 2'100; ++i)
      (void)(*store)->pack(patient(fmt::format("p{}", i), fmt::format("F{}", i * 7919)), 1);
    for (int i = 0; i < 500 && logged().empty(); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(20));
    ASSERT_FALSE(logged().empty());
    after = (*store)->pack(patient("x"), 1).bytes.size();
    ASSERT_TRUE((*store)->write(RequestClass::routine, create_patient(**store, "new")));
  }
  EXPECT_LT(after * 2, before);
  auto store = open();
  EXPECT_EQ((*store)->pack(patient("x"), 1).bytes.size(), after);
  EXPECT_TRUE((*store)->verify()->empty());
}

TEST_F(SqliteStore, ReadersThatOutnumberTheConnectionsWaitForTheirTurn) {
  settings_.readers_max = 2;
  auto store = open();
  ASSERT_TRUE((*store)->write(RequestClass::routine, create_patient(**store, "a")));
  std::atomic<int> at_once = 0;
  std::atomic<int> most = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      EXPECT_TRUE((*store)->read([&](store::Reader& reader) -> Result<> {
        const int now = ++at_once;
        most = std::max(most.load(), now);
        MYDR24_TRY(reader.current("Patient", "a"));
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
        --at_once;
        return {};
      }));
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(most, 2);
}

TEST_F(SqliteStore, TheLogStaysBoundedWhileReadersFollowEachOther) {
  settings_.wal_bytes_max = std::size_t{8} << 20;
  auto store = open();
  ASSERT_TRUE((*store)->write(RequestClass::routine, create_patient(**store, "a")));
  std::atomic<bool> stop = false;
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i) {
    threads.emplace_back([&] {
      while (!stop) {
        (void)(*store)->read([](store::Reader& reader) -> Result<> {
          MYDR24_TRY(reader.current("Patient", "a"));
          std::this_thread::sleep_for(std::chrono::milliseconds(2));
          return {};
        });
      }
    });
  }
  const std::string large(1 << 20, 'x');
  for (int i = 0; i < 60; ++i) {
    ASSERT_TRUE(
        (*store)->write(RequestClass::background, [&](store::Transaction& t) { return t.set_state("s", "k", large); }));
  }
  stop = true;
  for (auto& thread : threads) thread.join();
  EXPECT_LT(std::filesystem::file_size((settings_.folder / database_file).string() + "-wal"), std::size_t{24} << 20);
}

// What was acknowledged before the kill is there after it.
TEST_F(SqliteStore, AKilledProcessLosesNothingThatItAcknowledged) {
  int pipes[2];
  ASSERT_EQ(pipe(pipes), 0);
  const pid_t child = fork();
  if (child == 0) {
    auto store = open();
    for (std::int32_t i = 0; store; ++i) {
      if (!(*store)->write(RequestClass::routine, create_patient(**store, fmt::format("p{}", i)))) _exit(1);
      if (::write(pipes[1], &i, sizeof i) != sizeof i) _exit(1);
    }
    _exit(1);
  }
  std::int32_t last = -1;
  while (last < 100) ASSERT_EQ(::read(pipes[0], &last, sizeof last), static_cast<ssize_t>(sizeof last));
  ASSERT_EQ(kill(child, SIGKILL), 0);
  int status = 0;
  waitpid(child, &status, 0);
  close(pipes[1]);
  while (::read(pipes[0], &last, sizeof last) == sizeof last) continue;
  close(pipes[0]);
  auto store = open();
  ASSERT_TRUE(store) << store.error().text;
  EXPECT_TRUE((*store)->verify()->empty());
  ASSERT_TRUE((*store)->read([&](store::Reader& reader) -> Result<> {
    for (std::int32_t i = 0; i <= last; ++i) {
      MYDR24_ASSIGN(const auto found, reader.current("Patient", fmt::format("p{}", i)));
      EXPECT_TRUE(found) << i;
    }
    return {};
  }));
}

// A disk whose syncs of the write-ahead log fail on demand: SQLite's own file system with another sync.
class UnreliableDisk {
 public:
  UnreliableDisk() {
    plain_ = sqlite3_vfs_find(nullptr);
    files_ = *plain_;
    files_.zName = "unreliable";
    files_.xOpen = [](sqlite3_vfs*, const char* name, sqlite3_file* file, int flags, int* flags_out) {
      const int code = plain_->xOpen(plain_, name, file, flags, flags_out);
      if (code == SQLITE_OK && (flags & SQLITE_OPEN_WAL) != 0) {
        if (plain_sync_ == nullptr) {
          methods_ = *file->pMethods;
          plain_sync_ = methods_.xSync;
          methods_.xSync = [](sqlite3_file* synced, int how) {
            return fails_ ? SQLITE_IOERR_FSYNC : plain_sync_(synced, how);
          };
        }
        file->pMethods = &methods_;
      }
      return code;
    };
    sqlite3_vfs_register(&files_, 1);
  }
  ~UnreliableDisk() {
    fails_ = false;
    sqlite3_vfs_register(plain_, 1);
    sqlite3_vfs_unregister(&files_);
  }
  UnreliableDisk(const UnreliableDisk&) = delete;
  UnreliableDisk& operator=(const UnreliableDisk&) = delete;
  void fail() { fails_ = true; }
  void work() { fails_ = false; }

 private:
  // SQLite calls plain functions: what they need cannot be a member of an object.
  static inline sqlite3_vfs* plain_ = nullptr;
  static inline sqlite3_vfs files_;
  static inline sqlite3_io_methods methods_;
  static inline int (*plain_sync_)(sqlite3_file*, int) = nullptr;
  static inline std::atomic<bool> fails_ = false;
};

TEST_F(SqliteStore, AfterAFailedSyncNoWriteIsAcceptedButReadsGoOn) {
  UnreliableDisk disk;
  {
    auto store = open();
    ASSERT_TRUE(store) << store.error().text;
    ASSERT_TRUE((*store)->write(RequestClass::routine, create_patient(**store, "before")));
    disk.fail();
    const auto lost = (*store)->write(RequestClass::emergency, create_patient(**store, "lost"));
    ASSERT_FALSE(lost);
    EXPECT_EQ(lost.error().code, Code::internal);
    disk.work();
    const auto refused = (*store)->write(RequestClass::emergency, create_patient(**store, "refused"));
    ASSERT_FALSE(refused);
    EXPECT_TRUE(refused.error().text.contains("takes no more writes")) << refused.error().text;
    EXPECT_TRUE((*store)->read([](store::Reader& reader) -> Result<> {
      MYDR24_ASSIGN(const auto found, reader.current("Patient", "before"));
      EXPECT_TRUE(found);
      return {};
    }));
    EXPECT_FALSE(logged().empty());
  }
  auto store = open();
  ASSERT_TRUE(store) << store.error().text;
  EXPECT_TRUE((*store)->write(RequestClass::routine, create_patient(**store, "again")));
  EXPECT_TRUE((*store)->verify()->empty());
}

TEST_F(SqliteStore, AFullDiskIsBusyAndWritingGoesOnWhenThereIsRoom) {
  const auto disk = folder_.path() / "disk";
  std::filesystem::create_directory(disk);
  if (mount("tmpfs", disk.c_str(), "tmpfs", 0, "size=6m") != 0) GTEST_SKIP() << "mounting a small disk needs root";
  settings_.folder = disk / "data";
  {
    auto store = open();
    ASSERT_TRUE(store) << store.error().text;
    const std::string ballast(200'000, 'x');
    int kept = 0;
    Result<> outcome;
    while (outcome && kept < 100) {
      outcome = (*store)->write(RequestClass::routine, [&](store::Transaction& transaction) -> Result<> {
        MYDR24_TRY(create_patient(**store, fmt::format("p{}", kept))(transaction));
        return transaction.set_state("ballast", fmt::format("{}", kept), ballast);
      });
      kept += outcome ? 1 : 0;
    }
    ASSERT_FALSE(outcome);
    EXPECT_EQ(outcome.error().code, Code::full) << outcome.error().text;
    EXPECT_TRUE((*store)->read([&](store::Reader& reader) -> Result<> {
      MYDR24_ASSIGN(const auto count, reader.count_resources("Patient"));
      EXPECT_EQ(count, kept);
      return {};
    }));
    ASSERT_EQ(mount("tmpfs", disk.c_str(), "tmpfs", MS_REMOUNT, "size=40m"), 0);
    const auto again = (*store)->write(RequestClass::routine, create_patient(**store, "after"));
    EXPECT_TRUE(again) << again.error().text;
    EXPECT_TRUE((*store)->verify()->empty());
  }
  umount(disk.c_str());
}

}  // namespace
}  // namespace mydr24::sqlite

namespace mydr24::store {

INSTANTIATE_TEST_SUITE_P(Sqlite, StoreContract, testing::Values(sqlite::make_place, sqlite::make_sealed_place));
INSTANTIATE_TEST_SUITE_P(Sqlite, StoreSearchContract, testing::Values(sqlite::make_place));
INSTANTIATE_TEST_SUITE_P(Sqlite, StoreMoreContract, testing::Values(sqlite::make_place, sqlite::make_sealed_place));
INSTANTIATE_TEST_SUITE_P(Sqlite, StoreOracleContract, testing::Values(sqlite::make_place, sqlite::make_small_place));

}  // namespace mydr24::store
