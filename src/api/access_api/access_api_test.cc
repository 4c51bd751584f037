#include "api/access_api/access_api.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <boost/asio.hpp>
#include <sstream>

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
  void add_user(identity::User user) {
    ASSERT_TRUE(store.write(RequestClass::routine,
                            [&](store::Transaction& transaction) { return identity::users::add(transaction, user); }));
  }

  std::ostringstream lines;
  telemetry::Log log{{}, clock, lines};
  access::BreakGlass glass{store, clock, {}};
  identity::Identity identity{store, clock, {}, log};
  pipeline::Router router;
  Service service{.store = store,
                  .glass = glass,
                  .identity = identity,
                  .clock = clock,
                  .router = router,
                  .policy = [] { return access::default_policy(); },
                  .explain = [](const Question& question, access::Access&) -> Result<std::string> {
                    return fmt::format(R"({{"as":"{}","what":"{} {}"}})", question.as, question.method, question.path);
                  },
                  .tenant = [] { return std::string(R"({"tier":"basic"})"); },
                  .base_url = [] { return std::string("http://h"); }};
};

constexpr const char* asked = R"({"patient":"p1","reason":"unconscious, allergies unknown"})";

TEST_F(AccessApi, NoRouteIsOpenToAnybody) {
  EXPECT_EQ(router.routes().size(), 15U);
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
  EXPECT_TRUE(me.body.contains(R"("operations":["break-glass","break-glass-end","session-me"])")) << me.body;
}

TEST_F(AccessApi, UsersAreListedWithoutTheirSecrets) {
  add_user({.name = "anna",
            .display = "Anna B",
            .password = "$argon2id$x",
            .roles = {"nurse"},
            .fhir_user = "Practitioner/1"});
  add_user({.name = "carl", .password = "$argon2id$y", .roles = {"administrator"}, .totp = "plain:zzz"});
  add_user({.name = "dora", .roles = {"administrator"}, .disabled = true});
  const auto all = ask("user/olga", net::Method::get, "/api/v1/access/users");
  ASSERT_EQ(all.status, 200) << all.body;
  const auto document = json::Document::parse_view(all.body);
  const auto users = document->root()["users"];
  ASSERT_EQ(users.size(), 3U);
  EXPECT_EQ(users.at(0)["fhirUser"].text(), "Practitioner/1");
  EXPECT_FALSE(users.at(0)["needs_second_factor"].is_true());
  EXPECT_FALSE(users.at(0)["last_login"].exists());
  EXPECT_TRUE(users.at(1)["second_factor"].is_true());
  EXPECT_TRUE(users.at(2)["needs_second_factor"].is_true());
  EXPECT_TRUE(users.at(2)["disabled"].is_true());
  EXPECT_FALSE(users.at(2)["has_password"].is_true());
  for (const auto* secret : {"argon2id", "zzz"}) EXPECT_FALSE(all.body.contains(secret)) << secret;
}

TEST_F(AccessApi, UsersComeInPages) {
  for (const auto* name : {"a", "b", "c"}) add_user({.name = name});
  const auto first = ask("user/olga", net::Method::get, "/api/v1/access/users", "", "count=2");
  EXPECT_EQ(member(first, "next"), "b");
  const auto rest = ask("user/olga", net::Method::get, "/api/v1/access/users", "", "count=2&after=b");
  EXPECT_TRUE(rest.body.contains(R"("name":"c")")) << rest.body;
  EXPECT_FALSE(rest.body.contains("next")) << rest.body;
  EXPECT_EQ(ask("user/olga", net::Method::get, "/api/v1/access/users", "", "count=0").status, 400);
  EXPECT_EQ(ask("user/olga", net::Method::get, "/api/v1/access/users", "", "name=a").status, 400);
}

TEST_F(AccessApi, WhoGuessesAPasswordIsSeenToHaveToWait) {
  add_user({.name = "anna"});
  const auto users = [&] { return ask("user/olga", net::Method::get, "/api/v1/access/users").body; };
  for (int i = 0; i < identity::Throttle::account_free; ++i) {
    EXPECT_FALSE(users().contains("locked_s"));
    ASSERT_TRUE(identity.throttle().attempt("anna", "10.0.0.1", clock.now()));
  }
  EXPECT_TRUE(users().contains(R"("locked_s":1)")) << users();
  clock.advance(std::chrono::seconds(1));
  EXPECT_FALSE(users().contains("locked_s"));
}

// What is told of a policy can be read as one, and is the same.
TEST_F(AccessApi, ThePolicyIsToldInItsOwnWords) {
  const auto told = ask("user/olga", net::Method::get, "/api/v1/access/policy");
  ASSERT_EQ(told.status, 200);
  const auto document = json::Document::parse_view(told.body);
  const auto policy = access::default_policy();
  const auto roles = document->root()["roles"];
  ASSERT_EQ(roles.size(), policy->roles.size());
  for (std::size_t i = 0; i < roles.size(); ++i) {
    const auto& role = policy->roles[i];
    EXPECT_EQ(roles.at(i)["name"].text(), role.name);
    const auto again = access::parse_policy(fmt::format(
        R"({{"roles":{{"x":{{"fhir":{},"break_glass":{}}}}}}})", roles.at(i)["fhir"] ? roles.at(i)["fhir"].raw() : "[]",
        roles.at(i)["break_glass"] ? roles.at(i)["break_glass"].raw() : "[]"));
    ASSERT_TRUE(again) << again.error().text;
    ASSERT_EQ(again->roles.front().fhir.size(), role.fhir.size()) << role.name;
    ASSERT_EQ(again->roles.front().break_glass.size(), role.break_glass.size()) << role.name;
    for (std::size_t grant = 0; grant < role.fhir.size(); ++grant) {
      const auto& found = again->roles.front().fhir[grant];
      EXPECT_EQ(found.types, role.fhir[grant].types);
      EXPECT_EQ(found.not_types, role.fhir[grant].not_types);
      EXPECT_EQ(found.permissions, role.fhir[grant].permissions);
      EXPECT_EQ(found.own_compartment, role.fhir[grant].own_compartment);
      EXPECT_EQ(found.criteria, role.fhir[grant].criteria);
    }
    for (const auto operation : roles.at(i)["operations"]) EXPECT_TRUE(role.may_operate(operation.text())) << role.name;
  }
  EXPECT_TRUE(told.body.contains(R"({"name":"break-glass","method":"POST","path":"/api/v1/break-glass"})"));
}

TEST_F(AccessApi, AQuestionNamesAPersonAndAPath) {
  const auto explain = [&](std::string_view query) {
    return ask("user/olga", net::Method::get, "/api/v1/access/explain", "", query);
  };
  EXPECT_EQ(member(explain("as=anna&path=%2Ffhir%2FR4%2FPatient%2F1"), "what"), "GET /fhir/R4/Patient/1");
  EXPECT_EQ(member(explain("as=anna&method=DELETE&path=/x"), "what"), "DELETE /x");
  for (const auto* wrong : {"as=anna", "path=/x", "as=anna&path=/x&who=1"})
    EXPECT_EQ(explain(wrong).status, 400) << wrong;
  EXPECT_EQ(explain("as=anna&path=" + std::string(3'000, 'x')).status, 400);
}

}  // namespace
}  // namespace mydr24::access_api
