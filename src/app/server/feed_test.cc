// The live feed of consoles (GET /api/v1/events) over real sockets: many streams share what they are told and who looks for it.

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <deque>

#include "app/server/server_fixture.h"
#include "base/core/date_time.h"

namespace mydr24::server {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

class Stream {
 public:
  explicit Stream(std::uint16_t port, const std::string& more = {}) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::connect(socket_, reinterpret_cast<const sockaddr*>(&to), sizeof to), 0);
    const std::string head = "GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\n" + more + "\r\n";
    EXPECT_EQ(::send(socket_, head.data(), head.size(), MSG_NOSIGNAL), std::ssize(head));
  }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  ~Stream() { ::close(socket_); }

  // The rest of a line.
  std::string line(milliseconds time) {
    const auto before = came_;
    if (!comes("\n", time)) return {};
    return before.substr(0, before.find('\n'));
  }
  // Reads until `text` came; what came before it is forgotten.
  bool comes(std::string_view text, milliseconds time) {
    const auto end = steady_clock::now() + time;
    for (;;) {
      if (const auto at = came_.find(text); at != came_.npos) {
        came_.erase(0, at + text.size());
        return true;
      }
      const auto left = std::chrono::duration_cast<milliseconds>(end - steady_clock::now()).count();
      pollfd ready{.fd = socket_, .events = POLLIN, .revents = 0};
      if (left <= 0 || ::poll(&ready, 1, static_cast<int>(left)) <= 0) return false;
      std::array<char, 65'536> piece{};
      const auto got = ::recv(socket_, piece.data(), piece.size(), 0);
      if (got <= 0) return false;
      came_.append(piece.data(), static_cast<std::size_t>(got));
    }
  }

 private:
  int socket_;
  std::string came_;
};

class FeedTest : public ServerTest {
 protected:
  static std::uint16_t port() { return net::parse_url(system_->base_url())->port; }
  static void raise(std::string_view patient) {
    ASSERT_EQ(send(Method::put, fmt::format("/fhir/R4/Patient/{}", patient),
                   fmt::format(R"({{"resourceType":"Patient","id":"{}"}})", patient))
                  .status,
              201);
    const auto sent = send(
        Method::post, "/fhir/R4/Observation",
        fmt::format(
            R"({{"resourceType":"Observation","status":"final","category":[{{"coding":[{{"system":"http://terminology.hl7.org/CodeSystem/observation-category","code":"vital-signs"}}]}}],)"
            R"("code":{{"coding":[{{"system":"http://loinc.org","code":"59408-5"}}]}},"subject":{{"reference":"Patient/{}"}},"effectiveDateTime":"{}",)"
            R"("valueQuantity":{{"value":78,"unit":"%","system":"http://unitsofmeasure.org","code":"%"}}}})",
            patient, format_instant(system_clock().now())));
    ASSERT_EQ(sent.status, 201) << sent.raw.body;
  }
};

constexpr milliseconds soon{5'000};

TEST_F(FeedTest, EveryStreamIsToldAndBeatsGoOnWhoeverLeaves) {
  std::deque<Stream> streams;
  for (int i = 0; i < 24; ++i) streams.emplace_back(port());
  for (auto& stream : streams) ASSERT_TRUE(stream.comes("event: hello\n", soon));
  for (auto& stream : streams) ASSERT_TRUE(stream.comes("event: beat\n", soon));
  // Whichever looks for the others is among those that leave.
  for (int i = 0; i < 20; ++i) streams.pop_front();
  for (auto& stream : streams) ASSERT_TRUE(stream.comes("event: beat\n", soon));
  raise("feed-1");
  for (auto& stream : streams) ASSERT_TRUE(stream.comes("event: alert.raised\n", soon));
}

TEST_F(FeedTest, WhoComesBackIsToldWhatCameBetween) {
  std::string seen;
  {
    Stream first(port());
    ASSERT_TRUE(first.comes("\nid: ", soon));
    seen = first.line(soon);
  }
  raise("feed-2");
  Stream back(port(), fmt::format("Last-Event-ID: {}\r\n", seen));
  EXPECT_TRUE(back.comes("event: alert.raised\n", soon));
  Stream stranger(port(), "Last-Event-ID: 7\r\n");
  EXPECT_TRUE(stranger.comes("event: reset\n", soon)) << "what came after 7 is not known";
}

TEST_F(FeedTest, WhatBecomesOfASilenceIsTold) {
  Stream stream(port());
  ASSERT_TRUE(stream.comes("event: hello\n", soon));
  const auto now = system_clock().now();
  const auto proposal = send(
      Method::post, "/api/v1/silences/proposals",
      fmt::format(
          R"({{"matchers":[{{"name":"a","value":"b","isRegex":false}}],"startsAt":"{}","endsAt":"{}","createdBy":"ann","comment":""}})",
          format_instant(now), format_instant(now + std::chrono::hours(1))),
      {{"Content-Type", "application/json"}});
  ASSERT_EQ(proposal.status, 201) << proposal.raw.body;
  EXPECT_TRUE(stream.comes("event: silence.proposed\n", soon));
  const auto path = fmt::format("/api/v1/silences/proposals/{}/approve", proposal.body.root()["id"].text());
  EXPECT_EQ(send(Method::post, path, R"({"by":"ben"})", {{"Content-Type", "application/json"}}).status, 200);
  EXPECT_TRUE(stream.comes("event: silence.created\n", soon));
}

TEST_F(FeedTest, AStreamThatNobodyReadsHoldsNoOther) {
  Stream deaf(port());
  ASSERT_TRUE(deaf.comes("event: hello\n", soon));
  Stream other(port());
  ASSERT_TRUE(other.comes("event: hello\n", soon));
  for (int i = 0; i < 20; ++i) {
    raise(fmt::format("feed-deaf-{}", i));
    ASSERT_TRUE(other.comes(fmt::format("Patient/feed-deaf-{}", i), soon));
  }
}

}  // namespace
}  // namespace mydr24::server
