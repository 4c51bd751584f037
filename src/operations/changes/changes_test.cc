#include <gtest/gtest.h>

#include "operations/changes/changes_fixture.h"
#include "operations/changes/outside.h"

namespace mydr24::changes {
namespace {

// ---- plans

TEST(Plan, WhatIsWrongInAPlanIsNamed) {
  const auto where = [](std::string_view plan) { return parse_plan(plan).error().where; };
  EXPECT_EQ(where("{}"), "title");
  EXPECT_EQ(where(R"({"title":"t","description":"d","service":"s"})"), "implementation");
  EXPECT_EQ(where(R"({"title":"t","description":"d","service":"s","implementation":[{"kind":"dance"}]})"),
            "implementation[0].kind");
  EXPECT_EQ(where(R"({"title":"t","description":"d","service":"s","implementation":[{"kind":"wait","seconds":-1}]})"),
            "implementation[0].seconds");
  EXPECT_EQ(where(R"({"title":"t","description":"d","service":"s","implementation":[{"kind":"wait"}]})"), "checks");
  EXPECT_EQ(where(R"({"title":"t","description":"d","service":"s","colour":1})"), "colour");
  EXPECT_EQ(where(R"({"title":"t","description":"d","service":"s","test":{"passed":true}})"), "test.evidence");
  EXPECT_EQ(where(R"({"title":"t","description":"d","service":"s","implementation":[{"kind":"wait"}],
                      "checks":[{"kind":"metric","metric":"m"}]})"),
            "checks[0].at_least");
  // How many patients have that name is nothing that whoever plans a change may learn.
  EXPECT_EQ(where(R"({"title":"t","description":"d","service":"s","implementation":[{"kind":"wait"}],
                      "checks":[{"kind":"fhir","search":"Patient?name=x","at_least":1}]})"),
            "checks[0].search");
  EXPECT_EQ(parse_plan(std::string(plan_bytes_max + 1, ' ')).error().code, Code::too_large);
}

TEST(Plan, ItsDigestIsOfEveryWordButNotOfTheSpaces) {
  const auto plan = parse_plan(plan_text());
  ASSERT_TRUE(plan);
  EXPECT_EQ(parse_plan(plan->text)->digest, plan->digest);
  EXPECT_NE(parse_plan(plan_text({.description = "another"}))->digest, plan->digest);
}

TEST(Plan, DowntimeIsJudgedByTheTableOfTheSeed) {
  const std::vector<std::pair<int, Level>> table{{0, Level::low},       {5, Level::low},   {6, Level::medium},
                                                 {30, Level::medium},   {31, Level::high}, {120, Level::high},
                                                 {121, Level::critical}};
  for (const auto& [minutes, level] : table) {
    EXPECT_EQ(downtime_level(minutes), level) << minutes;
    EXPECT_EQ(level_of(Impact{.downtime_min = minutes}), level) << minutes;
  }
  EXPECT_EQ(level_of(Impact{.emergency_services = true}), Level::critical);
  EXPECT_EQ(level_of(Impact{.downtime_min = 1, .patient_data_access = true}), Level::high);
  EXPECT_EQ(level_of(Impact{}), Level::low);
}

TEST_F(ChangesTest, ExposureOnlyGrowsAndIsVerifiedBetweenItsStages) {
  const auto check = [&](std::string steps) {
    const auto plan = parse_plan(plan_text({.steps = std::move(steps)}));
    EXPECT_TRUE(plan) << plan.error().where << " " << plan.error().text;
    const auto found = check_exposure(*plan, settings_);
    return found ? std::string() : found.error().text;
  };
  const std::string ward = R"({"kind":"set","setting":"days","value":5,"scope":"ward/a"})";
  const std::string all = R"({"kind":"set","setting":"days","value":5})";
  const std::string verify = R"({"kind":"verify","checks":[{"kind":"metric","metric":"m","at_most":1}]})";
  const std::string emergency = R"({"kind":"set","setting":"escalate","value":20})";
  EXPECT_EQ(check(ward + "," + verify + "," + all), "");
  EXPECT_TRUE(check(ward + "," + all).contains("verify"));
  EXPECT_TRUE(check(all + "," + verify + "," + ward).contains("only grows"));
  EXPECT_EQ(check(all + "," + verify + "," + emergency), "");
  EXPECT_TRUE(check(all + "," + emergency).contains("emergency path"));
  EXPECT_TRUE(check(emergency + "," + verify + "," + all).contains("changed last"));
  EXPECT_TRUE(check(R"({"kind":"set","setting":"days","value":500})").contains("from 0 to 90"));
  EXPECT_TRUE(check(R"({"kind":"set","setting":"nothing","value":null})").contains("no live setting"));
  EXPECT_EQ(check(R"({"kind":"set","setting":"days","value":null})"), "");
  // What cannot fail verifies nothing.
  const auto watch = [](std::string_view limits) {
    return fmt::format(R"({{"kind":"watch","count":3,{}"checks":[{{"kind":"metric","metric":"m","at_most":1}}]}})",
                       limits);
  };
  EXPECT_EQ(check(ward + "," + watch("") + "," + all), "");
  for (const auto* limits : {R"("dry_run":true,)", R"("failure_limit":3,)", R"("consecutive_error_limit":3,)"})
    EXPECT_TRUE(check(ward + "," + watch(limits) + "," + all).contains("verify")) << limits;
}

TEST(Plan, AWatchInWhichEveryCheckIsAnErrorIsNotPassed) {
  const auto plan = parse_plan(
      plan_text({.steps = R"({"kind":"watch","count":2,"checks":[{"kind":"metric","metric":"m","at_most":1}]})"}));
  ASSERT_TRUE(plan);
  EXPECT_EQ(judge::assess(std::vector(2, judge::Measurement::error), plan->steps[0].limits), judge::Phase::failed);
}

TEST(Plan, WhoOwnsASettingIsTouched) {
  const auto plan = parse_plan(plan_text({.steps = R"({"kind":"set","setting":"store.limit","value":5})"}));
  ASSERT_TRUE(plan);
  EXPECT_EQ(plan->services, (std::vector<std::string>{"alerting", "store"}));
}

TEST_F(ChangesTest, AWayBackIsCheckedWhenItIsProposed) {
  const auto refused = [&](std::string_view step) {
    const auto plan = plan_text({.rollback = std::string(step)});
    const auto wrong = write([&](store::Transaction& transaction) { return book_.propose(transaction, plan, "ann"); });
    return wrong ? wrong->where + ": " + wrong->text : "";
  };
  EXPECT_EQ(refused(R"({"kind":"set","setting":"days","value":7})"), "");
  EXPECT_TRUE(refused(R"({"kind":"set","setting":"days","value":500})").contains("from 0 to 90"));
  EXPECT_TRUE(refused(R"({"kind":"set","setting":"nothing","value":1})").starts_with("rollback[0]: "));
  EXPECT_TRUE(refused(R"({"kind":"watch","checks":[{"kind":"metric","metric":"m","at_most":1}]})")
                  .contains("and nothing else"));
  EXPECT_TRUE(
      refused(R"({"kind":"judge","metric":"m","canary":"ward/a","control":"ward/b"})").contains("and nothing else"));
}

// A server that knows no metric by scope would fail each such step.
TEST_F(ChangesTest, NothingIsJudgedByScopeWhereNoMetricIsKnownByScope) {
  const auto plan = plan_text({.steps = R"({"kind":"judge","metric":"m","canary":"ward/a","control":"ward/b"})"});
  const auto wrong = write([&](store::Transaction& transaction) { return book_.propose(transaction, plan, "ann"); });
  ASSERT_TRUE(wrong);
  EXPECT_EQ(wrong->where, "implementation[0].kind");
}

// ---- the board

TEST(Board, TheBoardOfTheSeedCannotApproveAnEmergencyAndSaysWhoIsMissing) {
  using enum Authority;
  const std::vector<Member> seed{{"cto", "CTO", {executive}},
                                 {"cmo", "CMO", {clinical}},
                                 {"ciso", "CISO", {security}},
                                 {"cco", "CCO", {compliance}},
                                 {"senior-dba", "Senior DBA", {technical}}};
  const auto board = Board::make(seed, Board::standard_requirements());
  ASSERT_FALSE(board);
  EXPECT_EQ(board.error().code, Code::invalid);
  EXPECT_TRUE(board.error().text.contains("\"emergency\"")) << board.error().text;
  EXPECT_TRUE(board.error().text.contains("1 of 2")) << board.error().text;
  EXPECT_TRUE(board.error().text.contains("executive or emergency")) << board.error().text;
  auto with_deputy = seed;
  with_deputy.push_back({"deputy", "Deputy CTO", {emergency}});
  EXPECT_TRUE(Board::make(with_deputy, Board::standard_requirements()));
}

TEST(Board, OnePersonFillsOnePlaceWhateverTheyMay) {
  using enum Authority;
  const Member both{"a", "", {technical, clinical}}, technician{"b", "", {technical}}, any{"c", "", {security}};
  const std::vector<Slot> slots{{technical}, {clinical}};
  const auto filled = [&](std::vector<const Member*> present) { return match(slots, present).filled; };
  EXPECT_EQ(filled({&both}), 1U);
  EXPECT_EQ(filled({&both, &any}), 1U);
  // The first place is given away again, so that both are filled.
  EXPECT_EQ(filled({&both, &technician}), 2U);
  EXPECT_EQ(filled({&technician, &both}), 2U);
  EXPECT_EQ(match(std::vector<Slot>{{technical}, {}}, std::vector<const Member*>{&technician, &any}).filled, 2U);
}

TEST(PolicyFile, WhatIsWrongInAPolicyIsNamed) {
  const auto where = [](std::string_view text) { return parse_policy(text).error().where; };
  EXPECT_EQ(where(R"({"board":1})"), "board");
  EXPECT_EQ(where(R"({"members":[{"name":"a","authorities":["king"]}]})"), "members[0].authorities");
  EXPECT_EQ(where(R"({"members":[{"name":"a","authorities":["technical"]}]})"), "members");
  EXPECT_EQ(where(R"({"zone":"Mars/Olympus"})"), "zone");
  EXPECT_EQ(where(R"({"commands":[{"name":"x","path":"bin/x"}]})"), "commands[0].path");
  EXPECT_EQ(where(R"({"load_windows":[{"name":"x","from":"8","to":"10:00"}]})"), "load_windows[0].from");
  EXPECT_EQ(where(R"({"requirements":{"huge":[["technical"]]}})"), "requirements.huge");
  for (const auto* flat :
       {R"({"requirements":{"high":["technical","clinical"]}})", R"({"requirements":{"high":[[["technical"]]]}})"})
    EXPECT_EQ(where(flat), "requirements.high");
  const auto policy = parse_policy(R"({"zone":"Europe/Paris","requirements":{"low":[["security"]]},
    "freezes":[{"id":"f","why":"audit","begin":"2026-05-10T00:00:00Z",
                 "end":"2026-05-11T00:00:00Z","services":["a"]}]})");
  ASSERT_TRUE(policy) << policy.error().where;
  EXPECT_EQ(describe(policy->board.requirement(Type::normal, Level::low).slots[0]), "security");
  EXPECT_EQ(policy->freezes.size(), 1U);
}

TEST(PolicyFile, WhatIsPrintedIsTheSamePolicyAgain) {
  const auto policy = parse_policy(R"({"zone":"Europe/Paris","requirements":{"low":[["security"],[]]},
    "load_windows":[{"name":"x","from":"07:00","to":"09:30","weekdays_only":false,"from_level":"medium","load":0.5}],
    "freezes":[{"id":"f","why":"audit","begin":"2026-05-10T00:00:00Z","end":"2026-05-11T00:00:00Z","services":["a"]}],
    "commands":[{"name":"c","path":"/bin/true","arguments":["-x"]}],"routine":["store.limit_mib"],
    "review_hours":12,"window_hours":6,"rollback_hours":5,"rehearsal_days":3})");
  ASSERT_TRUE(policy) << policy.error().where;
  const auto again = parse_policy(to_json(*policy));
  ASSERT_TRUE(again) << again.error().where << " " << again.error().text;
  EXPECT_EQ(to_json(*again), to_json(*policy));
  EXPECT_EQ(again->board.requirement(Type::normal, Level::low).slots.size(), 2U);
  EXPECT_EQ(again->commands.at("c").arguments, std::vector<std::string>{"-x"});
  EXPECT_EQ(again->window_max.count(), 6);
  EXPECT_TRUE(parse_policy(to_json(standard_policy())));
}

TEST(PolicyFile, LoadWindowsAreOnTheWallClock) {
  auto policy = *parse_policy(R"({"zone":"Europe/Paris"})");
  const auto at = [](std::string_view text) { return parse_date_time(text)->low; };
  EXPECT_NE(policy.window_at(at("2026-05-12T06:00:00Z")), nullptr);  // a Tuesday, 08:00 in Paris
  EXPECT_EQ(policy.window_at(at("2026-05-12T08:00:00Z")), nullptr);  // 10:00
  EXPECT_EQ(policy.window_at(at("2026-05-10T06:00:00Z")), nullptr);  // a Sunday
}

// ---- risk

TEST(Risk, EveryFactorIsShownAndTheScoreIsTheirProduct) {
  const auto plan = *parse_plan(plan_text());
  const auto risk = assess(plan, {});
  double left = 1;
  for (const auto& factor : risk.factors) left *= 1 - factor.weight * factor.value;
  EXPECT_NEAR(risk.score, 100 * (1 - left), 1e-9);
  EXPECT_EQ(risk.factors.size(), 12U);
  EXPECT_EQ(risk.level, Level::medium);
}

TEST(Risk, WorseSurroundingsNeverLowerIt) {
  const auto plan = *parse_plan(plan_text({.tested = true}));
  const auto calm = assess(plan, {.finished = 20, .days_since_success = 1});
  EXPECT_EQ(calm.level, Level::low);
  for (const auto& worse : {Surroundings{.finished = 20, .failed = 10, .days_since_success = 1},
                            Surroundings{.finished = 20, .days_since_success = 180}, Surroundings{.finished = 20},
                            Surroundings{.finished = 20, .days_since_success = 1, .overlapping = 2},
                            Surroundings{.finished = 20, .days_since_success = 1, .load = 1},
                            Surroundings{.finished = 20, .days_since_success = 1, .open_incidents = 1}})
    EXPECT_GT(assess(plan, worse).score, calm.score);
  EXPECT_EQ(assess(plan, {.finished = 20, .days_since_success = 1, .budget_left = 0.24}).level, Level::medium);
  EXPECT_EQ(assess(plan, {.finished = 20, .days_since_success = 1, .budget_left = 0.25}).level, Level::low);
}

TEST(Risk, WhatItAffectsIsTheLeastItsLevelCanBe) {
  EXPECT_EQ(assess(*parse_plan(plan_text({.impact = R"({"emergency_services":true})"})), {}).level, Level::critical);
  EXPECT_GE(assess(*parse_plan(plan_text({.impact = R"({"patient_data_access":true})"})), {}).level, Level::high);
}

// ---- rows

TEST_F(ChangesTest, AChangeIsReadBackAsItWasKept) {
  auto change = proposed(plan_text());
  change.run.emplace();
  change.run->owner = "p";
  change.run->phase = Phase::way_back;
  change.run->until = clock_.now();
  change.run->measurements = {judge::Measurement::error};
  change.run->canary = {0.1};
  change.run->undo = {{"days", 3, 4}};
  change.run->log.push_back({.at = clock_.now(), .name = "n", .ok = false, .text = "\"t\""});
  change.rehearsals.push_back({.at = clock_.now(), .by = "b", .evidence = "e", .digest = "d", .rolled_back = true});
  change.approvals.push_back({.member = "m", .digest = "d", .at = clock_.now(), .seal = "s"});
  const auto again = parse_change(to_json(change));
  ASSERT_TRUE(again) << again.error().text;
  EXPECT_EQ(to_json(*again), to_json(change));
}

// ---- what somebody wrote into the store

TEST_F(ChangesTest, APreviewIsJudgedAsTheProposalIsAndNotKept) {
  Change preview;
  std::vector<Change> kept;
  ASSERT_TRUE(store_.read([&](store::Reader& reader) -> Result<> {
    MYDR24_ASSIGN(preview, book_.preview(reader, plan_text(), "ann", clock_.now()));
    MYDR24_ASSIGN(kept, book_.list(reader, std::nullopt, 10));
    EXPECT_EQ(book_.preview(reader, "{}", "ann", clock_.now()).error().where, "title");
    return {};
  }));
  EXPECT_TRUE(kept.empty());
  EXPECT_TRUE(preview.id.empty());
  EXPECT_EQ(to_json(preview.risk), to_json(proposed(plan_text()).risk));
}

TEST_F(ChangesTest, AnApprovalThatSomebodyWroteIntoTheStoreIsNone) {
  auto change = proposed(plan_text({.tested = true}));
  ASSERT_EQ(change.risk.level, Level::low);
  ASSERT_FALSE(approve(change, "senior-dba"));
  change = now(change.id);
  ASSERT_EQ(change.state, State::approved);
  change.approvals[0].at += std::chrono::seconds(1);
  ASSERT_TRUE(store_.write(RequestClass::routine, [&](store::Transaction& transaction) {
    return transaction.set_state("changes", "change/" + change.id, to_json(change));
  }));
  EXPECT_TRUE(start(change.id)->text.contains("not genuine"));
}

// Nor one that was given to another level or to another requester, or a standard change that is none.
TEST_F(ChangesTest, WhatSomebodyChangedInTheStoreDoesNotStart) {
  const auto keep = [&](const Change& change) {
    ASSERT_TRUE(store_.write(RequestClass::routine, [&](store::Transaction& transaction) {
      return transaction.set_state("changes", "change/" + change.id, to_json(change));
    }));
  };
  const auto kept = proposed(plan_text({.tested = true}));
  ASSERT_FALSE(approve(kept, "senior-dba"));
  auto change = now(kept.id);
  change.requested_by = "bob";
  keep(change);
  EXPECT_TRUE(start(change.id)->text.contains("not genuine"));
  change.requested_by = "ann";
  change.risk.level = Level::medium;
  keep(change);
  EXPECT_TRUE(start(change.id)->text.contains("not genuine"));
  change.risk.level = Level::low;
  change.plan =
      *parse_plan(plan_text({.type = "standard", .steps = R"({"kind":"set","setting":"escalate","value":20})"}));
  keep(change);
  EXPECT_TRUE(start(change.id)->text.contains("no standard change"));
}

// ---- programs

TEST(Program, ItsOutputIsReadAndItsFailureTold) {
  const std::atomic<bool> stopping = false;
  const auto run = [&](std::vector<std::string> words, int ms = 5000) {
    return run_program({.name = "x", .path = words[0], .arguments = {words.begin() + 1, words.end()}},
                       std::chrono::milliseconds(ms), stopping);
  };
  EXPECT_EQ(*run({"/bin/echo", "a", "b c"}), "a b c\n");
  EXPECT_EQ(run({"/bin/sh", "-c", "echo wrong >&2; exit 3"}).error().text, "it ended with 3: wrong\n");
  EXPECT_EQ(run({"/nowhere"}).error().code, Code::conflict);
  EXPECT_EQ(run({"/bin/sleep", "30"}, 100).error().code, Code::busy);
  EXPECT_EQ(run({"/bin/sh", "-c", "exec /usr/bin/env"})->find("HOME="), std::string::npos);
  EXPECT_LE(run({"/bin/sh", "-c", "head -c 1000000 /dev/zero"})->size(), output_bytes_max);
  // What a program starts and leaves behind ends with it.
  EXPECT_TRUE(run({"/bin/sh", "-c", "sleep 30 & echo started"}));
  const std::atomic<bool> stopped = true;
  EXPECT_EQ(run_program({.name = "x", .path = "/bin/sleep", .arguments = {"30"}}, std::chrono::seconds(30), stopped)
                .error()
                .code,
            Code::busy);
}

TEST_F(ChangesTest, ACheckOfAScopeThatNoMetricHasIsRefusedWhenItIsProposed) {
  const auto plan = plan_text(
      {.steps =
           R"({"kind":"watch","checks":[{"kind":"metric","metric":"m","scope":"ward/a","at_most":1}],"every_s":1})"});
  const auto wrong = write([&](store::Transaction& transaction) { return book_.propose(transaction, plan, "ann"); });
  ASSERT_TRUE(wrong);
  EXPECT_EQ(wrong->where, "implementation[0].checks[0].scope");
  EXPECT_TRUE(wrong->text.contains("leave it out")) << wrong->text;
}

}  // namespace
}  // namespace mydr24::changes
