// The game day by the real program: every break is found within 5 s, is one incident of its severity, calls its people, and the
// bad change is rolled back by itself within 60 s. A run that the machine was too loaded for is made again, at most twice.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "app/load/process.h"
#include "base/json/document.h"
#include "support/live.h"

namespace mydr24::live {
namespace {

constexpr int runs_max = 3;

TEST(GameDay, EveryBreakIsFoundIsOneIncidentCallsItsPeopleAndIsOver) {
  json::Document report;
  load::Finished run;
  for (int i = 0; i < runs_max; ++i) {
    run = load::run_command({binary().string(), "simulate", "--scenario", "game-day", "--json"});
    auto parsed = json::Document::parse(run.out);
    ASSERT_TRUE(parsed) << run.out << run.err;
    report = std::move(*parsed);
    bool is_void = false;
    for (const json::Value each : report.root()["breaks"]) is_void = is_void || each["verdict"].text() == "void";
    if (!is_void) break;
    std::cout << "void: " << run.out << "\n";
  }
  const json::Value breaks = report.root()["breaks"];
  ASSERT_GE(breaks.size(), 5U) << run.out;
  std::size_t not_done = 0;
  for (const json::Value each : breaks) {
    if (each["verdict"].text() == "not done") {
      ++not_done;
      std::cout << each["break"].text() << ": not done: " << each["impossible"].text() << "\n";
      continue;
    }
    EXPECT_EQ(each["verdict"].text(), "holds") << json::compact(each);
    std::cout << fmt::format("{}: detected after {} s, all called after {} s\n", each["break"].text(),
                             each["detected_s"].text(), each["all_called_s"].text());
  }
  EXPECT_LE(not_done, 2U) << "what needs no right of the machine is always done";
  EXPECT_EQ(run.exit_code, not_done == 0 && !HasFailure() ? 0 : 7) << run.err;
}

TEST(GameDay, NeverBreaksAServerThatRuns) {
  const auto run =
      load::run_command({binary().string(), "simulate", "--scenario", "game-day", "--server", "http://127.0.0.1:1"});
  EXPECT_EQ(run.exit_code, 2) << run.err;
  EXPECT_TRUE(run.err.contains("a server of its own")) << run.err;
}

}  // namespace
}  // namespace mydr24::live
