// Several servers on one database: live settings, and changes that one begins and another takes back.

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "operations/changes/changes_fixture.h"
#include "storage/postgres/postgres.h"
#include "storage/postgres/throwaway.h"

namespace mydr24::server {
namespace {

using namespace std::chrono_literals;

template <class Condition>
bool soon(Condition condition) {
  for (int tried = 0; tried < 6'000; ++tried) {
    if (condition()) return true;
    std::this_thread::sleep_for(10ms);
  }
  return false;
}

// Settings, the book of changes and what runs them, as in one server.
class Desk {
 public:
  Desk(const std::string& url, std::string name, std::set<std::string> scopes = {})
      : store_(postgres::open({.url = url}, system_clock()).value()),
        settings_(*store_, std::move(scopes)),
        engine_(*store_, book_, effects_, system_clock(), std::move(name)),
        runner_(engine_, *store_, book_, system_clock(), [](std::string_view) {}) {
    EXPECT_TRUE(settings_.add({.name = "days", .high = 1'000, .standard = "30", .apply = [this](const std::string&) {
                                 ++applied_;
                                 return Result<>();
                               }}));
    settings_.attach();
    book_.attach();
    EXPECT_TRUE(settings_.load());
    runner_.start();
  }
  ~Desk() {
    effects_.stopping_ = true;
    runner_.stop();
    store_.reset();
  }
  Desk(const Desk&) = delete;
  Desk& operator=(const Desk&) = delete;

  template <class Work>
  void write(Work work) {
    const auto done = store_->write(RequestClass::routine, [&](store::Transaction& transaction) -> Result<> {
      MYDR24_TRY(work(transaction));
      return {};
    });
    EXPECT_TRUE(done) << done.error().text;
  }
  void set(std::optional<std::string> value, std::string scope = "all") {
    write([&](store::Transaction& transaction) {
      return settings_.set(transaction, {.setting = "days", .scope = scope, .value = value, .by = "ann", .why = "x"});
    });
  }
  std::string value() const { return settings_.value("days"); }
  std::vector<live_settings::Version> history() {
    std::vector<live_settings::Version> found;
    EXPECT_TRUE(store_->read([&](store::Reader& reader) -> Result<> {
      MYDR24_ASSIGN(found, settings_.history(reader, "days", 1'000));
      return {};
    }));
    return found;
  }
  changes::Change change(const std::string& id) {
    changes::Change found;
    EXPECT_TRUE(store_->read([&](store::Reader& reader) -> Result<> {
      MYDR24_ASSIGN(found, book_.find(reader, id));
      return {};
    }));
    return found;
  }
  std::string started(const std::string& plan) {
    changes::Change change;
    write([&](store::Transaction& transaction) -> Result<> {
      MYDR24_ASSIGN(change, book_.propose(transaction, plan, "ann"));
      for (const auto* member : {"senior-dba", "cmo", "ciso", "cco"})
        MYDR24_TRY(book_.approve(transaction, change.id, change.plan.digest, member));
      return {};
    });
    write([&](store::Transaction& transaction) { return book_.start(transaction, change.id, "ann"); });
    return change.id;
  }
  bool leads() const { return store_->leads(); }
  live_settings::Registry& settings() { return settings_; }
  int applied() const { return applied_; }
  changes::FakeEffects& effects() { return effects_; }

 private:
  std::atomic<int> applied_ = 0;
  std::unique_ptr<store::Store> store_;
  live_settings::Registry settings_;
  // At any time of the day.
  static changes::Policy policy() {
    auto made = changes::standard_policy();
    made.windows.clear();
    return made;
  }
  changes::Book book_{*store_, policy(), settings_};
  changes::FakeEffects effects_;
  changes::Engine engine_;
  changes::Runner runner_;
};

class SharedSettings : public testing::Test {
 protected:
  void SetUp() override {
    if (server_ == nullptr) GTEST_SKIP() << "PostgreSQL is not installed";
    database_ = server_->lend_database();
    url_ = server_->url(database_);
  }
  void TearDown() override {
    if (server_ != nullptr) server_->give_back(database_);
  }
  void cut_the_lead() { ASSERT_TRUE(server_->cut_the_lead(database_)); }
  std::string url_;

 private:
  postgres::ThrowawayServer* const server_ = postgres::shared_server();
  std::string database_;
};

TEST_F(SharedSettings, AValueIsInForceInEveryServerWhicheverItWasSetThrough) {
  Desk a(url_, "a"), b(url_, "b");
  for (auto* through : {&a, &b}) {
    through->set(through == &a ? "11" : "12");
    for (const auto* server : {&a, &b})
      EXPECT_TRUE(soon([&] { return server->value() == (through == &a ? "11" : "12"); })) << server->value();
  }
  b.write([&](store::Transaction& transaction) {
    return b.settings().put_back(transaction, "days", 1, "ann", "it was better", "");
  });
  for (const auto* server : {&a, &b}) EXPECT_TRUE(soon([&] { return server->value() == "11"; })) << server->value();
  Desk later(url_, "later");
  EXPECT_EQ(later.value(), "11");
  EXPECT_EQ(later.history().size(), 3U);
}

TEST_F(SharedSettings, EachServerTakesTheValueOfItsNarrowestScope) {
  Desk ward(url_, "ward", {"ward/a"}), other(url_, "other");
  ward.set("5", "ward/a");
  other.set("40");
  EXPECT_TRUE(soon([&] { return other.value() == "40" && ward.settings().applied_version("days") == 2; }));
  EXPECT_EQ(ward.value(), "5");
  other.set(std::nullopt, "ward/a");
  EXPECT_TRUE(soon([&] { return ward.value() == "40"; })) << ward.value();
}

TEST_F(SharedSettings, TwoServersThatSetAtOnceLoseNoVersionAndEndAlike) {
  Desk a(url_, "a"), b(url_, "b");
  constexpr int each = 20;
  {
    std::vector<std::jthread> threads;
    for (auto* server : {&a, &b}) {
      threads.emplace_back([&, server] {
        for (int i = 0; i < each; ++i) server->set(fmt::to_string((server == &a ? 100 : 200) + i));
      });
    }
  }
  const auto history = a.history();
  ASSERT_EQ(history.size(), 2U * each);
  for (std::size_t i = 0; i < history.size(); ++i) EXPECT_EQ(history[i].version, static_cast<int>(history.size() - i));
  for (const auto* server : {&a, &b}) {
    EXPECT_TRUE(soon([&] { return server->value() == history.front().values.at("all"); })) << server->value();
    EXPECT_LE(server->applied(), 2 * each + 2) << "none is applied again";
  }
}

const std::string waits =
    changes::plan_text({.steps = R"({"kind":"set","setting":"days","value":5},{"kind":"wait","seconds":3600})"});

TEST_F(SharedSettings, AChangeOfAServerThatEndsIsTakenBackByTheOther) {
  auto a = std::make_unique<Desk>(url_, "a");
  Desk b(url_, "b");
  ASSERT_TRUE(soon([&] { return a->leads(); }));
  const auto id = b.started(waits);
  EXPECT_TRUE(soon([&] { return a->value() == "5" && b.value() == "5"; })) << a->value() << b.value();
  a.reset();
  EXPECT_TRUE(soon([&] { return b.change(id).state == changes::State::failed; })) << to_string(b.change(id).state);
  EXPECT_TRUE(soon([&] { return b.value() == "30"; })) << b.value();
}

// It lives, and another one may lead: whoever that is takes the change back, and nobody makes it a success.
TEST_F(SharedSettings, AChangeOfAServerThatLosesTheLeadIsTakenBackOnce) {
  Desk a(url_, "a"), b(url_, "b");
  ASSERT_TRUE(soon([&] { return a.leads() != b.leads(); }));
  const auto id = a.started(
      changes::plan_text({.steps = R"({"kind":"set","setting":"days","value":5},{"kind":"wait","seconds":3600})",
                          .rollback = R"({"kind":"webhook","url":"http://back/"})"}));
  EXPECT_TRUE(soon([&] { return a.value() == "5" && b.value() == "5"; }));
  const bool first_led = a.leads();
  for (int i = 0; i < 20 && a.leads() == first_led; ++i) {
    cut_the_lead();
    soon([&] { return a.leads() != b.leads(); });
  }
  if (a.leads() == first_led) GTEST_SKIP() << "the same server has taken the lead again, twenty times";
  EXPECT_TRUE(soon([&] { return a.change(id).state == changes::State::failed; })) << to_string(a.change(id).state);
  for (const auto* server : {&a, &b}) EXPECT_TRUE(soon([&] { return server->value() == "30"; })) << server->value();
  EXPECT_GE(a.effects().called_.size() + b.effects().called_.size(), 1U);
}

}  // namespace
}  // namespace mydr24::server
