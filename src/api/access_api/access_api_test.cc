#include "api/access_api/access_api.h"

#include <gtest/gtest.h>

#include <boost/asio.hpp>

#include "base/json/document.h"
#include "guard/access/policy.h"
#include "storage/store/fake_store.h"

namespace mydr24::access_api {
namespace {

namespace asio = boost::asio;

class NoHeaders : public net::Headers {
 public:
  std::string_view operator[](std::string_view) const override { return {}; }
};

// One request without a socket.
class LocalExchange : public net::Exchange {
 public:
  LocalExchange(net::Request request, std::string body) : request_(request), body_(std::move(body)) {}
  const net::Request& request() const override { return request_; }
  Task<Result<std::string>> read_body(std::size_t) override { co_return body_; }
  Task<Result<std::string_view>> read_some() override { co_return std::string_view(); }
  Task<> respond(net::Response response) override {
    answer = std::move(response);
    co_return;
  }
  Task<Result<>> begin_stream(net::Response) override { co_return Result<>(); }
  Task<Result<>> write(std::string_view) override { co_return Result<>(); }
  Task<Result<>> finish() override { co_return Result<>(); }
  bool draining() const override { return true; }
  Task<> sleep(std::chrono::milliseconds) override { co_return; }
  net::Response answer{.status = 0};

 private:
  net::Request request_;
  std::string body_;
};

class AccessApi : public testing::Test {
 protected:
  AccessApi() { add_routes(router, service); }
  net::Response ask(std::string_view who, net::Method method, std::string_view path, std::string body = "",
                    std::string_view query = "") {
    LocalExchange exchange({.method = method, .path = path, .query = query, .headers = &headers}, std::move(body));
    const auto match = router.match(method, path);
    EXPECT_NE(match.route, nullptr) << path;
    auto caller = std::make_shared<access::Caller>();
    caller->principal.kind = access::PrincipalKind::person;
    caller->principal.id = who;
    caller->principal.roles = {"nurse"};
    caller->sight = *access::Sight::of(access::default_policy(), caller->principal);
    access::Access access(caller, clock);
    pipeline::Call call(exchange, match, match.route->request_class, "http://h", access);
    asio::io_context context;
    asio::co_spawn(context.get_executor(), match.route->handler(call), asio::detached);
    context.run();
    return exchange.answer;
  }
  static std::string member(const net::Response& answer, std::string_view name) {
    const auto document = json::Document::parse_view(answer.body);
    return document ? std::string(document->root()[name].text()) : std::string();
  }

  NoHeaders headers;
  ManualClock clock{from_us(1'700'000'000'123'456)};
  store::FakeStore store{clock};
  access::BreakGlass glass{store, clock, {}};
  Service service{store, glass};
  pipeline::Router router;
};

constexpr const char* asked = R"({"patient":"p1","reason":"unconscious, allergies unknown"})";

TEST_F(AccessApi, NoRouteIsOpenToAnybody) {
  EXPECT_EQ(router.routes().size(), 5U);
  for (const auto& route : router.routes()) EXPECT_FALSE(route.open) << route.pattern;
}

TEST_F(AccessApi, AnOverrideIsTakenEndedAndReviewed) {
  const auto taken = ask("user/anna", net::Method::post, "/api/v1/break-glass", asked);
  ASSERT_EQ(taken.status, 201) << taken.body;
  const auto id = member(taken, "id");
  EXPECT_EQ(glass.in_force("user/anna").size(), 1U);
  EXPECT_EQ(ask("user/ben", net::Method::post, "/api/v1/break-glass/" + id + "/end").status, 403);
  EXPECT_EQ(ask("user/anna", net::Method::post, "/api/v1/break-glass/" + id + "/end").status, 200);
  EXPECT_TRUE(glass.in_force("user/anna").empty());
  const auto review = [&](std::string_view who) {
    return ask(who, net::Method::post, "/api/v1/break-glass/" + id + "/review", R"({"verdict":"justified"})").status;
  };
  EXPECT_EQ(review("user/anna"), 403);
  EXPECT_EQ(review("user/olga"), 200);
  EXPECT_EQ(review("user/olga"), 409);
  EXPECT_TRUE(ask("user/olga", net::Method::get, "/api/v1/break-glass").body.contains(id));
  EXPECT_FALSE(ask("user/olga", net::Method::get, "/api/v1/break-glass", "", "waiting=true").body.contains(id));
}

TEST_F(AccessApi, BadInputIsNamed) {
  EXPECT_EQ(ask("user/anna", net::Method::post, "/api/v1/break-glass", "[").status, 400);
  EXPECT_EQ(ask("user/anna", net::Method::post, "/api/v1/break-glass", "[]").status, 400);
  EXPECT_EQ(ask("user/anna", net::Method::post, "/api/v1/break-glass", R"({"reason":"x"})").status, 400);
  EXPECT_EQ(ask("user/olga", net::Method::get, "/api/v1/break-glass", "", "waiting=maybe").status, 400);
  EXPECT_EQ(ask("user/olga", net::Method::post, "/api/v1/break-glass/none/end").status, 404);
}

TEST_F(AccessApi, ACallerLearnsWhoTheyAreTakenFor) {
  const auto me = ask("user/anna", net::Method::get, "/api/v1/access/me");
  EXPECT_EQ(member(me, "id"), "user/anna");
  EXPECT_TRUE(me.body.contains(R"("Observation":"crus")")) << me.body;
}

}  // namespace
}  // namespace mydr24::access_api
