// mydr24 incident against a server in the same process.

#include <sstream>

#include "app/cli/command_fixture.h"

namespace mydr24::cli {
namespace {

class IncidentCommand : public CommandTest {
 protected:
  static Ran incident(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "incident");
    return mydr24(std::move(arguments));
  }
  // "severity  state  opened  id  title"
  static std::string id_in(const std::string& line) {
    std::istringstream in(line);
    std::string word;
    for (int i = 0; i < 4; ++i) in >> word;
    return word;
  }
  static std::string changed(std::vector<std::string> arguments) {
    arguments.insert(arguments.end(), {"--by", "ann"});
    const Ran ran = incident(std::move(arguments));
    EXPECT_EQ(ran.exit, 0) << ran.err;
    return ran.out;
  }
};

TEST_F(IncidentCommand, GoesTheWayFromOpenToClosed) {
  const std::string opened = changed({"open", "database replica", "--status", "down", "--service", "database"});
  EXPECT_TRUE(opened.starts_with("critical   open ")) << opened;
  const std::string id = id_in(opened);
  EXPECT_EQ(incident({"list"}).out, opened);
  EXPECT_TRUE(changed({"ack", id}).contains("acknowledged"));
  changed({"note", id, "the disk is full"});
  changed({"role", id, "commander", "ann"});
  changed({"task", id, "make room", "--owner", "bob"});
  changed({"done", id, "0"});
  changed({"pause", id, "waiting on vendor"});
  changed({"resume", id});
  changed({"severity", id, "high", "--reason", "reads work"});
  changed({"severity", id, "critical"});
  changed({"ack", id});
  changed({"publish", id, "Records can be read only"});
  const Ran shown = incident({"show", id});
  EXPECT_TRUE(shown.out.contains("commander: ann")) << shown.out;
  EXPECT_TRUE(shown.out.contains("[x] 0 ")) << shown.out;
  changed({"mitigate", id});
  changed({"resolve", id, "a larger disk"});
  EXPECT_NE(incident({"close", id, "--by", "ann"}).exit, 0);
  changed({"review", id, "--summary", "no writes for an hour", "--root-cause", "nobody watched the disk"});
  changed({"action", id, "watch the disk"});
  EXPECT_TRUE(incident({"close-review", id, "--by", "ann"}).err.contains("watch the disk"));
  changed({"action", id, "--number", "0", "--owner", "bob", "--due", "2099-01-01"});
  changed({"close-review", id});
  EXPECT_TRUE(changed({"close", id}).contains("closed"));
  EXPECT_TRUE(incident({"list", "--over"}).out.contains(id));
  EXPECT_TRUE(incident({"timeline", id}).out.contains("ann: the disk is full"));
  EXPECT_TRUE(incident({"verify", id}).out.contains("as they were written"));
  EXPECT_NE(incident({"show", "none"}).exit, 0);
}

TEST_F(IncidentCommand, MergesADuplicate) {
  const std::string one = id_in(changed({"open", "a printer", "--cause", "printer"}));
  const std::string two = id_in(changed({"open", "no paper comes out"}));
  EXPECT_TRUE(changed({"merge", two, one}).contains("closed"));
  EXPECT_TRUE(incident({"show", two}).out.contains("merged_into: " + one));
}

TEST_F(IncidentCommand, AddsTriesAndActivatesASetup) {
  EXPECT_TRUE(incident({"classify", "unauthorized access"}).out.starts_with("emergency  Security Incident"));
  const Ran exported = incident({"setup", "export"});
  ASSERT_EQ(exported.exit, 0) << exported.err;
  const auto file = (folder_ / "setup.json").string();
  std::ofstream(file) << exported.out;
  const Ran added = incident({"setup", "add", file});
  ASSERT_EQ(added.exit, 0) << added.err;
  EXPECT_TRUE(added.out.contains("version 1"));
  EXPECT_NE(incident({"setup", "activate", "1"}).exit, 0);
  EXPECT_TRUE(incident({"setup", "dry-run", "1"}).out.contains(": 0 would be of another severity"));
  EXPECT_EQ(incident({"setup", "activate", "1"}).out, "active 1\n");
  EXPECT_TRUE(incident({"setup", "show"}).out.contains("answered in 180 s, over in 3600 s, operations-emergency"));
  std::ofstream(file) << "format: something else\n";
  EXPECT_NE(incident({"setup", "add", file}).exit, 0);
}

}  // namespace
}  // namespace mydr24::cli
