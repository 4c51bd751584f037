#include "base/telemetry/traces.h"

#include <gtest/gtest.h>

#include <set>
#include <thread>

namespace mydr24::telemetry {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view asked = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
constexpr std::string_view not_asked = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00";

class TracesTest : public testing::Test {
 protected:
  ManualClock clock_{from_us(1'790'000'000'000'000)};
};

TEST_F(TracesTest, ATraceparentIsReadAsW3CSays) {
  const auto parent = parse_traceparent(asked);
  ASSERT_TRUE(parent);
  EXPECT_EQ(parent->trace, (TraceId{0x0af7651916cd43dd, 0x8448eb211c80319c}));
  EXPECT_EQ(parent->span, 0xb7ad6b7169203331U);
  EXPECT_TRUE(parent->sampled);
  EXPECT_FALSE(parse_traceparent(not_asked)->sampled);
  EXPECT_TRUE(parse_traceparent("01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-09-more"));
  for (const std::string_view wrong : {
           "",
           "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331",
           "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more",
           "01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01more",
           "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
           "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
           "00-00000000000000000000000000000000-b7ad6b7169203331-01",
           "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
           "00-0af7651916cd43dd8448eb211c80319g-b7ad6b7169203331-01",
           "00-0af7651916cd43dd8448eb211c80319c+b7ad6b7169203331-01",
           "00-+af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
           "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0x",
       })
    EXPECT_FALSE(parse_traceparent(wrong)) << wrong;
}

TEST_F(TracesTest, TheSampleChoosesItsShareAndNobodyWithoutOne) {
  Traces none({}, clock_);
  Traces tenth({.sample_per_million = 100'000}, clock_);
  Traces all({.sample_per_million = 1'000'000}, clock_);
  int chosen = 0;
  for (int i = 0; i < 10'000; ++i) {
    EXPECT_EQ(none.begin(""), nullptr);
    EXPECT_NE(all.begin("nonsense"), nullptr);
    if (tenth.begin("") != nullptr) ++chosen;
  }
  // Ten standard deviations around 1,000.
  EXPECT_GT(chosen, 700);
  EXPECT_LT(chosen, 1'300);
}

TEST_F(TracesTest, WhatACallerSaysCountsUpToABound) {
  Traces traces({.sample_per_million = 1'000'000, .beyond_per_s_max = 3}, clock_);
  EXPECT_EQ(traces.begin(not_asked), nullptr);
  for (int second = 0; second < 2; ++second) {
    for (int i = 0; i < 3; ++i) {
      const auto trace = traces.begin(asked);
      ASSERT_NE(trace, nullptr);
      EXPECT_EQ(trace->id(), (TraceId{0x0af7651916cd43dd, 0x8448eb211c80319c}));
    }
    EXPECT_EQ(traces.begin(asked), nullptr);
    EXPECT_EQ(traces.left_out(), second + 1);
    clock_.advance(1s);
  }
  Traces never({.beyond_per_s_max = 0}, clock_);
  EXPECT_EQ(never.begin(asked), nullptr);
}

TEST_F(TracesTest, WhoWasSlowOrFailedIsTracedAllTheSame) {
  Traces traces({.slow = 100ms}, clock_);
  EXPECT_EQ(traces.begin_late("", 99ms, false), nullptr);
  EXPECT_NE(traces.begin_late("", 100ms, false), nullptr);
  EXPECT_NE(traces.begin_late(not_asked, 1ms, true), nullptr);
  Traces never_slow({.slow = 0ms}, clock_);
  EXPECT_EQ(never_slow.begin_late("", 1h, false), nullptr);
}

TEST_F(TracesTest, SpansStandBelowTheirRequestAtTheirTimes) {
  Traces traces({}, clock_);
  auto trace = traces.begin(asked);
  ASSERT_NE(trace, nullptr);
  const auto started = clock_.steady();
  {
    const TraceTimer timer(trace.get(), "store read");
    clock_.advance(5ms);
  }
  const TraceTimer nobody(nullptr, "nothing");
  clock_.advance(2ms);
  traces.end(std::move(trace), {.name = "GET /fhir/{type}/{id}",
                                .kind = Span::Kind::server,
                                .begin = started,
                                .end = clock_.steady(),
                                .attributes = {{"http.response.status_code", 200}}});
  const auto taken = traces.take();
  ASSERT_EQ(taken.size(), 1U);
  const auto& spans = taken.front()->spans();
  ASSERT_EQ(spans.size(), 2U);
  EXPECT_EQ(spans[0].name, "store read");
  EXPECT_EQ(spans[0].end - spans[0].begin, 5ms);
  EXPECT_EQ(spans[0].parent, spans[1].id);
  EXPECT_EQ(spans[1].parent, 0xb7ad6b7169203331U);
  EXPECT_EQ(spans[1].end - spans[1].begin, 7ms);
  EXPECT_EQ(spans[1].begin, 1'790'000'000s);
  EXPECT_NE(spans[0].id, spans[1].id);
  EXPECT_TRUE(traces.take().empty());
}

TEST_F(TracesTest, ATraceHasABoundAndSaysWhatItLeftOut) {
  Traces traces({}, clock_);
  auto trace = traces.begin(asked);
  for (std::size_t i = 0; i < Trace::spans_max + 5; ++i) trace->add("store read", 0ns, 1ns);
  traces.end(std::move(trace), {.name = "POST /fhir"});
  const auto taken = traces.take();
  EXPECT_EQ(taken.front()->spans().size(), Trace::spans_max + 1);
  EXPECT_EQ(taken.front()->left_out(), 5U);
}

TEST_F(TracesTest, ManyThreadsEndTheirsAndNoneIsLostOrTwice) {
  constexpr int threads = 4;
  constexpr int each = 2'000;
  Traces traces({.sample_per_million = 1'000'000, .waiting_max = 500}, clock_);
  std::set<std::int64_t> seen;
  std::int64_t taken_in_all = 0;
  std::atomic<int> at_work = threads;
  std::vector<std::jthread> workers;
  for (int thread = 0; thread < threads; ++thread) {
    workers.emplace_back([&, thread] {
      for (int i = 0; i < each; ++i)
        traces.end(traces.begin(""), {.name = "x", .attributes = {{"n", std::int64_t{thread} * each + i}}});
      --at_work;
    });
  }
  bool is_last = false;
  while (!is_last) {
    is_last = at_work == 0;
    for (const auto& trace : traces.take()) {
      ++taken_in_all;
      seen.insert(std::get<std::int64_t>(trace->spans().front().attributes.front().value));
    }
  }
  EXPECT_EQ(taken_in_all, traces.ended());
  EXPECT_EQ(seen.size(), static_cast<std::size_t>(taken_in_all));
  EXPECT_EQ(taken_in_all + traces.dropped(), threads * each);
}

TEST_F(TracesTest, WhatNobodyTakesIsDroppedAndCounted) {
  Traces traces({.sample_per_million = 1'000'000, .waiting_max = 2}, clock_);
  for (int i = 0; i < 5; ++i) traces.end(traces.begin(""), {.name = "x"});
  EXPECT_EQ(traces.dropped(), 3);
  EXPECT_EQ(traces.take().size(), 2U);
}

}  // namespace
}  // namespace mydr24::telemetry
