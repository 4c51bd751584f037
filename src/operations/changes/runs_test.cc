// Runs: where they may end, what they may not do twice, and what is known of them afterwards.

#include <gtest/gtest.h>

#include <thread>

#include "operations/changes/changes_fixture.h"
#include "operations/changes/figures.h"

namespace mydr24::changes {
namespace {

// The process ends before and after every transaction of a run: what takes over rolls it back, or finds it over.
TEST_F(ChangesTest, WhereverAProcessEndsTheNextOneRollsBack) {
  const auto steps =
      R"({"kind":"set","setting":"days","value":5,"scope":"ward/a"},
         {"kind":"watch","checks":[{"kind":"metric","metric":"m","at_most":1}],"every_s":1,"count":2},
         {"kind":"set","setting":"days","value":5},{"kind":"wait","seconds":1},{"kind":"webhook","url":"http://x/"},
         {"kind":"webhook","url":"http://y/"})";
  int ended = 0;
  for (int pieces = 1;; ++pieces) {
    const auto change = proposed(plan_text({.steps = steps, .tested = true}));
    // Each failure makes the next one riskier.
    for (const auto* member : {"senior-dba", "cmo", "ciso", "cco"}) ASSERT_FALSE(approve(change, member));
    ASSERT_FALSE(start(change.id));
    Engine first(store_, book_, effects_, clock_, fmt::format("process {}", pieces));
    bool over = false;
    for (int i = 0; i < pieces && !over; ++i) {
      const auto next = first.advance(change.id);
      ASSERT_TRUE(next) << next.error().text;
      over = next->over;
      if (next->not_before) clock_.set(*next->not_before);
    }
    Engine second(store_, book_, effects_, clock_, "the next process");
    ASSERT_TRUE(second.take_over());
    run(second, change.id);
    const auto found = now(change.id);
    if (over) {
      EXPECT_EQ(found.state, State::successful) << pieces;
      break;
    }
    EXPECT_EQ(found.state, State::failed) << pieces << " " << found.run->because;
    EXPECT_EQ(settings_.value("days"), "30") << pieces;
    ++ended;
    // The first one lives after all: it may do nothing more.
    EXPECT_TRUE(first.advance(change.id)->over);
    ASSERT_LT(pieces, 100);
  }
  EXPECT_GT(ended, 10);
}

TEST_F(ChangesTest, WhatNobodyHadBegunIsBegunByTheNextProcess) {
  const auto change = proposed(plan_text({.tested = true}));
  ASSERT_FALSE(approve(change, "senior-dba"));
  ASSERT_FALSE(start(change.id));
  Engine engine(store_, book_, effects_, clock_, "the next process");
  ASSERT_TRUE(engine.take_over());
  run(engine, change.id);
  EXPECT_EQ(now(change.id).state, State::successful);
}

TEST_F(ChangesTest, AProcessThatHasLostARunDoesNothingMore) {
  auto change = proposed(plan_text({.tested = true}));
  ASSERT_FALSE(approve(change, "senior-dba"));
  ASSERT_FALSE(start(change.id));
  Engine first(store_, book_, effects_, clock_, "first"), second(store_, book_, effects_, clock_, "second");
  ASSERT_TRUE(first.advance(change.id));
  ASSERT_TRUE(first.advance(change.id));
  ASSERT_TRUE(second.take_over());
  const auto lost = first.advance(change.id);
  ASSERT_FALSE(lost);
  EXPECT_EQ(lost.error().code, Code::conflict);
  run(second, change.id);
  EXPECT_EQ(now(change.id).state, State::failed);
}

// Where a process ends, or a store takes nothing, it is not known what a receiver has done.
TEST_F(ChangesTest, AReceiverIsNotCalledAgainWhenItIsUnknownWhatCameOfIt) {
  const auto change = started(plan_text({.steps = R"({"kind":"webhook","url":"http://x/"})"}));
  Engine engine(store_, book_, effects_, clock_, "p");
  effects_.webhook_ = [&](const Step&) -> Result<> {
    store_.refuse_writes = 1;
    return {};
  };
  auto next = engine.advance(change.id);
  for (int i = 0; i < 10 && next; ++i) next = engine.advance(change.id);
  ASSERT_FALSE(next);
  EXPECT_EQ(next.error().code, Code::busy);
  run(engine, change.id);
  EXPECT_EQ(effects_.called_.size(), 1U);
  EXPECT_EQ(now(change.id).state, State::failed);
  EXPECT_TRUE(now(change.id).run->because.contains("not written down")) << now(change.id).run->because;
}

TEST_F(ChangesTest, AProcessThatHasLostARunCallsNobody) {
  const auto change =
      started(plan_text({.steps = R"({"kind":"wait"})", .rollback = R"({"kind":"webhook","url":"http://back/"})"}));
  Engine first(store_, book_, effects_, clock_, "first"), second(store_, book_, effects_, clock_, "second");
  ASSERT_TRUE(first.advance(change.id));
  ASSERT_TRUE(second.take_over());
  ASSERT_TRUE(second.advance(change.id));  // the step of the way back has begun
  EXPECT_EQ(first.advance(change.id).error().code, Code::conflict);
  EXPECT_TRUE(effects_.called_.empty());
  run(second, change.id);
  EXPECT_EQ(effects_.called_.size(), 1U);
}

// A program that is ended because the process ends has not failed.
TEST_F(ChangesTest, AProcessThatEndsOnTheWayBackLeavesTheRestToTheNextOne) {
  const auto change =
      started(plan_text({.steps = R"({"kind":"set","setting":"days","value":5},{"kind":"webhook","url":"http://x/"})",
                         .rollback = R"({"kind":"webhook","url":"http://back/"})"}));
  effects_.webhook_ = [&](const Step& step) -> Result<> {
    if (step.url == "http://back/") effects_.stopping_ = true;
    return fail(Code::busy, "it was ended");
  };
  Engine first(store_, book_, effects_, clock_, "first");
  for (int i = 0; i < 100 && !effects_.stopping_; ++i) (void)first.advance(change.id);
  ASSERT_TRUE(effects_.stopping_);
  EXPECT_EQ(now(change.id).state, State::rolling_back);
  effects_.stopping_ = false;
  effects_.webhook_ = {};
  Engine second(store_, book_, effects_, clock_, "second");
  ASSERT_TRUE(second.take_over());
  run(second, change.id);
  EXPECT_EQ(now(change.id).state, State::failed);
  EXPECT_EQ(settings_.value("days"), "30");
  EXPECT_TRUE(store_.events_of("incident.request").empty());
}

TEST_F(ChangesTest, AStoreThatTakesNothingJustNowIsNoFailureOfTheWayBack) {
  effects_.webhook_ = [&](const Step&) -> Result<> { return fail(Code::conflict, "no"); };
  const auto change =
      started(plan_text({.steps = R"({"kind":"set","setting":"days","value":5},{"kind":"webhook","url":"http://x/"})",
                         .rollback = R"({"kind":"set","setting":"escalate","value":40})"}));
  Engine engine(store_, book_, effects_, clock_, "p");
  while (now(change.id).state == State::running) ASSERT_TRUE(engine.advance(change.id));
  // Each piece of the way back is refused once.
  int refused = 0;
  for (bool over = false; !over; ++refused) {
    ASSERT_LT(refused, 20);
    store_.refuse_writes = 1;
    EXPECT_EQ(engine.advance(change.id).error().code, Code::busy);
    const auto next = engine.advance(change.id);
    ASSERT_TRUE(next) << next.error().text;
    over = next->over;
  }
  EXPECT_GT(refused, 3);
  EXPECT_EQ(now(change.id).state, State::failed);
  EXPECT_EQ(settings_.value("days"), "30");
  EXPECT_EQ(settings_.value("escalate"), "40");
  EXPECT_TRUE(store_.events_of("incident.request").empty());
}

// What waits keeps no thread, and an emergency change has one whatever runs.
TEST_F(ChangesTest, WhatWaitsForLongKeepsNobodyFromRunning) {
  Engine engine(store_, book_, effects_, clock_, "p");
  Runner runner(engine, store_, book_, clock_, [](std::string_view) {});
  for (int i = 0; i < 20; ++i)
    started(plan_text({.steps = R"({"kind":"wait","seconds":3600})", .service = fmt::format("service {}", i)}));
  const auto last = started(plan_text());
  runner.start();
  for (int i = 0; i < 100 && now(last.id).state == State::running; ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  EXPECT_EQ(now(last.id).state, State::successful);
  runner.stop();
}

TEST_F(ChangesTest, AnEmergencyChangeWaitsForNoThread) {
  Engine engine(store_, book_, effects_, clock_, "p");
  Runner runner(engine, store_, book_, clock_, [](std::string_view) {});
  std::atomic<bool> free = false;
  std::atomic<int> busy = 0;
  effects_.webhook_ = [&](const Step&) -> Result<> {
    for (++busy; !free;) std::this_thread::sleep_for(std::chrono::milliseconds(10));
    return {};
  };
  for (int i = 0; i < 8; ++i)
    started(plan_text({.steps = R"({"kind":"webhook","url":"http://x/"})", .service = fmt::format("service {}", i)}));
  runner.start();
  for (int i = 0; i < 100 && busy < 8; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(100));
  const auto urgent = proposed(plan_text({.type = "emergency"}));
  for (const auto* member : {"cto", "deputy-cto"}) EXPECT_FALSE(approve(urgent, member));
  EXPECT_FALSE(start(urgent.id));
  for (int i = 0; i < 100 && now(urgent.id).state == State::running; ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  EXPECT_EQ(now(urgent.id).state, State::successful);
  free = true;
  runner.stop();
}

TEST_F(ChangesTest, AnExceptionOfACheckIsAFailure) {
  effects_.metric_ = [](const std::string&) -> std::optional<double> { throw std::runtime_error("no"); };
  const auto checked = run_check(parse_plan(plan_text())->checks[0], effects_, settings_);
  EXPECT_EQ(checked.measurement, judge::Measurement::error);
  EXPECT_EQ(checked.text, "no");
}

TEST_F(ChangesTest, TheFiguresAreThoseOfTheChanges) {
  const auto since = clock_.now();
  const auto make = [&](bool good) {
    auto change = proposed(plan_text({.tested = true}));
    clock_.advance(std::chrono::minutes(10));
    EXPECT_FALSE(approve(change, "senior-dba"));
    EXPECT_FALSE(start(change.id));
    Engine engine(store_, book_, effects_, clock_, "p");
    effects_.metric_ = [&, good, asked = 0](const std::string&) mutable -> std::optional<double> {
      ++asked;
      return good || asked != 2 ? 0 : 9;
    };
    run(engine, change.id);
    return now(change.id);
  };
  EXPECT_EQ(make(true).state, State::successful);
  EXPECT_EQ(make(true).state, State::successful);
  EXPECT_EQ(make(false).state, State::validation_failed);
  std::map<std::string, Figures> found;
  ASSERT_TRUE(store_.read([&](store::Reader& reader) -> Result<> {
    MYDR24_ASSIGN(found, figures(reader, since, since + std::chrono::days(1)));
    return {};
  }));
  const auto& of = found.at("alerting");
  EXPECT_EQ(of.finished, 3);
  EXPECT_EQ(of.failed, 1);
  EXPECT_EQ(of.lead.count, 2);
  EXPECT_NEAR(of.lead.median_s, 600, 5);
  EXPECT_EQ(of.recovery.count, 1);
  EXPECT_DOUBLE_EQ(of.per_day, 3);
  EXPECT_EQ(found.at("").finished, 3);
  // One that is taken back has failed then, and not before.
  const auto taken_back = make(true).id;
  clock_.advance(std::chrono::hours(1));
  ASSERT_FALSE(
      write([&](store::Transaction& transaction) { return book_.roll_back(transaction, taken_back, "no", "ann"); }));
  const auto asked = clock_.now();
  clock_.advance(std::chrono::minutes(1));
  Engine engine(store_, book_, effects_, clock_, "p");
  run(engine, taken_back);
  const auto until = [&](Instant end) {
    EXPECT_TRUE(store_.read([&](store::Reader& reader) -> Result<> {
      MYDR24_ASSIGN(found, figures(reader, since, end));
      return {};
    }));
    return found.at("alerting");
  };
  EXPECT_EQ(until(asked).failed, 1);
  EXPECT_EQ(until(asked).lead.count, 3);
  const auto after = until(since + std::chrono::days(1));
  EXPECT_EQ(after.finished, 4);
  EXPECT_EQ(after.failed, 2);
  EXPECT_EQ(after.lead.count, 3);
  EXPECT_NEAR(after.recovery.p90_s, 60, 20);
  // As the next one is judged by.
  const auto next = proposed(plan_text());
  const auto failures = std::ranges::find(next.risk.factors, "failures so far", &Factor::name);
  EXPECT_TRUE(failures->text.starts_with("2 of 4 failed")) << failures->text;
  const auto success = std::ranges::find(next.risk.factors, "time since a success", &Factor::name);
  EXPECT_EQ(success->text, "0 days");
}

TEST_F(ChangesTest, WhatIsInTheWayOfAScheduledStartIsToldOnce) {
  const auto at = clock_.now();
  auto change = proposed(plan_text({.tested = true,
                                    .window = fmt::format(R"({{"begin":"{}","end":"{}"}})", format_instant(at),
                                                          format_instant(at + std::chrono::hours(1)))}));
  ASSERT_FALSE(approve(change, "senior-dba"));
  const auto freeze = [&](std::string why, std::chrono::minutes end) {
    ASSERT_FALSE(write([&](store::Transaction& transaction) {
      return book_.add_freeze(transaction, {.why = std::move(why), .by = "bob", .begin = at, .end = at + end});
    }));
  };
  freeze("a", std::chrono::minutes(20));
  ASSERT_FALSE(
      write([&](store::Transaction& transaction) { return book_.schedule(transaction, change.id, at, "ann"); }));
  const auto pass = [&](int minutes) {
    for (int i = 0; i < minutes; ++i) {
      store_.tick();
      clock_.advance(std::chrono::minutes(1));
    }
    return store_.events_of("change.not_started").size();
  };
  EXPECT_EQ(pass(5), 1U);
  freeze("b", std::chrono::minutes(10));
  EXPECT_EQ(pass(3), 2U);
  EXPECT_EQ(pass(10), 3U);
  pass(10);
  EXPECT_EQ(now(change.id).state, State::running);
}

}  // namespace
}  // namespace mydr24::changes
