// Several servers on one store: what one of them does when another leads, and when that changes.

#include "alerting/groups/groups_fixture.h"

namespace mydr24::groups {
namespace {

class LeaderTest : public GroupsTest {
 protected:
  void start_on_shared(bool leading) {
    store_ = std::make_unique<store::FakeStore>(paced_);
    book_.attach(*store_);
    store_->shared = true;
    store_->leading = leading;
    start();
  }
  // As another server on the store does it.
  void write_elsewhere(const Alert& alert) {
    const auto key = routing::to_text(routing::fingerprint(alert.labels));
    ASSERT_TRUE(store_->write(RequestClass::urgent, [&](store::Transaction& transaction) -> Result<> {
      MYDR24_TRY(transaction.set_state("labels", key, routing::to_json(alert)));
      MYDR24_TRY(transaction.note("label.written", R"({"alerts":[")" + key + R"("]})"));
      return {};
    }));
  }
  Alert emergency(std::string name) { return alert(named(std::move(name), {{"severity", "emergency"}})); }
};

TEST_F(LeaderTest, WhoDoesNotLeadTellsNothingUntilItDoes) {
  start_on_shared(false);
  ASSERT_TRUE(push("test"));
  to(5);
  EXPECT_TRUE(told_.empty());
  EXPECT_EQ(events("label.written"), 1U) << "so that the one that leads hears of it";
  store_->leading = true;
  to(10);
  ASSERT_EQ(told_.size(), 1U);
  EXPECT_EQ(told_[0].firing, Names{"test"});
}

TEST_F(LeaderTest, WhatAnotherServerWritesIsToldByTheOneThatLeads) {
  start_on_shared(true);
  to(1);
  Alert written = alert(named("test"));
  write_elsewhere(written);
  to(4);
  ASSERT_EQ(told_.size(), 1U);
  EXPECT_EQ(told_[0].firing, Names{"test"});
  // Sent again there, it goes on beyond its first end.
  clock_.advance(4min);
  written.ends_at = clock_.now() + 5min;
  written.updated_at = clock_.now();
  write_elsewhere(written);
  pass(2min);
  EXPECT_EQ(told_.size(), 1U);
  pass(4min);
  ASSERT_EQ(told_.size(), 2U);
  EXPECT_EQ(told_[1].resolved, Names{"test"});
}

TEST_F(LeaderTest, AnOlderWordFromElsewhereDoesNotShortenWhatIsKnown) {
  start_on_shared(true);
  const Alert older = alert(named("test"), {}, 30);
  to(2);
  ASSERT_TRUE(push("test"));
  write_elsewhere(older);
  to(60);
  ASSERT_EQ(told_.size(), 1U);
  EXPECT_EQ(told_[0].firing, Names{"test"});
}

TEST_F(LeaderTest, WhoNoLongerLeadsLeavesWhatWaitsToTheOther) {
  start_on_shared(true);
  failing_.insert("web");
  ASSERT_TRUE(push("test"));
  to(2);
  store_->leading = false;
  to(5);
  failing_.clear();
  to(60);
  EXPECT_TRUE(told_.empty());
}

TEST_F(LeaderTest, WithoutAStoreAnEmergencyIsToldByWhoeverGotIt) {
  start_on_shared(false);
  to(1);
  store_->refuse_writes = 1'000;
  EXPECT_FALSE(push(emergency("down")));
  EXPECT_FALSE(push(emergency("down")));
  EXPECT_FALSE(push("test"));
  to(3);
  ASSERT_EQ(told_.size(), 1U) << "once";
  EXPECT_EQ(told_[0].firing, Names{"down"});
  EXPECT_TRUE(told_[0].maybe_repeated);
  store_->refuse_writes = 0;
  to(6);
  ASSERT_EQ(book().size(), 1U) << "written down as soon as that works";
  EXPECT_EQ(events("label.written"), 1U);
}

TEST_F(LeaderTest, AnEmergencyThatIsNotWrittenDownYetOutlastsATakeover) {
  start_on_shared(false);
  to(1);
  store_->refuse_writes = 1'000;
  EXPECT_FALSE(push(emergency("down")));
  store_->leading = true;
  to(3);
  store_->refuse_writes = 0;
  to(6);
  EXPECT_EQ(book().size(), 1U);
}

TEST_F(LeaderTest, WhoDoesNotLeadShowsWhatTheStoreHas) {
  start_on_shared(false);
  to(1);
  write_elsewhere(alert(named("test")));
  to(3);
  EXPECT_EQ(run(groups_->ask([](const State& state, Instant) { return state.alerts().size(); })), 1U);
}

}  // namespace
}  // namespace mydr24::groups
