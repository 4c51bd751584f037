// mydr24 oncall against a server in the same process.

#include <sstream>

#include "app/cli/command_fixture.h"

namespace mydr24::cli {
namespace {

class OnCallCommand : public CommandTest {
 protected:
  static Ran oncall(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "oncall");
    return mydr24(std::move(arguments));
  }
};

TEST_F(OnCallCommand, APlanInYamlIsImportedAskedChangedAndExported) {
  const std::string plan = write("plan.yaml",
                                 "contact:\n"
                                 "  ann: {methods: [{kind: console}]}\n"
                                 "  bob: {methods: [{kind: sms, target: \"+15550100\", verified: true}]}\n"
                                 "schedule:\n"
                                 "  ward:\n"
                                 "    zone: Europe/Paris\n"
                                 "    layers:\n"
                                 "      - {members: [ann, bob], every: day, start: 2026-01-01T08:00}\n"
                                 "policy:\n"
                                 "  default:\n"
                                 "    steps:\n"
                                 "      - {targets: [\"schedule:ward\"], delay_s: 15}\n"
                                 "      - {targets: [\"contact:bob\"], delay_s: 30}\n");
  const Ran imported = oncall({"import", plan, "--by", "ann"});
  ASSERT_EQ(imported.exit, 0) << imported.err;
  EXPECT_EQ(imported.out, "revision 1\n");

  const Ran who = oncall({"who", "--at", "2026-01-01T09:00:00Z"});
  EXPECT_EQ(who.out,
            "policy default at 2026-01-01T09:00:00.000Z\n"
            "+    0 s  ann\n"
            "+   15 s  bob\n");
  EXPECT_EQ(oncall({"who", "--schedule", "ward", "--at", "2026-01-02T09:00:00Z"}).out, "ward  bob\n");
  EXPECT_EQ(oncall({"who", "--schedule", "none"}).exit, static_cast<int>(Exit::not_found));

  const Ran replaced = oncall({"override", "ward", "--begin", "2026-01-02T08:00:00Z", "--end", "2026-01-03T08:00:00Z",
                               "--remove", "bob", "--add", "ann", "--by", "bob"});
  EXPECT_EQ(replaced.exit, 0) << replaced.err;
  EXPECT_EQ(oncall({"who", "--schedule", "ward", "--at", "2026-01-02T09:00:00Z"}).out, "ward  ann\n");
  const Ran again = oncall({"override", "ward", "--begin", "2026-01-02T09:00:00Z", "--end", "2026-01-02T10:00:00Z",
                            "--add", "ann", "--by", "bob"});
  EXPECT_EQ(again.exit, static_cast<int>(Exit::conflict));

  const Ran shifts = oncall({"shifts", "ward", "--from", "2026-01-01T07:00:00Z", "--to", "2026-01-02T07:00:00Z"});
  EXPECT_EQ(shifts.out, "2026-01-01T07:00:00.000Z  2026-01-02T07:00:00.000Z  ann\n");

  const Ran exported = oncall({"export"});
  EXPECT_EQ(oncall({"import", write("export.json", exported.out), "--by", "ann"}).exit, 0);
  EXPECT_NE(oncall({"show", "policy"}).out.find("policy/default"), std::string::npos);
}

TEST_F(OnCallCommand, WhatIsWrongInAFileIsNamedAndNothingIsChanged) {
  const Ran refused = oncall({"import", write("bad.yaml", "policy:\n  default:\n    steps: []\n"), "--by", "ann"});
  EXPECT_EQ(refused.exit, static_cast<int>(Exit::invalid));
  EXPECT_NE(refused.err.find("policy/default.steps"), std::string::npos) << refused.err;
  EXPECT_EQ(oncall({"import", write("broken.yaml", "policy: ["), "--by", "ann"}).exit, static_cast<int>(Exit::invalid));
  EXPECT_EQ(oncall({"import", write("kind.yaml", "puppy: {}"), "--by", "ann"}).exit, static_cast<int>(Exit::invalid));
  EXPECT_EQ(oncall({"import", "/nowhere.yaml", "--by", "ann"}).exit, static_cast<int>(Exit::not_found));
}

TEST_F(OnCallCommand, WhatAnotherSystemExportedIsAddedOnceAndADryRunChangesNothing) {
  const std::string file =
      write("goalert.json", R"({"data":{"users":{"nodes":[{"id":"u1","name":"Gwen","contactMethods":[)"
                            R"({"id":"m1","name":"mail","type":"EMAIL","value":"gwen@example.org"}],)"
                            R"("notificationRules":[{"id":"r","delayMinutes":0,"contactMethodID":"m1"}]}]},)"
                            R"("escalationPolicies":{"nodes":[{"id":"p1","name":"From GoAlert","repeat":1,"steps":[)"
                            R"({"id":"s","delayMinutes":5,"targets":[{"id":"u1","type":"user","name":"Gwen"}]}]}]}}})");
  const Ran dry = oncall({"import", "--from", "goalert", file, "--dry-run"});
  EXPECT_EQ(dry.exit, static_cast<int>(Exit::findings)) << dry.err;  // nobody has verified that address
  EXPECT_NE(dry.out.find("added    contact/Gwen\nadded    policy/From GoAlert\n"), std::string::npos) << dry.out;
  EXPECT_NE(dry.out.find("From GoAlert step 0: 0 of 1 people"), std::string::npos) << dry.out;
  EXPECT_EQ(oncall({"show", "policy"}).out.find("From GoAlert"), std::string::npos);
  EXPECT_EQ(oncall({"import", "--from", "goalert", file}).exit, static_cast<int>(Exit::usage));

  const Ran imported = oncall({"import", "--from", "goalert", file, "--by", "ann"});
  EXPECT_EQ(imported.exit, 0) << imported.err;
  EXPECT_NE(oncall({"show", "policy"}).out.find("From GoAlert"), std::string::npos);
  EXPECT_EQ(oncall({"import", "--from", "goalert", file, "--by", "ann"}).out, imported.out);
  EXPECT_NE(oncall({"import", "--from", "goalert", file, "--dry-run"}).out.find("nothing changes\n"),
            std::string::npos);
  const Ran wrong = oncall({"import", "--from", "grafana-oncall", write("wrong.json", "{}"), "--by", "ann"});
  EXPECT_EQ(wrong.exit, static_cast<int>(Exit::invalid));
}

TEST_F(OnCallCommand, AnAlertmanagerConfigurationBecomesARoutingFile) {
  const std::string file = write("alertmanager.yml",
                                 "route: {receiver: team}\n"
                                 "receivers:\n"
                                 "  - name: team\n"
                                 "    opsgenie_configs: [{api_key: x}]\n");
  const std::string output = write("routing.yaml", "");
  const Ran made = oncall({"import", "--from", "alertmanager", file, "--output", output});
  EXPECT_EQ(made.exit, static_cast<int>(Exit::findings));
  EXPECT_NE(made.err.find("line 4: receivers[0].opsgenie_configs: there is no such way"), std::string::npos)
      << made.err;
  std::ostringstream text;
  text << std::ifstream(output).rdbuf();
  EXPECT_NE(text.str().find("oncall_configs"), std::string::npos);
  const Ran again = oncall({"import", "--from", "alertmanager", output});
  EXPECT_EQ(again.exit, 0) << again.err;
  EXPECT_EQ(again.out, text.str());
}

TEST_F(OnCallCommand, CoverageWithGapsIsAFindingAndATestPageTellsOfEveryChannel) {
  const Ran coverage = oncall({"coverage", "--days", "7"});
  EXPECT_EQ(coverage.exit, static_cast<int>(Exit::findings));
  EXPECT_NE(coverage.err.find("gaps"), std::string::npos);
  const Ran page = oncall({"test-page", "console", "--by", "ann"});
  EXPECT_EQ(page.exit, 0) << page.err << page.out;
  EXPECT_NE(page.out.find("delivered"), std::string::npos) << page.out;
}

}  // namespace
}  // namespace mydr24::cli
