#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>

#include "operations/series/evaluate.h"

namespace mydr24::series {
namespace {

constexpr Milliseconds start = 1'790'000'000'000;

class Queries : public testing::Test {
 protected:
  void put(std::string_view name, std::vector<routing::Label> labels, Milliseconds time, double value) {
    labels.emplace_back(name_label, name);
    ASSERT_EQ(database_.append(**database_.series(Labels(std::move(labels))), start + time, value), Appended::kept);
  }
  Result<Answer> ask(std::string_view expression, Milliseconds time) {
    return evaluate(database_, expression, start + time, limits_, clock_);
  }
  double one(std::string_view expression, Milliseconds time) {
    const auto answer = ask(expression, time);
    EXPECT_TRUE(answer) << expression << ": " << answer.error().text;
    if (!answer) return NAN;
    if (answer->type == Type::scalar) return answer->scalar;
    EXPECT_EQ(answer->series.size(), 1U) << expression;
    return answer->series.empty() ? NAN : answer->series.front().samples.front().value;
  }
  std::size_t count(std::string_view expression, Milliseconds time) {
    const auto answer = ask(expression, time);
    EXPECT_TRUE(answer) << expression << ": " << answer.error().text;
    return answer ? answer->series.size() : 0;
  }
  static std::string fault(std::string_view expression) {
    const auto node = parse(expression);
    return node ? "" : node.error().text;
  }

  ManualClock clock_{from_us((start + 3'600'000) * 1000)};
  Database database_{clock_, {}};
  EvaluationLimits limits_;
};

TEST_F(Queries, ASampleCountsForFiveMinutesOrUntilItsSeriesEnds) {
  put("up", {}, 0, 1);
  EXPECT_EQ(count("up", 299'999), 1U);
  EXPECT_EQ(count("up", 300'000), 0U);
  EXPECT_EQ(count("up", -1), 0U);
  put("up", {}, 10'000, stale_marker());
  EXPECT_EQ(count("up", 9'999), 1U);
  EXPECT_EQ(count("up", 10'000), 0U);
  EXPECT_EQ(one("count_over_time(up[1m])", 11'000), 1);
}

TEST_F(Queries, ARateGoesOnOverACounterThatBeginsAgain) {
  // 0 10 20 | 5 15: 35 in 40 s; the range reaches 10 s further at both ends, of which each is within a step.
  const std::array<double, 5> values{100, 110, 120, 5, 15};
  for (std::size_t i = 0; i < values.size(); ++i) put("c", {}, static_cast<Milliseconds>(i) * 10'000, values[i]);
  EXPECT_DOUBLE_EQ(one("increase(c[60s])", 50'000), 35.0 * 60 / 40);
  EXPECT_DOUBLE_EQ(one("rate(c[60s])", 50'000), 35.0 / 40);
  EXPECT_DOUBLE_EQ(one("irate(c[60s])", 50'000), 1);
  EXPECT_EQ(one("resets(c[60s])", 50'000), 1);
  EXPECT_EQ(one("changes(c[60s])", 50'000), 4);
}

TEST_F(Queries, ErrorsSayAtWhichColumnWhatIsWrong) {
  EXPECT_EQ(fault("sum(up"), "column 7: unexpected the end, \")\" is expected");
  EXPECT_EQ(fault("up + nosuch(up)"), "column 6: there is no function \"nosuch\"");
  EXPECT_EQ(fault("rate(up)"), "column 6: rate takes here: range vector, not instant vector");
  EXPECT_EQ(fault("up[5m:1m]"), "column 6: subqueries are not supported");
  EXPECT_NE(fault("up{a=~\"(\"}").find("column 7: "), std::string::npos);
  EXPECT_EQ(fault("up $ 1"), "column 4: unexpected character \"$\"");
  EXPECT_EQ(fault("\"open"), "column 1: the quoted text does not end");
  EXPECT_EQ(fault("up[5x]"), "column 4: \"5x\" is no duration");
  EXPECT_EQ(fault("1 < 2"), "column 3: a comparison of scalars needs bool");
  put("a", {{"x", "1"}}, 0, 1);
  put("a", {{"x", "2"}}, 0, 1);
  put("b", {}, 0, 1);
  const auto answer = ask("a * on() b * on() a", 0);
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Code::unprocessable);
  EXPECT_NE(answer.error().text.find("column"), std::string::npos);
}

TEST_F(Queries, WhatIsDeepLongOrManyIsRefused) {
  EXPECT_NE(fault(std::string(200, '(') + "1" + std::string(200, ')')).find("nested too deeply"), std::string::npos);
  EXPECT_NE(fault(std::string(200, '-') + "1").find("nested too deeply"), std::string::npos);
  std::string sum = "1";
  for (int i = 0; i < 1'500; ++i) sum += "+1";
  EXPECT_NE(fault(sum).find("too many parts"), std::string::npos);
  EXPECT_FALSE(fault(std::string(20'000, ' ')).empty());
  for (int i = 0; i < 20; ++i)
    for (int at = 0; at < 10; ++at) put("m", {{"i", std::to_string(i)}}, at * 1'000, at);
  limits_ = {.series_max = 10};
  EXPECT_EQ(ask("m", 0).error().code, Code::too_costly);
  limits_ = {.samples_max = 100};
  EXPECT_EQ(ask("sum_over_time(m[1m])", 10'000).error().code, Code::too_costly);
  limits_ = {.points_max = 100};
  EXPECT_EQ(ask("m[1m]", 10'000).error().code, Code::too_costly);
  EXPECT_EQ(evaluate(database_, "m", Span{start, start + 10'000, 1'000}, limits_, clock_).error().code,
            Code::too_costly);
  limits_ = {.steps_max = 5};
  EXPECT_EQ(evaluate(database_, "m", Span{start, start + 10'000, 1'000}, limits_, clock_).error().code, Code::invalid);
  const std::atomic<bool> gone = true;
  limits_ = {.cancelled = &gone};
  EXPECT_EQ(evaluate(database_, "m+m+m+m", Span{start, start + 1'000'000, 100}, limits_, clock_).error().code,
            Code::too_costly);
  std::string nothing = "a";
  for (int i = 0; i < 400; ++i) nothing += " or a";
  EXPECT_EQ(ask(nothing, 0).error().code, Code::too_costly);  // looked for in vain, but looked for
  limits_ = {};
  const auto regexes = [](std::size_t count) {
    std::string all = "m{i=~\"1\"}";
    for (std::size_t i = 1; i < count / 2; ++i) all += " or m{i!~\"1\"}";
    for (std::size_t i = count / 2; i < count; ++i) all = "label_replace(" + all + ",\"j\",\"x\",\"i\",\"1\")";
    return all;
  };
  EXPECT_EQ(fault(regexes(regexes_max)), "");
  EXPECT_NE(fault(regexes(regexes_max + 1)).find("at most 50 regular expressions"), std::string::npos);
}

TEST_F(Queries, LabelsThatFunctionsMakeAreNoLongerThanThoseOfASeries) {
  for (int i = 0; i < 20; ++i) put("m", {{"i", std::string(100, static_cast<char>('a' + i))}}, 0, 1);
  // Each level makes it twenty times as long.
  const auto nested = [](int levels, const std::string& begin, const std::string& end) {
    std::string all = "m";
    for (int i = 0; i < levels; ++i) all = begin + all + end;
    return all;
  };
  std::string sources;
  std::string groups;
  for (int i = 0; i < 20; ++i) sources += ",\"i\"";
  for (int i = 0; i < 20; ++i) groups += "$0";
  const std::string join_end = ",\"i\",\"\"" + sources + ")";
  const std::string replace_end = ",\"i\",\"" + groups + "\",\"i\",\".*\")";
  EXPECT_EQ(count(nested(1, "label_join(", join_end), 0), 20U);
  EXPECT_EQ(count(nested(1, "label_replace(", replace_end), 0), 20U);
  for (const auto& expression : {nested(12, "label_join(", join_end), nested(12, "label_replace(", replace_end)}) {
    const auto answer = ask(expression, 0);
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().code, Code::unprocessable);
    EXPECT_NE(answer.error().text.find("column"), std::string::npos);
    EXPECT_NE(answer.error().text.find("more than 4096 bytes"), std::string::npos) << answer.error().text;
  }
  // 1,000 series of 4,000 bytes, made again at each of 30 levels: more than an evaluation may make.
  for (int i = 0; i < 1'000; ++i) put("long", {{"i", std::to_string(i)}, {"text", std::string(4'000, 'x')}}, 0, 1);
  std::string again = "long";
  for (int i = 0; i < 30; ++i) again = fmt::format("label_replace({},\"n\",\"{}\",\"i\",\".*\")", again, i);
  const auto answer = ask(again, 0);
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Code::too_costly);
  EXPECT_NE(answer.error().text.find("bytes of labels"), std::string::npos) << answer.error().text;
}

TEST_F(Queries, DurationsAreReadAsPrometheusDoes) {
  EXPECT_EQ(parse_duration("1h30m"), 5'400'000);
  EXPECT_EQ(parse_duration("1w2d"), 9LL * 86'400'000);
  EXPECT_EQ(parse_duration("15s250ms"), 15'250);
  for (const char* bad : {"", "5", "m", "1m1h", "1m2m", "-1m", "1.5h", "99999999y", "5 m"})
    EXPECT_FALSE(parse_duration(bad)) << bad;
}

TEST_F(Queries, WhereMinutesStandForSamplesTheirSumsCount) {
  ManualClock clock(from_us(start * 1000));
  Database database(clock, {.raw_for = std::chrono::minutes(60)});
  const auto series = *database.series(Labels({{std::string(name_label), "m"}}));
  // A spike of one sample within a minute is in its greatest value after the samples have gone.
  for (int i = 0; i < 8 * 240; ++i) {
    clock.set(from_us((start + i * 15'000) * 1000));
    database.append(*series, start + i * 15'000, i == 121 ? 1'000 : 1);
    if (i % 240 == 0) database.maintain();
  }
  database.maintain();
  Points points;
  series->read(0, INT64_MAX, points);
  ASSERT_GT(points.buckets.size(), 200U);
  const auto at = [&](std::string_view expression) {
    const auto answer = evaluate(database, expression, start + 3'600'000, {}, clock);
    return answer && answer->series.size() == 1 ? answer->series.front().samples.front().value : NAN;
  };
  EXPECT_EQ(at("max_over_time(m[1h])"), 1'000);
  EXPECT_EQ(at("min_over_time(m[1h])"), 1);
  EXPECT_EQ(at("sum_over_time(m[30m]) - count_over_time(m[30m])"), 999);
  EXPECT_NEAR(at("count_over_time(m[30m])"), 120, 4);
}

TEST_F(Queries, TheMetricsOfAnExpressionAreNamed) {
  const auto node = parse("sum(rate(a[5m])) / on(x) {__name__=\"b\"} + {__name__!=\"d\",x=\"1\"} - c");
  ASSERT_TRUE(node) << node.error().text;
  EXPECT_EQ(metrics_of(**node), (std::vector<std::string>{"a", "b", "c"}));
}

}  // namespace
}  // namespace mydr24::series
