// Many alerts at once: they are taken, and emergencies pass.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <thread>

#include "alertmanager/target.h"
#include "support/live.h"

namespace mydr24::alertmanager {
namespace {

using namespace std::chrono_literals;

std::string alerts_body(int count) {
  std::string body = "[";
  for (int i = 0; i < count; ++i)
    body += fmt::format(
        "{}{{\"labels\":{{\"alertname\":\"Storm{}\",\"severity\":\"warning\",\"ward\":\"W{}\",\"instance\":"
        "\"10.0.{}.{}:9100\",\"job\":\"node\",\"n\":\"{}\"}},\"annotations\":{{\"summary\":\"disk of {} is "
        "nearly full\"}},\"generatorURL\":\"http://prometheus.example/graph?g0.expr=x\"}}",
        i > 0 ? "," : "", i % 50, i % 40, i / 256 % 256, i % 256, i, i);
  return body + "]";
}

double seconds_since(Hooks::Clock::time_point begin) {
  return std::chrono::duration<double>(Hooks::Clock::now() - begin).count();
}

class Storm : public testing::Test {
 protected:
  Storm() : live_(make_config()) {}
  std::string make_config() {
    load::write_text(folder_.path() / "am.yml",
                     fmt::format("route: {{receiver: w, group_by: [alertname], group_wait: 1s, group_interval: 5s,\n"
                                 "  routes: [{{match: {{severity: emergency}}, receiver: e, group_by: ['...']}}]}}\n"
                                 "receivers: [{{name: w, webhook_configs: [{{url: '{}'}}]}},\n"
                                 "  {{name: e, webhook_configs: [{{url: '{}'}}]}}]\n",
                                 hooks_.url("storm"), hooks_.url("emergency")));
    return fmt::format("[alerting]\nrouting = \"{}\"\n", (folder_.path() / "am.yml").string());
  }
  std::string url() { return fmt::format("http://127.0.0.1:{}", live_.server().endpoint().port); }
  int count() {
    const Reply reply = call(net::Method::get, url() + "/api/v2/alerts");
    const auto document = json::Document::parse(reply.body);
    return document ? static_cast<int>(document->root().size()) : -1;
  }

  load::TempFolder folder_;
  Hooks hooks_;
  live::Live live_;
};

TEST_F(Storm, TenThousandAlertsInOneMessageAreOnDiskWithinASecond) {
  const std::string body = alerts_body(10'000);
  const auto begin = Hooks::Clock::now();
  const Reply reply = call(net::Method::post, url() + "/api/v2/alerts", body);
  const double took = seconds_since(begin);
  EXPECT_EQ(reply.status, 200) << reply.body;
  fmt::print("10000 alerts: {:.3f} s\n", took);
  if (std::getenv("MYDR24_MEASURE") != nullptr) EXPECT_LT(took, 1.0);
  live_.server().kill();
  live_.restart();
  EXPECT_EQ(count(), 10'000);
}

TEST_F(Storm, EmergenciesPassWhileFiftyThousandAlertsAreTaken) {
  const std::string body = alerts_body(50'000);
  std::atomic<bool> done = false;
  double storm_s = 0;
  std::thread storm([&] {
    const auto begin = Hooks::Clock::now();
    EXPECT_EQ(call(net::Method::post, url() + "/api/v2/alerts", body).status, 200);
    storm_s = seconds_since(begin);
    done = true;
  });
  std::vector<Hooks::Clock::time_point> sent;
  for (int i = 0; i < 40; ++i) {
    sent.push_back(Hooks::Clock::now());
    const Reply reply =
        call(net::Method::post, url() + "/api/v2/alerts",
             fmt::format(R"([{{"labels":{{"alertname":"Down","severity":"emergency","n":"{}"}}}}])", i));
    EXPECT_EQ(reply.status, 200);
    std::this_thread::sleep_until(sent.back() + 100ms);
  }
  storm.join();
  const auto emergencies = [&] {
    std::vector<Hooks::Arrival> all = hooks_.arrivals();
    std::erase_if(all, [](const Hooks::Arrival& arrival) { return arrival.hook != "emergency"; });
    return all;
  };
  ASSERT_TRUE(eventually([&] { return emergencies().size() >= 40; }, 10s));
  std::vector<double> latencies;
  for (const auto& arrival : emergencies()) {
    const auto document = json::Document::parse(arrival.body);
    const int n = std::atoi(std::string(document->root()["alerts"].at(0)["labels"]["n"].text()).c_str());
    latencies.push_back(std::chrono::duration<double>(arrival.at - sent.at(static_cast<std::size_t>(n))).count());
  }
  std::ranges::sort(latencies);
  const double p50 = latencies[latencies.size() / 2];
  const double p99 = latencies[static_cast<std::size_t>(std::ceil(0.99 * static_cast<double>(latencies.size()))) - 1];
  const double rss = live_.server().rss_max_mb();
  fmt::print(
      "50000 alerts in {:.2f} s; emergencies to the webhook p50 {:.0f} ms, p99 {:.0f} ms, max {:.0f} ms; RSS {:.0f} "
      "MB\n",
      storm_s, p50 * 1e3, p99 * 1e3, latencies.back() * 1e3, rss);
  EXPECT_EQ(emergencies().size(), 40U) << "each once";
#if !__has_feature(address_sanitizer) && !__has_feature(thread_sanitizer)
  EXPECT_LT(rss, 300);
#endif
  EXPECT_LT(latencies.back(), 2.0);
  if (std::getenv("MYDR24_MEASURE") != nullptr) {
    EXPECT_LT(p99, 0.1);
    EXPECT_LT(latencies.back(), 0.5);
  }
}

}  // namespace
}  // namespace mydr24::alertmanager
