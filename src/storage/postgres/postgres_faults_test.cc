// What the contract of every store does not ask: several processes, replicas, lost connections, a killed server.

#include <gtest/gtest.h>

#include <csignal>
#include <future>
#include <set>

#include "base/json/document.h"
#include "storage/postgres/postgres.h"
#include "storage/postgres/schema.h"
#include "storage/postgres/throwaway.h"

namespace mydr24::postgres {
namespace {

using namespace std::chrono_literals;
using store::Reader;
using store::Transaction;

class PostgresServer : public testing::Test {
 protected:
  void SetUp() override {
    if (server_ == nullptr) GTEST_SKIP() << "PostgreSQL is not installed";
    database_ = server_->lend_database();
    settings_.url = server_->url(database_);
  }

  std::unique_ptr<store::Store> open() { return open(settings_); }
  static std::unique_ptr<store::Store> open(const Settings& settings) {
    auto opened = postgres::open(settings, system_clock());
    EXPECT_TRUE(opened) << opened.error().text;
    return opened ? std::move(*opened) : nullptr;
  }

  static Result<> write(store::Store& store, const std::string& id, const std::string& more = "") {
    const auto text =
        fmt::format(R"({{"resourceType":"Patient","id":"{}","meta":{{}},"name":[{{"family":"Meyer"}}]{}}})", id, more);
    const auto document = json::Document::parse(std::string(text));
    const auto entries = search::extract(document->root());
    const auto body = store.pack(text, 1);
    return store.write(RequestClass::routine, [&](Transaction& transaction) -> Result<> {
      MYDR24_TRY(transaction.put({.type = "Patient", .id = id, .body = &body, .entries = entries}));
      MYDR24_TRY(transaction.note("test.written", id));
      return {};
    });
  }
  static bool has(store::Store& store, const std::string& id, store::Sequence after = 0) {
    bool found = false;
    const auto read = store.read(
        [&](Reader& reader) -> Result<> {
          MYDR24_ASSIGN(const auto version, reader.current("Patient", id));
          found = version.has_value();
          return {};
        },
        {}, after);
    EXPECT_TRUE(read) << read.error().text;
    return found;
  }
  static store::Sequence last(store::Store& store) {
    store::Sequence sequence = 0;
    EXPECT_TRUE(store.read([&](Reader& reader) -> Result<> {
      MYDR24_ASSIGN(sequence, reader.last_sequence());
      return {};
    }));
    return sequence;
  }
  static void expect_sound(store::Store& store) {
    const auto findings = store.verify();
    ASSERT_TRUE(findings) << findings.error().text;
    EXPECT_TRUE(findings->empty()) << findings->front();
  }
  template <class Condition>
  static bool soon(Condition condition) {
    for (int tried = 0; tried < 2000; ++tried) {
      if (condition()) return true;
      std::this_thread::sleep_for(10ms);
    }
    return false;
  }

  ThrowawayServer* const server_ = shared_server();
  std::string database_;
  Settings settings_;
};

class Listener : public store::Follower {
 public:
  explicit Listener(bool everywhere = false) : everywhere_(everywhere) {}
  std::string_view name() const override { return "listener"; }
  bool in_every_process() const override { return everywhere_; }
  Result<> begin() override {
    ++begun;
    return {};
  }
  void end() override { ++ended; }
  Result<> follow(std::span<const store::Event> events) override {
    const std::scoped_lock lock(mutex_);
    for (const auto& event : events) seen_.push_back(event.payload);
    return {};
  }
  std::size_t count() const {
    const std::scoped_lock lock(mutex_);
    return seen_.size();
  }
  std::atomic<int> begun = 0;
  std::atomic<int> ended = 0;

 private:
  const bool everywhere_;
  mutable std::mutex mutex_;
  std::vector<std::string> seen_;
};

TEST_F(PostgresServer, TwoProcessesWriteOneJournalWithoutGaps) {
  const auto a = open();
  const auto b = open();
  const auto many = [](store::Store& store, const std::string& name) {
    for (int i = 0; i < 60; ++i) EXPECT_TRUE(write(store, fmt::format("{}{}", name, i)));
  };
  std::thread other([&] { many(*b, "b"); });
  many(*a, "a");
  other.join();
  EXPECT_EQ(last(*a), 240);
  EXPECT_TRUE(has(*a, "b59"));
  EXPECT_TRUE(has(*b, "a59"));
  expect_sound(*a);
}

TEST_F(PostgresServer, OneProcessFollowsAndAnotherTakesOver) {
  Listener first_listener;
  Listener second_listener;
  auto first = open();
  auto second = open();
  first->add_follower(first_listener);
  second->add_follower(second_listener);
  ASSERT_TRUE(write(*second, "a"));  // by the one that does not follow
  EXPECT_TRUE(soon([&] { return first_listener.count() == 1; }));
  EXPECT_EQ(second_listener.count(), 0U);
  first->settle();
  first.reset();
  ASSERT_TRUE(write(*second, "b"));
  EXPECT_TRUE(soon([&] { return second_listener.count() == 1; }));
  std::atomic<int> fired = 0;
  second->on_timer("k", [&](Transaction&, const store::Timer&) -> Result<> {
    ++fired;
    return {};
  });
  ASSERT_TRUE(second->write(RequestClass::routine, [](Transaction& transaction) {
    return transaction.set_timer({.key = "t", .due = system_clock().now(), .kind = "k"});
  }));
  second->tick();
  second->settle();
  EXPECT_EQ(fired, 1);
  second.reset();
}

TEST_F(PostgresServer, AProcessThatLosesTheLeadAndLivesIsToldThatItFollowsNoLonger) {
  Listener first_listener;
  Listener second_listener;
  auto first = open();
  auto second = open();
  first->add_follower(first_listener);
  second->add_follower(second_listener);
  EXPECT_EQ(first_listener.begun, 1);
  EXPECT_EQ(second_listener.begun, 0);
  ASSERT_TRUE(server_->cut_the_lead(database_));
  EXPECT_TRUE(soon([&] { return first_listener.ended == 1; }));
  EXPECT_TRUE(soon([&] { return first_listener.begun + second_listener.begun == 2; })) << "either leads now";
  ASSERT_TRUE(write(*first, "a"));
  EXPECT_TRUE(soon([&] { return first_listener.count() + second_listener.count() == 1; }));
  second.reset();
  first.reset();
  EXPECT_EQ(second_listener.ended, 0);
}

TEST_F(PostgresServer, AFollowerInEveryProcessIsGivenTheEventsInEachWhoeverLeads) {
  Listener first_listener(true);
  Listener second_listener(true);
  auto first = open();
  auto second = open();
  first->add_follower(first_listener);
  second->add_follower(second_listener);
  ASSERT_TRUE(write(*first, "a"));
  ASSERT_TRUE(write(*second, "b"));
  for (auto* listener : {&first_listener, &second_listener}) EXPECT_TRUE(soon([&] { return listener->count() == 2; }));
  ASSERT_TRUE(server_->cut_the_lead(database_));
  ASSERT_TRUE(soon([&] { return write(*second, "c").has_value(); }));
  for (auto* listener : {&first_listener, &second_listener}) EXPECT_TRUE(soon([&] { return listener->count() == 3; }));
  EXPECT_EQ(first_listener.begun, 1);
  EXPECT_EQ(first_listener.ended, 0);
  second.reset();
  first.reset();
}

TEST_F(PostgresServer, AReplicaThatIsBehindOrAwayIsPassedOver) {
  // Another database stands for a replica that has nothing yet; the second does not exist.
  const auto behind = server_->url(server_->lend_database());
  {
    const auto empty = open({.url = behind});
  }
  settings_.read_urls = {behind, server_->url("none")};
  const auto store = open();
  ASSERT_TRUE(write(*store, "a"));
  for (int i = 0; i < 4; ++i) EXPECT_TRUE(has(*store, "a", 1));
  settings_.read_urls = {settings_.url};
  const auto current = open();
  EXPECT_TRUE(has(*current, "a", last(*current)));
}

TEST_F(PostgresServer, AReadIsOfThePrimaryUnlessTheCallerSaysThatAnOlderViewWillDo) {
  const auto behind = server_->url(server_->lend_database());
  {
    const auto empty = open({.url = behind});
  }
  settings_.read_urls = {behind};
  const auto store = open();
  ASSERT_TRUE(write(*store, "a"));
  EXPECT_FALSE(has(*store, "a")) << "the replica has nothing: the primary answered";
  for (int i = 0; i < 4; ++i) {
    bool found = false;
    ASSERT_TRUE(store->read([&](Reader& reader) -> Result<> {
      MYDR24_ASSIGN(const auto version, reader.current("Patient", "a"));
      found = version.has_value();
      return {};
    }));
    EXPECT_TRUE(found);
  }
}

TEST_F(PostgresServer, AStreamingReplicaAnswersWhatItHasAndThePrimaryTheRest) {
  const auto replica = server_->replica();
  ASSERT_NE(replica, nullptr) << "pg_basebackup failed, or the replica did not start";
  const auto database = settings_.url.substr(settings_.url.rfind('=') + 1);
  {
    const auto alone = open();
    ASSERT_TRUE(write(*alone, "a"));
  }
  ASSERT_TRUE(soon([&] {
    const auto connection = Connection::open(replica->url(database), Connection::Role::reader);
    if (!connection) return false;
    const auto newest = (*connection)->number("SELECT max(sequence) FROM journal", 0);
    return newest && *newest == 2;
  })) << "nothing streams to the replica";
  settings_.read_urls = {replica->url(database)};
  const auto store = open();
  EXPECT_TRUE(has(*store, "a"));
  EXPECT_TRUE(has(*store, "a", 2));

  replica->execute(database, "SELECT pg_wal_replay_pause()");
  ASSERT_TRUE(write(*store, "b"));
  EXPECT_FALSE(has(*store, "b")) << "the replica cannot have it yet: the primary answered";
  EXPECT_TRUE(has(*store, "b", 4)) << "who wrote a line reads it";
  replica->execute(database, "SELECT pg_wal_replay_resume()");
  EXPECT_TRUE(soon([&] { return has(*store, "b"); }));
}

TEST_F(PostgresServer, TotalsThatAreKeptFollowTheWritesOfOtherProcesses) {
  settings_.kept_total_min = 0;
  const auto a = open();
  const auto b = open();
  const auto patients = [](store::Store& store) {
    std::int64_t total = -1;
    EXPECT_TRUE(store.read([&](Reader& reader) -> Result<> {
      MYDR24_ASSIGN(total, reader.count_resources("Patient"));
      return {};
    }));
    store.settle();  // what it wished for is granted
    return total;
  };
  ASSERT_TRUE(write(*a, "p1"));
  for (int asked = 0; asked < 3; ++asked) EXPECT_EQ(patients(*a), 1);
  const auto database = settings_.url.substr(settings_.url.rfind('=') + 1);
  server_->execute(database, "SELECT 1 / count(*) FROM kept_total WHERE counted");  // an error when there is none
  ASSERT_TRUE(write(*b, "p2"));
  EXPECT_EQ(patients(*a), 2);
  EXPECT_EQ(patients(*b), 2);
  server_->execute(database, "UPDATE kept_total SET total = 77");
  EXPECT_EQ(patients(*a), 77) << "it was counted, not kept";
  EXPECT_FALSE(a->verify()->empty());
  server_->execute(database, "DELETE FROM kept_total");
  EXPECT_EQ(patients(*a), 2);
  expect_sound(*a);
}

TEST_F(PostgresServer, MoreKindsOfSearchesThanAreKeptPreparedAreAnswered) {
  const auto store = open();
  ASSERT_TRUE(write(*store, "p1"));
  for (int round = 0; round < 2; ++round) {
    for (std::uint32_t count = 1; count <= 150; ++count) {
      ASSERT_TRUE(store->read([&](Reader& reader) -> Result<> {
        MYDR24_ASSIGN(const auto page, reader.search({.type = "Patient", .count = count}));
        EXPECT_EQ(page.matches.size(), 1U);
        return {};
      }));
    }
  }
}

TEST_F(PostgresServer, AnEmergencyReadFindsRoomWhenOthersHoldAllReaders) {
  settings_.readers_max = 2;
  const auto store = open();
  std::promise<void> release;
  const auto released = release.get_future().share();
  std::atomic<int> holding = 0;
  std::vector<std::thread> others;
  for (int i = 0; i < 4; ++i) {
    others.emplace_back([&] {
      (void)store->read(
          [&](Reader&) -> Result<> {
            ++holding;
            released.wait();
            return {};
          },
          {.request_class = RequestClass::urgent}, 0);
    });
  }
  EXPECT_TRUE(soon([&] { return holding == 2; }));
  EXPECT_TRUE(store->read(
      [](Reader& reader) -> Result<> {
        MYDR24_TRY(reader.last_sequence());
        return {};
      },
      {.request_class = RequestClass::emergency}, 0));
  EXPECT_EQ(holding, 2);
  release.set_value();
  for (auto& thread : others) thread.join();
}

TEST_F(PostgresServer, AStatementEndsAtItsDeadlineAndWhenNobodyWaits) {
  auto connection = Connection::open(settings_.url, Connection::Role::reader);
  ASSERT_TRUE(connection);
  std::atomic<bool> cancelled = false;
  for (const bool by_deadline : {true, false}) {
    Limits limits{.cancelled = &cancelled};
    if (by_deadline) limits.deadline = system_clock().steady() + 50ms;
    ASSERT_TRUE((*connection)->set_limits(limits));
    std::thread impatient([&] {
      std::this_thread::sleep_for(50ms);
      cancelled = !by_deadline;
    });
    const auto began = system_clock().steady();
    const auto slept = (*connection)->query("SELECT pg_sleep(20)");
    impatient.join();
    ASSERT_FALSE(slept);
    EXPECT_EQ(slept.error().code, Code::too_costly);
    EXPECT_LT(system_clock().steady() - began, 5s);
    EXPECT_FALSE((*connection)->finish());
    cancelled = false;
    ASSERT_TRUE((*connection)->set_limits({}));
    EXPECT_EQ(*(*connection)->number("SELECT 7::bigint", 0), 7);
    EXPECT_TRUE((*connection)->finish());
  }
  ASSERT_TRUE((*connection)->set_limits({.time_max = 50ms}));  // the server's own clock
  EXPECT_EQ((*connection)->query("SELECT pg_sleep(20)").error().code, Code::too_costly);
}

TEST_F(PostgresServer, ErrorsSayWhatCanBeDone) {
  auto opened = Connection::open(settings_.url, Connection::Role::writer);
  ASSERT_TRUE(opened);
  Connection& connection = **opened;
  struct Case {
    const char* sql;
    Code code;
  };
  constexpr Case cases[] = {
      {"SELECT nonsense", Code::internal},
      {"DO $$ BEGIN RAISE EXCEPTION SQLSTATE '23505'; END $$", Code::conflict},
      {"DO $$ BEGIN RAISE EXCEPTION SQLSTATE '53100'; END $$", Code::full},
      {"DO $$ BEGIN RAISE EXCEPTION SQLSTATE '40001'; END $$", Code::busy},
      {"DO $$ BEGIN RAISE EXCEPTION SQLSTATE '25006'; END $$", Code::busy},
      {"DO $$ BEGIN RAISE EXCEPTION SQLSTATE '42501'; END $$", Code::refused},
  };
  for (const auto& [sql, code] : cases) {
    const auto failed = connection.query(sql);
    ASSERT_FALSE(failed) << sql;
    EXPECT_EQ(failed.error().code, code) << failed.error().text;
    EXPECT_FALSE(connection.finish());
    EXPECT_TRUE(connection.finish());
  }
  EXPECT_EQ(Connection::open("host=/nowhere", Connection::Role::reader).error().code, Code::busy);
  EXPECT_EQ(Connection::open(server_->url("none"), Connection::Role::reader).error().code, Code::refused);
}

TEST_F(PostgresServer, LongAndOddValuesAreFoundAndTheIndexIsSound) {
  const auto store = open();
  const std::string value(6'000, 'x');
  ASSERT_TRUE(write(*store, "long", fmt::format(R"(,"identifier":[{{"system":"http://a","value":"{}"}}])", value)));
  ASSERT_TRUE(write(*store, "odd", R"(,"identifier":[{"system":"http://a","value":"a\u0000b"}])"));
  for (const auto& [id, wanted] : {std::pair("long", value), std::pair("odd", std::string("a\0b", 3))}) {
    ASSERT_TRUE(store->read([&](Reader& reader) -> Result<> {
      MYDR24_ASSIGN(const auto page,
                    reader.search({.type = "Patient",
                                   .conditions = {{.parameter = search::find_parameter("Patient", "identifier"),
                                                   .any_of = {{.value = wanted}}}}}));
      EXPECT_EQ(page.matches.size(), 1U) << id;
      return {};
    }));
  }
  expect_sound(*store);
}

TEST_F(PostgresServer, MigrationsAreListedAppliedOnceAndOthersTablesAreLeftAlone) {
  auto listed = migrations(settings_.url);
  ASSERT_TRUE(listed) << listed.error().text;
  EXPECT_FALSE(listed->front().applied);
  EXPECT_EQ(postgres::open({.url = settings_.url, .migrate = false}, system_clock()).error().code, Code::unsupported);
  const auto applied = migrate(settings_.url);
  ASSERT_TRUE(applied) << applied.error().text;
  EXPECT_EQ(*applied, static_cast<int>(listed->size()));
  EXPECT_EQ(*migrate(settings_.url), 0);
  EXPECT_TRUE(migrations(settings_.url)->back().applied);

  const auto database = settings_.url.substr(settings_.url.rfind('=') + 1);
  server_->execute(database, "INSERT INTO migration (number, name) VALUES (9999, 'from the future')");
  EXPECT_EQ(postgres::open(settings_, system_clock()).error().code, Code::unsupported);
  server_->execute(database, "DROP TABLE migration");
  EXPECT_EQ(postgres::open(settings_, system_clock()).error().code, Code::unsupported);
}

TEST_F(PostgresServer, AKilledServerLeavesNothingHalfWrittenAndIsFoundAgain) {
  const auto own = ThrowawayServer::start();
  ASSERT_NE(own, nullptr);
  const auto database = own->lend_database();
  const auto store = open({.url = own->url(database)});
  std::set<std::string> kept;
  std::set<std::string> refused;
  std::atomic<int> written = 0;
  std::atomic<bool> stop = false;
  std::thread writing([&] {
    for (int i = 0; !stop; ++i) {
      const auto id = fmt::format("p{}", i);
      const auto outcome = write(*store, id);
      if (outcome) {
        kept.insert(id);
        ++written;
      } else {
        EXPECT_EQ(outcome.error().code, Code::busy) << outcome.error().text;
        if (!outcome.error().text.contains("not known")) refused.insert(id);
        std::this_thread::sleep_for(2ms);
      }
    }
  });
  EXPECT_TRUE(soon([&] { return written > 50; }));
  // Whoever holds the writer's lock is in the middle of a group. All backends fall with it: PostgreSQL restarts after
  // such a crash.
  pid_t backend = 0;
  auto connection = Connection::open(own->url(database), Connection::Role::reader);
  EXPECT_TRUE(connection);
  EXPECT_TRUE(soon([&] {
    backend = static_cast<pid_t>(
        (*connection)
            ->number("SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND classid = $1::bigint::oid AND granted",
                     0, Parameters::of(writer_lock))
            .value_or(0));
    (void)(*connection)->finish();
    if (backend != 0) ::kill(backend, SIGKILL);
    return backend != 0;
  }));
  const int before = written;
  EXPECT_TRUE(soon([&] { return written > before + 50; }));
  stop = true;
  writing.join();
  EXPECT_TRUE(store->statistics().writable);
  for (const auto& id : kept) EXPECT_TRUE(has(*store, id)) << id;
  for (const auto& id : refused) EXPECT_FALSE(has(*store, id)) << id;
  expect_sound(*store);
}

}  // namespace
}  // namespace mydr24::postgres
