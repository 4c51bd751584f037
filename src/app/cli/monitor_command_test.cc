// mydr24 monitor and mydr24 slo against a server in the same process.

#include "app/cli/command_fixture.h"

namespace mydr24::cli {
namespace {

class MonitorCommand : public CommandTest {};

TEST_F(MonitorCommand, SaysHowThePlatformIs) {
  const Ran metrics = mydr24({"monitor", "metrics"});
  EXPECT_EQ(metrics.exit, 0) << metrics.err;
  EXPECT_TRUE(metrics.out.contains("emergency_available")) << metrics.out;
  const Ran rules = mydr24({"monitor", "rules", "list"});
  EXPECT_TRUE(rules.out.contains("EmergencyResponseSlow")) << rules.out << rules.err;
}

TEST_F(MonitorCommand, RulesAreExportedPreviewedAndSet) {
  const Ran exported = mydr24({"monitor", "rules", "export"});
  ASSERT_EQ(exported.exit, 0) << exported.err;
  const std::string path = write("rules.json", exported.out);
  const Ran preview = mydr24({"monitor", "rules", "preview", path});
  EXPECT_EQ(preview.exit, 0) << preview.err;
  EXPECT_TRUE(preview.out.contains("EmergencyResponseSlow")) << preview.out;
  const Ran set = mydr24({"monitor", "rules", "set", path, "--by", "ada"});
  EXPECT_EQ(set.exit, 0) << set.err;
  const Ran stale = mydr24({"monitor", "rules", "set", path, "--by", "eve"});
  EXPECT_NE(stale.exit, 0) << "it was exported before the change of ada";
  EXPECT_TRUE(stale.err.contains("revision")) << stale.err;
  EXPECT_TRUE(mydr24({"monitor", "changes"}).out.contains("ada"));
  EXPECT_EQ(mydr24({"monitor", "rules", "set", write("wrong.json", "[{}]"), "--by", "ada"}).exit, 6);
}

TEST_F(MonitorCommand, ObjectivesAreListedExportedAndImported) {
  const Ran list = mydr24({"slo", "list"});
  EXPECT_TRUE(list.out.contains("emergency-availability")) << list.out << list.err;
  const Ran exported = mydr24({"slo", "export"});
  const std::string path = write("slos.yaml", exported.out);
  EXPECT_EQ(mydr24({"slo", "import", path, "--by", "ada", "--dry-run"}).out, "valid: 6 objectives\n");
  const Ran imported = mydr24({"slo", "import", path, "--by", "ada", "--replace"});
  EXPECT_EQ(imported.exit, 0) << imported.err;
  EXPECT_TRUE(mydr24({"slo", "show", "emergency-availability"}).out.contains("14.4"));
  EXPECT_EQ(mydr24({"slo", "show", "nothing"}).exit, 3);
  EXPECT_EQ(mydr24({"slo", "remove", "record-access", "--by", "ada"}).exit, 0);
  EXPECT_EQ(mydr24({"slo", "show", "record-access"}).exit, 3);
}

}  // namespace
}  // namespace mydr24::cli
