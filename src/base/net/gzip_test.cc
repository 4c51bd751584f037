#include "base/net/detail/gzip.h"

#include <gtest/gtest.h>

#include "base/net/detail/test_peer.h"

namespace mydr24::net {
namespace {

std::string gzip(std::string_view text) {
  Deflater deflater;
  std::string out;
  EXPECT_TRUE(deflater.put(text, true, out));
  return out;
}

Result<std::string> gunzip(std::string_view text) {
  Inflater inflater;
  std::string out;
  while (true) {
    const bool ended = text.empty();
    const auto piece = inflater.next(text);
    if (!piece) return piece.error();
    out += *piece;
    if (ended && piece->empty()) break;
  }
  if (!inflater.complete()) return fail(Code::invalid, "it ends early");
  return out;
}

const std::string gzip_header = "Content-Encoding: gzip\r\n";
const std::string accept = "Accept-Encoding: gzip\r\n";

TEST(Gzip, WhatIsCompressedComesBack) {
  std::string text;
  for (int i = 0; i < 50'000; ++i) text += std::to_string(i * 7919 % 1000) + ",";
  EXPECT_EQ(gunzip(gzip(text)).value(), text);
  EXPECT_EQ(gunzip(gzip("")).value(), "");
  EXPECT_EQ(gunzip(gzip("a") + gzip("b")).value(), "ab");
  const std::string zeros(1U << 20, '\0');
  EXPECT_EQ(gunzip(gzip(zeros)).value(), zeros);
  EXPECT_FALSE(gunzip("not gzip at all"));
  EXPECT_FALSE(gunzip(gzip("abc").substr(0, 15)));
  EXPECT_FALSE(gunzip(gzip("abc") + "junk"));
}

TEST(Gzip, RequestBodiesAreDecompressed) {
  const auto server = start();
  RawPeer peer(server->port());
  const std::string text(500'000, 'x');
  EXPECT_EQ(peer.ask(post("/echo", gzip(text), gzip_header)).body, text);
  EXPECT_EQ(peer.ask(post("/in", gzip(text), gzip_header)).body, "500000 small pieces");
  const std::string packed = gzip(text);
  EXPECT_EQ(peer.ask(fmt::format(
                         "POST /in HTTP/1.1\r\nHost: a\r\n{}Transfer-Encoding: chunked\r\n\r\n{:x}\r\n{}\r\n0\r\n\r\n",
                         gzip_header, packed.size(), packed))
                .body,
            "500000 small pieces");
  EXPECT_EQ(peer.ask(get("/")).body, "hello");
}

TEST(Gzip, ABombIsTooLarge) {
  const auto server = start();
  RawPeer peer(server->port());
  EXPECT_EQ(peer.ask(post("/echo", gzip(std::string(200U << 20, 'x')), gzip_header)).status, 413);
}

TEST(Gzip, BrokenAndUnknownEncodingsAreRefused) {
  const auto server = start();
  for (const std::string& body : {std::string("no gzip"), gzip("abcdef").substr(0, 12)}) {
    RawPeer peer(server->port());
    EXPECT_EQ(peer.ask(post("/echo", body, gzip_header)).status, 400);
  }
  RawPeer peer(server->port());
  EXPECT_EQ(peer.ask(post("/echo", "abc", "Content-Encoding: br\r\n")).status, 415);
  EXPECT_EQ(peer.ask(post("/echo", "abc", "Content-Encoding: identity\r\n")).body, "abc");
}

TEST(Gzip, LargeAnswersAreCompressedForThoseWhoAccept) {
  const auto server = start();
  RawPeer peer(server->port());
  const RawAnswer packed = peer.ask(get("/big?300000", accept));
  EXPECT_EQ(packed.header("Content-Encoding"), "gzip");
  EXPECT_EQ(packed.header("Vary"), "Accept-Encoding");
  EXPECT_LT(packed.body.size(), 10'000U);
  EXPECT_EQ(gunzip(packed.body).value(), std::string(300'000, 'a'));

  const RawAnswer plain = peer.ask(get("/big?300000"));
  EXPECT_EQ(plain.header("Content-Encoding"), "");
  EXPECT_EQ(plain.header("Vary"), "Accept-Encoding");
  EXPECT_EQ(plain.body.size(), 300'000U);
  EXPECT_EQ(peer.ask(get("/big?300000", "Accept-Encoding: gzip;q=0\r\n")).body.size(), 300'000U);
  EXPECT_EQ(peer.ask(get("/big?100", accept)).header("Content-Encoding"), "");
  EXPECT_EQ(peer.ask(get("/coded?300000", accept)).header("Content-Encoding"), "br");
  EXPECT_EQ(peer.ask("HEAD /big?300000 HTTP/1.1\r\nHost: a\r\n\r\n").status, 200);
  EXPECT_EQ(peer.ask(get("/")).body, "hello");
}

}  // namespace
}  // namespace mydr24::net
