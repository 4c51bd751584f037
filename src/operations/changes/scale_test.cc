// Scaling: the number before is kept, the one that was asked for is seen, and the way back ends where it began.

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "base/net/http.h"
#include "operations/changes/changes_fixture.h"
#include "operations/changes/outside.h"

namespace mydr24::changes {
namespace {

constexpr std::string_view policy_text = R"({
  "commands":[{"name":"count","path":"/bin/true"},{"name":"scale","path":"/bin/true"}],
  "scales":[{"name":"workers","low":2,"high":8,"read":{"command":"count"},"set":{"command":"scale"}}]})";
const std::string to_four = R"({"kind":"scale","scale":"workers","to":4,"within_s":5})";

class ScaleTest : public ChangesTest {
 protected:
  ScaleTest() {
    book_of_scales_.attach();
    effects_.numbers_["workers"] = 3;
  }
  Change begun(const std::string& plan) {
    Change change;
    EXPECT_FALSE(write([&](store::Transaction& transaction) -> Result<> {
      MYDR24_ASSIGN(change, book_of_scales_.propose(transaction, plan, "ann"));
      for (const auto* member : {"senior-dba", "cmo", "ciso", "cco"})
        MYDR24_TRY(book_of_scales_.approve(transaction, change.id, change.plan.digest, member));
      MYDR24_TRY(book_of_scales_.start(transaction, change.id, "ann"));
      return {};
    }));
    return change;
  }
  Error refused(const std::string& plan) {
    const auto wrong =
        write([&](store::Transaction& transaction) { return book_of_scales_.propose(transaction, plan, "ann"); });
    EXPECT_TRUE(wrong);
    return wrong.value_or(Error{});
  }
  Book book_of_scales_{store_, parse_policy(policy_text).value(), settings_};
  Engine engine_{store_, book_of_scales_, effects_, clock_, "p"};
};

TEST_F(ScaleTest, ANumberIsSetAndSeenAndTheOneBeforeIsKept) {
  const auto change = begun(plan_text({.steps = to_four}));
  run(engine_, change.id);
  const auto found = now(change.id);
  EXPECT_EQ(found.state, State::successful) << found.run->because;
  EXPECT_EQ(effects_.numbers_["workers"], 4);
  ASSERT_EQ(found.run->undo.size(), 1U);
  EXPECT_EQ(found.run->undo[0].scaled, "workers");
  EXPECT_EQ(found.run->undo[0].number, 3);
  EXPECT_EQ(effects_.called_, (std::vector<std::string>{"workers 4"}));

  ASSERT_FALSE(write([&](store::Transaction& transaction) {
    return book_of_scales_.roll_back(transaction, change.id, "it is enough", "ann");
  }));
  run(engine_, change.id);
  EXPECT_EQ(now(change.id).state, State::rolled_back);
  EXPECT_EQ(effects_.numbers_["workers"], 3);
}

TEST_F(ScaleTest, WhatTheOperatorDoesNotAllowIsRefusedWhenItIsProposed) {
  EXPECT_EQ(refused(plan_text({.steps = R"({"kind":"scale","scale":"workers","to":9})"})).where,
            "implementation[0].to");
  EXPECT_EQ(refused(plan_text({.steps = R"({"kind":"scale","scale":"workers","to":1})"})).where,
            "implementation[0].to");
  EXPECT_EQ(refused(plan_text({.steps = R"({"kind":"scale","scale":"workers"})"})).where, "implementation[0].to");
  EXPECT_EQ(refused(plan_text({.steps = R"({"kind":"scale","scale":"doctors","to":4})"})).where,
            "implementation[0].scale");
  EXPECT_TRUE(refused(plan_text({.rollback = to_four})).text.contains("by itself"));
  EXPECT_TRUE(refused(plan_text({.type = "standard", .steps = to_four})).text.contains("standard change"));
}

TEST_F(ScaleTest, WhatNeverReachesItsNumberIsScaledBack) {
  bool stuck = true;
  effects_.set_scale_ = [&](std::int64_t number) -> Result<> {
    if (stuck) effects_.numbers_["workers"] = 7;
    if (number == 3) stuck = false, effects_.numbers_["workers"] = 3;
    return {};
  };
  const auto change = begun(plan_text({.steps = to_four}));
  run(engine_, change.id);
  const auto found = now(change.id);
  EXPECT_EQ(found.state, State::failed);
  EXPECT_TRUE(found.run->because.contains("workers is 7 after 5 s, not 4")) << found.run->because;
  EXPECT_EQ(effects_.numbers_["workers"], 3);
}

TEST_F(ScaleTest, WhatCannotBeReadIsNotTouched) {
  effects_.read_scale_ = [] { return fail(Code::conflict, "it ended with 1"); };
  const auto change = begun(plan_text({.steps = to_four}));
  run(engine_, change.id);
  EXPECT_EQ(now(change.id).state, State::failed);
  EXPECT_TRUE(now(change.id).run->because.contains("cannot be read")) << now(change.id).run->because;
  EXPECT_TRUE(effects_.called_.empty());
}

TEST_F(ScaleTest, WhatCannotBeSetStaysWhatItWasAndIsNoEmergency) {
  effects_.set_scale_ = [](std::int64_t) { return fail(Code::conflict, "it ended with 1"); };
  const auto change = begun(plan_text({.steps = to_four}));
  run(engine_, change.id);
  const auto found = now(change.id);
  EXPECT_EQ(found.state, State::failed);
  EXPECT_TRUE(found.run->because.contains("it ended with 1")) << found.run->because;
  EXPECT_EQ(effects_.numbers_["workers"], 3);
}

TEST_F(ScaleTest, AWayBackThatDoesNotArriveIsAnEmergency) {
  effects_.set_scale_ = [&](std::int64_t number) -> Result<> {
    effects_.numbers_["workers"] = number == 4 ? 5 : 6;
    return {};
  };
  const auto change = begun(plan_text({.steps = to_four}));
  run(engine_, change.id);
  EXPECT_EQ(now(change.id).state, State::rollback_failed);
}

// The process ends before and after every transaction of a run; whatever was set, the next one ends where it began.
TEST_F(ScaleTest, WhereverAProcessEndsTheNextOneScalesBack) {
  const auto steps = to_four + R"(,{"kind":"set","setting":"days","value":5},)" +
                     R"({"kind":"scale","scale":"workers","to":6,"within_s":5},{"kind":"webhook","url":"http://x/"})";
  int slow = 0;  // after so many readings the number is there
  std::int64_t wanted = 3;
  effects_.set_scale_ = [&](std::int64_t number) -> Result<> {
    wanted = number;
    slow = 2;
    return {};
  };
  effects_.read_scale_ = [&]() -> Result<std::int64_t> {
    if (slow > 0 && --slow == 0) effects_.numbers_["workers"] = wanted;
    return effects_.numbers_["workers"];
  };
  int ended = 0;
  for (int pieces = 1;; ++pieces) {
    effects_.numbers_["workers"] = wanted = 3;
    slow = 0;
    const auto change = begun(plan_text({.steps = steps, .tested = true}));
    Engine first(store_, book_of_scales_, effects_, clock_, fmt::format("process {}", pieces));
    bool over = false;
    for (int i = 0; i < pieces && !over; ++i) {
      const auto next = first.advance(change.id);
      ASSERT_TRUE(next) << next.error().text;
      over = next->over;
      if (next->not_before) clock_.set(*next->not_before);
    }
    Engine second(store_, book_of_scales_, effects_, clock_, "the next process");
    ASSERT_TRUE(second.take_over());
    run(second, change.id);
    const auto found = now(change.id);
    if (over) {
      EXPECT_EQ(found.state, State::successful) << pieces;
      EXPECT_EQ(effects_.numbers_["workers"], 6);
      break;
    }
    EXPECT_EQ(found.state, State::failed) << pieces << " " << found.run->because;
    EXPECT_EQ(effects_.numbers_["workers"], 3) << pieces;
    EXPECT_EQ(settings_.value("days"), "30") << pieces;
    ++ended;
    ASSERT_LT(pieces, 100);
  }
  EXPECT_GT(ended, 8);
}

TEST_F(ScaleTest, WhatWasScaledAgainSinceIsNotTakenBack) {
  const auto first = begun(plan_text({.steps = to_four}));
  run(engine_, first.id);
  const auto second = begun(plan_text({.steps = R"({"kind":"scale","scale":"workers","to":5})"}));
  run(engine_, second.id);
  const auto refused = write(
      [&](store::Transaction& transaction) { return book_of_scales_.roll_back(transaction, first.id, "x", "ann"); });
  ASSERT_TRUE(refused);
  EXPECT_TRUE(refused->text.contains(second.id)) << refused->text;
}

TEST_F(ScaleTest, APolicySaysHowAndIsReadBackAsItIsPrinted) {
  const std::string text = R"({"credentials":[{"name":"k8s","url":"https://k8s.example/apis","file":"/run/token"},
      {"name":"own","url":"/api/v1/status","roles":["monitoring-feed"]}],
    "scales":[{"name":"pods","low":1,"high":9,
      "read":{"url":"https://k8s.example/apis/a/scale","credential":"k8s","member":"spec.replicas"},
      "set":{"url":"https://k8s.example/apis/a/scale","credential":"k8s","method":"PATCH",
             "content_type":"application/merge-patch+json","body":"{\"spec\":{\"replicas\":{number}}}"}}]})";
  const auto policy = parse_policy(text);
  ASSERT_TRUE(policy) << policy.error().where << policy.error().text;
  const auto printed = to_json(*policy);
  const auto again = parse_policy(printed);
  ASSERT_TRUE(again) << again.error().where << again.error().text;
  EXPECT_EQ(to_json(*again), printed);
  const auto wrong = [](const std::string& members) { return parse_policy("{" + members + "}").error().where; };
  const std::string name = R"("scales":[{"name":"x","high":3,)";
  EXPECT_EQ(wrong(name + R"("read":{},"set":{"url":"http://x/"}}])"), "scales[0].read.url");
  EXPECT_EQ(wrong(name + R"("read":{"metric":"m"},"set":{"url":"http://x/","body":"{}"}}])"), "scales[0].set.body");
  EXPECT_EQ(wrong(name + R"("read":{"command":"odd"},"set":{"url":"http://x/"}}])"), "scales[0].read.command");
  EXPECT_EQ(wrong(name + R"("read":{"metric":"m"},"set":{"url":"http://x/","credential":"odd"}}])"),
            "scales[0].set.url");
  EXPECT_EQ(wrong(R"("scales":[{"name":"x","low":3,"high":2,"read":{"metric":"m"},"set":{"url":"http://x/"}}])"),
            "scales[0].high");
  const std::string credential = R"("credentials":[{"name":"x",)";
  EXPECT_EQ(wrong(credential + R"("url":"http://away.example/","file":"/x"}])"), "credentials[0].url");
  EXPECT_EQ(wrong(credential + R"("url":"https://x.example/","roles":["nurse"]}])"), "credentials[0].roles");
  EXPECT_EQ(wrong(credential + R"("url":"/x","file":"x"}])"), "credentials[0].file");
  EXPECT_EQ(wrong(credential + R"("url":"/x"}])"), "credentials[0].file");
  EXPECT_EQ(wrong(credential + R"("url":"/x","file":"/x","header":"a: b"}])"), "credentials[0].header");
}

TEST(Credential, IsShownToWhatLiesBelowItsUrlOnly) {
  const Credential one{.name = "x", .url = "https://a.example/health", .file = "/x"};
  for (const auto* const good :
       {"https://a.example/health", "https://a.example/health/db", "https://a.example/health?a=%20"})
    EXPECT_TRUE(is_for(one, good)) << good;
  for (const auto* const bad : {"https://a.example/healthy", "https://a.example/", "http://a.example/health",
                                "https://a.example.evil/health", "https://a.example/health/../admin",
                                "https://a.example/health/%2e%2e/admin", "https://a.example/health/..\\x", "/health"})
    EXPECT_FALSE(is_for(one, bad)) << bad;
  const Credential host{.name = "x", .url = "https://a.example", .file = "/x"};
  EXPECT_TRUE(is_for(host, "https://a.example/x"));
  EXPECT_FALSE(is_for(host, "https://a.example@evil.example/"));
  EXPECT_FALSE(is_for(host, "https://a.example:444/"));
  const Credential own{.name = "x", .url = "/", .file = "/x"};
  EXPECT_TRUE(is_for(own, "/api/v1/status"));
  EXPECT_FALSE(is_for(own, "https://a.example/"));
}

// A program and a receiver as they are.
TEST(OutsideScale, ReadsAndSetsByProgramsAndRequests) {
  const auto folder = std::filesystem::temp_directory_path() / fmt::format("mydr24-scale-{}", getpid());
  std::filesystem::create_directories(folder);
  const auto number = folder / "number";
  std::ofstream(number) << "3\n";
  std::int64_t pods = 5;
  std::string asked;
  auto server = net::serve({}, [&](net::Exchange& exchange) -> Task<> {
    const auto body = co_await exchange.read_body(1'000);
    asked = fmt::format("{} {} {}", exchange.request().method_text, exchange.request().header("X-Key"), *body);
    if (exchange.request().method == net::Method::patch) pods = body->contains(":7}") ? 7 : -1;
    co_await exchange.respond({.status = 200,
                               .content_type = "application/json",
                               .body = fmt::format(R"({{"spec":{{"replicas":{}}}}})", pods)});
  });
  ASSERT_TRUE(server);
  const auto url = fmt::format("http://127.0.0.1:{}/scale", (*server)->port());
  Outside outside({.base_url = {},
                   .reach = net::Reach::parse("public").value(),
                   .ca_file = {},
                   .version = "1",
                   .is_ending = {},
                   .fhir = {},
                   .metric = [](const std::string&, const std::string&) { return std::optional(2.0); },
                   .burn = {},
                   .credential = [](const std::string& name, const std::string&) -> Result<Shown> {
                     return Shown{.header = "X-Key", .value = "of " + name, .held = {}};
                   },
                   .command = [&](const std::string& name) -> Result<Command> {
                     const auto words = name == "count" ? fmt::format("cat {}", number.string())
                                                        : fmt::format("echo $1 > {}", number.string());
                     return Command{.name = name, .path = "/bin/sh", .arguments = {"-c", words, "sh"}};
                   }});
  using namespace std::chrono_literals;
  const Scale by_program{.name = "a", .read = {.command = "count"}, .set = {.command = "set"}};
  EXPECT_EQ(outside.read_scale(by_program, 10s).value(), 3);
  ASSERT_TRUE(outside.set_scale(by_program, 6, "d", 10s));
  EXPECT_EQ(outside.read_scale(by_program, 10s).value(), 6);
  std::ofstream(number) << "many\n";
  EXPECT_FALSE(outside.read_scale(by_program, 10s));
  std::ofstream(number) << "-1\n";
  EXPECT_FALSE(outside.read_scale(by_program, 10s));

  Scale by_request{.name = "b",
                   .read = {.url = url, .credential = "k8s", .member = "spec.replicas"},
                   .set = {.url = url, .credential = "k8s", .method = "PATCH", .body = R"({"replicas":{number}})"}};
  EXPECT_EQ(outside.read_scale(by_request, 10s).value(), 5);
  ASSERT_TRUE(outside.set_scale(by_request, 7, "d", 10s));
  EXPECT_EQ(asked, R"(PATCH of k8s {"replicas":7})");
  EXPECT_EQ(outside.read_scale(by_request, 10s).value(), 7);
  by_request.read.member = "spec.nothing";
  EXPECT_FALSE(outside.read_scale(by_request, 10s));
  const Scale by_metric{.name = "c", .read = {.metric = "m"}};
  EXPECT_EQ(outside.read_scale(by_metric, 10s).value(), 2);
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace mydr24::changes
