// The bench can see overload: at ten times what the server carries, the deliberately naive server lets emergencies die, and
// admission does not.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "app/surge/bench.h"
#include "support/live.h"

namespace mydr24::surge {
namespace {

// Others may use this machine meanwhile: what is asked here is less than the bars of `mydr24 bench surge`, and far from what the
// naive server reaches.
constexpr double p99_max_ms = 250;
constexpr int runs_max = 3;
constexpr double goodput_min = 0.4;
constexpr double unanswered_share_max = 0.01;  // of what was refused: who was let in and then found no processor

// A disk that others share is at times late by half a second (docs/surge.md), and an emergency with it: that is not what
// is judged here, so the data lie in memory where there is room for them.
void keep_off_the_disk() {
  std::error_code none;
  const auto room = std::filesystem::space("/dev/shm", none);
  if (!none && room.available > (512U << 20U)) ::setenv("TMPDIR", "/dev/shm", 1);
}

void expect_carried(const CellResult& full, const Capacity& capacity) {
  EXPECT_EQ(full.emergency_failed(), 0U) << full.find("emergency")->first_problem;
  EXPECT_GT(full.refused(), 0U);
  EXPECT_LE(static_cast<double>(full.unanswered()), unanswered_share_max * static_cast<double>(full.refused()));
  EXPECT_GE(full.counted_per_s() / capacity.counted_per_s, goodput_min);
  EXPECT_GE(full.emergency_p99_ms(), 0);
}

TEST(Surge, AtTenTimesTheLoadTheNaiveServerFailsAndAdmissionPasses) {
  keep_off_the_disk();
  BenchSettings settings{
      .binary = live::binary(), .seconds = 4, .warm_up_s = 1, .void_retries = 0, .capacity_p99_ms = p99_max_ms};
  settings.say = [](const std::string& line) { std::cerr << line << '\n'; };
  auto report = run_bench(settings, {"10x"}, {Mode::naive, Mode::full}, system_clock());
  ASSERT_TRUE(report) << report.error().text;
  std::cerr << to_table(*report);
  const CellResult& naive = *report->find("10x", Mode::naive);
  const auto offered = naive.find("emergency")->offered;
  EXPECT_GT(offered, 300U);
  EXPECT_GT(naive.emergency_failed() * 20, offered) << "the naive server serves emergencies: this is no overload";
  EXPECT_GT(naive.unanswered(), 0U);
  expect_carried(*report->find("10x", Mode::full), report->capacity);

  // One stop of the machine in these seconds is the p99 by itself; what the server does to emergencies it does each time.
  double p99_ms = report->find("10x", Mode::full)->emergency_p99_ms();
  settings.capacity = report->capacity;
  for (int again = 1; p99_ms > p99_max_ms && again < runs_max; ++again) {
    report = run_bench(settings, {"10x"}, {Mode::full}, system_clock());
    ASSERT_TRUE(report) << report.error().text;
    std::cerr << to_table(*report);
    expect_carried(report->cells.front(), settings.capacity);
    p99_ms = std::min(p99_ms, report->cells.front().emergency_p99_ms());
  }
  EXPECT_LE(p99_ms, p99_max_ms);
}

}  // namespace
}  // namespace mydr24::surge
