#include "base/net/detail/request_head.h"

#include <gtest/gtest.h>

#include <string>

#include "base/net/detail/test_peer.h"

namespace mydr24::net {
namespace {

// Requests that two readers could see differently (RFC 9112, section 11.2), and other malformed ones. Each is sent with
// a second request behind it, which must not be answered.
struct Row {
  const char* what;
  std::string request;
  int status = 400;
};

const Row rows[] = {
    {"length and chunked",
     "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
    {"chunked and length",
     "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n"},
    {"two lengths", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef"},
    {"the same length twice", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nabcde"},
    {"a list of lengths", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5, 5\r\n\r\nabcde"},
    {"a signed length", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +5\r\n\r\nabcde"},
    {"a negative length", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n"},
    {"a hexadecimal length", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0x5\r\n\r\nabcde"},
    {"a length beyond 64 bits", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 18446744073709551616\r\n\r\n"},
    {"an empty length", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: \r\n\r\n"},
    {"an unknown coding", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: foo\r\n\r\n0\r\n\r\n"},
    {"identity as a coding", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n"},
    {"chunked not last", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n"},
    {"gzip before chunked", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"},
    {"chunked twice",
     "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
    {"chunked with a vertical tab",
     "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: \x0b"
     "chunked\r\n\r\n0\r\n\r\n"},
    {"chunked in HTTP/1.0", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
    {"a folded line", "POST / HTTP/1.1\r\nHost: a\r\nX: b\r\n c\r\n\r\n"},
    {"a folded first line", "POST / HTTP/1.1\r\n Host: a\r\n\r\n"},
    {"a bare line feed", "GET / HTTP/1.1\r\nHost: a\nX: b\r\n\r\n"},
    {"only bare line feeds", "GET / HTTP/1.1\nHost: a\n\n"},
    {"a bare carriage return", "GET / HTTP/1.1\r\nHost: a\rX: b\r\n\r\n"},
    {"a zero byte", std::string("GET / HTTP/1.1\r\nHost: a\0b\r\n\r\n", 29)},
    {"a space before the colon", "GET / HTTP/1.1\r\nHost : a\r\n\r\n"},
    {"a line without colon", "GET / HTTP/1.1\r\nHost: a\r\nnothing\r\n\r\n"},
    {"an empty header name", "GET / HTTP/1.1\r\nHost: a\r\n: b\r\n\r\n"},
    {"no Host", "GET / HTTP/1.1\r\n\r\n"},
    {"two Hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"},
    {"two spaces", "GET  / HTTP/1.1\r\nHost: a\r\n\r\n"},
    {"no target", "GET HTTP/1.1\r\nHost: a\r\n\r\n"},
    {"a space in the target", "GET /a b HTTP/1.1\r\nHost: a\r\n\r\n"},
    {"HTTP/2.0", "GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505},
    {"HTTP/0.9", "GET /\r\n\r\n"},
    {"a TLS hello", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n"},
    {"an unknown expectation", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nExpect: tea\r\n\r\nx", 417},
};

TEST(RequestHead, WhatCouldBeReadInTwoWaysIsRefusedAndTheConnectionClosed) {
  const auto server = start();
  for (const Row& row : rows) {
    RawPeer peer(server->port());
    const RawAnswer answer = peer.ask(row.request + get("/"));
    EXPECT_EQ(answer.status, row.status) << row.what;
    EXPECT_EQ(answer.header("Connection"), "close") << row.what;
    EXPECT_TRUE(peer.closed()) << row.what;
  }
}

TEST(RequestHead, BrokenChunksAreRefusedAndTheConnectionClosed) {
  const auto server = start();
  for (const std::string body :
       {"g\r\n", "\r\n", "-1\r\n", "0x1\r\na\r\n0\r\n\r\n", "1 \r\na\r\n0\r\n\r\n", "1\na\n0\n\n",
        "1\r\nab\r\n0\r\n\r\n", "1\r\na\n0\r\n\r\n", "1\r\na\r\n0\r\nX: y\n\r\n", "1000000000000000\r\n",
        "ffffffffffffffff1\r\n", "1;a\nb\r\na\r\n0\r\n\r\n", "0\r\nX\rY\r\n\r\n"}) {
    RawPeer peer(server->port());
    const RawAnswer answer =
        peer.ask("POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + body + get("/"));
    EXPECT_EQ(answer.status, 400) << body;
    EXPECT_TRUE(peer.closed()) << body;
  }
}

TEST(RequestHead, OddButLawfulRequestsAreTaken) {
  const auto server = start();
  for (const std::string& request :
       {std::string("\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"), std::string("GET / HTTP/1.1\r\nhOST:a\r\nX:\r\n\r\n"),
        std::string("GET / HTTP/1.1\r\nHost: \t a \t\r\n\r\n"),
        std::string("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n"),
        std::string("GET /?a=b&c=%7C|\"{} HTTP/1.1\r\nHost: a\r\n\r\n")}) {
    RawPeer peer(server->port());
    EXPECT_EQ(peer.ask(request).status, 200) << request;
    EXPECT_EQ(peer.ask(get("/")).body, "hello") << request;
  }
}

TEST(RequestHead, TooManyHeadersAreRefused) {
  std::string head = "GET / HTTP/1.1\r\nHost: a\r\n";
  for (std::size_t i = 1; i < header_count_max; ++i) head += "X: y\r\n";
  RequestHead parsed;
  EXPECT_EQ(parsed.parse(head + "\r\n").status, 0);
  EXPECT_EQ(parsed.parse(head + "X: y\r\n\r\n").status, 431);
}

TEST(RequestHead, TheScanGoesOnWhereItStopped) {
  const std::string head = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
  HeadScan scan;
  for (std::size_t size = 0; size < head.size(); ++size) {
    scan = scan_head(std::string_view(head).substr(0, size), scan.bytes);
    EXPECT_EQ(scan.state, HeadScan::State::incomplete) << size;
  }
  scan = scan_head(head + "more", scan.bytes);
  EXPECT_EQ(scan.state, HeadScan::State::complete);
  EXPECT_EQ(scan.bytes, head.size());
}

TEST(AcceptEncoding, GzipIsFoundWithItsWeight) {
  for (const auto* yes :
       {"gzip", "GZIP", "br, gzip", "gzip;q=0.1", "deflate, gzip ; q=1.0", "*", "x-gzip", "*;q=0, gzip"}) {
    EXPECT_TRUE(accepts_gzip(yes)) << yes;
  }
  for (const auto* no : {"", "br", "gzip;q=0", "gzip; q=0.000", "identity", "*;q=0", "*, gzip;q=0", "gzipped"}) {
    EXPECT_FALSE(accepts_gzip(no)) << no;
  }
}

}  // namespace
}  // namespace mydr24::net
