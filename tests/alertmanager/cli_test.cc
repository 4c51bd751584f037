// `mydr24 alert` against a running server.

#include <gtest/gtest.h>

#include "alertmanager/target.h"
#include "support/live.h"

namespace mydr24::alertmanager {
namespace {

class Cli : public testing::Test {
 protected:
  load::Finished run(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {live::binary().string(), "alert"});
    arguments.insert(arguments.end(), {"--server", target_->url()});
    return load::run_command(arguments);
  }
  static std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

  std::unique_ptr<Target> target_ =
      start_ours({.config = "route: {receiver: r, group_wait: 1h}\nreceivers: [{name: r}]\n"});
};

TEST_F(Cli, PostsAndFindsAlerts) {
  EXPECT_EQ(run({"add", "DiskFull", "ward=A", "severity=critical", "--annotation", "summary=full"}).exit_code, 0);
  EXPECT_NE(run({"query", "DiskFull"}).out.find("ward=\"A\""), std::string::npos);
  EXPECT_EQ(run({"query", "ward!=A"}).out, "");
  EXPECT_EQ(run({"query", "ward=~("}).exit_code, 6);
  EXPECT_NE(run({"query", "--json"}).out.find("\"fingerprint\""), std::string::npos);
}

TEST_F(Cli, BeginsAndEndsSilences) {
  EXPECT_EQ(run({"add", "DiskFull", "severity=critical"}).exit_code, 0);
  const auto preview = run({"silence", "preview", "severity=~.+"});
  EXPECT_NE(preview.out.find("would mute 1 firing"), std::string::npos) << preview.out << preview.err;
  EXPECT_NE(preview.out.find("needs a second person"), std::string::npos);
  EXPECT_EQ(run({"silence", "add", "severity=~.+", "--by", "ada"}).exit_code, 4);
  const auto added = run({"silence", "add", "DiskFull", "--for", "30m", "--by", "ada", "--comment", "new disk"});
  ASSERT_EQ(added.exit_code, 0) << added.err;
  const std::string id = first_line(added.out);
  EXPECT_NE(run({"silence", "query"}).out.find(id), std::string::npos);
  EXPECT_EQ(run({"query", "DiskFull"}).out, "");
  EXPECT_NE(run({"query", "DiskFull", "--all"}).out.find("suppressed"), std::string::npos);
  EXPECT_EQ(run({"silence", "expire", id}).exit_code, 0);
  EXPECT_EQ(run({"silence", "query"}).out, "");
  EXPECT_EQ(run({"silence", "expire", "00000000-0000-0000-0000-000000000000"}).exit_code, 3);
}

TEST_F(Cli, LooksAfterAlertsOfTheBook) {
  EXPECT_EQ(run({"add", "Down", "severity=emergency"}).exit_code, 0);
  const auto listed = run({"list", "--json"});
  const auto document = json::Document::parse(listed.out);
  ASSERT_TRUE(document) << listed.out << listed.err;
  const std::string id(document->root()["alerts"].at(0)["id"].text());
  EXPECT_EQ(run({"ack", id, "--by", "ada", "--note", "went there"}).exit_code, 0);
  EXPECT_EQ(run({"ack", id, "--by", "bob"}).exit_code, 5);
  EXPECT_NE(run({"show", id}).out.find("alert.acknowledged"), std::string::npos);
  EXPECT_EQ(run({"resolve", id, "--by", "ada"}).exit_code, 0);
  EXPECT_NE(run({"list", "--resolved"}).out.find("Down"), std::string::npos);
  EXPECT_NE(run({"actionability"}).out.find("Down"), std::string::npos);
  EXPECT_EQ(run({"show", "none"}).exit_code, 3);
}

TEST(CliAlone, SaysThatNobodyAnswers) {
  EXPECT_EQ(load::run_command({live::binary().string(), "alert", "list", "--server", "http://127.0.0.1:1"}).exit_code,
            8);
}

}  // namespace
}  // namespace mydr24::alertmanager
