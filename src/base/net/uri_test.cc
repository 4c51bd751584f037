#include "base/net/uri.h"

#include <gtest/gtest.h>

#include "base/net/client.h"

namespace mydr24::net {
namespace {

TEST(Uri, PercentEncodingIsUndoneOrRefused) {
  EXPECT_EQ(percent_decode("a%20b%2fc%C3%A9"), "a b/c\xC3\xA9");
  EXPECT_EQ(percent_decode("a+b"), "a+b");
  EXPECT_EQ(percent_decode("a+b", true), "a b");
  EXPECT_EQ(percent_decode(""), "");
  for (const auto* bad : {"%", "a%2", "%zz", "%2g", "%%20"}) EXPECT_EQ(percent_decode(bad), std::nullopt) << bad;
}

TEST(Uri, EncodingAndDecodingGiveTheTextBack) {
  std::string all;
  for (int c = 0; c < 256; ++c) all += static_cast<char>(c);
  EXPECT_EQ(percent_decode(percent_encode(all)), all);
  EXPECT_EQ(percent_encode("a-b_c.d~e/f g"), "a-b_c.d~e%2Ff%20g");
}

TEST(Uri, QueriesAreParsedAsForms) {
  struct Row {
    std::string_view query;
    QueryParameters expected;
  };
  const Row rows[] = {
      {"", {}},
      {"a=1&b=2", {{"a", "1"}, {"b", "2"}}},
      {"a=1&a=2", {{"a", "1"}, {"a", "2"}}},
      {"&&a=1&", {{"a", "1"}}},
      {"a", {{"a", ""}}},
      {"=b", {{"", "b"}}},
      {"a==b", {{"a", "=b"}}},
      {"code=http%3A%2F%2Floinc.org%7C8867-4&date=ge2024-01-01",
       {{"code", "http://loinc.org|8867-4"}, {"date", "ge2024-01-01"}}},
      {"name=J%C3%BCrgen+M", {{"name", "J\xC3\xBCrgen M"}}},
  };
  for (const Row& row : rows) EXPECT_EQ(parse_query(row.query), row.expected) << row.query;
  EXPECT_EQ(parse_query("a=%"), std::nullopt);
  EXPECT_EQ(parse_query("%x=1"), std::nullopt);
  EXPECT_NE(parse_query("a&b&c", 3), std::nullopt);
  EXPECT_EQ(parse_query("a&b&c&d", 3), std::nullopt);
}

TEST(Url, PartsAreFound) {
  struct Row {
    std::string_view text, scheme, host;
    std::uint16_t port;
    std::string_view target;
  };
  const Row rows[] = {
      {"http://a", "http", "a", 80, "/"},
      {"HTTPS://Example.org/x/y?z=1#part", "https", "Example.org", 443, "/x/y?z=1"},
      {"http://a:8080?q", "http", "a", 8080, "/?q"},
      {"http://127.0.0.1:1/", "http", "127.0.0.1", 1, "/"},
      {"https://[::1]:8443/x", "https", "::1", 8443, "/x"},
      {"https://[::1]", "https", "::1", 443, "/"},
  };
  for (const Row& row : rows) {
    const auto url = parse_url(row.text);
    ASSERT_TRUE(url) << row.text;
    EXPECT_EQ(url->scheme, row.scheme);
    EXPECT_EQ(url->host, row.host);
    EXPECT_EQ(url->port, row.port);
    EXPECT_EQ(url->target, row.target);
  }
  for (const auto* bad : {"", "a", "ftp://a", "http://", "http:///x", "http://a:0", "http://a:65536", "http://a:x",
                          "http://a:", "http://u:p@a/", "http://[::1/", "http://[::1]x/", "http://a/ b",
                          "http://a/\r\nX: y", "http://:80"}) {
    const auto url = parse_url(bad);
    ASSERT_FALSE(url) << bad;
    EXPECT_EQ(url.error().code, Code::invalid);
  }
}

}  // namespace
}  // namespace mydr24::net
