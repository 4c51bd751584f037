// What admission needs of the server: refusals that cost next to nothing, and how late its threads are.

#include <fmt/format.h>

#include <atomic>
#include <thread>

#include "base/net/detail/test_peer.h"

namespace mydr24::net {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view refused_head = "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nRetry-After: 7\r\n";

std::unique_ptr<Server> serve_with(ServerSettings settings, Handler handler) {
  auto served = serve(settings, std::move(handler));
  EXPECT_TRUE(served);
  return std::move(*served);
}

Handler refuse_all() {
  return [](Exchange& exchange) -> Task<> { co_await exchange.respond_prepared({503, refused_head}); };
}

TEST(Refusal, GoesOutBeforeTheBodyIsReadAndKeepsTheConnection) {
  const auto server = serve_with({}, refuse_all());
  RawPeer peer(server->port());
  ASSERT_TRUE(peer.send("POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n"));
  const auto refused = peer.answer();  // nothing of the body has been sent yet
  EXPECT_EQ(refused.status, 503);
  EXPECT_EQ(refused.header("Retry-After"), "7");
  EXPECT_EQ(refused.header("Connection"), "");
  EXPECT_EQ(refused.header("Date").size(), 29U);
  ASSERT_TRUE(peer.send("hello"));
  EXPECT_EQ(peer.ask(get("/")).status, 503) << "the body was dropped, the next request is understood";
}

TEST(Refusal, OfABodyThatIsTooLargeToDropClosesTheConnection) {
  const auto server = serve_with({}, refuse_all());
  RawPeer peer(server->port());
  ASSERT_TRUE(peer.send("POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 10000000\r\n\r\n"));
  const auto refused = peer.answer();
  EXPECT_EQ(refused.status, 503);
  EXPECT_EQ(refused.header("Connection"), "close");
}

TEST(Refusal, OfSeveralPipelinedRequestsGoesOutTogether) {
  const auto server = serve_with({}, refuse_all());
  RawPeer peer(server->port());
  std::string requests;
  for (int i = 0; i < 16; ++i) requests += get("/");
  ASSERT_TRUE(peer.send(requests));
  for (int i = 0; i < 16; ++i) ASSERT_EQ(peer.answer().status, 503);
}

TEST(LoopLag, AThreadThatIsHeldUpIsSeenToBeLate) {
  std::atomic<std::int64_t> worst{0};
  ServerSettings settings;
  settings.lag_interval = 5ms;
  settings.loop_lag = [&worst](std::size_t thread, std::chrono::nanoseconds lag) {
    EXPECT_EQ(thread, 0U);
    if (lag.count() > worst.load()) worst = lag.count();
  };
  const auto server = serve_with(settings, [](Exchange& exchange) -> Task<> {
    std::this_thread::sleep_for(100ms);
    co_await exchange.respond({.status = 204});
  });
  RawPeer peer(server->port());
  EXPECT_EQ(peer.ask(get("/")).status, 204);
  EXPECT_EQ(peer.ask(get("/")).status, 204);
  // The timer that sees it runs after the answer.
  const auto late = std::chrono::nanoseconds(50ms).count();
  for (int i = 0; i < 500 && worst.load() < late; ++i) std::this_thread::sleep_for(10ms);
  EXPECT_GE(worst.load(), late);
}

}  // namespace
}  // namespace mydr24::net
