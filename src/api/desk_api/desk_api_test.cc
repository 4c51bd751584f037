#include "api/desk_api/desk_api.h"

#include <gtest/gtest.h>

#include <regex>
#include <set>

#include "api/desk_api/page.h"
#include "base/json/document.h"
#include "storage/store/fake_store.h"

namespace mydr24::desk_api {
namespace {

class SentHeaders : public net::Headers {
 public:
  std::string_view operator[](std::string_view name) const override {
    return name == "Content-Type" ? std::string_view(content_type) : std::string_view();
  }
  std::string content_type = "application/json";
};

// One request without a socket.
class LocalExchange : public net::Exchange {
 public:
  LocalExchange(net::Request request, std::string body) : request_(request), body_(std::move(body)) {}
  const net::Request& request() const override { return request_; }
  Task<Result<std::string>> read_body(std::size_t bytes_max) override {
    if (body_.size() > bytes_max) co_return fail(Code::too_large, "too long");
    co_return body_;
  }
  Task<Result<std::string_view>> read_some() override { co_return std::string_view(); }
  Task<> respond(net::Response response) override {
    answer = std::move(response);
    co_return;
  }
  Task<Result<>> begin_stream(net::Response head) override {
    answer = std::move(head);
    co_return Result<>();
  }
  Task<Result<>> write(std::string_view piece) override {
    streamed += piece;
    co_return Result<>();
  }
  Task<Result<>> finish() override { co_return Result<>(); }
  bool draining() const override { return true; }
  Task<> sleep(std::chrono::milliseconds) override { co_return; }

  net::Response answer{.status = 0};
  std::string streamed;

 private:
  net::Request request_;
  std::string body_;
};

class Routed : public testing::Test {
 protected:
  LocalExchange ask(net::Method method, std::string_view path, std::string_view query = "", std::string body = "") {
    LocalExchange exchange({.method = method, .path = path, .query = query, .headers = &headers}, std::move(body));
    const auto match = router.match(method, path);
    EXPECT_NE(match.route, nullptr) << path;
    if (match.route == nullptr) return exchange;
    pipeline::Call call(exchange, match, match.route->request_class, "http://h", access::Access::server());
    asio::io_context context;
    asio::co_spawn(context.get_executor(), match.route->handler(call), asio::detached);
    context.run();
    return exchange;
  }
  std::set<std::string> table() const {
    std::set<std::string> rows;
    for (const auto& route : router.routes()) {
      EXPECT_TRUE(route.handler && !route.interaction.empty()) << route.pattern;
      EXPECT_TRUE(rows.insert(std::string(net::to_string(route.method)) + ' ' + route.pattern).second)
          << route.pattern << " was added twice";
    }
    return rows;
  }
  SentHeaders headers;
  pipeline::Router router;
  WorkerPool workers{1};
};

class DeskTest : public Routed {
 protected:
  DeskTest() { add_routes(router, desk); }
  std::string raise() {
    std::string id;
    EXPECT_TRUE(store.write(RequestClass::emergency, [&](store::Transaction& transaction) -> Result<> {
      MYDR24_ASSIGN(const auto raised,
                    book.raise(transaction, {"vitals", "vitals/Patient/1", alerts::Severity::emergency, "Patient/1",
                                             "Early warning score: high", "NEWS2 9", ""}));
      id = raised.id;
      return {};
    }));
    return id;
  }

  ManualClock clock{from_us(1'700'000'000'000'000)};
  store::FakeStore store{clock};
  oncall::Directory directory = *oncall::Directory::make(
      {.contacts = {{"nurse", {{notify::Kind::webhook, "http://127.0.0.1:1/nurse", "s"}}}}, .steps = {{{"nurse"}}}});
  alerts::Book book{directory};
  notify::ConsoleHub hub{clock};
  alerts::Dispatcher dispatcher{directory, clock, hub};
  vitals::Watch watch{book};
  Desk desk{store, book, dispatcher, hub, watch, workers, clock};
};

TEST_F(DeskTest, TheTableOfRoutesIsComplete) {
  const std::set<std::string> expected{"GET /desk",
                                       "GET /desk.css",
                                       "GET /desk.js",
                                       "GET /api/v1/alerts",
                                       "GET /api/v1/alerts/{id}",
                                       "POST /api/v1/alerts/{id}/ack",
                                       "GET /api/v1/events",
                                       "GET /api/v1/status",
                                       "GET /api/v1/vitals",
                                       "GET /api/v1/vitals/{patient}"};
  EXPECT_EQ(table(), expected);
}

TEST_F(DeskTest, NothingAboutAlertsWaitsBehindOtherWork) {
  for (const auto& route : router.routes()) {
    if (!route.pattern.starts_with("/api/v1/alerts") && route.pattern != "/api/v1/events") continue;
    EXPECT_EQ(route.request_class, RequestClass::emergency) << route.pattern;
  }
}

TEST_F(DeskTest, AnAlertIsListedShownAndAcknowledged) {
  const auto id = raise();
  const auto list = ask(net::Method::get, "/api/v1/alerts", "state=open").answer;
  EXPECT_EQ(list.status, 200);
  EXPECT_NE(list.body.find(id), std::string::npos);

  const auto path = "/api/v1/alerts/" + id;
  const auto shown = json::Document::parse(ask(net::Method::get, path).answer.body);
  ASSERT_TRUE(shown);
  EXPECT_EQ(shown->root()["alert"]["id"].text(), id);
  EXPECT_EQ(shown->root()["history"].at(0)["kind"].text(), "alert.raised");

  const auto acknowledged = ask(net::Method::post, path + "/ack", "", R"({"by":"Ada"})").answer;
  EXPECT_EQ(acknowledged.status, 200) << acknowledged.body;
  EXPECT_EQ(ask(net::Method::post, path + "/ack", "", R"({"by":"Ada"})").answer.status, 200) << "the same again";
  EXPECT_EQ(ask(net::Method::post, path + "/ack", "", R"({"by":"Bob"})").answer.status, 409);
}

TEST_F(DeskTest, WhatIsNotUnderstoodIsRefusedInProblemDetails) {
  const auto id = raise();
  const auto ack = "/api/v1/alerts/" + id + "/ack";
  struct Row {
    net::Method method;
    std::string path, query, body;
    int status;
  };
  const Row rows[] = {
      {net::Method::get, "/api/v1/alerts", "state=closed", "", 400},
      {net::Method::get, "/api/v1/alerts", "count=0", "", 400},
      {net::Method::get, "/api/v1/alerts", "count=1000000", "", 400},
      {net::Method::get, "/api/v1/alerts", "color=red", "", 400},
      {net::Method::get, "/api/v1/alerts", "state=%zz", "", 400},
      {net::Method::get, "/api/v1/alerts/none", "", "", 404},
      {net::Method::post, "/api/v1/alerts/none/ack", "", R"({"by":"Ada"})", 404},
      {net::Method::post, ack, "", "", 400},
      {net::Method::post, ack, "", "{", 400},
      {net::Method::post, ack, "", "{}", 400},
      {net::Method::post, ack, "", R"({"by":""})", 400},
      {net::Method::post, ack, "", R"({"by":7})", 400},
      {net::Method::post, ack, "", R"({"by":"Ada","who":"x"})", 400},
      {net::Method::post, ack, "", R"({"by":")" + std::string(201, 'a') + "\"}", 413},
      {net::Method::post, ack, "", R"({"by":"Ada","note":")" + std::string(2001, 'a') + "\"}", 413},
  };
  for (const auto& row : rows) {
    const auto answer = ask(row.method, row.path, row.query, row.body).answer;
    EXPECT_EQ(answer.status, row.status) << row.path << '?' << row.query << ' ' << row.body.substr(0, 40);
    EXPECT_EQ(answer.content_type, "application/problem+json");
  }
}

TEST_F(DeskTest, AnAcknowledgementThatAFormCouldSendIsRefused) {
  const auto ack = "/api/v1/alerts/" + raise() + "/ack";
  for (const char* type : {"", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data"}) {
    headers.content_type = type;
    EXPECT_EQ(ask(net::Method::post, ack, "", R"({"by":"Ada"})").answer.status, 400) << type;
  }
}

TEST_F(DeskTest, TheBoardIsEmptyWithoutVitalSigns) {
  const auto board = ask(net::Method::get, "/api/v1/vitals").answer;
  EXPECT_EQ(board.status, 200);
  EXPECT_TRUE(json::Document::parse(board.body)) << board.body;
  EXPECT_EQ(ask(net::Method::get, "/api/v1/vitals/unknown").answer.status, 404);
}

TEST_F(DeskTest, TheFeedGreetsBeforeAnythingHappens) {
  const auto feed = ask(net::Method::get, "/api/v1/events");
  EXPECT_EQ(feed.answer.content_type, "text/event-stream");
  EXPECT_NE(feed.streamed.find("event: hello\n"), std::string::npos) << feed.streamed;
}

TEST_F(DeskTest, ThePageForbidsWhatIsNotItsOwn) {
  for (const char* path : {"/desk", "/desk.css", "/desk.js"}) {
    const auto answer = ask(net::Method::get, path).answer;
    EXPECT_EQ(answer.status, 200) << path;
    EXPECT_FALSE(answer.content().empty()) << path;
    const auto policy = std::ranges::find(answer.headers, "Content-Security-Policy",
                                          [](const auto& header) { return std::string_view(header.first); });
    ASSERT_NE(policy, answer.headers.end()) << path;
    EXPECT_TRUE(policy->second.starts_with("default-src 'self'")) << path;
    EXPECT_EQ(policy->second.find("unsafe"), std::string::npos) << path;
  }
}

TEST(PageTexts, LoadNothingFromElsewhereAndHaveNothingInline) {
  const std::regex forbidden(
      R"re((https?:)?//[a-z0-9.-]+\.[a-z]|\sstyle=|\son[a-z]+=|<style|<script>|javascript:|\beval\(|innerHTML|@import|url\()re",
      std::regex::icase);
  for (const auto text : {page_html, page_css, page_js}) {
    std::match_results<std::string_view::const_iterator> found;
    EXPECT_FALSE(std::regex_search(text.begin(), text.end(), found, forbidden)) << found.str();
  }
}

TEST(PageTexts, NameOnlyElementsThatThePageHas) {
  const std::regex lookup(R"re(element\("([a-z-]+)"\))re");
  const std::string script(page_js);
  int lookups = 0;
  for (std::sregex_iterator found(script.begin(), script.end(), lookup), end; found != end; ++found, ++lookups) {
    const auto id = (*found)[1].str();
    EXPECT_NE(page_html.find("id=\"" + id + '"'), std::string_view::npos) << id;
  }
  EXPECT_GT(lookups, 10);
}

TEST(PageTexts, SayNothingReassuringBeforeTheServerHasAnswered) {
  for (const char* id : {"no-alerts", "no-patients"})
    EXPECT_NE(page_html.find("id=\"" + std::string(id) + "\" class=\"empty\" hidden"), std::string_view::npos) << id;
  EXPECT_EQ(page_html.find("Nobody is waiting"), std::string_view::npos);
}

class AdminTest : public Routed {
 protected:
  AdminTest() { add_admin_routes(router, health); }
  std::vector<Check> checks{{"store", true, "ok"}};
  bool draining = false;
  std::string backed_up_to;
  telemetry::Metrics metrics;
  Health health{.checks = [this] { return checks; },
                .draining = [this] { return draining; },
                .metrics = metrics,
                .backup = [this](const std::string& to) -> Result<> {
                  if (to == "/there") return fail(Code::conflict, "/there exists");
                  backed_up_to = to;
                  return {};
                },
                .explain = [](const std::string& search) -> Result<std::string> { return "the plan of " + search; },
                .workers = workers};
};

TEST_F(AdminTest, ASearchIsExplained) {
  const auto answer = ask(net::Method::get, "/explain", "search=Patient%3Fname%3Dx").answer;
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, "the plan of Patient?name=x");
  EXPECT_EQ(ask(net::Method::get, "/explain").answer.status, 400);
}

TEST_F(AdminTest, TheTableOfRoutesIsComplete) {
  EXPECT_EQ(table(), (std::set<std::string>{"GET /livez", "GET /readyz", "GET /healthz", "GET /metrics", "GET /explain",
                                            "POST /backup"}));
}

TEST_F(AdminTest, ReadyMeansEveryCheckAndNotDraining) {
  for (const char* path : {"/readyz", "/healthz"}) EXPECT_EQ(ask(net::Method::get, path).answer.status, 200);
  draining = true;
  EXPECT_EQ(ask(net::Method::get, "/readyz").answer.status, 503);
  draining = false;
  checks.push_back({"disk", false, "full"});
  const auto answer = ask(net::Method::get, "/readyz").answer;
  EXPECT_EQ(answer.status, 503);
  EXPECT_EQ(json::Document::parse(answer.body)->root()["checks"]["disk"].text(), "full");
  EXPECT_EQ(ask(net::Method::get, "/livez").answer.status, 200) << "alive all the same";
}

TEST_F(AdminTest, MetricsAreExposedAsPrometheusReadsThem) {
  metrics.counter("mydr24_tests_total", "Tests").add(1);
  const auto answer = ask(net::Method::get, "/metrics").answer;
  EXPECT_EQ(answer.content_type, telemetry::Metrics::content_type);
  EXPECT_NE(answer.body.find("mydr24_tests_total 1"), std::string::npos);
}

TEST_F(AdminTest, ABackupIsMadeWhereTheCallerSays) {
  EXPECT_EQ(ask(net::Method::post, "/backup", "to=%2Ftmp%2Fcopy.db").answer.status, 200);
  EXPECT_EQ(backed_up_to, "/tmp/copy.db");
  EXPECT_EQ(ask(net::Method::post, "/backup", "to=/there").answer.status, 409);
  for (const char* query : {"", "to=", "from=x", "to=a&to=b", "to=%zz"}) {
    EXPECT_EQ(ask(net::Method::post, "/backup", query).answer.status, 400) << query;
  }
}

}  // namespace
}  // namespace mydr24::desk_api
