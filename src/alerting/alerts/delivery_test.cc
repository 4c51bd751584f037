// From the book to a real HTTP receiver: nothing is put in place of the webhook, the client or the network.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <map>
#include <mutex>
#include <thread>

#include "alerting/alerts/book.h"
#include "alerting/alerts/dispatcher.h"
#include "alerting/notify/signature.h"
#include "base/net/http.h"
#include "storage/store/fake_store.h"

namespace mydr24::alerts {
namespace {

using namespace std::chrono_literals;

// Answers /slow never, /down with 503, everything else with 204.
struct Pager {
  struct Call {
    std::string path;
    std::string body;
    std::string signature;
    std::string attempt;
  };

  Pager() {
    auto started = net::serve({}, [this](net::Exchange& exchange) { return answer(exchange); });
    EXPECT_TRUE(started) << started.error().text;
    if (started) server = std::move(*started);
  }

  Task<> answer(net::Exchange& exchange) {
    Call call{std::string(exchange.request().path),
              {},
              std::string(exchange.request().header("X-MyDR24-Signature")),
              std::string(exchange.request().header("X-MyDR24-Attempt"))};
    if (Result<std::string> body = co_await exchange.read_body(1U << 20)) call.body = std::move(*body);
    const bool slow = call.path == "/slow";
    const int status = call.path == "/down" ? 503 : 204;
    {
      const std::lock_guard lock(mutex);
      calls.push_back(std::move(call));
    }
    if (slow) co_await exchange.sleep(60s);
    co_await exchange.respond({.status = status});
  }

  std::string url(std::string_view path) const { return fmt::format("http://127.0.0.1:{}{}", server->port(), path); }
  std::vector<Call> to(std::string_view path) {
    const std::lock_guard lock(mutex);
    std::vector<Call> found;
    for (const Call& call : calls)
      if (call.path == path) found.push_back(call);
    return found;
  }

  std::mutex mutex;
  std::vector<Call> calls;
  std::unique_ptr<net::Server> server;
};

TEST(Delivery, ReachesAReceiverSignedWhileAnotherHangsAndAThirdIsDown) {
  Pager pager;
  ASSERT_TRUE(pager.server);
  const auto webhook = [&pager](std::string_view path) {
    return notify::Address{notify::Kind::webhook, pager.url(path), "whsec"};
  };
  const auto directory = oncall::Directory::make(
      {.contacts = {{"slow", {webhook("/slow")}}, {"down", {webhook("/down")}}, {"nurse", {webhook("/nurse")}}},
       .steps = {{{"slow", "down", "nurse"}}}});
  ASSERT_TRUE(directory);
  const Clock& clock = system_clock();
  store::FakeStore store(clock);
  notify::ConsoleHub hub(clock);
  Book book(*directory);
  Dispatcher dispatcher(*directory, clock, hub, {.retry_first = 10ms});
  ASSERT_TRUE(dispatcher.start(store));
  ASSERT_TRUE(store.write(RequestClass::emergency, [&](store::Transaction& transaction) -> Result<> {
    MYDR24_TRY(book.raise(transaction, {"vitals", "c", Severity::emergency, "Patient/1", "Red score", "NEWS2 9", ""}));
    return {};
  }));
  store.settle();
  for (int i = 0; i < 1000 && (pager.to("/nurse").empty() || pager.to("/down").size() < 2); ++i) {
    dispatcher.tick();
    std::this_thread::sleep_for(2ms);
  }
  const auto nurse = pager.to("/nurse");
  ASSERT_EQ(nurse.size(), 1U);
  EXPECT_TRUE(notify::verify_signature(nurse[0].signature, "whsec", clock.now(), nurse[0].body));
  EXPECT_EQ(nurse[0].body.find("Patient"), std::string::npos);
  const auto down = pager.to("/down");
  ASSERT_GE(down.size(), 2U);
  EXPECT_EQ(down[0].attempt, "1");
  EXPECT_EQ(down[1].attempt, "2");
  for (int i = 0; i < 500 && dispatcher.counters().delivered == 0; ++i) std::this_thread::sleep_for(2ms);
  EXPECT_EQ(dispatcher.counters().delivered, 1);
  EXPECT_LT(dispatcher.counters().delivery_us_max, 2'000'000);
  const auto begin = std::chrono::steady_clock::now();
  dispatcher.stop();
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 6s);
}

}  // namespace
}  // namespace mydr24::alerts
