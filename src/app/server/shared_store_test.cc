// Several servers on one database: definitions, indexing and deliveries.

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <sstream>
#include <thread>

#include "alerting/alerts/book.h"
#include "alerting/alerts/console_feed.h"
#include "alerting/alerts/dispatcher.h"
#include "app/server/emergency_patients.h"
#include "clinical/conformance/conformance.h"
#include "storage/postgres/postgres.h"
#include "storage/postgres/throwaway.h"

namespace mydr24::server {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view alive =
    R"({"resourceType":"SearchParameter","id":"s","url":"http://example.org/s","name":"s","status":"active",)"
    R"("description":"d","code":"alive","base":["Patient"],"type":"token","expression":"Patient.active"})";

template <class Condition>
bool soon(Condition condition) {
  for (int tried = 0; tried < 2'000; ++tried) {
    if (condition()) return true;
    std::this_thread::sleep_for(10ms);
  }
  return false;
}

class SharedStore : public testing::Test {
 protected:
  void SetUp() override {
    if (server_ == nullptr) GTEST_SKIP() << "PostgreSQL is not installed";
    database_ = server_->lend_database();
  }
  void TearDown() override {
    if (server_ != nullptr) server_->give_back(database_);
  }
  void cut_the_lead() { ASSERT_TRUE(server_->cut_the_lead(database_)); }
  std::unique_ptr<store::Store> open(const Clock& clock, bool may_lead = true) {
    auto opened = postgres::open({.url = server_->url(database_), .may_lead = may_lead}, clock);
    EXPECT_TRUE(opened) << opened.error().text;
    return opened ? std::move(*opened) : nullptr;
  }

 private:
  postgres::ThrowawayServer* const server_ = postgres::shared_server();
  std::string database_;
};

// An import that leads would keep the servers from timers and followers as long as it lasts.
TEST_F(SharedStore, ACommandBesideTheServersNeverLeads) {
  auto command = open(system_clock(), false);
  auto server = open(system_clock());
  EXPECT_FALSE(command->leads());
  EXPECT_TRUE(server->leads());
  server.reset();
  std::this_thread::sleep_for(std::chrono::milliseconds(500));
  EXPECT_FALSE(command->leads());
  EXPECT_TRUE(command->write(RequestClass::routine, [](store::Transaction&) -> Result<> { return {}; }));
}

// ---- definitions

struct Recorder {
  explicit Recorder(std::unique_ptr<store::Store> opened) : store(std::move(opened)) {
    records.add_reaction(conformance);
    const auto started = conformance.start({});
    EXPECT_TRUE(started) << started.error().text;
    store->add_follower(conformance);
  }
  ~Recorder() {
    conformance.stop();
    store.reset();
  }
  Recorder(const Recorder&) = delete;
  Recorder& operator=(const Recorder&) = delete;

  records::Prepared prepare(std::string text) {
    auto prepared = records.prepare(std::move(text), {});
    EXPECT_TRUE(prepared);
    return std::move(*prepared);
  }
  void put(const records::Prepared& prepared) {
    const auto written = store->write(RequestClass::routine, [&](store::Transaction& transaction) -> Result<> {
      MYDR24_TRY(records.put(transaction, prepared));
      return {};
    });
    EXPECT_TRUE(written) << written.error().text;
  }
  void put(std::string text) { put(prepare(std::move(text))); }
  const search::Parameter* parameter() {
    catalogue = records.definitions()->catalogue;
    return search::find_parameter("Patient", "alive", catalogue.get());
  }
  std::int64_t found() {
    search::Query query;
    query.type = "Patient";
    query.total = search::Total::accurate;
    query.conditions.push_back({.parameter = parameter(), .any_of = {{.value = "true"}}});
    query.catalogue = catalogue;
    store::SearchPage page;
    EXPECT_TRUE(store->read([&](store::Reader& reader) -> Result<> {
      MYDR24_ASSIGN(page, reader.search(query));
      return {};
    }));
    return page.total.value_or(-1);
  }

  std::unique_ptr<store::Store> store;
  std::ostringstream lines;
  telemetry::Log log{telemetry::LogSettings{}, system_clock(), lines};
  records::Records records{*store, system_clock()};
  conformance::Conformance conformance{records, log};
  search::CataloguePtr catalogue;
};

std::string patient(int number) {
  return fmt::format(R"({{"resourceType":"Patient","id":"p{}","active":true}})", number);
}

TEST_F(SharedStore, ADefinitionCountsInEveryServerWhicheverItWasStoredThrough) {
  Recorder a(open(system_clock())), b(open(system_clock()));
  ASSERT_NE(a.store->leads(), b.store->leads());
  const auto value_set = [](std::string_view name) {
    return fmt::format(R"({{"resourceType":"ValueSet","id":"{0}","url":"http://example.org/{0}","status":"active"}})",
                       name);
  };
  a.put(value_set("through-a"));
  b.put(value_set("through-b"));
  for (const auto* server : {&a, &b}) {
    for (const auto* url : {"http://example.org/through-a", "http://example.org/through-b"}) {
      EXPECT_TRUE(soon([&] { return server->records.definitions()->terminology->has_value_set(url); })) << url;
    }
  }
}

TEST_F(SharedStore, AServerThatDoesNotLeadKnowsAtOnceWhatWasStoredThroughIt) {
  Recorder a(open(system_clock())), b(open(system_clock()));
  Recorder& other = a.store->leads() ? b : a;
  other.put(std::string(alive));
  store::Sequence last = 0;
  ASSERT_TRUE(other.store->read([&](store::Reader& reader) -> Result<> {
    MYDR24_ASSIGN(const auto version, reader.current_head("SearchParameter", "s"));
    last = version->sequence;
    return {};
  }));
  EXPECT_TRUE(other.conformance.wait_until_in_effect(last, 10s));
  EXPECT_NE(other.parameter(), nullptr);
}

TEST_F(SharedStore, ANewParameterFindsWhatEachServerWroteBeforeAndAfterAndCountsItOnce) {
  Recorder a(open(system_clock())), b(open(system_clock()));
  constexpr int before = 450;  // several pages
  for (int i = 0; i < before; ++i) (i % 2 == 0 ? a : b).put(patient(i));
  const auto ready = b.prepare(patient(before));
  a.put(std::string(alive));
  for (auto* server : {&a, &b}) {
    ASSERT_TRUE(soon([&] { return server->parameter() != nullptr; }));
    ASSERT_TRUE(soon([&] { return server->conformance.unindexed().empty(); }));
  }
  b.put(ready);  // made ready by the definitions before
  a.put(patient(before + 1));
  EXPECT_EQ(a.found(), before + 2);
  EXPECT_EQ(b.found(), before + 2);
  EXPECT_EQ(a.parameter()->generation, b.parameter()->generation);
  std::optional<std::string> row;
  ASSERT_TRUE(a.store->read([&](store::Reader& reader) -> Result<> {
    MYDR24_ASSIGN(row, reader.state("reindex", "http://example.org/s@1 Patient"));
    return {};
  }));
  ASSERT_TRUE(row);
  EXPECT_NE(row->find(fmt::format(R"("done":{},)", before)), std::string::npos) << *row;
  const auto findings = a.store->verify();
  ASSERT_TRUE(findings);
  EXPECT_TRUE(findings->empty()) << findings->front();
}

// ---- deliveries

// What the nurse's channel was given; it fails while `fails` is set.
struct Pager {
  std::mutex mutex;
  std::vector<int> attempts;
  std::atomic<bool> fails = false;

  std::vector<int> seen() {
    const std::lock_guard lock(mutex);
    return attempts;
  }
};

class PagerChannel : public notify::Channel {
 public:
  explicit PagerChannel(Pager& pager) : pager_(pager) {}
  std::string_view medium() const override { return "webhook"; }
  Task<notify::SendOutcome> send(notify::Message message) override {
    const std::lock_guard lock(pager_.mutex);
    pager_.attempts.push_back(message.attempt);
    co_return notify::SendOutcome{pager_.fails ? notify::SendStatus::failed : notify::SendStatus::delivered, 0, ""};
  }

 private:
  Pager& pager_;
};

struct Alerter {
  Alerter(std::unique_ptr<store::Store> opened, const Clock& clock, Pager& pager, const oncall::Directory& directory)
      : hub(clock),
        feed(hub),
        book(directory),
        dispatcher(directory, clock, hub, {},
                   [&](asio::io_context&, const notify::Address& address) -> Result<std::unique_ptr<notify::Channel>> {
                     if (address.kind == notify::Kind::console) return notify::make_console_channel(hub);
                     return std::make_unique<PagerChannel>(pager);
                   }),
        store(std::move(opened)) {
    book.attach(*store);
    feed.start(*store);
    EXPECT_TRUE(dispatcher.start(*store));
  }
  ~Alerter() { close(); }
  Alerter(const Alerter&) = delete;
  Alerter& operator=(const Alerter&) = delete;

  void close() {
    dispatcher.stop();
    store.reset();
  }
  void raise() {
    EXPECT_TRUE(store->write(RequestClass::emergency, [&](store::Transaction& t) -> Result<> {
      MYDR24_TRY(book.raise(t, {"test", "c", alerts::Severity::emergency, "Patient/1", "Red score", "", ""}));
      return {};
    }));
  }

  // What consoles at this server were shown, in order.
  std::vector<std::string> shown() const {
    std::vector<std::string> kinds;
    for (const auto& entry : hub.after(0, 100).entries) kinds.push_back(entry.kind);
    return kinds;
  }

  notify::ConsoleHub hub;
  alerts::ConsoleFeed feed;
  alerts::Book book;
  alerts::Dispatcher dispatcher;
  std::unique_ptr<store::Store> store;
};

class SharedOutbox : public SharedStore {
 protected:
  std::unique_ptr<Alerter> start() { return std::make_unique<Alerter>(open(clock_), clock_, pager_, directory_); }

  ManualClock clock_{from_us(1'700'000'000'000'000)};
  Pager pager_;
  const oncall::Directory directory_ = *oncall::Directory::make(
      {.contacts = {{"nurse", {{notify::Kind::webhook, "http://nurse", "s"}}}}, .steps = {{{"nurse"}}}});
};

TEST_F(SharedOutbox, WhoTakesOverSendsWhatTheOtherHasNotSent) {
  auto a = start();
  const auto b = start();
  ASSERT_TRUE(a->store->leads());
  pager_.fails = true;
  a->raise();
  ASSERT_TRUE(soon([&] { return !pager_.seen().empty(); }));
  pager_.fails = false;
  a.reset();
  ASSERT_TRUE(soon([&] { return pager_.seen().size() == 2; }));
  EXPECT_GT(pager_.seen().back(), 1);  // a marked retry
  EXPECT_TRUE(soon([&] { return b->dispatcher.counters().delivered == 1; }));
  EXPECT_EQ(b->dispatcher.counters().recovered, 1);
}

TEST_F(SharedOutbox, AServerThatOnlyStartsSendsNothingOfTheOneThatLeads) {
  const auto a = start();
  pager_.fails = true;
  a->raise();
  ASSERT_TRUE(soon([&] { return a->dispatcher.counters().failed == 1; }));  // and waits for its retry
  const auto b = start();
  b->store->settle();
  EXPECT_TRUE(b->dispatcher.settle());
  EXPECT_EQ(pager_.seen(), std::vector<int>{1});
  EXPECT_EQ(b->dispatcher.counters().recovered, 0);
}

// Both still hold the delivery; only the one that leads may try it.
TEST_F(SharedOutbox, AServerThatLosesTheLeadAndLivesSendsNoRetry) {
  const auto a = start(), b = start();
  ASSERT_TRUE(a->store->leads());
  pager_.fails = true;
  a->raise();
  ASSERT_TRUE(soon([&] { return a->dispatcher.counters().failed == 1; }));
  cut_the_lead();
  ASSERT_TRUE(soon([&] { return a->dispatcher.counters().recovered + b->dispatcher.counters().recovered == 1; }));
  Alerter& leader = a->store->leads() ? *a : *b;
  Alerter& other = &leader == a.get() ? *b : *a;
  ASSERT_TRUE(soon([&] { return pager_.seen().size() == 2; }));
  ASSERT_TRUE(leader.dispatcher.settle());
  EXPECT_TRUE(soon([&] { return other.dispatcher.counters().waiting == 0; }));
  clock_.advance(1min);
  for (Alerter* server : {&leader, &other}) {
    server->dispatcher.tick();
    EXPECT_TRUE(server->dispatcher.settle());
  }
  EXPECT_EQ(pager_.seen().size(), 3U);
}

TEST_F(SharedOutbox, EveryServersConsoleIsShownWhatAnyOfThemDid) {
  const oncall::Directory console = *oncall::Directory::make({});  // one step that calls the console
  Alerter a(open(clock_), clock_, pager_, console), b(open(clock_), clock_, pager_, console);
  ASSERT_TRUE(a.store->leads());
  b.raise();
  const auto count = [](const std::vector<std::string>& all, std::string_view kind) {
    return std::ranges::count(all, kind);
  };
  for (const Alerter* server : {&a, &b}) {
    EXPECT_TRUE(soon([&] { return count(server->shown(), "alert.delivered") == 1; }));
    EXPECT_EQ(count(server->shown(), "alert.raised"), 1);
    EXPECT_EQ(count(server->shown(), "alert.call"), 1) << "where it was called and where it was not";
  }
}

TEST_F(SharedOutbox, EveryServerKnowsThePatientsInAnEmergency) {
  const auto a = start(), b = start();
  a->raise();  // of Patient/1; before the desks begin
  EmergencyPatients first, second;
  first.start(*a->store);
  second.start(*b->store);
  for (const auto* each : {&first, &second}) EXPECT_TRUE(each->known().contains("1"));
  const auto raised = [&](Alerter& at, std::string_view patient) {
    EXPECT_TRUE(at.store->write(RequestClass::emergency, [&](store::Transaction& t) -> Result<> {
      MYDR24_TRY(at.book.raise(t, {.source = "test",
                                   .cause = std::string(patient),
                                   .severity = alerts::Severity::emergency,
                                   .patient = "Patient/" + std::string(patient),
                                   .title = "Red score"}));
      return {};
    }));
  };
  raised(*a, "2");
  raised(*b, "3");
  for (const auto* each : {&first, &second})
    EXPECT_TRUE(soon([&] { return each->known().contains("2") && each->known().contains("3"); }));
  EXPECT_TRUE(b->store->write(RequestClass::emergency, [&](store::Transaction& t) -> Result<> {
    MYDR24_ASSIGN(const auto alert, alerts::Book::find_unresolved(t, "2"));
    MYDR24_TRY(b->book.resolve(t, alert->id, "it is over"));
    return {};
  }));
  for (const auto* each : {&first, &second}) EXPECT_TRUE(soon([&] { return !each->known().contains("2"); }));
  a->close();
  b->close();
}

}  // namespace
}  // namespace mydr24::server
