// Real peers: amtool and Prometheus work against us; the real Alertmanager sends to us.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <atomic>

#include "alertmanager/target.h"

namespace mydr24::alertmanager {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view one_hook = R"(
route: {{receiver: default, group_by: [alertname], group_wait: 1s, group_interval: 1s, repeat_interval: 1h,
  routes: [{{match: {{team: er}}, receiver: er, continue: true}}, {{match: {{team: er}}, receiver: default}}]}}
receivers: [{{name: default, webhook_configs: [{{url: '{}'}}]}}, {{name: er}}]
)";

class Amtool : public testing::Test {
 protected:
  void SetUp() override {
    if (!has_program("amtool")) GTEST_SKIP() << "amtool is not installed";
    // amtool 0.25 knows the classic grammar only.
    target_ = start_ours({.config = fmt::format(one_hook, hooks_.url("hook")), .settings = "matchers = \"classic\""});
  }
  load::Finished amtool(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"amtool", "--alertmanager.url=" + target_->url()});
    return load::run_command(arguments);
  }
  Hooks hooks_;
  std::unique_ptr<Target> target_;
};

TEST_F(Amtool, AddsAndQueriesAlerts) {
  EXPECT_EQ(amtool({"alert", "add", "alertname=disk", "ward=A", "--annotation=summary=full"}).exit_code, 0);
  EXPECT_EQ(amtool({"alert", "add", "bare", "ward=B"}).exit_code, 0);
  EXPECT_NE(amtool({"alert", "query"}).out.find("disk"), std::string::npos);
  EXPECT_NE(amtool({"alert", "query", "bare"}).out.find("bare"), std::string::npos);
  for (const char* query : {"disk", "alertname=disk", "ward=~\"A|C\""}) {
    const auto ran = amtool({"alert", "query", query});
    EXPECT_EQ(ran.exit_code, 0) << ran.err;
    EXPECT_NE(ran.out.find("disk"), std::string::npos) << query << ran.out;
    EXPECT_EQ(ran.out.find("bare"), std::string::npos) << query << ran.out;
  }
  // A name by amtool 0.25's own reading, against the real one too; a label of that name is refused.
  EXPECT_EQ(amtool({"alert", "add", "{foo=bar}"}).exit_code, 0);
  EXPECT_EQ(amtool({"alert", "add", "disk", "{foo=bar"}).exit_code, 1);
}

TEST_F(Amtool, AddsUpdatesExpiresExportsAndImportsSilences) {
  auto added = amtool({"silence", "add", "alertname=disk", "--author=ada", "--comment=new disk"});
  ASSERT_EQ(added.exit_code, 0) << added.err;
  const std::string id = added.out.substr(0, added.out.find('\n'));
  EXPECT_NE(amtool({"silence", "query"}).out.find(id), std::string::npos);
  EXPECT_NE(amtool({"silence", "query", "disk"}).out.find(id), std::string::npos);
  EXPECT_EQ(amtool({"silence", "query", "other"}).out.find(id), std::string::npos);
  const auto updated = amtool({"silence", "update", id, "--duration=2h", "--comment=longer"});
  EXPECT_EQ(updated.exit_code, 0) << updated.err;
  EXPECT_NE(updated.out.find("longer"), std::string::npos) << updated.out;
  const auto exported = amtool({"silence", "query", "-o", "json"});
  EXPECT_NE(exported.out.find("longer"), std::string::npos);
  EXPECT_EQ(amtool({"silence", "expire", id}).exit_code, 0);
  EXPECT_EQ(amtool({"silence", "query"}).out.find(id), std::string::npos);
  EXPECT_NE(amtool({"silence", "query", "--expired"}).out.find(id), std::string::npos);

  load::TempFolder folder;
  const std::string file = (folder.path() / "silences.json").string();
  // One that is good, and one that matches nothing but the empty string.
  load::write_text(file, R"([{"matchers":[{"name":"a","value":"good","isRegex":false,"isEqual":true}],
    "startsAt":"2026-01-01T00:00:00Z","endsAt":"2036-01-01T00:00:00Z","createdBy":"me","comment":"imported"},
    {"matchers":[{"name":"a","value":"","isRegex":false,"isEqual":true}],
    "startsAt":"2026-01-01T00:00:00Z","endsAt":"2036-01-01T00:00:00Z","createdBy":"me","comment":"bad"}])");
  const auto imported = amtool({"silence", "import", file});
  // Not by its exit code: amtool may end before it has counted what failed.
  const auto silences = amtool({"silence", "query"}).out;
  EXPECT_NE(silences.find("imported"), std::string::npos) << imported.err;
  EXPECT_EQ(silences.find("bad"), std::string::npos) << imported.err;
}

TEST_F(Amtool, ReadsOurConfigurationAndTestsRoutes) {
  const auto shown = amtool({"config", "show"});
  EXPECT_EQ(shown.exit_code, 0) << shown.err;
  EXPECT_NE(shown.out.find("receiver: er"), std::string::npos) << shown.out;
  EXPECT_EQ(amtool({"config", "routes", "show"}).exit_code, 0);
  EXPECT_EQ(amtool({"config", "routes", "test", "team=er"}).out, "er,default\n");
  EXPECT_EQ(amtool({"config", "routes", "test", "team=other"}).out, "default\n");
  EXPECT_EQ(amtool({"config", "routes", "test", "--verify.receivers=er,default", "team=er"}).exit_code, 0);
  EXPECT_EQ(amtool({"cluster", "show"}).exit_code, 0);
}

TEST(RealAlertmanager, SendsItsWebhookToUsAndPagesWithTheCommonAlertname) {
  if (!real_alertmanager()) GTEST_SKIP() << "prometheus-alertmanager is not installed";
  const auto ours = start_ours({.config = "route: {receiver: people, group_wait: 0s, group_by: [alertname]}\n"
                                          "receivers: [{name: people, oncall_configs: [{}]}]\n"});
  const auto real = start_real(
      {.config = fmt::format("route: {{receiver: w, group_wait: 0s, group_interval: 1s, group_by: [alertname]}}\n"
                             "receivers: [{{name: w, webhook_configs: [{{url: '{}/api/v1/events/alertmanager'}}]}}]\n",
                             ours->url())});
  const auto post = [&](const std::string& body) {
    return call(net::Method::post, real->url() + "/api/v2/alerts", body);
  };
  EXPECT_EQ(post(R"([{"labels":{"alertname":"InstanceDown","i":"1"}},{"labels":{"alertname":"InstanceDown","i":"2"}}])")
                .status,
            200);
  const auto open = [&] { return call(net::Method::get, ours->url() + "/api/v1/alerts").body; };
  EXPECT_TRUE(eventually([&] { return open().find("\"title\":\"InstanceDown\"") != std::string::npos; }, 5s)) << open();
}

TEST(RealAlertmanager, SendsPagerDutyEventsToUs) {
  if (!real_alertmanager()) GTEST_SKIP() << "prometheus-alertmanager is not installed";
  const auto ours = start_ours({.config = "route: {receiver: people, group_wait: 0s, group_interval: 1s}\n"
                                          "receivers: [{name: people, oncall_configs: [{}]}]\n"});
  const auto real = start_real(
      {.config = fmt::format("route: {{receiver: p, group_wait: 0s, group_interval: 1s, group_by: [alertname]}}\n"
                             "receivers: [{{name: p, pagerduty_configs: [{{routing_key: '0123', url: '{}/v2/enqueue',"
                             "severity: error, class: Disk}}]}}]\n",
                             ours->url())});
  const auto listed = [&](std::string_view path, std::string_view text) {
    return eventually(
        [&] { return call(net::Method::get, ours->url() + std::string(path)).body.find(text) != std::string::npos; },
        6s);
  };
  EXPECT_EQ(call(net::Method::post, real->url() + "/api/v2/alerts", R"([{"labels":{"alertname":"Full"}}])").status,
            200);
  EXPECT_TRUE(listed("/api/v1/alerts", "\"title\":\"Disk\""));
  EXPECT_EQ(
      call(net::Method::post, real->url() + "/api/v2/alerts",
           R"([{"labels":{"alertname":"Full"},"startsAt":"2026-01-01T00:00:00Z","endsAt":"2026-01-01T00:00:01Z"}])")
          .status,
      200);
  EXPECT_TRUE(listed("/api/v1/alerts?state=resolved", "\"title\":\"Disk\""));
}

// A target that Prometheus scrapes: up while it answers.
class Scraped {
 public:
  Scraped() {
    auto server = net::serve({}, [this](net::Exchange& exchange) -> Task<> {
      net::Response response{.status = 200, .content_type = "text/plain; version=0.0.4"};
      response.body = fmt::format("ward_load {}\n", value.load());
      co_await exchange.respond(std::move(response));
    });
    server_ = std::move(*server);
  }
  int port() const { return server_->port(); }
  std::atomic<int> value = 0;

 private:
  std::unique_ptr<net::Server> server_;
};

TEST(Prometheus, FiresResendsAndResolvesThroughUs) {
  if (!has_program("prometheus")) GTEST_SKIP() << "prometheus is not installed";
  Hooks hooks;
  const auto ours = start_ours({.config = fmt::format(one_hook, hooks.url("hook"))});
  Scraped scraped;
  load::TempFolder folder;
  const auto write = [&](const char* name, const std::string& text) {
    load::write_text(folder.path() / name, text);
    return (folder.path() / name).string();
  };
  const std::string rules = write("rules.yml",
                                  "groups: [{name: g, rules: [{alert: WardFull, expr: ward_load > 0, for: 1s, "
                                  "labels: {severity: warning}, annotations: {summary: full}}]}]\n");
  const std::string config =
      write("prometheus.yml",
            fmt::format("global: {{scrape_interval: 1s, evaluation_interval: 1s}}\n"
                        "rule_files: ['{}']\n"
                        "alerting: {{alertmanagers: [{{static_configs: [{{targets: ['{}']}}], api_version: v2}}]}}\n"
                        "scrape_configs: [{{job_name: w, static_configs: [{{targets: ['127.0.0.1:{}']}}]}}]\n",
                        rules, ours->url().substr(7), scraped.port()));
  Child prometheus({"prometheus", "--config.file=" + config, "--storage.tsdb.path=" + (folder.path() / "tsdb").string(),
                    "--web.listen-address=127.0.0.1:0", "--rules.alert.resend-delay=2s"},
                   folder.path() / "log");
  scraped.value = 1;
  ASSERT_TRUE(hooks.wait(1, 20s)) << "it fires";
  EXPECT_NE(hooks.arrivals()[0].body.find("\"alertname\":\"WardFull\""), std::string::npos);
  const auto alerts = [&] { return call(net::Method::get, ours->url() + "/api/v2/alerts").body; };
  const auto updated = [&] {
    const std::string body = alerts();
    const auto at = body.find("\"updatedAt\"");
    return at == std::string::npos ? std::string() : body.substr(at, 40);
  };
  const std::string first = updated();
  EXPECT_TRUE(eventually([&] { return !updated().empty() && updated() != first; }, 10s)) << "it is sent again";
  EXPECT_EQ(hooks.arrivals().size(), 1U) << "and not told again";
  scraped.value = 0;
  ASSERT_TRUE(hooks.wait(2, 20s)) << "it resolves";
  EXPECT_NE(hooks.arrivals()[1].body.find("\"status\":\"resolved\""), std::string::npos);

  // Prometheus dies while the alert fires: it ends by itself at its endsAt, four evaluations or resends later, and not
  // before.
  scraped.value = 1;
  ASSERT_TRUE(hooks.wait(3, 20s));
  std::string before;
  EXPECT_TRUE(eventually([&] { return !(before = updated()).empty() && before != first; }, 5s));
  const std::string body = alerts();
  const auto document = json::Document::parse(body);
  ASSERT_TRUE(document);
  prometheus.stop();
  const auto killed = Hooks::Clock::now();
  ASSERT_TRUE(hooks.wait(4, 20s)) << "it ends without Prometheus";
  EXPECT_NE(hooks.arrivals()[3].body.find("\"status\":\"resolved\""), std::string::npos);
  EXPECT_GT(hooks.arrivals()[3].at - killed, 4s)
      << "four times two seconds after it was sent, sent at most two seconds before";
}

}  // namespace
}  // namespace mydr24::alertmanager
