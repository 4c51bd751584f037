#include <fmt/format.h>

#include <atomic>
#include <thread>

#include <boost/asio/steady_timer.hpp>

#include "base/net/detail/test_peer.h"

namespace mydr24::net {
namespace {

using std::chrono::milliseconds;

TEST(Server, AnswersSeveralRequestsOnOneConnection) {
  const auto server = start();
  RawPeer peer(server->port());
  for (int i = 0; i < 3; ++i) {
    const RawAnswer answer = peer.ask(get("/"));
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.body, "hello");
    EXPECT_EQ(answer.header("Content-Type"), "text/plain");
    EXPECT_EQ(answer.header("Connection"), "");
    EXPECT_EQ(answer.header("Date").size(), 29U);
  }
}

TEST(Server, TheHandlerSeesTheRequest) {
  const auto server = start();
  RawPeer peer(server->port());
  const std::string tail = " remote=127.0.0.1 secure=false";
  EXPECT_EQ(peer.ask(get("/which?a=%20")).body, "GET GET path=/which query=a=%20" + tail);
  EXPECT_EQ(peer.ask("DELETE /which HTTP/1.1\r\nHost: a\r\n\r\n").body, "DELETE DELETE path=/which query=" + tail);
  EXPECT_EQ(peer.ask("BREW /which HTTP/1.1\r\nHost: a\r\n\r\n").body, "other BREW path=/which query=" + tail);
  EXPECT_EQ(peer.ask("OPTIONS http://a/which?b HTTP/1.1\r\nHost: a\r\n\r\n").body,
            "OPTIONS OPTIONS path=/which query=b" + tail);
  EXPECT_EQ(peer.ask(get("/shared")).body, "shared text");
  EXPECT_EQ(peer.ask(get("/header")).header("ETag"), "W/\"1\"");
}

TEST(Server, HeadAndNoContentHaveNoBody) {
  const auto server = start();
  RawPeer peer(server->port());
  const RawAnswer head = peer.ask("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(head.header("Content-Length"), "5");
  const RawAnswer none = peer.ask(get("/none"));
  EXPECT_EQ(none.status, 204);
  EXPECT_EQ(none.header("Content-Length"), "");
  EXPECT_EQ(peer.ask("HEAD /out?100 HTTP/1.1\r\nHost: a\r\n\r\n").status, 200);
  EXPECT_EQ(peer.ask(get("/")).body, "hello");  // nothing was left between them
}

TEST(Server, PipelinedRequestsAreAnsweredInOrder) {
  const auto server = start();
  RawPeer peer(server->port());
  std::string requests;
  for (int i = 0; i < 300; ++i) requests += post("/echo", fmt::format("number {}", i));
  std::thread sender([&] { peer.send(requests); });
  for (int i = 0; i < 300; ++i) ASSERT_EQ(peer.answer().body, fmt::format("number {}", i));
  sender.join();
}

TEST(Server, AGatheredAnswerDoesNotWaitForASlowHandlerBehindIt) {
  const auto server = start();
  RawPeer peer(server->port());
  const auto begun = std::chrono::steady_clock::now();
  peer.send(get("/") + get("/slow?400"));
  EXPECT_EQ(peer.answer().body, "hello");
  EXPECT_LT(std::chrono::steady_clock::now() - begun, milliseconds(300));
  EXPECT_EQ(peer.answer().body, "hello");
}

TEST(Server, BytesMayComeOneByOne) {
  const auto server = start();
  RawPeer peer(server->port());
  const std::string request =
      "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: "
      "chunked\r\n\r\n3;x=y\r\nabc\r\n2\r\nde\r\n0\r\nT: 1\r\n\r\n";
  for (const char c : request) {
    peer.send(std::string_view(&c, 1));
    std::this_thread::sleep_for(std::chrono::microseconds(200));
  }
  EXPECT_EQ(peer.answer().body, "abcde");
  EXPECT_EQ(peer.ask(get("/")).body, "hello");
}

TEST(Server, RequestsBehindAChunkedBodyAreKept) {
  const auto server = start();
  RawPeer peer(server->port());
  const std::string chunked = "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
  peer.send(chunked);
  std::this_thread::sleep_for(milliseconds(50));  // so that the body comes apart from its head
  peer.send("3\r\nabc\r\n0\r\n\r\n" + get("/") + chunked + "0\r\n\r\n" + get("/shared"));
  EXPECT_EQ(peer.answer().body, "abc");
  EXPECT_EQ(peer.answer().body, "hello");
  EXPECT_EQ(peer.answer().body, "");
  EXPECT_EQ(peer.answer().body, "shared text");
}

TEST(Server, Http10ClosesUnlessAskedNotTo) {
  const auto server = start();
  {
    RawPeer peer(server->port());
    EXPECT_EQ(peer.ask("GET / HTTP/1.0\r\n\r\n").header("Connection"), "close");
    EXPECT_TRUE(peer.closed());
  }
  {
    RawPeer peer(server->port());
    for (int i = 0; i < 2; ++i) {
      EXPECT_EQ(peer.ask("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n").header("Connection"), "keep-alive");
    }
  }
  RawPeer peer(server->port());
  const RawAnswer streamed = peer.ask("GET /out?100000 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_EQ(streamed.header("Transfer-Encoding"), "");
  EXPECT_EQ(streamed.body.size(), 100'000U);
}

TEST(Server, ConnectionCloseIsHonoured) {
  const auto server = start();
  RawPeer peer(server->port());
  EXPECT_EQ(peer.ask(get("/", "Connection: close\r\n")).header("Connection"), "close");
  EXPECT_TRUE(peer.closed());
}

TEST(Server, ExpectedContinueIsSentWhenTheBodyIsRead) {
  const auto server = start();
  const std::string headers = "Host: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n";
  {
    RawPeer peer(server->port());
    peer.send("POST /echo HTTP/1.1\r\n" + headers);
    EXPECT_EQ(peer.answer().status, 100);
    peer.send("12345");
    EXPECT_EQ(peer.answer().body, "12345");
  }
  RawPeer peer(server->port());
  peer.send("POST / HTTP/1.1\r\n" + headers);  // a handler that does not want the body
  const RawAnswer answer = peer.answer();
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.header("Connection"), "close");
}

TEST(Server, AnUnreadBodyIsDrainedWhenSmallAndEndsTheConnectionWhenLarge) {
  const auto server = start();
  {
    RawPeer peer(server->port());
    EXPECT_EQ(peer.ask(post("/", std::string(30'000, 'x'))).status, 200);
    EXPECT_EQ(peer.ask(get("/shared")).body, "shared text");
  }
  RawPeer peer(server->port());
  const RawAnswer answer = peer.ask(post("/", std::string(200'000, 'x')));
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.header("Connection"), "close");
  EXPECT_TRUE(peer.closed());
}

TEST(Server, ABodyOverTheHandlersLimitIsTooLarge) {
  const auto server = start();
  {
    RawPeer peer(server->port());
    EXPECT_EQ(peer.ask(post("/echo", std::string((1U << 20) + 1, 'x'))).status, 413);
  }
  RawPeer peer(server->port());
  std::string chunked = "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (int i = 0; i < 40; ++i) chunked += "8000\r\n" + std::string(0x8000, 'x') + "\r\n";
  EXPECT_EQ(peer.ask(chunked).status, 413);
}

TEST(Server, FiftyMegabytesGoThroughInSmallPieces) {
  const auto server = start();
  constexpr std::size_t bytes = 50U << 20;
  RawPeer peer(server->port());
  std::thread sender([&] {
    peer.send(fmt::format("POST /in HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n", bytes));
    const std::string piece(1U << 20, 'x');
    for (std::size_t sent = 0; sent < bytes; sent += piece.size()) peer.send(piece);
  });
  EXPECT_EQ(peer.answer().body, fmt::format("{} small pieces", bytes));
  sender.join();
  const RawAnswer out = peer.ask(get(fmt::format("/out?{}", bytes)));
  EXPECT_TRUE(out.complete);
  EXPECT_EQ(out.body.size(), bytes);
}

TEST(Server, ALargeAnswerReachesASlowReader) {
  const auto server = start({.gzip_bytes_min = 0});
  RawPeer peer(server->port());
  peer.send(get("/big?20000000"));
  std::this_thread::sleep_for(milliseconds(100));
  const RawAnswer answer = peer.answer();
  EXPECT_TRUE(answer.complete);
  EXPECT_EQ(answer.body.size(), 20'000'000U);
}

TEST(Server, FaultsOfHandlersAreAnswered500) {
  const auto server = start();
  {
    RawPeer peer(server->port());
    const RawAnswer thrown = peer.ask(get("/throw"));
    EXPECT_EQ(thrown.status, 500);
    EXPECT_EQ(thrown.header("Connection"), "close");
    EXPECT_TRUE(peer.closed());
  }
  {
    RawPeer peer(server->port());
    EXPECT_EQ(peer.ask(get("/silent")).status, 500);
  }
  RawPeer peer(server->port());
  const RawAnswer half = peer.ask(get("/half"));
  EXPECT_EQ(half.status, 200);
  EXPECT_FALSE(half.complete);
}

TEST(Server, AHeaderThatWouldInjectAnotherIsRefused) {
  const auto server = start();
  RawPeer peer(server->port());
  const RawAnswer answer = peer.ask(get("/inject"));
  EXPECT_EQ(answer.status, 500);
  EXPECT_EQ(answer.head.find("stolen"), std::string::npos);
}

TEST(Server, AHeadOverTheLimitIsRefused) {
  const auto server = start({.header_bytes_max = 2000});
  for (const std::size_t size : {1'995UL, 5'000UL, 100'000UL}) {
    RawPeer peer(server->port());
    EXPECT_EQ(peer.ask(get("/", "X: " + std::string(size, 'x') + "\r\n")).status, 431) << size;
    EXPECT_TRUE(peer.closed());
  }
  RawPeer peer(server->port());
  EXPECT_EQ(peer.ask(get("/", "X: " + std::string(1'900, 'x') + "\r\n")).status, 200);
}

TEST(Server, WhatIsNoRequestIsToldOf) {
  std::atomic<int> told = 0;
  ServerSettings settings;
  settings.refused = [&told](int status) { told = status; };
  const auto server = start(settings);
  const auto ask = [&](const std::string& bytes) {
    RawPeer peer(server->port());
    return peer.ask(bytes).status;
  };
  EXPECT_EQ(ask(get("/")), 200);
  EXPECT_EQ(told, 0);
  EXPECT_EQ(ask("GET / HTTP/1.1\nHost: a\n\n"), 400);
  EXPECT_EQ(told, 400);
  EXPECT_EQ(ask("GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(64U << 10, 'x') + "\r\n\r\n"), 431);
  EXPECT_EQ(told, 431);
}

TEST(Server, SlowPeersAreCutOff) {
  ServerSettings settings;
  settings.header_time_max = settings.body_idle_time_max = milliseconds(100);
  settings.idle_time_max = milliseconds(200);
  const auto server = start(settings);
  const auto begun = std::chrono::steady_clock::now();
  RawPeer idle(server->port());
  RawPeer head(server->port());
  RawPeer body(server->port());
  head.send("GET / HTTP/1.1\r\nHost:");
  body.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc");
  EXPECT_EQ(head.answer().status, 408);
  EXPECT_TRUE(head.closed());
  EXPECT_EQ(body.answer().status, 408);
  EXPECT_TRUE(body.closed());
  EXPECT_TRUE(idle.closed());
  EXPECT_LT(std::chrono::steady_clock::now() - begun, milliseconds(1500));
}

TEST(Server, ABodyThatTricklesIsCutOff) {
  ServerSettings settings;
  settings.body_idle_time_max = milliseconds(200);
  settings.body_rate_min = 1000;
  const auto server = start(settings);
  RawPeer peer(server->port());
  peer.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n");
  int sent = 0;
  for (; sent < 100; ++sent) {  // 50 bytes a second
    if (!peer.send("x")) break;
    std::this_thread::sleep_for(milliseconds(20));
    char byte = 0;
    if (::recv(peer.fd(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0) break;
  }
  EXPECT_LT(sent, 60);
  EXPECT_EQ(peer.answer().status, 408);
}

TEST(Server, AReaderThatTakesNothingIsCutOff) {
  ServerSettings settings;
  settings.body_idle_time_max = milliseconds(100);
  settings.gzip_bytes_min = 0;
  const auto server = start(settings);
  RawPeer peer(server->port());
  peer.send(get("/big?30000000"));
  std::this_thread::sleep_for(milliseconds(600));
  EXPECT_FALSE(peer.answer().complete);
}

TEST(Server, ConnectionsOverTheLimitWaitUntilOneCloses) {
  const auto server = start({.connections_max = 2});
  auto first = std::make_unique<RawPeer>(server->port());
  RawPeer second(server->port());
  EXPECT_EQ(first->ask(get("/")).status, 200);
  EXPECT_EQ(second.ask(get("/")).status, 200);
  RawPeer third(server->port());
  third.send(get("/"));
  std::this_thread::sleep_for(milliseconds(150));
  char byte = 0;
  EXPECT_LT(::recv(third.fd(), &byte, 1, MSG_DONTWAIT), 0);
  first.reset();
  EXPECT_EQ(third.answer().status, 200);
}

TEST(Server, DrainLetsARequestFinishAndClosesIdleConnections) {
  const auto server = start({.threads = 2});
  RawPeer idle(server->port());
  EXPECT_EQ(idle.ask(get("/")).status, 200);
  RawPeer slow(server->port());
  slow.send(get("/slow?300"));
  std::this_thread::sleep_for(milliseconds(50));
  const auto begun = std::chrono::steady_clock::now();
  std::thread drainer([&] { server->drain(); });
  EXPECT_TRUE(idle.closed());
  EXPECT_LT(std::chrono::steady_clock::now() - begun, milliseconds(200));
  const RawAnswer answer = slow.answer();
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.header("Connection"), "close");
  drainer.join();
  EXPECT_FALSE(RawPeer(server->port()).connected());
}

TEST(Server, DrainGivesUpAfterItsTime) {
  const auto server = start({.drain_time_max = milliseconds(100)});
  RawPeer slow(server->port());
  slow.send(get("/slow?500"));
  std::this_thread::sleep_for(milliseconds(50));
  const auto begun = std::chrono::steady_clock::now();
  server->drain();
  EXPECT_LT(std::chrono::steady_clock::now() - begun, milliseconds(300));
  EXPECT_EQ(slow.answer().status, 0);
}

TEST(Server, SleepEndsWithItsTimeWithDrainingAndWithThePeer) {
  auto server = start();
  const auto begun = std::chrono::steady_clock::now();
  RawPeer peer(server->port());
  EXPECT_EQ(peer.ask(get("/sleep?50")).status, 200);
  EXPECT_GE(std::chrono::steady_clock::now() - begun, milliseconds(50));
  peer.send(get("/sleep?50") + get("/"));  // pipelined bytes do not end it
  EXPECT_EQ(peer.answer().status, 200);
  EXPECT_EQ(peer.answer().status, 200);
  RawPeer draining(server->port());
  draining.send(get("/sleep?60000"));
  auto leaving = std::make_unique<RawPeer>(server->port());
  leaving->send(get("/sleep?60000"));
  std::this_thread::sleep_for(milliseconds(50));
  leaving.reset();
  server->drain();
  EXPECT_EQ(draining.answer().status, 200);
  EXPECT_LT(std::chrono::steady_clock::now() - begun, milliseconds(2000));
}

TEST(Server, StoppingInTheMiddleOfEverythingIsClean) {
  auto server = start({.threads = 2});
  std::vector<std::unique_ptr<RawPeer>> peers;
  for (int i = 0; i < 40; ++i) {
    peers.push_back(std::make_unique<RawPeer>(server->port()));
    switch (i % 5) {
      case 0:
        peers.back()->send(get("/sleep?60000"));
        break;
      case 1:
        peers.back()->send(get("/out?500000000"));
        break;
      case 2:
        peers.back()->send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\nabc");
        break;
      case 3:
        peers.back()->send("GET / HT");
        break;
      default:
        break;
    }
  }
  std::this_thread::sleep_for(milliseconds(30));
  const auto begun = std::chrono::steady_clock::now();
  server.reset();
  EXPECT_LT(std::chrono::steady_clock::now() - begun, milliseconds(1000));
}

TEST(Server, EveryThreadIsPreparedBeforeItServes) {
  std::atomic<int> prepared = 0;
  ServerSettings settings;
  settings.threads = 3;
  settings.thread_begun = [&](std::size_t number) { prepared += 1 << number; };
  {
    const auto server = start(settings);
    RawPeer peer(server->port());
    EXPECT_EQ(peer.ask(get("/")).status, 200);
  }
  EXPECT_EQ(prepared, 7);
}

TEST(Server, FaultsOfSettingsAreNamed) {
  const auto server = start();
  const auto taken = serve({.port = server->port()}, test_handler);
  ASSERT_FALSE(taken);
  EXPECT_NE(taken.error().text.find(std::to_string(server->port())), std::string::npos) << taken.error().text;
  const auto nowhere = serve({.address = "not an address"}, test_handler);
  ASSERT_FALSE(nowhere);
  EXPECT_NE(nowhere.error().text.find("not an address"), std::string::npos);
}

}  // namespace
}  // namespace mydr24::net
