#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <sstream>
#include <thread>

#include "base/json/document.h"
#include "base/telemetry/log.h"
#include "base/telemetry/metrics.h"

namespace mydr24::telemetry {
namespace {

using namespace std::chrono_literals;

const Instant noon = from_us(1'709'294'400'123'456);  // 2024-03-01T12:00:00.123456Z

TEST(Log, AJsonLineHasTimeLevelMessageAndTheFieldsInOrder) {
  ManualClock clock(noon);
  std::ostringstream out;
  const Log log({Level::info, Format::json}, clock, out);
  log.info("ready", {{"url", "http://127.0.0.1:8024"}, {"port", 8024}, {"share", 0.5}, {"tls", false}});
  EXPECT_EQ(out.str(), R"({"ts":"2024-03-01T12:00:00.123Z","level":"info","msg":"ready","url":"http://127.0.0.1:8024",)"
                       R"("port":8024,"share":0.5,"tls":false})"
                       "\n");
}

TEST(Log, WhateverTheTextIsALineStaysOneJsonObject) {
  ManualClock clock(noon);
  std::ostringstream out;
  const Log log({Level::info, Format::json}, clock, out);
  log.error("odd \"text\"\n{}", {{"path", std::string("a\nb\x01\xff")}});
  const std::string line = out.str();
  EXPECT_EQ(std::ranges::count(line, '\n'), 1);
  const auto document = json::Document::parse(line);
  ASSERT_TRUE(document) << line;
  EXPECT_EQ(document->root()["msg"].text(), "odd \"text\"\n{}");
}

TEST(Log, TextIsForPeopleAndOddValuesAreQuoted) {
  ManualClock clock(noon);
  std::ostringstream out;
  const Log log({Level::debug, Format::text}, clock, out);
  log.warn("store slow\n", {{"ms", 1200}, {"why", "disk is busy"}, {"mode", "wal"}});
  EXPECT_EQ(out.str(), "12:00:00.123 warn  store slow   ms=1200  why=\"disk is busy\"  mode=wal\n");
}

TEST(Log, LinesBelowTheLevelAreNotWritten) {
  ManualClock clock(noon);
  std::ostringstream out;
  const Log log({Level::warn, Format::json}, clock, out);
  log.info("no");
  log.debug("no");
  EXPECT_EQ(out.str(), "");
  EXPECT_TRUE(log.enabled(Level::error));
  EXPECT_FALSE(log.enabled(Level::info));
}

TEST(Log, LinesOfManyThreadsDoNotMix) {
  ManualClock clock(noon);
  std::ostringstream out;
  const Log log({Level::info, Format::json}, clock, out);
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&log, t] {
        for (int i = 0; i < 200; ++i) log.info("line", {{"thread", t}, {"i", i}});
      });
    }
  }
  std::istringstream lines(out.str());
  int count = 0;
  for (std::string line; std::getline(lines, line); ++count) ASSERT_TRUE(json::Document::parse(line)) << line;
  EXPECT_EQ(count, 800);
}

TEST(Log, LevelsReadBackAsTheyAreWritten) {
  for (const Level level : {Level::debug, Level::info, Level::warn, Level::error}) {
    EXPECT_EQ(parse_level(to_string(level)), level);
  }
  EXPECT_FALSE(parse_level("verbose"));
  EXPECT_EQ(log_settings("nonsense", "json").level, Level::info);
  EXPECT_EQ(log_settings("error", "text").format, Format::text);
}

TEST(LogLimit, OneLineInEachPeriodAndTheNextSaysHowManyWereLeftOut) {
  ManualClock clock(noon);
  LogLimit limit(1s);
  EXPECT_EQ(limit.admit(clock), 0);
  for (int i = 0; i < 5; ++i) EXPECT_FALSE(limit.admit(clock));
  clock.advance(1s);
  EXPECT_EQ(limit.admit(clock), 5);
}

TEST(Metrics, TheExpositionHoldsEveryKind) {
  Metrics metrics;
  metrics.counter("http_requests_total", "Requests answered.", {{"class", "emergency"}}).add(3);
  metrics.gauge("mydr24_store_bytes", "Bytes on disk.").set(42);
  const auto times = metrics.histogram("alert_delivery_seconds", "From the reading to the person.", {0.5, 2});
  times.observe(0.1);
  times.observe(3);
  const std::string text = metrics.expose();
  for (const char* line :
       {"# HELP mydr24_http_requests_total Requests answered.", "# TYPE mydr24_http_requests_total counter",
        "mydr24_http_requests_total{class=\"emergency\"} 3", "mydr24_store_bytes 42",
        "mydr24_alert_delivery_seconds_bucket{le=\"0.5\"} 1", "mydr24_alert_delivery_seconds_bucket{le=\"+Inf\"} 2",
        "mydr24_alert_delivery_seconds_count 2"}) {
    EXPECT_NE(text.find(line), text.npos) << line << "\n" << text;
  }
}

TEST(Metrics, TheSameNameAndLabelsAreTheSameMetric) {
  Metrics metrics;
  const auto first = metrics.counter("shed_total", "Requests refused.", {{"class", "routine"}});
  const auto again = metrics.counter("mydr24_shed_total", "Requests refused.", {{"class", "routine"}});
  const auto other = metrics.counter("shed_total", "Requests refused.", {{"class", "urgent"}});
  first.add();
  again.add();
  EXPECT_EQ(first.value(), 2);
  EXPECT_EQ(other.value(), 0);
}

TEST(Log, LinesOfATenantNameIt) {
  std::ostringstream out;
  const Log all({.format = Format::json}, system_clock(), out);
  const Log north(all, "north");
  north.info("begun", {{"n", 1}});
  EXPECT_NE(out.str().find(R"("msg":"begun","n":1,"tenant":"north"})"), std::string::npos) << out.str();
}

TEST(Metrics, ThoseOfATenantNameItAndAreExposedWithAll) {
  Metrics all;
  Metrics north(all, {{"tenant", "north"}});
  Metrics south(all, {{"tenant", "south"}});
  north.counter("reads_total", "Reads", {{"route", "read"}}).add(2);
  south.counter("reads_total", "Reads", {{"route", "read"}}).add(3);
  const auto text = all.expose();
  EXPECT_NE(text.find(R"(mydr24_reads_total{route="read",tenant="north"} 2)"), std::string::npos) << text;
  EXPECT_NE(text.find(R"(mydr24_reads_total{route="read",tenant="south"} 3)"), std::string::npos) << text;
}

TEST(Metrics, GaugesAreRefreshedBeforeEveryExposition) {
  Metrics metrics;
  const Gauge queued = metrics.gauge("queued", "Waiting writes.");
  int calls = 0;
  metrics.before_expose([&] { queued.set(++calls); });
  EXPECT_NE(metrics.expose().find("mydr24_queued 1"), std::string::npos);
  EXPECT_NE(metrics.expose().find("mydr24_queued 2"), std::string::npos);
}

TEST(Metrics, WhatATenantGathersRefreshesOnlyItsOwn) {
  Metrics all;
  Metrics north(all, {{"tenant", "north"}});
  Metrics south(all, {{"tenant", "south"}});
  std::array<int, 3> calls{};
  all.before_expose([&] { ++calls[0]; });
  north.before_expose([&] { ++calls[1]; });
  south.before_expose([&] { ++calls[2]; });
  (void)north.gather();
  EXPECT_EQ(calls, (std::array{0, 1, 0}));
  (void)all.gather();
  EXPECT_EQ(calls, (std::array{1, 2, 1}));
  (void)south.expose();
  EXPECT_EQ(calls, (std::array{2, 3, 2}));
}

TEST(Metrics, AHandleThatBelongsToNoMetricsCountsNothing) {
  Counter().add();
  Gauge().set(1);
  Histogram().observe(1);
  EXPECT_EQ(Counter().value(), 0);
}

TEST(Metrics, PromtoolAcceptsTheExposition) {
  if (std::system("command -v promtool > /dev/null 2>&1") != 0) GTEST_SKIP() << "promtool is not installed";
  Metrics metrics;
  metrics.counter("http_requests_total", "Requests answered.", {{"class", "emergency"}, {"status", "2xx"}}).add();
  metrics.gauge("store_size_bytes", "Bytes on disk.").set(1e9);
  metrics.histogram("http_request_duration_seconds", "Time of a request.", seconds_buckets()).observe(0.01);
  FILE* tool = popen("promtool check metrics", "w");
  ASSERT_NE(tool, nullptr);
  const std::string text = metrics.expose();
  std::fwrite(text.data(), 1, text.size(), tool);
  EXPECT_EQ(pclose(tool), 0);
}

}  // namespace
}  // namespace mydr24::telemetry
