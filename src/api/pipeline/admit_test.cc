#include <gtest/gtest.h>

#include <fmt/format.h>

#include <functional>
#include <sstream>

#include "api/pipeline/pipeline.h"
#include "base/net/headers_fixture.h"

namespace mydr24::pipeline {
namespace {

using admission::Control;
using admission::Cost;
using admission::Listener;

// One request without a socket; remembers how it was answered.
class LocalExchange : public net::Exchange {
 public:
  explicit LocalExchange(const net::Request& request) : request_(request) {}
  const net::Request& request() const override { return request_; }
  Task<Result<std::string>> read_body(std::size_t) override { co_return std::string(); }
  Task<Result<std::string_view>> read_some() override { co_return std::string_view(); }
  Task<> respond(net::Response response) override {
    status = response.status;
    co_return;
  }
  Task<> respond_prepared(net::Prepared prepared) override {
    status = prepared.status;
    head = prepared.head;
    co_return;
  }
  Task<Result<>> begin_stream(net::Response) override { co_return Result<>(); }
  Task<Result<>> write(std::string_view) override { co_return Result<>(); }
  Task<Result<>> finish() override { co_return Result<>(); }
  bool draining() const override { return false; }
  std::chrono::nanoseconds loop_lag() const override { return lag; }
  Task<> sleep(std::chrono::milliseconds) override { co_return; }

  int status = 0;
  std::string head;
  std::chrono::nanoseconds lag{0};

 private:
  net::Request request_;
};

class AdmitTest : public testing::Test {
 protected:
  AdmitTest() : log_({.level = telemetry::Level::error, .format = telemetry::Format::json}, system_clock(), out_) {
    const auto add = [this](net::Method method, std::string pattern, RequestClass request_class, Cost cost) {
      router_.add({method, std::move(pattern), "x", request_class,
                   [this](Call& call) -> Task<> {
                     seen_ = {call.request_class(), call.crowded()};
                     if (inside_) inside_();
                     co_await call.respond(net::Response{.status = 200});
                   },
                   cost});
    };
    add(net::Method::get, "/quick", RequestClass::routine, Cost::quick);
    add(net::Method::get, "/work", RequestClass::routine, Cost::work);
    add(net::Method::get, "/fhir/{type}", RequestClass::routine, Cost::work);
    add(net::Method::post, "/write", RequestClass::routine, Cost::write);
    add(net::Method::get, "/bulk", RequestClass::background, Cost::work);
    add(net::Method::get, "/ack", RequestClass::emergency, Cost::quick);
  }

  Pipeline& pipeline(const PipelineSettings& settings) {
    pipeline_ = std::make_unique<Pipeline>(router_, settings, metrics_, log_, system_clock());
    return *pipeline_;
  }
  Pipeline& general() { return pipeline({.admission = &control_}); }
  Pipeline& emergency() {
    return pipeline(
        {.listener_class = RequestClass::emergency, .admission = &control_, .listener = Listener::emergency});
  }
  LocalExchange ask(Pipeline& pipeline, net::Method method, std::string_view path, std::chrono::nanoseconds lag = {}) {
    LocalExchange exchange({.method = method, .path = path, .headers = &headers_, .remote = "127.0.0.1:4711"});
    exchange.lag = lag;
    asio::io_context context(1);
    asio::co_spawn(context, pipeline.serve(exchange), asio::detached);
    context.run();
    return exchange;
  }
  // Ticks until the level is the one wanted.
  void climb(int level) {
    auto now = system_clock().steady();
    for (int i = 0; i < 1'000 && control_.level() < level; ++i)
      control_.tick(now += std::chrono::milliseconds(100), std::chrono::milliseconds(150),
                    std::chrono::milliseconds(level > 3 ? 150 : 0));
  }

  struct Seen {
    RequestClass request_class = RequestClass::background;
    bool crowded = false;
  };
  std::ostringstream out_;
  telemetry::Metrics metrics_;
  telemetry::Log log_;
  Router router_;
  Control control_{admission::ControlSettings{}};
  net::SentHeaders headers_;
  std::unique_ptr<Pipeline> pipeline_;
  Seen seen_;
  std::function<void()> inside_;
};

TEST_F(AdmitTest, EverythingAtTheEmergencyListenerIsAnEmergencyButBulkWork) {
  auto& lane = emergency();
  EXPECT_EQ(ask(lane, net::Method::get, "/work").status, 200);
  EXPECT_EQ(seen_.request_class, RequestClass::emergency);
  ask(lane, net::Method::get, "/bulk");
  EXPECT_EQ(seen_.request_class, RequestClass::background);
  headers_.sent["X-MyDR24-Class"] = "urgent";
  ask(lane, net::Method::get, "/work");
  EXPECT_EQ(seen_.request_class, RequestClass::urgent);
}

TEST_F(AdmitTest, StreamsAreBackgroundWork) {
  auto& lane = general();
  headers_.sent["Accept"] = "application/fhir+ndjson";
  ask(lane, net::Method::get, "/fhir/Patient");
  EXPECT_EQ(seen_.request_class, RequestClass::background);
  ask(lane, net::Method::get, "/work");
  EXPECT_EQ(seen_.request_class, RequestClass::routine);
}

TEST_F(AdmitTest, WithoutAdmissionEverythingIsRoutine) {
  auto& naive = pipeline({});
  EXPECT_EQ(ask(naive, net::Method::get, "/ack").status, 200);
  EXPECT_EQ(seen_.request_class, RequestClass::routine);
}

TEST_F(AdmitTest, ASeatIsTakenWhileTheHandlerRunsAndGivenUpAfter) {
  auto& lane = general();
  auto& gate = control_.gate(Listener::general, Cost::work);
  std::size_t inside = 0;
  inside_ = [&] { inside = gate.taken(); };
  ask(lane, net::Method::get, "/work");
  EXPECT_EQ(inside, 1U);
  EXPECT_EQ(gate.taken(), 0U);
  ask(lane, net::Method::get, "/quick");
  EXPECT_EQ(inside, 0U) << "what is quick takes none";
}

TEST_F(AdmitTest, ARefusedRequestNeverReachesItsHandlerAndIsToldWhenToComeBack) {
  climb(1);
  auto& lane = general();
  bool reached = false;
  inside_ = [&] { reached = true; };
  const auto refused = ask(lane, net::Method::get, "/bulk");
  EXPECT_EQ(refused.status, 503);
  EXPECT_FALSE(reached);
  EXPECT_NE(refused.head.find("Retry-After: "), std::string::npos);
  EXPECT_NE(refused.head.find(fmt::format("X-MyDR24-Level: {}\r\n", control_.level())), std::string::npos);
  EXPECT_NE(refused.head.find("Content-Length: 0\r\n"), std::string::npos);
}

TEST_F(AdmitTest, AtTheTopOfTheLadderEmergenciesAreServedOnBothListeners) {
  climb(4);
  ASSERT_EQ(control_.level(), 4);
  EXPECT_EQ(ask(general(), net::Method::get, "/quick").status, 503);
  EXPECT_EQ(ask(general(), net::Method::get, "/ack").status, 200);
  EXPECT_EQ(ask(emergency(), net::Method::post, "/write").status, 200);
}

TEST_F(AdmitTest, OnAThreadThatIsLateWorkGoesToTheWorkers) {
  auto& lane = general();
  ask(lane, net::Method::post, "/write");
  EXPECT_FALSE(seen_.crowded);
  ask(lane, net::Method::post, "/write", std::chrono::milliseconds(8));
  EXPECT_TRUE(seen_.crowded);
}

TEST_F(AdmitTest, APageThatMayReadAnswersMayReadARefusal) {
  climb(4);
  auto& lane = pipeline(
      {.admission = &control_, .may_read = [](std::string_view origin) { return origin == "https://app.example"; }});
  const auto refused = [&](std::string_view origin, std::string_view path) {
    headers_.sent["Origin"] = origin;
    std::string head;
    for (int i = 0; i < 1'000 && head.empty(); ++i)
      head = ask(lane, net::Method::get, path, std::chrono::seconds(1)).head;
    return head;
  };
  const auto told = refused("https://app.example", "/fhir/Patient");
  EXPECT_TRUE(told.starts_with("HTTP/1.1 ")) << told;
  EXPECT_TRUE(told.contains("\r\nAccess-Control-Allow-Origin: https://app.example\r\n")) << told;
  EXPECT_TRUE(told.contains("\r\nRetry-After: ")) << told;
  EXPECT_TRUE(told.contains("Access-Control-Expose-Headers: ")) << told;
  EXPECT_TRUE(told.ends_with("Vary: Origin\r\n")) << told;
  EXPECT_FALSE(refused("https://evil.example", "/fhir/Patient").contains("Access-Control"));
  EXPECT_FALSE(refused("https://app.example", "/work").contains("Access-Control")) << "it may read /fhir alone";
}

TEST_F(AdmitTest, ADeadlineThatIsOverIsNotWaitedFor) {
  auto& lane = general();
  auto& gate = control_.gate(Listener::general, Cost::work);
  const auto now = system_clock().steady();
  std::size_t taken = 0;
  while (gate.enter({.request_class = RequestClass::emergency, .now = now}) && ++taken < 100) {
  }
  headers_.sent["X-MyDR24-Deadline-Ms"] = "1";
  LocalExchange exchange({.method = net::Method::get, .path = "/work", .headers = &headers_, .remote = "127.0.0.1:1"});
  asio::io_context context(1);
  asio::co_spawn(context, lane.serve(exchange), asio::detached);
  context.poll();
  EXPECT_EQ(exchange.status, 0) << "it waits";
  gate.tick(now + std::chrono::seconds(5));
  context.run();
  EXPECT_EQ(exchange.status, 503);
  for (std::size_t i = 0; i < taken; ++i) gate.leave(RequestClass::emergency, admission::Verdict::no_shard, {}, now);
}

}  // namespace
}  // namespace mydr24::pipeline
