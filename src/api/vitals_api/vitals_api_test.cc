#include "api/vitals_api/vitals_api.h"

#include <gtest/gtest.h>

#include <fmt/format.h>

#include <sstream>

#include "base/json/document.h"
#include "base/net/client.h"
#include "storage/store/fake_store.h"

namespace mydr24::vitals_api {
namespace {

using net::Method;

// The routes on a socket, over a store in memory.
class VitalsApiTest : public testing::Test {
 protected:
  VitalsApiTest() {
    records_.add_reaction(watch_);
    add_routes(router_, service_);
    pipeline_ = std::make_unique<pipeline::Pipeline>(router_, pipeline::PipelineSettings{}, metrics_, log_, clock_);
    auto server = net::serve({}, [this](net::Exchange& exchange) { return pipeline_->serve(exchange); });
    EXPECT_TRUE(server) << server.error().text;
    server_ = std::move(*server);
  }

  net::ClientResponse send(Method method, std::string_view path, std::string body = {},
                           std::string type = "application/json") {
    net::ClientRequest request{.method = method};
    request.url = *net::parse_url(fmt::format("http://127.0.0.1:{}{}", server_->port(), path));
    if (!body.empty()) request.headers.emplace_back("Content-Type", std::move(type));
    request.body = std::move(body);
    auto response = net::send_blocking(std::move(request));
    EXPECT_TRUE(response) << response.error().text;
    return response ? std::move(*response) : net::ClientResponse();
  }
  std::string stream(std::string body) {
    return send(Method::post, "/api/v1/vitals/stream", std::move(body), "application/x-ndjson").body;
  }

  ManualClock clock_{from_us(1'700'000'000'000'000)};
  std::ostringstream log_text_;
  telemetry::Log log_{{}, clock_, log_text_};
  telemetry::Metrics metrics_;
  store::FakeStore store_{clock_};
  oncall::Directory directory_ = *oncall::Directory::make({});
  alerts::Book book_{directory_};
  vitals::Watch watch_{book_};
  records::Records records_{store_, clock_};
  WorkerPool workers_{1};
  Service service_{records_, watch_, workers_, clock_};
  pipeline::Router router_;
  std::unique_ptr<pipeline::Pipeline> pipeline_;
  std::unique_ptr<net::Server> server_;
};

TEST_F(VitalsApiTest, ALineTheStoreDidNotTakeIsToBeSentAgainAndTheOthersAreStored) {
  store_.refuse_writes = 1;
  const std::string answers = stream(
      "{\"patient\":\"p\",\"id\":\"a\",\"spo2\":97}\n"
      "{\"patient\":\"p\",\"id\":\"b\",\"spo2\":96}\n");
  EXPECT_TRUE(answers.contains(R"({"line":1,"status":"busy")")) << answers;
  EXPECT_TRUE(answers.contains(R"({"line":2,"status":"stored")")) << answers;
  EXPECT_TRUE(stream("{\"patient\":\"p\",\"id\":\"a\",\"spo2\":97}\n").contains("\"stored\""));
  EXPECT_EQ(store_.resources().size(), 2U);
}

TEST_F(VitalsApiTest, ManyLinesAreAnsweredInTheirOrder) {
  std::string body;
  for (int i = 1; i <= 500; ++i) body += fmt::format("{{\"patient\":\"p{}\",\"id\":\"{}\",\"spo2\":97}}\n", i % 7, i);
  const std::string answers = stream(std::move(body));
  std::size_t at = 0;
  for (int i = 1; i <= 500; ++i) {
    const std::string begin = fmt::format("{{\"line\":{},\"status\":\"stored\"", i);
    ASSERT_EQ(answers.substr(at, begin.size()), begin);
    at = answers.find('\n', at) + 1;
  }
  EXPECT_EQ(at, answers.size());
}

TEST_F(VitalsApiTest, ALineWithoutEndIsCutOff) {
  const std::string answers = stream("{\"patient\":\"p\",\"spo2\":97}\n" + std::string(70'000, 'x'));
  EXPECT_TRUE(answers.contains("longer than")) << answers;
  EXPECT_EQ(store_.resources().size(), 1U);
}

TEST_F(VitalsApiTest, APageOfAnotherSiteCannotDecideAnything) {
  for (const auto& [method, path] :
       {std::pair{Method::post, "/api/v1/vitals/rules?by=x"},
        std::pair{Method::post, "/api/v1/vitals/rules/0/activate"}, std::pair{Method::post, "/api/v1/vitals/stream"},
        std::pair{Method::put, "/api/v1/vitals/p/limits/spo2"}, std::pair{Method::post, "/api/v1/vitals/outcomes/x"}}) {
    const auto answer = send(method, path, "{}", "text/plain");
    EXPECT_EQ(answer.status, 400) << path;
    EXPECT_TRUE(answer.body.contains("Content-Type")) << answer.body;
  }
}

TEST_F(VitalsApiTest, WhatIsNotUnderstoodIsRefusedByName) {
  EXPECT_TRUE(send(Method::post, "/api/v1/vitals/dry-run?from=2020", "{}").body.contains("from is not understood"));
  EXPECT_TRUE(send(Method::post, "/api/v1/vitals/dry-run?since=2001", "{}").body.contains("366 days"));
  EXPECT_TRUE(send(Method::put, "/api/v1/vitals/p/limits/spo2", R"({"lo":88})").body.contains("no member lo"));
  EXPECT_TRUE(send(Method::put, "/api/v1/vitals/p/monitoring", R"({"signs":["spo2"],"stale_after_s":1e300,"by":"n"})")
                  .body.contains("stale_after_s"));
  const auto over = send(Method::put, "/api/v1/vitals/p/monitoring",
                         R"({"signs":["spo2"],"stale_after_s":60,"by":"n","until":"2020-01-01"})");
  EXPECT_EQ(over.status, 400);
  EXPECT_TRUE(over.body.contains("until is 2020-01-01T00:00:00.000Z")) << over.body;
  EXPECT_TRUE(over.body.contains("name a time to come")) << over.body;
  EXPECT_EQ(send(Method::get, "/api/v1/vitals/rules/x").status, 404);
  EXPECT_EQ(send(Method::get, "/api/v1/vitals/rules/7").status, 404);
}

}  // namespace
}  // namespace mydr24::vitals_api
