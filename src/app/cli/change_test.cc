// mydr24 change and mydr24 settings against a server in the same process.

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <sstream>

#include "app/cli/cli.h"
#include "app/cli/terminal.h"
#include "app/server/server.h"
#include "base/json/document.h"

namespace mydr24::cli {
namespace {

class ChangeCommand : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = std::filesystem::temp_directory_path() / ("mydr24-change-test-" + std::to_string(::getpid()));
    std::filesystem::create_directories(folder_);
    server::Settings settings;
    settings.server.listen = "127.0.0.1:0";
    settings.server.admin = "127.0.0.1:0";
    settings.store.path = (folder_ / "data").string();
    settings.log.level = "error";
    settings.access.mode = "off";
    auto started = server::start(settings, system_clock());
    ASSERT_TRUE(started) << started.error().text;
    system_ = std::move(*started).release();
  }
  static void TearDownTestSuite() {
    delete system_;
    std::filesystem::remove_all(folder_);
  }

  struct Ran {
    int exit = 0;
    std::string out, err;
  };
  static Ran mydr24(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "mydr24");
    arguments.insert(arguments.end(), {"--server", system_->base_url()});
    std::vector<const char*> argv;
    for (const std::string& each : arguments) argv.push_back(each.c_str());
    std::ostringstream out, err;
    const int exit = run(static_cast<int>(argv.size()), argv.data(), out, err);
    return {exit, out.str(), err.str()};
  }
  static std::string write(const std::string& name, std::string_view text) {
    std::ofstream(folder_ / name) << text;
    return (folder_ / name).string();
  }

  static inline std::filesystem::path folder_;
  static inline server::System* system_ = nullptr;
};

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
