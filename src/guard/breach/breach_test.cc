#include "guard/breach/breach.h"

#include "base/json/document.h"
#include "guard/audit/audit_fixture.h"
#include "storage/store/fake_store.h"

namespace mydr24::breach {
namespace {

using namespace std::chrono_literals;

class BreachTest : public audit::AuditTest {
 protected:
  BreachTest() { book_.attach(); }

  Breach asked(std::string text) {
    const auto document = json::Document::parse(std::move(text));
    auto breach = breach_of(document->root(), clock_.now());
    EXPECT_TRUE(breach) << breach.error().where;
    return breach ? *breach : Breach();
  }
  Breach open(const Affected& affected = {.patients = {"p1", "p2"}, .entries = 3, .kinds = {"Observation"}}) {
    Breach opened;
    const auto breach = asked(R"({"nature":"a token was stolen","client":"portal","since":"2020-01-01"})");
    EXPECT_TRUE(store_.write(RequestClass::routine, [&](store::Transaction& transaction) -> Result<> {
      MYDR24_ASSIGN(opened, book_.open(transaction, breach, affected, "user/olga"));
      return {};
    }));
    return opened;
  }
  template <class Step>
  std::optional<Code> run(Step step) {
    const auto done = store_.write(RequestClass::routine, [&](store::Transaction& transaction) -> Result<> {
      MYDR24_TRY(step(transaction));
      return {};
    });
    return done ? std::nullopt : std::optional(done.error().code);
  }
  std::vector<std::string> alarms() {
    std::vector<std::string> found;
    for (const auto& event : store_.events_of("breach.clock")) {
      const auto document = json::Document::parse_view(event.payload);
      found.push_back(std::string(document->root()["clock"].text()) + " " +
                      std::string(document->root()["percent"].text()));
    }
    return found;
  }
  void pass(std::chrono::hours time) {
    clock_.advance(time);
    store_.tick();
  }

  store::FakeStore store_{clock_};
  std::vector<std::string> steps_;
  Book book_{store_,
             [this](store::Transaction&, std::string_view step, std::string_view by, const Breach&) -> Result<> {
               steps_.push_back(std::string(step) + " " + std::string(by));
               return {};
             }};
};

TEST_F(BreachTest, WhoseDataItTouchedIsListedFromTheAudit) {
  audit::AuditTest::open();
  const auto by = [&](std::string client, std::string patient, audit::Outcome outcome = audit::Outcome::success) {
    auto one = entry(patient);
    one.client = std::move(client);
    one.outcome = outcome;
    append(std::move(one));
  };
  by("portal", "p1");
  by("portal", "p2");
  by("portal", "p1");
  by("portal", "refused", audit::Outcome::minor_failure);
  by("other", "p3");
  const auto before = clock_.now() + 1h;
  clock_.advance(2h);
  by("portal", "later");
  const auto found =
      find_affected(audit::Trail(settings_.folder), {.client = "portal", .since = Instant(), .until = before});
  ASSERT_TRUE(found);
  EXPECT_EQ(found->patients, (std::vector<std::string>{"p1", "p2"}));
  EXPECT_EQ(found->entries, 3);
  EXPECT_TRUE(found->complete);
  auto everybody = entry("p1");
  everybody.client = "portal";
  everybody.patients_cut = true;
  append(std::move(everybody));
  EXPECT_FALSE(find_affected(audit::Trail(settings_.folder), {.client = "portal", .since = Instant()})->complete);
}

TEST_F(BreachTest, BothClocksAlarmAtEachShareOfTheirTime) {
  open();
  pass(35h);
  EXPECT_TRUE(alarms().empty());
  pass(1h);
  EXPECT_EQ(alarms(), std::vector<std::string>{"authority 50"});
  pass(22h);
  EXPECT_EQ(alarms().back(), "authority 80");
  pass(14h);
  EXPECT_EQ(alarms().back(), "authority 100");
  pass(30 * 24h);
  EXPECT_EQ(alarms().back(), "people 50");
  pass(30 * 24h);
  EXPECT_EQ(alarms(), (std::vector<std::string>{"authority 50", "authority 80", "authority 100", "people 50",
                                                "people 80", "people 100"}));
}

TEST_F(BreachTest, TheClockBeginsWhenOneBecameAwareOfIt) {
  clock_.advance(100 * 24h);
  auto breach = asked(R"({"nature":"x","client":"c","since":"2020-01-01"})");
  breach.aware = clock_.now() - 60h;
  ASSERT_EQ(run([&](store::Transaction& transaction) { return book_.open(transaction, breach, {}, "user/olga"); }),
            std::nullopt);
  store_.tick();
  EXPECT_EQ(alarms(), (std::vector<std::string>{"authority 50", "authority 80"}));
}

TEST_F(BreachTest, WhoWasToldStopsTheirClockAlone) {
  const auto breach = open();
  EXPECT_EQ(run([&](store::Transaction& t) { return book_.tell(t, breach.id, Notice::authority, "", "user/olga"); }),
            std::nullopt);
  EXPECT_EQ(run([&](store::Transaction& t) { return book_.tell(t, breach.id, Notice::authority, "", "user/olga"); }),
            Code::conflict);
  pass(31 * 24h);
  EXPECT_EQ(alarms(), std::vector<std::string>{"people 50"});
}

TEST_F(BreachTest, WhoIsLateSaysWhy) {
  const auto breach = open();
  pass(73h);
  EXPECT_EQ(run([&](store::Transaction& t) { return book_.tell(t, breach.id, Notice::authority, "", "user/olga"); }),
            Code::invalid);
  EXPECT_EQ(
      run([&](store::Transaction& t) { return book_.tell(t, breach.id, Notice::authority, "holidays", "user/olga"); }),
      std::nullopt);
}

TEST_F(BreachTest, AClosedOneStaysOnRecordAndAlarmsNobody) {
  const auto breach = open();
  EXPECT_EQ(run([&](store::Transaction& t) { return book_.close(t, breach.id, "", "user/olga"); }), Code::invalid);
  EXPECT_EQ(run([&](store::Transaction& t) { return book_.close(t, breach.id, "no risk", "user/olga"); }),
            std::nullopt);
  pass(70 * 24h);
  EXPECT_TRUE(alarms().empty());
  ASSERT_TRUE(store_.read([&](store::Reader& reader) -> Result<> {
    const auto listed = book_.list(reader, 10);
    EXPECT_EQ(listed->size(), 1U);
    EXPECT_EQ(listed->front().outcome, "no risk");
    EXPECT_EQ(listed->front().people, 2);
    EXPECT_EQ(listed->front().records, 3);
    EXPECT_EQ(*book_.people(reader, breach.id), (std::vector<std::string>{"p1", "p2"}));
    return {};
  }));
  EXPECT_EQ(steps_, (std::vector<std::string>{"breach.open user/olga", "breach.close user/olga"}));
}

TEST_F(BreachTest, ARequestThatSaysTooLittleIsRefusedByItsMember) {
  const auto where = [&](std::string text) {
    const auto document = json::Document::parse(std::move(text));
    const auto breach = breach_of(document->root(), clock_.now());
    return breach ? "none" : breach.error().where;
  };
  EXPECT_EQ(where(R"({"client":"c","since":"2020-01-01"})"), "nature");
  EXPECT_EQ(where(R"({"nature":"x","since":"2020-01-01"})"), "client");
  EXPECT_EQ(where(R"({"nature":"x","client":"c"})"), "since");
  EXPECT_EQ(where(R"({"nature":"x","client":"c","since":"yesterday"})"), "since");
  EXPECT_EQ(where(R"({"nature":"x","client":"c","since":"2020-01-01","aware":"2999-01-01"})"), "aware");
}

}  // namespace
}  // namespace mydr24::breach
