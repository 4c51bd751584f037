#include <gtest/gtest.h>

#include <sstream>

#include "api/pipeline/pipeline.h"
#include "base/net/headers_fixture.h"

namespace mydr24::pipeline {
namespace {

class KeptExchange : public net::Exchange {
 public:
  explicit KeptExchange(const net::Request& request) : request_(request) {}
  const net::Request& request() const override { return request_; }
  Task<Result<std::string>> read_body(std::size_t) override { co_return std::string(); }
  Task<Result<std::string_view>> read_some() override { co_return std::string_view(); }
  Task<> respond(net::Response given) override {
    response = std::move(given);
    co_return;
  }
  Task<Result<>> begin_stream(net::Response head) override {
    response = std::move(head);
    co_return Result<>();
  }
  Task<Result<>> write(std::string_view) override { co_return Result<>(); }
  Task<Result<>> finish() override { co_return Result<>(); }
  bool draining() const override { return false; }
  Task<> sleep(std::chrono::milliseconds) override { co_return; }

  std::string header(std::string_view name) const {
    for (const auto& [key, value] : response.headers)
      if (key == name) return value;
    const auto at = response.fixed_headers.find(std::string(name) + ": ");
    if (at == std::string_view::npos) return {};
    const auto begin = at + name.size() + 2;
    return std::string(response.fixed_headers.substr(begin, response.fixed_headers.find('\r', begin) - begin));
  }
  net::Response response;

 private:
  net::Request request_;
};

// Lets in whoever shows a token.
class Doorman final : public access::Gatekeeper {
 public:
  Result<std::shared_ptr<const access::Caller>> authenticate(const net::Request& request) override {
    auto caller = std::make_shared<access::Caller>();
    if (!request.header("Authorization").empty()) {
      caller->principal.kind = access::PrincipalKind::person;
      caller->principal.roles = {"emergency-clinician"};
    }
    MYDR24_ASSIGN(caller->sight, access::Sight::of(access::default_policy(), caller->principal));
    return std::shared_ptr<const access::Caller>(std::move(caller));
  }
  std::shared_ptr<const access::Policy> policy() const override { return access::default_policy(); }
};

class Protect : public testing::Test {
 protected:
  Protect() : log_({.level = telemetry::Level::error, .format = telemetry::Format::json}, system_clock(), out_) {
    const auto add = [this](net::Method method, std::string pattern, std::string interaction, Headers headers) {
      router_.add(
          {method, std::move(pattern), std::move(interaction), RequestClass::routine, [headers](Call& call) -> Task<> {
             net::Response response{.status = 200};
             response.headers = headers;
             co_await call.respond(std::move(response));
           }});
    };
    add(net::Method::get, "/fhir/{type}/{id}", "read", {});
    add(net::Method::put, "/fhir/{type}/{id}", "update", {});
    add(net::Method::get, "/fhir/{type}", "search-type", {{"Cache-Control", "public"}});
    add(net::Method::get, "/open", "status", {{"Access-Control-Allow-Origin", "*"}});
    add(net::Method::get, "/closed", "status", {});
  }
  using Headers = std::vector<std::pair<std::string, std::string>>;

  KeptExchange ask(net::Method method, std::string_view path, net::SentHeaders::Values headers = {},
                   bool secure = false, bool with_origins = true) {
    net::SentHeaders shown;
    shown.sent = std::move(headers);
    PipelineSettings settings{.gatekeeper = &doorman_};
    if (with_origins) settings.may_read = [](std::string_view origin) { return origin == "https://app.example"; };
    const Pipeline pipeline(router_, settings, metrics_, log_, system_clock());
    KeptExchange exchange({.method = method,
                           .method_text = net::to_string(method),
                           .path = path,
                           .headers = &shown,
                           .remote = "127.0.0.1:1",
                           .secure = secure});
    asio::io_context context(1);
    asio::co_spawn(context, pipeline.serve(exchange), asio::detached);
    context.run();
    return exchange;
  }

  std::ostringstream out_;
  telemetry::Metrics metrics_;
  telemetry::Log log_;
  Router router_;
  Doorman doorman_;
};

TEST_F(Protect, EveryAnswerForbidsGuessingItsTypeAndTlsIsForTheNextTimeToo) {
  for (const char* path : {"/fhir/Patient/1", "/fhir/none/at/all/here", "/nothing"}) {
    const auto plain = ask(net::Method::get, path);
    EXPECT_EQ(plain.header("X-Content-Type-Options"), "nosniff") << path;
    EXPECT_EQ(plain.header("Strict-Transport-Security"), "") << path;
    EXPECT_EQ(ask(net::Method::get, path, {}, true).header("Strict-Transport-Security"), "max-age=31536000") << path;
  }
}

TEST_F(Protect, WhatSomebodyLoggedInForIsKeptNowhere) {
  EXPECT_EQ(ask(net::Method::get, "/fhir/Patient/1").response.status, 401);
  const auto read = ask(net::Method::get, "/fhir/Patient/1", {{"Authorization", "x"}});
  EXPECT_EQ(read.response.status, 200);
  EXPECT_EQ(read.header("Cache-Control"), "no-store");
  EXPECT_EQ(ask(net::Method::get, "/fhir/Patient", {{"Authorization", "x"}}).header("Cache-Control"), "public");
}

TEST_F(Protect, APageOfARegisteredOriginReadsWhatItAskedForAndSoItDoesARefusal) {
  for (const auto& [token, status] : {std::pair{"x", 200}, {"", 401}}) {
    net::SentHeaders::Values headers{{"Origin", "https://app.example"}};
    if (*token != '\0') headers["Authorization"] = token;
    const auto answer = ask(net::Method::get, "/fhir/Patient/1", headers);
    EXPECT_EQ(answer.response.status, status);
    EXPECT_EQ(answer.header("Access-Control-Allow-Origin"), "https://app.example");
    EXPECT_EQ(answer.header("Access-Control-Allow-Credentials"), "true");
    EXPECT_EQ(answer.header("Vary"), "Origin");
    EXPECT_NE(answer.header("Access-Control-Expose-Headers").find("ETag"), std::string::npos);
  }
}

TEST_F(Protect, APageOfAnyOtherOriginReadsNothingAndNoPageReadsWhatIsNotFhir) {
  for (const char* origin :
       {"https://evil.example", "null", "https://app.example.evil.example", "http://app.example"}) {
    const auto answer = ask(net::Method::get, "/fhir/Patient/1", {{"Origin", origin}, {"Authorization", "x"}});
    EXPECT_EQ(answer.header("Access-Control-Allow-Origin"), "") << origin;
    EXPECT_EQ(answer.header("Access-Control-Allow-Credentials"), "") << origin;
  }
  EXPECT_EQ(ask(net::Method::get, "/closed", {{"Origin", "https://app.example"}, {"Authorization", "x"}})
                .header("Access-Control-Allow-Origin"),
            "");
  EXPECT_EQ(ask(net::Method::get, "/fhir/Patient/1", {{"Origin", "https://app.example"}}, false, false)
                .header("Access-Control-Allow-Origin"),
            "");
}

TEST_F(Protect, ACredentialedAnswerNeverHasAStarForItsOrigin) {
  const auto known = ask(net::Method::get, "/open", {{"Origin", "https://app.example"}, {"Authorization", "x"}});
  EXPECT_EQ(known.header("Access-Control-Allow-Origin"), "https://app.example");
  EXPECT_EQ(known.header("Access-Control-Allow-Credentials"), "true");
  const auto unknown = ask(net::Method::get, "/open", {{"Origin", "https://evil.example"}, {"Authorization", "x"}});
  EXPECT_EQ(unknown.header("Access-Control-Allow-Origin"), "*");
  EXPECT_EQ(unknown.header("Access-Control-Allow-Credentials"), "");
}

TEST_F(Protect, APreflightIsAnsweredWithTheMethodsOfThePathAndTheHeadersAskedFor) {
  const auto answer = ask(net::Method::options, "/fhir/Patient/1",
                          {{"Origin", "https://app.example"},
                           {"Access-Control-Request-Method", "PUT"},
                           {"Access-Control-Request-Headers", "authorization,if-match,x-medplum"}});
  EXPECT_EQ(answer.response.status, 204);
  EXPECT_EQ(answer.header("Access-Control-Allow-Methods"), "GET, PUT");
  EXPECT_EQ(answer.header("Access-Control-Allow-Headers"), "authorization,if-match,x-medplum");
  EXPECT_EQ(answer.header("Access-Control-Allow-Origin"), "https://app.example");
  const auto bad = ask(net::Method::options, "/fhir/Patient/1",
                       {{"Origin", "https://app.example"}, {"Access-Control-Request-Headers", "a\r\nb: c"}});
  EXPECT_EQ(bad.header("Access-Control-Allow-Headers"), "");
  EXPECT_EQ(ask(net::Method::options, "/fhir/Patient/1", {{"Origin", "https://evil.example"}}).response.status, 405);
  EXPECT_EQ(ask(net::Method::options, "/closed", {{"Origin", "https://app.example"}}).response.status, 405);
  EXPECT_EQ(ask(net::Method::options, "/fhir/a/b/c/d", {{"Origin", "https://app.example"}}).response.status, 404);
}

}  // namespace
}  // namespace mydr24::pipeline
