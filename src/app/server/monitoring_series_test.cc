// History of a running server: its own metrics, what a real Prometheus writes to it, dashboards and rules that come with it.

#include <yaml-cpp/yaml.h>

#include <fstream>
#include <set>
#include <sstream>

#include "api/series_api/series_fixture.h"
#include "app/server/server_fixture.h"
#include "operations/series/syntax.h"

namespace mydr24::server {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

std::string text_of(const fs::path& file) {
  std::ifstream in(file);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

class History : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() / fmt::format("mydr24-history-{}", getpid());
    fs::remove_all(folder_);
    settings_.server.listen = "127.0.0.1:0";
    settings_.server.emergency_listen = "127.0.0.1:0";
    settings_.server.admin = "127.0.0.1:0";
    settings_.server.drain_time_max_ms = 500;
    settings_.store.path = (folder_ / "data").string();
    settings_.log.level = "error";
    settings_.access.mode = "off";
    settings_.series.collect_every_s = 1;
    open();
    settings_.server.listen = system_->base_url().substr(std::string_view("http://").size());
  }
  void TearDown() override {
    system_.reset();
    fs::remove_all(folder_);
  }
  void open() {
    auto started = start(settings_, system_clock());
    ASSERT_TRUE(started) << started.error().text;
    system_ = std::move(*started);
  }
  json::Document ask(const std::string& query, std::int64_t at_ms = 0) {
    const std::string time = at_ms == 0 ? "" : fmt::format("&time={:.3f}", static_cast<double>(at_ms) / 1'000);
    const auto reply =
        series_api::ask(system_->base_url() + "/api/v1/query?query=" + series_api::encoded(query) + time);
    return json::Document::parse(reply.body).value_or(json::Document());
  }
  bool wait_for(const std::string& query) {
    for (int i = 0; i < 600; ++i) {
      const auto answer = ask(query);
      if (answer.root()["data"]["result"].at(0).exists()) return true;
      std::this_thread::sleep_for(100ms);
    }
    return false;
  }

  fs::path folder_;
  Settings settings_;
  std::unique_ptr<System> system_;
};

// Labels and, of each series, its samples: as text.
std::map<std::string, std::string> matrix(const json::Document& answer) {
  std::map<std::string, std::string> all;
  for (const auto each : answer.root()["data"]["result"]) {
    std::map<std::string, std::string> labels;
    for (const auto label : each["metric"]) labels.emplace(label.key(), label.text());
    std::string name;
    for (const auto& [key, value] : labels) name += fmt::format("{}={},", key, value);
    all.emplace(name, each["values"].raw());
  }
  return all;
}

TEST_F(History, OfTheServersOwnMetricsIsKeptOverARestart) {
  ASSERT_TRUE(
      wait_for("mydr24_store_commits_total{job=\"mydr24\"} and count_over_time(mydr24_store_commits_total[1m]) > 2"));
  ASSERT_TRUE(wait_for("count({__name__=~\"mydr24_monitor_.*\"} offset 2s) > 5"));
  const auto now = to_us(system_clock().now()) / 1'000 - 1'500;  // what is collected now is not whole
  const auto before =
      matrix(ask("{__name__=~\"mydr24_store_.*|mydr24_http_request_seconds_bucket|mydr24_monitor_.*\"}[1m]", now));
  ASSERT_GT(before.size(), 100U);
  const auto is_monitors = [](const auto& each) { return each.first.find("mydr24_monitor_") != std::string::npos; };
  ASSERT_GT(std::ranges::count_if(before, is_monitors), 5);
  system_.reset();
  open();
  ASSERT_TRUE(wait_for("mydr24_store_commits_total"));
  EXPECT_EQ(
      matrix(ask("{__name__=~\"mydr24_store_.*|mydr24_http_request_seconds_bucket|mydr24_monitor_.*\"}[1m]", now)),
      before);
}

TEST_F(History, PrometheusLosesNothingThatItWritesOverARestart) {
  if (!series_api::is_installed("prometheus")) GTEST_SKIP() << "prometheus is not installed";
  const series_api::Prometheus prometheus(
      folder_ / "prometheus",
      fmt::format("global: {{scrape_interval: 1s}}\n"
                  "scrape_configs: [{{job_name: self, static_configs: [{{targets: [SELF]}}]}}]\n"
                  "remote_write: [{{url: '{}/api/v1/write', queue_config: {{batch_send_deadline: 1s, "
                  "min_backoff: 50ms, max_backoff: 500ms, max_samples_per_send: 200}}}}]\n",
                  system_->base_url()));
  ASSERT_TRUE(prometheus.wait());
  ASSERT_TRUE(wait_for("count_over_time(up{job=\"self\"}[1m]) > 3"));
  const auto now_s = [] { return to_us(system_clock().now()) / 1'000'000; };
  const auto asked_there = [&](const std::string& query, double at) {
    const auto reply = series_api::ask(
        fmt::format("{}/api/v1/query?query={}&time={:.3f}", prometheus.url(), series_api::encoded(query), at));
    return json::Document::parse(reply.body).value_or(json::Document());
  };
  const auto newest = [](std::int64_t after) { return fmt::format("timestamp(up{{job=\"self\"}}) > {}", after); };
  system_.reset();
  const auto down = now_s();
  bool has_gone_on = false;
  for (int i = 0; i < 600 && !has_gone_on; ++i) {
    std::this_thread::sleep_for(100ms);
    has_gone_on = asked_there(newest(down + 2), static_cast<double>(now_s())).root()["data"]["result"].at(0).exists();
  }
  ASSERT_TRUE(has_gone_on) << "nothing is scraped while it cannot be written";
  open();
  const auto up = now_s();
  ASSERT_TRUE(wait_for(newest(up + 3)));
  const auto at = to_us(system_clock().now()) / 1'000;
  ASSERT_TRUE(wait_for(newest(at / 1'000 + 1)));
  const auto theirs = matrix(asked_there("{job=\"self\"}[2m]", static_cast<double>(at) / 1'000));
  ASSERT_GT(theirs.size(), 100U);
  // What is sent by another of its queues may come later.
  auto ours = matrix(ask("{job=\"self\"}[2m]", at));
  for (int i = 0; i < 600 && ours != theirs; ++i) {
    std::this_thread::sleep_for(100ms);
    ours = matrix(ask("{job=\"self\"}[2m]", at));
  }
  EXPECT_EQ(ours.size(), theirs.size());
  std::size_t different = 0;
  for (const auto& [labels, samples] : theirs) {
    const auto mine = ours.find(labels);
    if ((mine == ours.end() || mine->second != samples) && ++different <= 3)
      ADD_FAILURE() << labels << "\n" << samples << "\n" << (mine == ours.end() ? "nothing" : mine->second);
  }
  EXPECT_EQ(different, 0U);
}

TEST_F(History, DashboardsAndRulesAskOnlyForMetricsThatThereAre) {
  // One that began after this is whole when the next has begun.
  const auto begun = to_us(system_clock().now()) / 1'000'000;
  ASSERT_TRUE(wait_for(fmt::format("timestamp(mydr24_store_commits_total) > {}", begun + 1)));
  std::set<std::string> known{"up"};
  const auto names = series_api::ask(system_->base_url() + "/api/v1/label/__name__/values");
  for (const auto name : json::Document::parse(names.body)->root()["data"]) known.emplace(name.text());
  // Those of access control, which is off here.
  for (const char* name : {"mydr24_audit_lag_seconds"}) known.emplace(name);
  std::vector<std::pair<std::string, std::string>> expressions;  // where, what
  const YAML::Node rules = YAML::LoadFile("deploy/prometheus/mydr24.rules.yml");
  for (const auto& group : rules["groups"]) {
    for (const auto& rule : group["rules"]) {
      if (rule["record"]) known.insert(rule["record"].as<std::string>());
      expressions.emplace_back("rules", rule["expr"].as<std::string>());
    }
  }
  std::size_t boards = 0;
  for (const auto& file : fs::directory_iterator("deploy/grafana")) {
    ++boards;
    const auto board = json::Document::parse(text_of(file.path()));
    ASSERT_TRUE(board) << file.path();
    for (const auto panel : board->root()["panels"])
      for (const auto target : panel["targets"])
        expressions.emplace_back(file.path().filename().string(), target["expr"].text());
  }
  EXPECT_EQ(boards, 4U);
  EXPECT_GT(expressions.size(), 40U);
  for (const auto& [where, expression] : expressions) {
    const auto node = series::parse(expression);
    ASSERT_TRUE(node) << where << ": " << expression << ": " << node.error().text;
    const auto used = series::metrics_of(**node);
    EXPECT_FALSE(used.empty());
    for (const std::string& name : used) EXPECT_TRUE(known.contains(name)) << where << ": " << name;
    const auto answer = ask(expression);
    EXPECT_EQ(answer.root()["status"].text(), "success") << where << ": " << expression << ": " << answer.root().raw();
  }
  if (!series_api::is_installed("promtool"))
    GTEST_SKIP() << "promtool is not installed: the rules are not checked by it";
  EXPECT_EQ(std::system("promtool check rules deploy/prometheus/mydr24.rules.yml > /dev/null"), 0);
}

TEST_F(History, IsNotKeptWhereItIsSwitchedOff) {
  system_.reset();
  settings_.series.mode = "off";
  open();
  EXPECT_EQ(series_api::ask(system_->base_url() + "/api/v1/query?query=up").status, 404);
}

}  // namespace
}  // namespace mydr24::server
