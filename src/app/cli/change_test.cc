// mydr24 change and mydr24 settings against a server in the same process.

#include <sstream>

#include "app/cli/command_fixture.h"
#include "base/json/document.h"

namespace mydr24::cli {
namespace {

class ChangeCommand : public CommandTest {};

constexpr std::string_view plan =
    "title: Clear earlier\n"
    "description: a test\n"
    "type: standard\n"
    "service: alerting\n"
    "checks: [{kind: http, url: /api/v1/status}]\n"
    "implementation: [{kind: set, setting: alerting.clear_days, value: 30}]\n";

TEST_F(ChangeCommand, AStandardChangeIsProposedRunAndTakenBack) {
  const Ran proposed = mydr24({"change", "propose", write("plan.yaml", plan), "--by", "ann"});
  ASSERT_EQ(proposed.exit, 0) << proposed.err;
  EXPECT_NE(proposed.out.find("approved"), std::string::npos) << proposed.out;
  const auto id = proposed.out.substr(0, proposed.out.find(' '));
  const Ran started = mydr24({"change", "start", id, "--by", "ann", "--wait"});
  EXPECT_EQ(started.exit, 0) << started.err << started.out;
  EXPECT_EQ(mydr24({"settings", "get", "alerting.clear_days"}).out, "30\n");
  EXPECT_NE(mydr24({"change", "list", "--state", "successful"}).out.find(id), std::string::npos);
  EXPECT_NE(mydr24({"settings", "history", "alerting.clear_days"}).out.find(id), std::string::npos);
  const Ran back = mydr24({"change", "rollback", id, "--by", "ann", "--reason", "a test", "--wait"});
  EXPECT_EQ(back.exit, 0) << back.err << back.out;
  EXPECT_EQ(mydr24({"settings", "get", "alerting.clear_days"}).out, "0\n");
  EXPECT_NE(mydr24({"change", "figures"}).out.find("alerting"), std::string::npos);
}

TEST_F(ChangeCommand, WhatIsRefusedIsSaidAndTheExitCodeTells) {
  const Ran wrong = mydr24({"change", "propose", write("bad.yaml", "title: t\n"), "--by", "ann"});
  EXPECT_EQ(wrong.exit, static_cast<int>(Exit::invalid)) << wrong.err;
  EXPECT_NE(wrong.err.find("description"), std::string::npos) << wrong.err;
  EXPECT_EQ(mydr24({"change", "show", "none"}).exit, static_cast<int>(Exit::not_found));
  EXPECT_EQ(mydr24({"settings", "get", "none"}).exit, static_cast<int>(Exit::not_found));
  EXPECT_EQ(mydr24({"change", "policy", "--file", write("policy.json", R"({"members":[{"name":"a"}]})")}).exit,
            static_cast<int>(Exit::invalid));
  EXPECT_EQ(mydr24({"change", "policy", "--file", write("empty.json", "{}")}).exit, 0);
}

TEST_F(ChangeCommand, AFreezeStandsInTheCalendar) {
  const Ran frozen = mydr24({"change", "freeze", "--begin", "2098-01-01T00:00:00Z", "--end", "2099-01-01T00:00:00Z",
                             "--reason", "holidays", "--by", "ann"});
  EXPECT_EQ(frozen.exit, 0) << frozen.err;
  EXPECT_NE(mydr24({"change", "calendar"}).out.find("holidays"), std::string::npos);
  EXPECT_NE(mydr24({"settings", "list"}).out.find("vitals.rules_version"), std::string::npos);
}

}  // namespace
}  // namespace mydr24::cli
