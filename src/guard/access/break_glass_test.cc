#include "guard/access/break_glass.h"

#include <gtest/gtest.h>

#include "storage/store/fake_store.h"

namespace mydr24::access {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view why = "unconscious in the emergency room, allergies unknown";

class BreakGlassTest : public testing::Test {
 protected:
  BreakGlassTest() { glass.attach(); }
  Principal person(std::string id) {
    Principal who;
    who.kind = PrincipalKind::person;
    who.id = std::move(id);
    return who;
  }
  template <class Step>
  Result<OverrideRecord> write(Step step) {
    Result<OverrideRecord> record;
    const auto done = store.write(RequestClass::emergency, [&](store::Transaction& transaction) -> Result<> {
      record = step(transaction);
      return record ? Result<>() : Result<>(record.error());
    });
    glass.look_again();
    return record;
  }
  Result<OverrideRecord> start(std::string_view reason = why, std::string_view patient = "p1") {
    return write([&](store::Transaction& transaction) { return glass.start(transaction, anna, patient, reason); });
  }
  std::vector<OverrideRecord> list(bool waiting) {
    std::vector<OverrideRecord> found;
    EXPECT_TRUE(store.read([&](store::Reader& reader) -> Result<> {
      MYDR24_ASSIGN(found, glass.list(reader, waiting, 100));
      return {};
    }));
    return found;
  }

  ManualClock clock{from_us(1'700'000'000'123'456)};
  store::FakeStore store{clock};
  BreakGlass glass{store, clock, {}};
  const Principal anna = person("user/anna");
  const Principal officer = person("user/officer");
};

TEST_F(BreakGlassTest, AnOverrideLastsAQuarterOfAnHourAndItsEndIsTold) {
  ASSERT_TRUE(start());
  ASSERT_EQ(glass.in_force("user/anna").size(), 1U);
  EXPECT_EQ(glass.in_force("user/anna").front().patient, "p1");
  EXPECT_TRUE(glass.in_force("user/ben").empty());
  clock.advance(14min + 59s);
  EXPECT_EQ(glass.in_force("user/anna").size(), 1U);
  clock.advance(1s);
  EXPECT_TRUE(glass.in_force("user/anna").empty()) << "by its own time, whether or not the timer has run";
  store.tick();
  EXPECT_EQ(store.events_of("access.override").size(), 1U);
  EXPECT_EQ(store.events_of("access.override-ended").size(), 1U);
}

TEST_F(BreakGlassTest, AReasonIsRequired) {
  const auto refused = start("urgent");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().where, "reason");
  EXPECT_FALSE(start(std::string(reason_bytes_max + 1, 'x')));
  EXPECT_FALSE(start(why, "no/id"));
  EXPECT_TRUE(store.events_of("access.override").empty());
}

TEST_F(BreakGlassTest, WhoTakesMoreThanTheBudgetIsToldOfAndNotRefused) {
  for (int i = 0; i < 3; ++i) EXPECT_FALSE(start()->over_budget);
  EXPECT_TRUE(start()->over_budget);
  clock.advance(25h);
  EXPECT_FALSE(start()->over_budget);
}

TEST_F(BreakGlassTest, ItIsEndedBeforeItsTimeByItsOwner) {
  const auto record = start();
  const auto by_another =
      write([&](store::Transaction& transaction) { return glass.end(transaction, officer, record->id); });
  ASSERT_FALSE(by_another);
  EXPECT_EQ(by_another.error().code, Code::refused);
  EXPECT_TRUE(write([&](store::Transaction& transaction) { return glass.end(transaction, anna, record->id); }));
  EXPECT_TRUE(glass.in_force("user/anna").empty());
  clock.advance(1h);
  store.tick();
  EXPECT_EQ(store.events_of("access.override-ended").size(), 1U) << "once";
}

TEST_F(BreakGlassTest, EachIsReviewedOnceAndNeverByWhoTookIt) {
  const auto record = start();
  EXPECT_EQ(list(true).size(), 1U);
  const auto review = [&](const Principal& by, std::string_view verdict) {
    const auto done = write(
        [&](store::Transaction& transaction) { return glass.review(transaction, by, record->id, verdict, "seen"); });
    return done ? "" : std::string(to_string(done.error().code));
  };
  EXPECT_EQ(review(anna, "justified"), to_string(Code::refused));
  EXPECT_EQ(review(officer, "fine"), to_string(Code::invalid));
  EXPECT_EQ(review(officer, "justified"), "");
  EXPECT_EQ(review(officer, "not-justified"), to_string(Code::conflict));
  EXPECT_TRUE(list(true).empty());
  ASSERT_EQ(list(false).size(), 1U);
  EXPECT_EQ(list(false).front().verdict, "justified");
}

TEST_F(BreakGlassTest, TheVersionChangesWithWhatIsInForce) {
  const auto before = glass.version();
  ASSERT_TRUE(start());
  EXPECT_NE(glass.version(), before);
  const auto during = glass.version();
  EXPECT_EQ(glass.version(), during);
}

TEST_F(BreakGlassTest, AnotherServerSeesItWithinTwoSeconds) {
  BreakGlass other(store, clock, {});
  EXPECT_TRUE(other.in_force("user/anna").empty());
  ASSERT_TRUE(start());
  clock.advance(2s);
  EXPECT_EQ(other.in_force("user/anna").size(), 1U);
}

}  // namespace
}  // namespace mydr24::access
