#include "api/alert_api/alert_api.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <atomic>

#include "api/alert_api/detail/answers.h"
#include "base/core/date_time.h"
#include "base/net/client.h"
#include "storage/store/fake_store.h"

namespace mydr24::alert_api {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view routing_yaml = R"(
route: {receiver: w, group_by: [alertname], group_wait: 1h}
receivers: [{name: w, webhook_configs: [{url: 'http://127.0.0.1:1/secret?x=y'}]}]
)";

// The routes behind a real socket, with a store in memory.
class AlertApi : public testing::Test {
 protected:
  AlertApi() {
    book_.attach(store_);
    EXPECT_TRUE(groups_.start(store_, *routing::load_config(routing_yaml)));
    service_.seen = [this](const groups::Alert& alert) { seen_.emplace_back(alert.labels["alertname"]); };
    add_routes(router_, service_);
    auto server = net::serve({}, [this](net::Exchange& exchange) { return serve(exchange); });
    EXPECT_TRUE(server);
    server_ = std::move(*server);
  }
  ~AlertApi() override {
    server_.reset();
    groups_.stop();
  }

  Task<> serve(net::Exchange& exchange) {
    const auto match = router_.match(exchange.request().method, exchange.request().path);
    if (match.route == nullptr) {
      co_await exchange.respond({.status = 404});
      co_return;
    }
    pipeline::Call call(exchange, match, match.route->request_class, "http://h", access::Access::server());
    co_await match.route->handler(call);
  }

  struct Reply {
    int status = 0;
    std::string body;
  };
  Reply ask(net::Method method, const std::string& path, std::string body = {},
            std::string_view type = "application/json", std::string_view accept = "") {
    net::ClientRequest request;
    request.method = method;
    request.url = *net::parse_url("http://127.0.0.1:" + std::to_string(server_->port()) + path);
    request.headers.emplace_back("Content-Type", type);
    if (!accept.empty()) request.headers.emplace_back("Accept", accept);
    request.body = std::move(body);
    const auto response = net::send_blocking(std::move(request));
    EXPECT_TRUE(response);
    return response ? Reply{response->status, response->body} : Reply{};
  }
  Reply get(const std::string& path) { return ask(net::Method::get, path); }
  Reply post(const std::string& path, std::string body) { return ask(net::Method::post, path, std::move(body)); }

  // Calls `on_steady` whenever somebody asks for the steady time.
  struct WatchedClock : ManualClock {
    using ManualClock::ManualClock;
    std::chrono::nanoseconds steady() const override {
      if (const auto* watch = on_steady.load()) (*watch)();
      return ManualClock::steady();
    }
    std::atomic<const std::function<void()>*> on_steady = nullptr;
  };

  WatchedClock clock_{from_us(1'790'000'000'000'000)};
  store::FakeStore store_{clock_};
  const oncall::Directory directory_ = *oncall::Directory::make({});
  alerts::Book book_{directory_};
  WorkerPool workers_{1};
  groups::Groups groups_{book_, clock_, {}};
  Service service_{groups_, store_, book_, workers_, clock_, [] { return routing::load_config(routing_yaml); },
                   "",      "0"};
  pipeline::Router router_;
  std::vector<std::string> seen_;
  std::unique_ptr<net::Server> server_;
};

TEST_F(AlertApi, WhatWasPostedIsListedAtOnce) {
  EXPECT_EQ(get("/api/v2/alerts").body, "[]\n");
  EXPECT_EQ(post("/api/v2/alerts", R"([{"labels":{"alertname":"a","x":"1"}},{"labels":{"alertname":"b"}}])").status,
            200);
  EXPECT_EQ(seen_, (std::vector<std::string>{"a", "b"}));
  EXPECT_NE(get("/api/v2/alerts?filter=x=1").body.find(R"("labels":{"alertname":"a","x":"1"})"), std::string::npos);
  EXPECT_EQ(get("/api/v2/alerts?filter=x=1&filter=alertname=b").body, "[]\n");
  EXPECT_EQ(get("/api/v2/alerts?receiver=other").body, "[]\n");
  EXPECT_EQ(get("/api/v2/alerts?active=false").body, "[]\n");
  EXPECT_NE(get("/api/v2/alerts/groups").body.find(R"("labels":{"alertname":"b"},"receiver":{"name":"w"})"),
            std::string::npos);
}

TEST_F(AlertApi, AnEmergencyHasItsTurnWhileALongListingIsMade) {
  constexpr int count = 5'000;
  std::string body = "[";
  for (int i = 0; i < count; ++i) body += fmt::format(R"({}{{"labels":{{"alertname":"a{}"}}}})", i == 0 ? "" : ",", i);
  ASSERT_EQ(post("/api/v2/alerts", body + "]").status, 200);
  for (const std::string path : {"/api/v2/alerts", "/api/v2/alerts/groups"}) {
    const auto known = groups_.counters().known.load();
    std::atomic<int> looks = 0;
    std::atomic<int> looks_before_it = 0;
    const std::function<void()> watch = [&] {
      const int look = ++looks;
      if (look == 1) {
        const Instant now = clock_.now();
        groups_.take_later({groups::Alert{.labels = routing::Labels({{"alertname", path}, {"severity", "emergency"}}),
                                          .starts_at = now,
                                          .ends_at = now + std::chrono::minutes(5),
                                          .updated_at = now}});
      }
      if (looks_before_it == 0 && groups_.counters().known > known) looks_before_it = look;
    };
    clock_.on_steady = &watch;
    const Reply listing = get(path);
    clock_.on_steady = nullptr;
    EXPECT_GT(looks_before_it, 0) << "the listing was still being made when it was known";
    std::size_t listed = 0;
    for (std::size_t at = 0; (at = listing.body.find("\"fingerprint\"", at)) != std::string::npos; ++at) ++listed;
    EXPECT_GE(listed, static_cast<std::size_t>(count));
    EXPECT_TRUE(json::Document::parse(listing.body, {.values_max = 1'000'000}));
    EXPECT_TRUE(groups_.settle());
  }
}

TEST_F(AlertApi, AFullStoreIsNever200) {
  store_.refuse_writes = 1;
  EXPECT_EQ(post("/api/v2/alerts", R"([{"labels":{"alertname":"a"}}])").status, 503);
  EXPECT_EQ(get("/api/v2/alerts").body, "[]\n");
}

TEST_F(AlertApi, OnlyJsonIsTaken) {
  for (const char* path : {"/api/v2/alerts", "/api/v2/silences", "/api/v1/events/alertmanager"})
    EXPECT_EQ(ask(net::Method::post, path, "[]", "text/plain").status, 415) << path;
}

TEST_F(AlertApi, TheStatusHoldsAConfigurationThatCanBeRead) {
  const Reply status = get("/api/v2/status");
  const auto document = json::Document::parse(status.body);
  ASSERT_TRUE(document);
  EXPECT_TRUE(routing::load_config(document->root()["config"]["original"].text()));
  EXPECT_EQ(get("/api/v2/receivers").body, R"([{"name":"w"}])");
  EXPECT_EQ(post("/-/reload", "").status, 200);
}

TEST_F(AlertApi, AReloadThatFailsSaysWhereAndChangesNothing) {
  service_.load_config = [] { return routing::load_config("route: {receiver: x}\n"); };
  const Reply reload = post("/-/reload", "");
  EXPECT_EQ(reload.status, 500);
  EXPECT_NE(reload.body.find("line 1: route.receiver"), std::string::npos) << reload.body;
  EXPECT_EQ(get("/api/v2/receivers").body, R"([{"name":"w"}])");
}

TEST_F(AlertApi, AWebhookOfAnotherAlertmanagerIsTaken) {
  EXPECT_EQ(
      post(
          "/api/v1/events/alertmanager",
          R"({"version":"4","alerts":[{"status":"firing","labels":{"alertname":"a"},"endsAt":"0001-01-01T00:00:00Z"}]})")
          .status,
      200);
  EXPECT_NE(get("/api/v2/alerts").body.find("\"alertname\":\"a\""), std::string::npos);
  EXPECT_EQ(post("/api/v1/events/alertmanager", R"({"version":"3"})").status, 400);
}

TEST_F(AlertApi, TheGenericWebhookSaysWhetherAnAlertIsNew) {
  const auto form = [&](std::string body) {
    return ask(net::Method::post, "/api/v1/events/generic", std::move(body), "application/x-www-form-urlencoded",
               "application/json");
  };
  EXPECT_EQ(form("summary=full").body, R"({"DedupKey":"full","IsNew":true,"IsOpen":true})");
  EXPECT_EQ(form("summary=full").body, R"({"DedupKey":"full","IsNew":false,"IsOpen":true})");
  EXPECT_EQ(form("summary=full&action=close").body, R"({"DedupKey":"full","IsNew":false,"IsOpen":false})");
  EXPECT_EQ(form("action=dance&summary=x").status, 400);
}

TEST_F(AlertApi, APagerDutyEventThatIsTooLargeIsRefusedInItsForm) {
  const Reply reply = post("/v2/enqueue", std::string(600 << 10, ' '));
  EXPECT_EQ(reply.status, 413);
  EXPECT_NE(reply.body.find("invalid event"), std::string::npos);
}

TEST_F(AlertApi, ASilenceIsProposedByOneAndDecidedByAnother) {
  const auto silence = [&](std::string_view by) {
    return fmt::format(
        R"({{"matchers":[{{"name":"alertname","value":".+","isRegex":true}}],"startsAt":"{}","endsAt":"{}","createdBy":"{}","comment":"c"}})",
        format_instant(clock_.now()), format_instant(clock_.now() + 2h), by);
  };
  const std::string path = "/api/v1/silences/proposals";
  const auto propose = [&] {
    const Reply reply = post(path, silence("ann"));
    EXPECT_EQ(reply.status, 201) << reply.body;
    const auto document = json::Document::parse(reply.body);
    return path + "/" + std::string(document->root()["id"].text());
  };
  const std::string first = propose();
  EXPECT_NE(get(path).body.find(R"("proposals":[{"id":")"), std::string::npos);
  EXPECT_EQ(post(first + "/approve", R"({"by":"ann"})").status, 403);
  EXPECT_EQ(post(first + "/approve", "[]").status, 400);
  EXPECT_EQ(post(first + "/approve", R"({"by":"ben"})").status, 200);
  EXPECT_NE(get("/api/v2/silences").body.find(R"("createdBy":"ann","approvedBy":"ben")"), std::string::npos);
  EXPECT_EQ(post(first + "/approve", R"({"by":"eve"})").status, 404);

  const std::string second = propose();
  EXPECT_EQ(post(second + "/decline", R"({"by":"ben"})").status, 400) << "why?";
  EXPECT_EQ(post(second + "/decline", R"({"by":"ben","reason":"not now"})").status, 200);
  EXPECT_NE(get(path).body.find(R"("declined_by":"ben","reason":"not now")"), std::string::npos);
  EXPECT_EQ(post(second + "/approve", R"({"by":"eve"})").status, 409);
  EXPECT_EQ(ask(net::Method::del, second + "?by=eve").status, 403);
  EXPECT_EQ(ask(net::Method::del, second + "?by=ann").status, 200);
  EXPECT_EQ(get(path).body, R"({"schema":"mydr24.silence-proposals.v1","proposals":[]})");
  EXPECT_EQ(post(path, R"({"matchers":[]})").status, 422);
  store_.refuse_writes = 1;
  EXPECT_EQ(post(path, silence("ann")).status, 503);
}

TEST_F(AlertApi, ActionabilityAndResolvingAreForTheDesk) {
  EXPECT_EQ(post("/api/v2/alerts", R"([{"labels":{"alertname":"Down","severity":"emergency"}}])").status, 200);
  std::string id;
  ASSERT_TRUE(store_.read([&](store::Reader& reader) -> Result<> {
    MYDR24_ASSIGN(const auto page, alerts::Book::list(reader, {}));
    id = page.alerts.at(0).id;
    return {};
  }));
  EXPECT_EQ(post("/api/v1/alerts/" + id + "/resolve", R"({"why":"done"})").status, 400);
  EXPECT_EQ(post("/api/v1/alerts/" + id + "/resolve", R"({"by":"ada","why":"done"})").status, 200);
  EXPECT_EQ(post("/api/v1/alerts/none/resolve", R"({"by":"ada"})").status, 404);
  EXPECT_EQ(get("/api/v1/alerts/actionability").body,
            R"({"schema":"mydr24.actionability.v1","days":30,"rules":[{"rule":"Down","fired":1,"acknowledged":0,)"
            R"("led_to_action":0,"auto_resolved":1,"questionable":false}]})");
  EXPECT_EQ(get("/api/v1/alerts/actionability?days=0").status, 400);
}

TEST(SplitArray, FindsItemsWithoutReadingThem) {
  const auto split = [](std::string_view text) { return split_array(text); };
  EXPECT_EQ(split(" [] ")->size(), 0U);
  EXPECT_EQ(*split(R"([{"a":[1,2]},"x,]\"",3])"), (std::vector<std::string_view>{R"({"a":[1,2]})", R"("x,]\"")", "3"}));
  EXPECT_EQ(split("[1,]")->size(), 2U);
  for (const std::string_view wrong : {"", "{}", "[", "[{]", "[\"]", "[}{]", "[]]"})
    EXPECT_FALSE(split(wrong)) << wrong;
}

}  // namespace
}  // namespace mydr24::alert_api
