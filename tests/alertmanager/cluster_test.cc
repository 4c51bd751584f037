// Three servers on one PostgreSQL, as Prometheus would use them: each may get every alert, one of them tells.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <thread>

#include "alertmanager/target.h"
#include "base/core/date_time.h"
#include "storage/postgres/throwaway.h"
#include "support/live.h"

namespace mydr24::alertmanager {
namespace {

using namespace std::chrono_literals;

class Cluster : public testing::Test {
 protected:
  void SetUp() override {
    auto* const postgres = postgres::shared_server();
    if (postgres == nullptr) GTEST_SKIP() << "PostgreSQL 15 is not installed: ./dev setup";
    load::write_text(
        folder_.path() / "am.yml",
        fmt::format("global: {{resolve_timeout: 4s}}\n"
                    "route: {{receiver: w, group_by: [alertname], group_wait: 500ms, group_interval: 1s}}\n"
                    "receivers: [{{name: w, webhook_configs: [{{url: '{}'}}]}}]\n",
                    hooks_.url("w")));
    const auto config = fmt::format("[alerting]\nrouting = \"{}\"\n[store]\nurl = \"{}\"\n",
                                    (folder_.path() / "am.yml").string(), postgres->url(postgres->lend_database()));
    for (int i = 0; i < 3; ++i) {
      auto server =
          load::Server::start({.binary = live::binary(), .data = folder_.path() / std::to_string(i), .config = config});
      ASSERT_TRUE(server) << server.error().text;
      servers_.push_back(std::move(*server));
    }
  }

  std::string url(std::size_t server) const {
    return fmt::format("http://127.0.0.1:{}", servers_.at(server).endpoint().port);
  }
  void post(std::size_t server, std::string_view name, std::string_view more = "") {
    const auto reply = call(net::Method::post, url(server) + "/api/v2/alerts",
                            fmt::format(R"([{{"labels":{{"alertname":"{}","severity":"warning"}}{}}}])", name, more));
    EXPECT_EQ(reply.status, 200) << reply.body;
  }
  // What was told: "firing NAME" or "resolved NAME", in order. A server may be killed after it told and before that is
  // on disk: what is told again and says so counts once.
  std::vector<std::string> told() {
    std::vector<std::string> all;
    for (const auto& arrival : hooks_.arrivals()) {
      const auto document = json::Document::parse(arrival.body);
      const auto root = document->root();
      auto text = fmt::format("{} {}", root["status"].text(), root["groupLabels"]["alertname"].text());
      const bool says_so = arrival.headers.find("X-MyDR24-Maybe-Repeated") != std::string::npos;
      if (!says_so || std::ranges::find(all, text) == all.end()) all.push_back(std::move(text));
    }
    return all;
  }
  // How many alerts the server shows.
  std::size_t shown(std::size_t server) const {
    const auto reply = call(net::Method::get, url(server) + "/api/v2/alerts");
    const auto document = json::Document::parse(reply.body);
    return document ? document->root().size() : 0;
  }

  load::TempFolder folder_;
  Hooks hooks_;
  std::vector<load::Server> servers_;
};

using Told = std::vector<std::string>;

TEST_F(Cluster, AnAlertThatAllServersGetIsToldOnceAndShownByAll) {
  for (std::size_t i = 0; i < 3; ++i) post(i, "Disk");
  EXPECT_TRUE(eventually([&] { return !told().empty(); }, 5s));
  std::this_thread::sleep_for(2s);
  EXPECT_EQ(told(), Told{"firing Disk"});
  for (std::size_t i = 0; i < 3; ++i) EXPECT_TRUE(eventually([&] { return shown(i) == 1; }, 3s)) << i;
}

TEST_F(Cluster, AnAlertThatOneServerGetsIsToldWhicheverThatIs) {
  for (std::size_t i = 0; i < 3; ++i) {
    const auto name = fmt::format("Only{}", i);
    post(i, name);
    EXPECT_TRUE(eventually([&] { return told().size() == i + 1; }, 5s)) << name;
  }
  EXPECT_EQ(told(), (Told{"firing Only0", "firing Only1", "firing Only2"}));
}

TEST_F(Cluster, AnAlertThatIsSentAgainToAnotherServerGoesOn) {
  for (std::size_t i = 0; i < 8; ++i) {
    post(i % 3, "Disk");
    std::this_thread::sleep_for(1s);
  }
  EXPECT_EQ(told(), Told{"firing Disk"});
  EXPECT_TRUE(eventually([&] { return told().size() == 2; }, 8s)) << "and ends when nobody sends it any more";
  EXPECT_EQ(told(), (Told{"firing Disk", "resolved Disk"}));
}

TEST_F(Cluster, ASilenceHoldsAtAllServersWhereverItWasMade) {
  for (std::size_t i = 0; i < 3; ++i) {
    const auto name = fmt::format("Quiet{}", i);
    const auto reply =
        call(net::Method::post, url(i) + "/api/v2/silences",
             fmt::format(R"({{"matchers":[{{"name":"alertname","value":"{}","isRegex":false}}],"startsAt":"{}",)"
                         R"("endsAt":"{}","createdBy":"ann","comment":"known"}})",
                         name, format_instant(system_clock().now()), format_instant(system_clock().now() + 10min)));
    ASSERT_EQ(reply.status, 200) << reply.body;
    for (std::size_t j = 0; j < 3; ++j) post(j, name);
  }
  post(0, "Loud");
  EXPECT_TRUE(eventually([&] { return !told().empty(); }, 5s));
  std::this_thread::sleep_for(2s);
  EXPECT_EQ(told(), Told{"firing Loud"});
  for (std::size_t i = 0; i < 3; ++i) {
    const auto document = json::Document::parse(call(net::Method::get, url(i) + "/api/v2/silences").body);
    ASSERT_TRUE(document);
    EXPECT_EQ(document->root().size(), 3U) << i;
  }
}

TEST_F(Cluster, WhenServersAreKilledTheOthersGoOnAndTellNothingTwice) {
  post(0, "Old", fmt::format(R"(,"endsAt":"{}")", format_instant(system_clock().now() + 1h)));
  ASSERT_TRUE(eventually([&] { return told().size() == 1; }, 5s));
  servers_[0].kill();
  post(1, "New1", fmt::format(R"(,"endsAt":"{}")", format_instant(system_clock().now() + 1h)));
  ASSERT_TRUE(eventually([&] { return told().size() == 2; }, 10s));
  servers_[1].kill();
  post(2, "New2", fmt::format(R"(,"endsAt":"{}")", format_instant(system_clock().now() + 1h)));
  ASSERT_TRUE(eventually([&] { return told().size() == 3; }, 10s));
  post(2, "Old", fmt::format(R"(,"endsAt":"{}")", format_instant(system_clock().now())));
  EXPECT_TRUE(eventually([&] { return told().size() == 4; }, 5s));
  std::this_thread::sleep_for(1s);
  EXPECT_EQ(told(), (Told{"firing Old", "firing New1", "firing New2", "resolved Old"}));
}

}  // namespace
}  // namespace mydr24::alertmanager
