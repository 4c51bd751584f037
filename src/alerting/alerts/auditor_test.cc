#include "alerting/alerts/auditor.h"

#include <gtest/gtest.h>

#include "alerting/alerts/coverage_watch.h"
#include "alerting/alerts/detail/entries.h"
#include "alerting/alerts/rows.h"
#include "storage/store/fake_store.h"

namespace mydr24::alerts {
namespace {

using namespace std::chrono_literals;

class AuditorTest : public testing::Test {
 protected:
  AuditorTest() { book_.attach(store_); }

  std::string raise(const std::string& cause = "c") {
    std::string id;
    EXPECT_TRUE(store_.write(RequestClass::emergency, [&](store::Transaction& t) -> Result<> {
      MYDR24_ASSIGN(const Raised raised, book_.raise(t, {.source = "test source", .cause = cause, .title = "t"}));
      id = raised.id;
      return {};
    }));
    return id;
  }
  // As the dispatcher writes down that a call was made.
  void deliver_all(const std::string& id) {
    EXPECT_TRUE(store_.write(RequestClass::emergency, [&](store::Transaction& t) -> Result<> {
      MYDR24_ASSIGN(const auto all, Book::deliveries(t, id));
      for (const Delivery& delivery : all) {
        const std::string payload = R"({"alert":")" + id + R"(","delivery":")" + delivery.id + R"("})";
        MYDR24_TRY(rows::note(t, "alert.delivered", id, payload));
      }
      return {};
    }));
  }
  std::vector<std::string> behind() {
    const auto found = auditor_.audit(store_, clock_.now());
    EXPECT_TRUE(found);
    std::vector<std::string> all;
    for (const Difference& each : *found) all.push_back(each.what.substr(0, 8));
    return all;
  }
  std::optional<Alert> own() {
    std::optional<Alert> found;
    EXPECT_TRUE(store_.read([&](store::Reader& reader) -> Result<> {
      MYDR24_ASSIGN(found, Book::find_unresolved(reader, "desk/auditor"));
      return {};
    }));
    return found;
  }

  using Found = std::vector<std::string>;
  ManualClock clock_{from_us(1'700'000'000'000'000)};
  store::FakeStore store_{clock_};
  const oncall::Directory directory_ = *oncall::Directory::make({});
  Book book_{directory_};
  Auditor auditor_{book_};
};

// ON-28.
TEST_F(AuditorTest, ACallThatNobodyTriedIsAnEmergencyOfTheDeskAndEndsWhenItIsMade) {
  const std::string id = raise();
  clock_.advance(5s);
  EXPECT_EQ(behind(), Found{});
  clock_.advance(1s);
  EXPECT_EQ(behind(), Found{"delivery"});
  ASSERT_TRUE(own());
  EXPECT_EQ(own()->severity, Severity::emergency);
  EXPECT_NE(own()->reason.find(id), std::string::npos);
  deliver_all(id);
  EXPECT_EQ(behind(), Found{});
  EXPECT_FALSE(own());
}

TEST_F(AuditorTest, WhileTheStoreTakesNothingTheJournalDoesNotSayWhatHappened) {
  const std::string id = raise();
  store_.refuse_writes = 1'000;
  clock_.advance(6s);
  EXPECT_FALSE(auditor_.audit(store_, clock_.now()));
  store_.refuse_writes = 0;
  clock_.advance(5s);
  EXPECT_EQ(behind(), Found{});
  EXPECT_FALSE(own()) << "that it was sent is being written down";
  deliver_all(id);
  clock_.advance(1s);
  EXPECT_EQ(behind(), Found{});
  // Once it takes writes again, what is behind is told as ever.
  raise("d");
  clock_.advance(6s);
  EXPECT_EQ(behind(), Found{"delivery"});
  EXPECT_TRUE(own());
}

TEST_F(AuditorTest, AStepThatIsNotCalledWhenItsTimeHasComeIsFound) {
  deliver_all(raise());
  clock_.advance(35s);
  EXPECT_EQ(behind(), Found{});  // 30 s until the next step, and 5
  clock_.advance(1s);
  EXPECT_EQ(behind(), Found{"the next"});
  store_.tick();  // the engine runs again
  deliver_all(own()->id);
  for (const auto& event : store_.events_of("alert.escalated")) deliver_all(event_from_json(event.payload)->alert_id);
  EXPECT_EQ(behind(), Found{});
  EXPECT_FALSE(own());
}

TEST_F(AuditorTest, WhatIsAnsweredOrCancelledIsNotWaitedFor) {
  const std::string id = raise();
  const std::string other = raise("other");
  EXPECT_TRUE(store_.write(RequestClass::emergency, [&](store::Transaction& t) -> Result<> {
    MYDR24_TRY(book_.acknowledge(t, id, "nurse"));
    MYDR24_TRY(book_.resolve(t, other, "gone"));
    return {};
  }));
  clock_.advance(60s);
  EXPECT_EQ(behind(), Found{});
}

TEST_F(AuditorTest, AnAuditorThatBeginsLaterKnowsWhatWasBefore) {
  raise();
  clock_.advance(6s);
  Auditor later(book_);
  EXPECT_EQ(later.look(store_, clock_.now())->size(), 1U);
}

TEST(Auditor, AStepThatRestsIsDueWhenItsHoursBegin) {
  ManualClock clock{from_us(1'700'000'000'000'000)};  // 22:13:20
  store::FakeStore store{clock};
  const Book book(oncall::Directory(*oncall::Plan::make(
      {{"contact/ann", R"({"methods":[{"kind":"console"}]})"},
       {"policy/day", R"({"steps":[{"targets":["contact:ann"],"if_time":{"from":"08:00","to":"18:00"}}]})"}})));
  Auditor auditor(book);
  ASSERT_TRUE(store.write(RequestClass::emergency, [&](store::Transaction& t) -> Result<> {
    MYDR24_TRY(book.raise(t, {.source = "lab", .cause = "c", .title = "t"}));
    return {};
  }));
  clock.advance(9h);
  EXPECT_EQ(auditor.look(store, clock.now())->size(), 0U);
  clock.advance(1h);
  const auto behind = auditor.look(store, clock.now());
  ASSERT_EQ(behind->size(), 1U);
  EXPECT_EQ(behind->front().what, "the next call");
}

TEST(CoverageWatch, AGapInTwoWeeksIsAnAlertNowAndEndsWhenItIsClosed) {
  ManualClock clock{from_us(1'767'225'600'000'000)};  // 2026-01-01
  store::FakeStore store(clock);
  oncall::Documents documents{{"contact/p1", R"({"methods":[{"kind":"sms","target":"+15550001","verified":true}]})"},
                              {"contact/p2", R"({"methods":[{"kind":"sms","target":"+15550002","verified":true}],
        "leave":[{"begin":"2026-01-20T00:00:00Z","end":"2026-01-21T00:00:00Z"}]})"},
                              {"policy/default", R"({"steps":[{"targets":["contact:p1","contact:p2"]}]})"}};
  const oncall::Directory directory(*oncall::Plan::make(documents, 1));
  Book book(directory);
  const auto open = [&] {
    std::optional<Alert> found;
    (void)store.read([&](store::Reader& reader) -> Result<> {
      MYDR24_ASSIGN(found, Book::find_unresolved(reader, "oncall/coverage"));
      return {};
    });
    return found.has_value();
  };
  EXPECT_EQ(*watch_coverage(store, book, clock.now()), 0U);  // the 20th is 19 days away
  EXPECT_FALSE(open());
  clock.advance(std::chrono::days(5) + 1s);
  EXPECT_EQ(*watch_coverage(store, book, clock.now()), 1U);
  EXPECT_TRUE(open());
  EXPECT_EQ(*watch_coverage(store, book, clock.now()), 1U);
  EXPECT_EQ(store.events_of("alert.updated").size(), 0U);
  documents["contact/p2"] = R"({"methods":[{"kind":"sms","target":"+15550002","verified":true}]})";
  directory.publish(std::make_shared<const oncall::Plan>(*oncall::Plan::make(documents, 2)));
  EXPECT_EQ(*watch_coverage(store, book, clock.now()), 0U);
  EXPECT_FALSE(open());
}

}  // namespace
}  // namespace mydr24::alerts
