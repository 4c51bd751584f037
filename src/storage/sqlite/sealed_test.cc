#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <fstream>
#include <iterator>
#include <set>
#include <thread>

#include "base/json/document.h"
#include "fhir/search/search.h"
#include "storage/sqlite/connection.h"
#include "storage/sqlite/kept_pages.h"
#include "storage/sqlite/maintenance.h"
#include "storage/sqlite/sealed_page.h"
#include "storage/sqlite/sealed_vfs.h"
#include "storage/sqlite/sqlite.h"

namespace mydr24::sqlite {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::IsEmpty;

// Stand in a name, an identifier, a narrative, a state, a timer and an event.
constexpr std::array marks{"zebrafamily", "zebranumber", "zebranarrative", "zebrastate", "zebratimer", "zebraevent"};

std::string read(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

void write(const fs::path& file, std::string_view bytes) {
  std::ofstream(file, std::ios::binary | std::ios::trunc)
      .write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

std::string patient(std::string_view id) {
  return fmt::format(
      R"({{"resourceType":"Patient","id":"{}","meta":{{}},"text":{{"status":"generated","div":"<div xmlns=\"http://www.w3.org/1999/xhtml\">zebranarrative of {}</div>"}},"identifier":[{{"system":"urn:zebra","value":"zebranumber"}}],"name":[{{"family":"zebrafamily"}}]}})",
      id, id);
}

store::Work create(const store::Store& store, std::string id) {
  return [&store, id = std::move(id)](store::Transaction& transaction) -> Result<> {
    const auto text = patient(id);
    const auto document = json::Document::parse(text);
    const auto entries = search::extract(document->root());
    const auto body = store.pack(text, 1);
    MYDR24_TRY(transaction.put({.type = "Patient", .id = id, .body = &body, .entries = entries}));
    return {};
  };
}

class SealedStore : public testing::Test {
 protected:
  SealedStore() {
    auto pattern = (fs::temp_directory_path() / "mydr24-sealed-XXXXXX").string();
    folder_ = mkdtemp(pattern.data());
    make_key_file("key", '5');
    make_key_file("other-key", '6');
    settings_.folder = folder_ / "data";
    settings_.key_file = folder_ / "key";
  }
  ~SealedStore() override {
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
  }

  void make_key_file(const std::string& name, char digit) {
    write(folder_ / name, std::string(64, digit));
    fs::permissions(folder_ / name, fs::perms::owner_read);
  }
  Result<std::unique_ptr<store::Store>> open() { return sqlite::open(settings_, system_clock()); }
  fs::path database() const { return settings_.folder / database_file; }
  fs::path log() const { return database().string() + "-wal"; }

  void fill(store::Store& store, int patients) {
    for (int i = 0; i < patients; ++i)
      ASSERT_TRUE(store.write(RequestClass::routine, create(store, fmt::format("p{}", i))));
    ASSERT_TRUE(store.write(RequestClass::routine, [](store::Transaction& transaction) -> Result<> {
      MYDR24_TRY(transaction.set_state("test", "zebrastate", "zebrastate"));
      MYDR24_TRY(transaction.set_timer(
          {.key = "zebratimer", .due = Instant::max(), .kind = "zebratimer", .payload = "zebratimer"}));
      MYDR24_TRY(transaction.note("zebraevent", R"({"of":"zebraevent"})"));
      return {};
    }));
  }

  // A process that opens the store and is killed after `work`, while it has it open.
  template <class Work>
  void in_killed_process(const Work& work) {
    const pid_t child = ::fork();
    if (child == 0) {
      store::Store* const store = open().value().release();
      work(*store);
      ::kill(::getpid(), SIGKILL);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status));
  }

  // As `mydr24 key rotate` does, in another process.
  void rotate() {
    auto keys = keyring::Keyring::open(settings_.folder / keyring::file_name, settings_.key_file).value();
    ASSERT_TRUE(keys->rotate(system_clock().now()));
  }
  std::size_t keys_there() {
    return keyring::Keyring::open(settings_.folder / keyring::file_name, settings_.key_file).value()->keys().size();
  }
  // As the server does every 50 ms.
  void tick_until_one_key_is_left(store::Store& store) {
    for (int i = 0; i < 2'000 && keys_there() > 1; ++i) {
      store.tick();
      store.settle();
    }
  }
  std::set<keyring::Generation> generations(const fs::path& file) const {
    std::set<keyring::Generation> seen;
    const std::string bytes = read(file);
    for (std::size_t at = 0; at + sealed_page_bytes <= bytes.size(); at += sealed_page_bytes)
      seen.insert(PageSealer::generation_of(reinterpret_cast<const unsigned char*>(bytes.data()) + at));
    return seen;
  }

  std::int64_t resources(store::Store& store) {
    std::int64_t count = -1;
    const auto read = store.read([&](store::Reader& reader) -> Result<> {
      MYDR24_ASSIGN(count, reader.count_resources(""));
      return {};
    });
    EXPECT_TRUE(read) << read.error().text;
    return count;
  }

  // Marks that stand in any file below the folder, as they are or folded for searches.
  std::set<std::string> leaks() const {
    std::set<std::string> found;
    for (const auto& entry : fs::recursive_directory_iterator(folder_)) {
      if (!entry.is_regular_file()) continue;
      const std::string bytes = read(entry.path());
      for (const auto* mark : marks)
        if (bytes.contains(mark)) found.insert(mark);
    }
    return found;
  }

  fs::path folder_;
  Settings settings_;
};

TEST_F(SealedStore, NothingOfWhatIsWrittenStandsInAnyFile) {
  settings_.checkpoint_bytes = 64 << 10;
  in_killed_process([&](store::Store& store) {
    fill(store, 100);
    (void)store.backup(folder_ / "backup.db");
  });
  EXPECT_GT(fs::file_size(log()), frame_bytes);
  EXPECT_GT(fs::file_size(database()), 16 * sealed_page_bytes);
  EXPECT_GT(fs::file_size(folder_ / "backup.db"), 16 * sealed_page_bytes);
  EXPECT_THAT(leaks(), IsEmpty());
}

TEST_F(SealedStore, WithoutAKeyFileTheSameMarksAreFound) {
  settings_.key_file.clear();
  settings_.checkpoint_bytes = 64 << 10;
  in_killed_process([&](store::Store& store) { fill(store, 100); });
  EXPECT_EQ(leaks().size(), marks.size());
  EXPECT_FALSE(fs::exists(settings_.folder / keyring::file_name));
}

TEST_F(SealedStore, WhatACommitPromisedIsThereAfterTheProcessWasKilled) {
  in_killed_process([&](store::Store& store) { fill(store, 50); });
  auto store = open();
  ASSERT_TRUE(store) << store.error().text;
  EXPECT_EQ(resources(**store), 50);
  EXPECT_THAT((*store)->verify().value(), IsEmpty());
}

// Pages that do not fit into the cache go to the log before the commit, some of them twice: SQLite then makes the
// checksums of the log anew.
TEST_F(SealedStore, ATransactionLargerThanTheCacheIsThereAfterTheProcessWasKilled) {
  settings_.writer_cache_bytes = 64 << 10;
  settings_.checkpoint_bytes = std::size_t{1} << 30;
  in_killed_process([&](store::Store& store) {
    (void)store.write(RequestClass::routine, [&](store::Transaction& transaction) -> Result<> {
      for (int i = 0; i < 2'000; ++i) MYDR24_TRY(create(store, fmt::format("p{}", i))(transaction));
      return {};
    });
    (void)store.write(RequestClass::routine, create(store, "last"));
  });
  auto store = open();
  ASSERT_TRUE(store) << store.error().text;
  EXPECT_EQ(resources(**store), 2'001);
  EXPECT_THAT((*store)->verify().value(), IsEmpty());
}

TEST_F(SealedStore, ATornEndOfTheLogTakesOnlyWhatWasNotSynced) {
  settings_.checkpoint_bytes = std::size_t{1} << 30;
  in_killed_process([&](store::Store& store) { fill(store, 20); });
  fs::resize_file(log(), fs::file_size(log()) - 1'000);
  auto store = open();
  ASSERT_TRUE(store) << store.error().text;
  EXPECT_EQ(resources(**store), 20);  // the last transaction wrote no resource
  EXPECT_THAT((*store)->verify().value(), IsEmpty());
}

TEST_F(SealedStore, OnlyItsOwnKeyFileOpensItAndOnlyAnEncryptedOneIsOpenedWithIt) {
  fill(*open().value(), 1);
  const auto good = settings_;
  settings_.key_file = folder_ / "other-key";
  EXPECT_EQ(open().error().code, Code::refused);
  settings_.key_file.clear();
  const auto plain = open();
  ASSERT_FALSE(plain);
  EXPECT_EQ(plain.error().code, Code::refused);
  EXPECT_THAT(plain.error().text, HasSubstr("encryption.key_file"));

  settings_.folder = folder_ / "plain";
  fill(*open().value(), 1);
  settings_.key_file = good.key_file;
  const auto refused = open();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::conflict);
  EXPECT_THAT(refused.error().text, HasSubstr("mydr24 store copy"));

  settings_ = good;
  EXPECT_EQ(resources(*open().value()), 1);
  fs::remove(settings_.folder / keyring::file_name);
  EXPECT_EQ(open().error().code, Code::not_found);
}

// Wherever a byte is changed: reads and checks fail, and what is read nevertheless is what was written.
TEST_F(SealedStore, AChangedByteIsNeverData) {
  {
    auto store = open().value();
    fill(*store, 30);
    ASSERT_TRUE(store->backup(folder_ / "backup.db"));
  }
  const std::string good = read(database());
  ASSERT_GT(good.size(), 10 * sealed_page_bytes);
  for (std::size_t page = 0; page < good.size() / sealed_page_bytes; ++page) {
    std::string changed = good;
    const std::size_t at = page * sealed_page_bytes + (page * 997) % sealed_page_bytes;
    changed[at] = static_cast<char>(changed[at] ^ 0x10);
    write(database(), changed);
    auto store = open();
    if (!store) {
      EXPECT_THAT(store.error().text, HasSubstr("damaged"));
      continue;
    }
    const auto verified = (*store)->verify();
    EXPECT_TRUE(!verified || !verified->empty()) << "page " << page + 1;
    if (!verified) EXPECT_THAT(verified.error().text, HasSubstr("damaged"));
    const auto copied = (*store)->backup(folder_ / fmt::format("copy-{}.db", page));
    ASSERT_FALSE(copied);
    (void)(*store)->read([](store::Reader& reader) -> Result<> {
      MYDR24_ASSIGN(const auto current, reader.current("Patient", "p7"));
      if (current) EXPECT_THAT(current->body, HasSubstr("zebranarrative of p7"));
      return {};
    });
  }
}

TEST_F(SealedStore, APageInThePlaceOfAnotherIsNoticed) {
  fill(*open().value(), 30);
  std::string bytes = read(database());
  for (std::size_t i = 0; i < sealed_page_bytes; ++i)
    std::swap(bytes[4 * sealed_page_bytes + i], bytes[5 * sealed_page_bytes + i]);
  write(database(), bytes);
  auto store = open();
  const auto verified = store ? (*store)->verify() : Result<std::vector<std::string>>(store.error());
  ASSERT_FALSE(verified);
  EXPECT_THAT(verified.error().text, HasSubstr("is not what was sealed there"));
}

TEST_F(SealedStore, ABackupOpensWithItsKeysAndTheKeyFileAndNotWithout) {
  {
    auto store = open().value();
    fill(*store, 30);
    const auto copied = store->backup(folder_ / "backup.db");
    ASSERT_TRUE(copied) << copied.error().text;
    EXPECT_EQ(store->backup(folder_ / "backup.db").error().code, Code::conflict);
  }
  settings_.folder = folder_ / "restored";
  fs::create_directory(settings_.folder);
  fs::copy_file(folder_ / "backup.db", database());
  EXPECT_EQ(open().error().code, Code::not_found);
  fs::copy_file(backup_keys_file(folder_ / "backup.db"), settings_.folder / keyring::file_name);
  auto store = open();
  ASSERT_TRUE(store) << store.error().text;
  EXPECT_EQ(resources(**store), 30);
  EXPECT_THAT((*store)->verify().value(), IsEmpty());
  store->reset();
  settings_.key_file.clear();
  EXPECT_EQ(open().error().code, Code::refused);
}

TEST_F(SealedStore, ANewKeySealsEveryPageWhileItIsReadAndWrittenAndTheOldKeyGoes) {
  settings_.reader_cache_bytes = 16 << 10;
  fill(*open().value(), 300);
  auto store = open().value();
  rotate();
  std::atomic<bool> stop = false;
  std::atomic<int> reads = 0;
  // Caches too small to hold what is read: pages come from the file, also while they are written where they stand.
  std::vector<std::thread> readers;
  for (int thread = 0; thread < 2; ++thread) {
    readers.emplace_back([&] {
      for (int i = 0; !stop; ++i, ++reads) {
        const auto done = store->read([&](store::Reader& reader) -> Result<> {
          MYDR24_ASSIGN(const auto current, reader.current("Patient", fmt::format("p{}", i % 300)));
          EXPECT_TRUE(current);
          return {};
        });
        EXPECT_TRUE(done) << done.error().text;
      }
    });
  }
  for (int i = 0; i < 2'000 && keys_there() > 1; ++i) {
    ASSERT_TRUE(store->write(RequestClass::routine, create(*store, fmt::format("during{}", i))));
    store->tick();
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  stop = true;
  for (auto& reader : readers) reader.join();
  EXPECT_GT(reads, 0);
  EXPECT_EQ(keys_there(), 1U);
  EXPECT_EQ(generations(database()), (std::set<keyring::Generation>{2}));
  EXPECT_THAT(store->verify().value(), IsEmpty());
  store.reset();
  EXPECT_THAT(open().value()->verify().value(), IsEmpty());
}

// Killed wherever it may be: again and again, until it is done.
TEST_F(SealedStore, AProcessThatIsKilledWhileKeysChangeLosesNothing) {
  fill(*open().value(), 300);
  rotate();
  int rounds = 0;
  for (; rounds < 200 && keys_there() > 1; ++rounds) {
    const pid_t child = ::fork();
    if (child == 0) {
      store::Store* const store = open().value().release();
      for (;;) store->tick();
    }
    std::this_thread::sleep_for(std::chrono::microseconds(2'000 * (rounds % 50) + 137 * rounds));
    ::kill(child, SIGKILL);
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    if (rounds % 10 != 0) continue;
    auto store = open();
    ASSERT_TRUE(store) << store.error().text;
    EXPECT_EQ(resources(**store), 300);
    EXPECT_THAT((*store)->verify().value(), IsEmpty());
  }
  EXPECT_EQ(keys_there(), 1U);
  EXPECT_GT(rounds, 1);
  EXPECT_EQ(generations(database()), (std::set<keyring::Generation>{2}));
}

TEST_F(SealedStore, APageThatWasTornWhileItWasSealedAnewIsPutBack) {
  fill(*open().value(), 30);
  const std::string good = read(database());
  const auto keep = [&](PageNumber number) {
    KeptPage kept{.number = number};
    std::memcpy(kept.bytes.data(), good.data() + (number - 1) * sealed_page_bytes, sealed_page_bytes);
    return kept;
  };
  ASSERT_TRUE(keep_pages(database(), std::array{keep(3), keep(4)}));
  std::string torn = good;
  for (std::size_t i = 0; i < 512; ++i) torn[2 * sealed_page_bytes + i] ^= 0x55;
  write(database(), torn);
  {
    auto store = open();
    ASSERT_TRUE(store) << store.error().text;
    EXPECT_EQ(resources(**store), 30);
    EXPECT_THAT((*store)->verify().value(), IsEmpty());
  }
  EXPECT_EQ(read(database()), good);
  // Kept only in part: then nothing was written over them.
  ASSERT_TRUE(keep_pages(database(), std::array{keep(3)}));
  fs::resize_file(kept_pages_file(database()), fs::file_size(kept_pages_file(database())) - 1);
  EXPECT_THAT(read_kept_pages(database()).value(), IsEmpty());
  EXPECT_EQ(resources(*open().value()), 30);
}

TEST_F(SealedStore, ABackupTakenWhileKeysChangeOpensWithItsOwnKeys) {
  auto store = open().value();
  fill(*store, 100);
  rotate();
  store->tick();
  const auto copied = store->backup(folder_ / "backup.db");
  ASSERT_TRUE(copied) << copied.error().text;
  tick_until_one_key_is_left(*store);
  EXPECT_EQ(keys_there(), 1U);
  store.reset();
  settings_.folder = folder_ / "restored";
  fs::create_directory(settings_.folder);
  fs::copy_file(folder_ / "backup.db", database());
  fs::copy_file(backup_keys_file(folder_ / "backup.db"), settings_.folder / keyring::file_name);
  auto restored = open();
  ASSERT_TRUE(restored) << restored.error().text;
  EXPECT_EQ(resources(**restored), 100);
}

class SealedDatabase : public SealedStore {
 protected:
  SealedDatabase() {
    keys_ = keyring::Keyring::create(folder_ / "keys.json", settings_.key_file, from_us(0)).value();
    vfs_ = SealedVfs::make(keys_).value();
    place_ = {(folder_ / "test.db").string(), vfs_->name()};
  }
  std::unique_ptr<Connection> connect() {
    auto connection = Connection::open(place_, Connection::Role::writer, 1 << 20).value();
    if (kind_of(place_.file) == FileKind::none) {
      int reserved = static_cast<int>(reserved_bytes);
      sqlite3_file_control(connection->handle(), "main", SQLITE_FCNTL_RESERVE_BYTES, &reserved);
      EXPECT_TRUE(connection->execute("PRAGMA journal_mode = MEMORY"));
    }
    EXPECT_TRUE(connection->execute("PRAGMA page_size = 4096; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL"));
    return connection;
  }

  std::shared_ptr<keyring::Keyring> keys_;
  std::unique_ptr<SealedVfs> vfs_;
  DatabasePlace place_;
};

// SQLite does not write pages that are free at the commit, wherever they are.
TEST_F(SealedDatabase, FreePagesThatWereNeverWrittenCanBeRead) {
  auto connection = connect();
  for (const char* keep : {"CREATE TABLE kept (x); INSERT INTO kept VALUES (randomblob(9000));", ""}) {
    ASSERT_TRUE(connection->execute(
        fmt::format(
            "BEGIN; CREATE TABLE gone (x); WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE "
            "i < 200) INSERT INTO gone SELECT zeroblob(8000) FROM n; {} DROP TABLE gone; COMMIT; "
            "PRAGMA wal_checkpoint(TRUNCATE);",
            keep)
            .c_str()));
    EXPECT_GT(connection->number("PRAGMA freelist_count", 0).value(), 100);
    const auto copied = copy_database(place_, folder_ / fmt::format("copy{}.db", *keep == '\0' ? 2 : 1));
    EXPECT_TRUE(copied) << copied.error().text;
  }
  const std::string bytes = read(place_.file);
  for (std::size_t at = 0; at < bytes.size(); at += sealed_page_bytes)
    EXPECT_EQ(PageSealer::generation_of(reinterpret_cast<const unsigned char*>(bytes.data()) + at), 1U) << at;
}

TEST_F(SealedDatabase, NoJournalAndNoTemporaryFileIsEverOpened) {
  auto connection = connect();
  sqlite3_vfs* const vfs = sqlite3_vfs_find(vfs_->name());
  ASSERT_NE(vfs, nullptr);
  std::vector<char> room(static_cast<std::size_t>(vfs->szOsFile));
  auto* const file = reinterpret_cast<sqlite3_file*>(room.data());
  const std::string name = place_.file + "-journal";
  for (const int kind : {SQLITE_OPEN_MAIN_JOURNAL, SQLITE_OPEN_SUPER_JOURNAL, SQLITE_OPEN_SUBJOURNAL,
                         SQLITE_OPEN_TEMP_DB, SQLITE_OPEN_TEMP_JOURNAL, SQLITE_OPEN_TRANSIENT_DB}) {
    EXPECT_EQ(vfs->xOpen(vfs, name.c_str(), file, kind | SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, nullptr),
              SQLITE_CANTOPEN);
  }
  EXPECT_FALSE(fs::exists(name));
  // A sort and a savepoint that are larger than what is otherwise kept in memory.
  ASSERT_TRUE(
      connection->execute("CREATE TABLE t (x); BEGIN; SAVEPOINT s; WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL "
                          "SELECT i + 1 FROM n WHERE i < 5000) INSERT INTO t SELECT randomblob(8000) FROM n; "
                          "UPDATE t SET x = randomblob(8000); ROLLBACK TO s; RELEASE s; COMMIT; "
                          "CREATE TABLE u AS SELECT x FROM t ORDER BY x;"));
}

TEST_F(SealedDatabase, ReadsWhatOlderGenerationsSealedAndSealsWithTheNewest) {
  auto connection = connect();
  ASSERT_TRUE(connection->execute("CREATE TABLE t (x); INSERT INTO t VALUES (1); PRAGMA wal_checkpoint(TRUNCATE)"));
  ASSERT_EQ(keys_->rotate(from_us(0)).value(), 2U);
  ASSERT_TRUE(connection->execute("CREATE TABLE u (x); INSERT INTO u VALUES (2); PRAGMA wal_checkpoint(TRUNCATE)"));
  connection.reset();
  connection = connect();
  EXPECT_EQ(connection->number("SELECT t.x + u.x FROM t, u", 0).value(), 3);
  std::set<keyring::Generation> seen;
  const std::string bytes = read(place_.file);
  for (std::size_t at = 0; at < bytes.size(); at += sealed_page_bytes)
    seen.insert(PageSealer::generation_of(reinterpret_cast<const unsigned char*>(bytes.data()) + at));
  EXPECT_EQ(seen, (std::set<keyring::Generation>{1, 2}));
}

TEST_F(SealedDatabase, APageWhoseReservedBytesAreInUseIsNotWritten) {
  PageSealer sealer(*keys_);
  Page page{};
  Page sealed;
  page[sealed_page_bytes - 1] = 1;
  EXPECT_FALSE(sealer.seal(1, page.data(), sealed));
  page[sealed_page_bytes - 1] = 0;
  EXPECT_TRUE(sealer.seal(2, page.data(), sealed));
  EXPECT_TRUE(sealer.open(2, sealed.data()));
  EXPECT_EQ(page, sealed);
}

}  // namespace
}  // namespace mydr24::sqlite
