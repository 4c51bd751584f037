// Somebody sets the machine's clock while alerts are open.

#include "alerting/groups/groups_fixture.h"

namespace mydr24::groups {
namespace {

class GroupsClockTest : public GroupsTest {
 protected:
  Alert emergency(std::string name, milliseconds lasts) {
    Alert made = alert(named(std::move(name), {{"severity", "emergency"}}));
    made.ends_at = made.starts_at + lasts;
    made.timeout = false;  // the sender says so, as Prometheus does
    return made;
  }
};

TEST_F(GroupsClockTest, SetBackByAnHourNoEmergencyIsLostToldTwiceOrOpenForEver) {
  start();
  ASSERT_TRUE(push(emergency("open", 5min)));
  ASSERT_TRUE(push(emergency("over", 5min)));
  pass(2s);
  ASSERT_TRUE(push(emergency("over", 0ms)));
  pass(1s);
  ASSERT_EQ(book().size(), 1U);
  const std::size_t told = told_.size();
  const std::size_t fired = events("label.fired");

  clock_.step(-1h);
  pass(5s);
  EXPECT_EQ(told_.size(), told) << "the clock is no reason to tell of anything";
  EXPECT_EQ(book().size(), 1U);

  ASSERT_TRUE(push(emergency("new", 10min)));
  EXPECT_EQ(book().size(), 2U);
  ASSERT_TRUE(push(emergency("over", 10min))) << "fires again; its row had ended in what is the future now";
  EXPECT_EQ(book().size(), 3U);
  EXPECT_EQ(events("label.fired"), fired + 2);
  pass(4min);
  EXPECT_EQ(book().size(), 3U) << "nothing ends early";
  pass(1min);
  EXPECT_EQ(book().size(), 2U) << "what nobody sent again ends after the time it had left";
  pass(5min);
  EXPECT_TRUE(book().empty());
}

TEST_F(GroupsClockTest, SetBackByAnHourWhatItsSenderEndsHasEnded) {
  start();
  ASSERT_TRUE(push(emergency("down", 4min)));
  clock_.step(-1h);
  ASSERT_TRUE(push(emergency("down", 0ms))) << "before anything noticed the step";
  EXPECT_TRUE(book().empty());
  pass(2s);
  ASSERT_TRUE(push(emergency("down", 4min)));
  EXPECT_EQ(book().size(), 1U);
}

TEST_F(GroupsClockTest, SetBackByAnHourAnEndThatWasNotToldYetIsTold) {
  start(R"(
route: {receiver: web, group_by: [], group_wait: 1s, group_interval: 5m}
receivers: [{name: web, webhook_configs: [{url: 'http://127.0.0.1:1/'}]}]
)");
  ASSERT_TRUE(push("test"));
  pass(2s);
  ASSERT_TRUE(push(alert(named("test"), 0, 2)));
  pass(2s);
  clock_.step(-1h);
  pass(300s);
  ASSERT_EQ(told_.size(), 2U);
  EXPECT_EQ(told_[1].resolved, Names{"test"});
}

TEST_F(GroupsClockTest, SetForwardByAnHourNothingEndsAndNothingFiresAgain) {
  start();
  ASSERT_TRUE(push(emergency("down", 4min)));
  pass(2s);
  const std::size_t told = told_.size();
  clock_.step(1h);
  pass(3min);
  EXPECT_EQ(told_.size(), told);
  EXPECT_EQ(book().size(), 1U);
  ASSERT_TRUE(push(emergency("down", 4min)));
  EXPECT_EQ(events("label.fired"), 1U) << "it was firing all the time";
  pass(4min);
  EXPECT_TRUE(book().empty());
}

TEST_F(GroupsClockTest, AfterACrashWhatWasMovedStaysMoved) {
  start();
  ASSERT_TRUE(push(emergency("down", 4min)));
  clock_.step(-1h);
  pass(2s);
  crash();
  pass(3min);
  EXPECT_EQ(book().size(), 1U);
  pass(1min);
  EXPECT_TRUE(book().empty());
}

TEST_F(GroupsClockTest, RowsThatCannotBeMovedAreMovedAsSoonAsThatWorks) {
  start();
  ASSERT_TRUE(push(emergency("down", 4min)));
  pass(2s);
  clock_.step(-1h);
  store_->refuse_writes = 2;
  pass(4min);
  EXPECT_TRUE(book().empty());
}

}  // namespace
}  // namespace mydr24::groups
