// The same samples in a real Prometheus and here: the same answers to a table of expressions. Skipped, saying so, where none is
// installed.

#include <cmath>
#include <map>

#include "api/series_api/series_fixture.h"

namespace mydr24::series_api {
namespace {

constexpr series::Milliseconds base = 1'790'000'000'000;
constexpr int samples = 400;  // each 15 s: 100 minutes
// Off whole seconds, so that no sample lies on the edge of a range: there Prometheus 2 and 3 differ.
constexpr series::Milliseconds offset = 1'234;

struct Line {
  std::string name;
  std::vector<routing::Label> labels;
  double (*value)(int i);
  int from = 0;
  int to = samples;
};

std::vector<Line> lines() {
  using L = std::vector<routing::Label>;
  return {
      {"requests_total", L{{"job", "api"}, {"instance", "a"}, {"code", "200"}}, [](int i) { return i * 3.0; }},
      {"requests_total", L{{"job", "api"}, {"instance", "a"}, {"code", "500"}},
       [](int i) { return std::floor(i / 7.0); }},
      {"requests_total", L{{"job", "api"}, {"instance", "b"}, {"code", "200"}}, [](int i) { return i % 90 * 5.5; }},
      {"requests_total", L{{"job", "web"}, {"instance", "c"}, {"code", "200"}}, [](int i) { return 10.0 + i * i; }, 60},
      {"errors_total", L{{"job", "api"}, {"instance", "a"}}, [](int i) { return std::floor(i / 20.0); }},
      {"errors_total", L{{"job", "api"}, {"instance", "b"}}, [](int) { return 0.0; }},
      {"load", L{{"instance", "a"}, {"ward", "north"}}, [](int i) { return std::sin(i / 9.0) * 4; }},
      {"load", L{{"instance", "b"}, {"ward", "south"}}, [](int i) { return std::cos(i / 5.0) * 2 - 1; }},
      {"load", L{{"instance", "c"}, {"ward", "south"}}, [](int i) { return i * 0.25; }, 0, 300},
      {"temperature", L{{"ward", "north"}}, [](int i) { return i % 11 - 5.0; }},
      {"strange", L{{"kind", "nan"}}, [](int i) -> double { return i % 3 == 0 ? NAN : i; }},
      {"strange", L{{"kind", "inf"}}, [](int i) -> double { return i % 5 == 0 ? INFINITY : -i; }},
      {"info", L{{"instance", "a"}, {"version", "1.0"}}, [](int) { return 1.0; }},
      {"info", L{{"instance", "b"}, {"version", "1.1"}}, [](int) { return 1.0; }},
      {"seconds_bucket", L{{"route", "r"}, {"le", "0.1"}}, [](int i) { return i * 2.0; }},
      {"seconds_bucket", L{{"route", "r"}, {"le", "0.5"}}, [](int i) { return i * 3.0; }},
      {"seconds_bucket", L{{"route", "r"}, {"le", "1"}}, [](int i) { return i * 3.5; }},
      {"seconds_bucket", L{{"route", "r"}, {"le", "+Inf"}}, [](int i) { return i * 4.0; }},
      {"seconds_bucket", L{{"route", "w"}, {"le", "0.1"}}, [](int i) { return i * 1.0; }},
      {"seconds_bucket", L{{"route", "w"}, {"le", "0.5"}}, [](int i) { return i * 1.0; }},
      {"seconds_bucket", L{{"route", "w"}, {"le", "+Inf"}}, [](int i) { return i * 6.0; }},
      {"seconds_count", L{{"route", "r"}}, [](int i) { return i * 4.0; }},
      {"seconds_sum", L{{"route", "r"}}, [](int i) { return i * 1.7; }},
  };
}

const std::vector<std::string> expressions{
    // selectors
    "load",
    "{__name__=\"load\"}",
    "load{ward=\"south\"}",
    "load{ward!=\"south\"}",
    "load{instance=~\"a|c\"}",
    "load{instance!~\"a|c\"}",
    "load{ward=~\"so.*\",instance=\"b\"}",
    "{__name__=~\"lo.d|temp.*\"}",
    "load{nothing=\"\"}",
    "load offset 10m",
    "load offset -3m",
    "nothing_of_that_name",
    // ranges
    "rate(requests_total[5m])",
    "rate(requests_total[1m])",
    "rate(requests_total[90m])",
    "rate(requests_total[20s])",
    "irate(requests_total[2m])",
    "increase(requests_total[7m])",
    "increase(requests_total{instance=\"b\"}[50m] offset 5m)",
    "delta(load[10m])",
    "idelta(load[2m])",
    "deriv(load[10m])",
    "deriv(errors_total[5m])",
    "predict_linear(load[15m], 600)",
    "changes(errors_total[30m])",
    "changes(strange[10m])",
    "resets(requests_total[50m])",
    "avg_over_time(load[6m])",
    "sum_over_time(load[6m])",
    "min_over_time(load[6m])",
    "max_over_time(load[6m])",
    "max_over_time(strange[3m])",
    "count_over_time(load[6m])",
    "last_over_time(load[6m])",
    "present_over_time(load[6m])",
    "stddev_over_time(load[6m])",
    "stdvar_over_time(load[6m])",
    "quantile_over_time(0.9, load[6m])",
    "quantile_over_time(1.5, load[6m])",
    // aggregations
    "sum(requests_total)",
    "sum by (job) (requests_total)",
    "sum by (job, code) (rate(requests_total[5m]))",
    "sum without (instance) (requests_total)",
    "sum(rate(requests_total[5m])) by (instance)",
    "avg by (ward) (load)",
    "min by (ward) (load)",
    "max by (ward) (load)",
    "count by (code) (requests_total)",
    "group by (job) (requests_total)",
    "stddev(load)",
    "stdvar by (ward) (load)",
    "quantile(0.5, load)",
    "quantile by (ward) (0.25, load)",
    "topk(2, load)",
    "bottomk(1, load) by (ward)",
    "topk(0, load)",
    "max(strange)",
    "min(strange)",
    "sum by (absent_label) (load)",
    // operators
    "load + 1",
    "2 * load",
    "-load",
    "load ^ 2",
    "-2 ^ 2",
    "2 ^ 3 ^ 2",
    "10 - 4 - 3",
    "7 % 4 + 2 * 3",
    "load % 3",
    "load / 0",
    "load > 0",
    "load > bool 0",
    "0 < load",
    "1 == bool 1",
    "1 < bool 0 or vector(7)",
    "load == load",
    "load != bool 1",
    "requests_total{code=\"500\"} / ignoring(code) requests_total{code=\"200\"}",
    "requests_total{code=\"500\"} / on(instance) requests_total{code=\"200\"}",
    "errors_total / on(job, instance) group_left(code) requests_total",
    "requests_total / on(instance) group_left(version) info",
    "info * on(instance) group_right(version) requests_total",
    "requests_total * on(instance) group_left info",
    "requests_total > on(instance) group_left info",
    "load and on(instance) info",
    "load unless on(instance) info",
    "load or temperature",
    "load or on(ward) temperature",
    "load and load > 0",
    "load > 0 or load < -1",
    "(load + load) * 2 >= 1",
    "sum(rate(requests_total{code=\"500\"}[5m])) / sum(rate(requests_total[5m]))",
    // functions
    "abs(load)",
    "ceil(load)",
    "floor(load)",
    "round(load)",
    "round(load, 0.1)",
    "clamp(load, -1, 1)",
    "clamp(load, 2, 1)",
    "clamp(strange, -1, 1)",
    "clamp_min(load, 0)",
    "clamp_max(load, 0)",
    "ln(load)",
    "log2(load + 10)",
    "log10(load + 10)",
    "exp(load)",
    "sqrt(abs(load))",
    "sgn(load)",
    "time()",
    "time() - timestamp(load)",
    "timestamp(load + 1)",
    "vector(3)",
    "scalar(load{instance=\"a\"}) * 2",
    "scalar(load)",
    "sort(load)",
    "sort_desc(load)",
    "absent(load)",
    "absent(nothing{job=\"x\",a=~\"b\"})",
    "absent_over_time(nothing{job=\"x\"}[5m])",
    "absent_over_time(load[5m])",
    "label_replace(load, \"short\", \"$1-${2}\", \"ward\", \"(n|s)(.*)\")",
    "label_replace(load, \"ward\", \"\", \"ward\", \".*\")",
    "label_replace(load, \"x\", \"$1\", \"ward\", \"none(.*)\")",
    "label_join(load, \"both\", \"/\", \"ward\", \"instance\")",
    "histogram_quantile(0.9, seconds_bucket)",
    "histogram_quantile(0.5, rate(seconds_bucket[5m]))",
    "histogram_quantile(0.99, sum by (le) (rate(seconds_bucket[5m])))",
    "histogram_quantile(0.1, sum by (le, route) (increase(seconds_bucket[10m])))",
    "histogram_quantile(2, seconds_bucket)",
    "seconds_sum / seconds_count",
    "1e3 + 0x1F + .5",
    "Inf - 1",
    "NaN",
    "\"a\\ttext\"",
    "'a text'",
    "load[2m]",
    "strange",
    "rate(strange[5m])",
    "count(load) # a comment",
};

const std::vector<std::string> refused{
    "load +",
    "rate(load)",
    "sum(load[5m])",
    "load{ward=}",
    "load and 1",
    "1 == 1",
    "nosuch(load)",
    "load offset",
    "{}",
    "{a=~\".*\"}",
    "load{ward=~\"(\"}",
    "topk(load)",
    "load / requests_total * on(instance) group_left info[5m]",
    "requests_total / on(job) requests_total",
    "sum by (ward) (load) / on(instance) load + on(ward) load",
    "label_replace({__name__=~\"load|temperature\"}, \"__name__\", \"x\", \"ward\", \".*\") + on() load",
};

double value_of(std::string_view text) {
  if (text == "NaN") return NAN;
  if (text == "+Inf") return INFINITY;
  if (text == "-Inf") return -INFINITY;
  return std::strtod(std::string(text).c_str(), nullptr);
}

bool is_close(double a, double b) {
  if (std::isnan(a) || std::isnan(b)) return std::isnan(a) && std::isnan(b);
  if (std::isinf(a) || std::isinf(b)) return a == b;
  return std::abs(a - b) <= 1e-9 * std::max({1.0, std::abs(a), std::abs(b)});
}

std::string labels_of(json::Value metric) {
  std::map<std::string, std::string> sorted;
  for (const auto member : metric) sorted.emplace(member.key(), member.text());
  std::string out;
  for (const auto& [name, value] : sorted) out += name + "=" + value + ",";
  return out;
}

using Values = std::map<std::string, std::vector<std::pair<double, double>>>;

Values values_of(json::Value data) {
  Values all;
  const std::string type(data["resultType"].text());
  const auto pair = [](json::Value sample) {
    return std::pair(value_of(sample.at(0).text()), value_of(sample.at(1).text()));
  };
  if (type == "scalar") return {{"scalar", {pair(data["result"])}}};
  if (type == "string") return {{"string " + std::string(data["result"].at(1).text()), {}}};
  for (const auto each : data["result"]) {
    auto& values = all[labels_of(each["metric"])];
    if (type == "vector") values.push_back(pair(each["value"]));
    for (const auto sample : each["values"]) values.push_back(pair(sample));
  }
  return all;
}

void expect_same(const std::string& what, const Reply& theirs, const Reply& ours) {
  ASSERT_EQ(ours.status, theirs.status) << what << "\n" << ours.body << "\n" << theirs.body;
  EXPECT_EQ(ours.json.root()["status"].text(), theirs.json.root()["status"].text()) << what;
  EXPECT_EQ(ours.json.root()["errorType"].text(), theirs.json.root()["errorType"].text()) << what;
  const auto their_data = theirs.json.root()["data"];
  const auto our_data = ours.json.root()["data"];
  EXPECT_EQ(our_data["resultType"].text(), their_data["resultType"].text()) << what;
  const Values a = values_of(their_data);
  const Values b = values_of(our_data);
  ASSERT_EQ(a.size(), b.size()) << what << "\n" << theirs.body.substr(0, 2'000) << "\n" << ours.body.substr(0, 2'000);
  for (const auto& [labels, values] : a) {
    ASSERT_TRUE(b.contains(labels)) << what << " " << labels << "\n" << ours.body.substr(0, 2'000);
    const auto& mine = b.at(labels);
    ASSERT_EQ(mine.size(), values.size()) << what << " " << labels;
    for (std::size_t i = 0; i < values.size(); ++i) {
      ASSERT_EQ(mine[i].first, values[i].first) << what << " " << labels;
      ASSERT_TRUE(is_close(mine[i].second, values[i].second))
          << what << " " << labels << " at " << fmt::format("{}", mine[i].first) << ": " << mine[i].second
          << " and not " << values[i].second;
    }
  }
}

class BesidePrometheus : public testing::Test {
 protected:
  void SetUp() override {
    if (!is_installed("prometheus") || !is_installed("promtool")) GTEST_SKIP() << "prometheus is not installed";
    folder_ = std::filesystem::temp_directory_path() / fmt::format("mydr24-series-{}", getpid());
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
    fill();
    const auto made = fmt::format("promtool tsdb create-blocks-from openmetrics {} {} > /dev/null",
                                  (folder_ / "samples").string(), (folder_ / "data").string());
    ASSERT_EQ(std::system(made.c_str()), 0);
    prometheus_ = std::make_unique<Prometheus>(folder_, "global: {}\n");
    ASSERT_TRUE(prometheus_->wait());
  }
  void TearDown() override {
    prometheus_.reset();
    if (!folder_.empty()) std::filesystem::remove_all(folder_);
  }

  void fill() {
    std::ofstream out(folder_ / "samples");
    for (const Line& line : lines()) {
      std::vector<routing::Label> labels = line.labels;
      labels.emplace_back(series::name_label, line.name);
      const auto series = server_.database().series(series::Labels(labels));
      ASSERT_TRUE(series);
      std::string text;
      for (const auto& [name, value] : line.labels)
        text += fmt::format("{}{}=\"{}\"", text.empty() ? "" : ",", name, value);
      for (int i = line.from; i < line.to; ++i) {
        const auto time = base + offset + i * 15'000;
        const double value = line.value(i);
        const std::string number = std::isnan(value)   ? "NaN"
                                   : std::isinf(value) ? (value > 0 ? "+Inf" : "-Inf")
                                                       : fmt::format("{}", value);
        out << fmt::format("{}{{{}}} {} {}.{:03}\n", line.name, text, number, time / 1000, time % 1000);
        ASSERT_EQ(server_.database().append(**series, time, value), series::Appended::kept);
      }
    }
    out << "# EOF\n";
  }

  void compare(const std::string& path) {
    expect_same(path, ask(prometheus_->url() + path), ask(server_.url() + path));
  }

  std::filesystem::path folder_;
  SeriesServer server_{from_us((base + 15'000LL * samples) * 1000)};
  std::unique_ptr<Prometheus> prometheus_;
};

TEST_F(BesidePrometheus, EveryExpressionIsAnsweredAlike) {
  for (const std::string& expression : expressions) {
    for (const series::Milliseconds at : {base + 2'000'000, base + 4'711'000, base + 5'990'000})
      compare(fmt::format("/api/v1/query?query={}&time={}", encoded(expression), at / 1000));
    if (expression.front() == '"' || expression.front() == '\'' || expression == "load[2m]") continue;
    compare(fmt::format("/api/v1/query_range?query={}&start={}&end={}&step=47s", encoded(expression), base / 1000,
                        (base + 6'300'000) / 1000));
    if (HasFatalFailure()) return;
  }
}

TEST_F(BesidePrometheus, WhatIsWrongIsRefusedAlike) {
  for (const std::string& expression : refused) {
    compare(fmt::format("/api/v1/query?query={}&time={}", encoded(expression), (base + 4'711'000) / 1000));
    if (HasFatalFailure()) return;
  }
  compare("/api/v1/query_range?query=load&start=1&end=0&step=1");
  compare("/api/v1/query_range?query=load&start=0&end=10&step=0");
  compare("/api/v1/query_range?query=load&start=0&end=1000000&step=1");
  compare("/api/v1/query_range?query=load[5m]&start=0&end=10&step=1");
  compare("/api/v1/query?query=load&time=soon");
}

TEST_F(BesidePrometheus, SeriesLabelsAndValuesAreListedAlike) {
  const auto span = fmt::format("start={}&end={}", base / 1000, (base + 6'300'000) / 1000);
  const auto sorted = [](const Reply& reply) {
    std::vector<std::string> all;
    for (const auto each : reply.json.root()["data"])
      all.push_back(each.is_object() ? labels_of(each) : std::string(each.text()));
    std::ranges::sort(all);
    return all;
  };
  for (const std::string& path :
       {"/api/v1/series?match[]=load&match[]=info&" + span, "/api/v1/series?match[]=%7Bward%3D%22north%22%7D&" + span,
        "/api/v1/labels?" + span, "/api/v1/labels?match[]=load&" + span, "/api/v1/label/ward/values?" + span,
        "/api/v1/label/__name__/values?" + span, "/api/v1/label/instance/values?match[]=info&" + span}) {
    const auto theirs = sorted(ask(prometheus_->url() + path));
    EXPECT_FALSE(theirs.empty()) << path;
    EXPECT_EQ(sorted(ask(server_.url() + path)), theirs) << path;
  }
}

}  // namespace
}  // namespace mydr24::series_api
