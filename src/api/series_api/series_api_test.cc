#include "api/series_api/series_api.h"

#include <bit>

#include "api/series_api/series_fixture.h"

namespace mydr24::series_api {
namespace {

constexpr series::Milliseconds now = 1'790'000'000'000;

void put_varint(std::string& out, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) out.push_back(static_cast<char>(value | 0x80));
  out.push_back(static_cast<char>(value));
}
std::string field(unsigned number, std::string_view text) {
  std::string out;
  put_varint(out, number << 3U | 2U);
  put_varint(out, text.size());
  return out += text;
}
std::string one_sample(std::string_view name, double value, series::Milliseconds time) {
  std::string sample(1, 1 << 3 | 1);
  const auto bits = std::bit_cast<std::array<char, 8>>(value);
  sample.append(bits.data(), bits.size());
  put_varint(sample, 2U << 3U);
  put_varint(sample, static_cast<std::uint64_t>(time));
  return field(1, field(1, field(1, "__name__") + field(2, name)) + field(2, sample));
}
// Snappy without compressing: one literal.
std::string packed(std::string_view bytes) {
  std::string out;
  put_varint(out, bytes.size());
  if (bytes.empty()) return out;
  out.push_back(static_cast<char>(61 << 2));
  out.push_back(static_cast<char>((bytes.size() - 1) & 0xFF));
  out.push_back(static_cast<char>((bytes.size() - 1) >> 8));
  return out += bytes;
}

class SeriesApi : public testing::Test {
 protected:
  Reply write(std::string body, std::string_view type = "application/x-protobuf",
              std::string_view encoding = "snappy") {
    std::vector<std::pair<std::string, std::string>> headers{{"Content-Type", std::string(type)}};
    if (!encoding.empty()) headers.emplace_back("Content-Encoding", encoding);
    return ask(server_.url() + "/api/v1/write", net::Method::post, std::move(body), headers);
  }
  std::string value(std::string_view query) {
    const auto reply = ask(server_.url() + fmt::format("/api/v1/query?query={}&time={}", encoded(query), now / 1000));
    return std::string(reply.json.root()["data"]["result"].at(0)["value"].at(1).text());
  }

  SeriesServer server_{from_us(now * 1000)};
};

TEST_F(SeriesApi, WhatIsWrittenIsOnDiskAndCanBeAskedFor) {
  EXPECT_EQ(write(packed(one_sample("up", 4.5, now - 1'000))).status, 204);
  EXPECT_EQ(value("up"), "4.5");
  // Before its samples are in rows of their own, the request is.
  std::string logged;
  (void)server_.store().read([&](store::Reader& reader) -> Result<> {
    MYDR24_ASSIGN(const auto rows, reader.states(series::Keeper::space, "test/w/", "", 10));
    if (rows.size() == 1) logged = rows.front().value;
    return {};
  });
  EXPECT_EQ(logged, packed(one_sample("up", 4.5, now - 1'000)));
  // The same once more, as after an answer that was lost.
  EXPECT_EQ(write(packed(one_sample("up", 4.5, now - 1'000))).status, 204);
}

TEST_F(SeriesApi, WhatIsNotRemoteWriteIsRefused) {
  const std::string good = packed(one_sample("up", 1, now));
  EXPECT_EQ(write(good, "application/json").status, 415);
  EXPECT_EQ(write(good, "application/x-protobuf;proto=io.prometheus.write.v2.Request").status, 415);
  EXPECT_EQ(write(good, "application/x-protobuf", "gzip").status, 415);
  EXPECT_EQ(write(good, "application/x-protobuf", "").status, 415);
  EXPECT_EQ(write(good, "application/x-protobuf;proto=prometheus.WriteRequest").status, 204);
  EXPECT_EQ(write("no snappy").status, 400);
  EXPECT_EQ(write(packed("no protobuf")).status, 400);
  EXPECT_EQ(write(packed(one_sample("no name", 1, now))).status, 400);
  EXPECT_EQ(write(packed(one_sample("up", 1, now - 10))).status, 400);
  EXPECT_EQ(write(packed(one_sample("up", 1, now + 3'600'000))).status, 400);
  std::string large;
  put_varint(large, (16U << 20) + 1);
  EXPECT_EQ(write(large).status, 413);
  EXPECT_EQ(write(std::string((1U << 20) + 1, 'x')).status, 413);
  server_.service().body_bytes_max = 10;
  EXPECT_EQ(write(good).status, 413);
}

TEST_F(SeriesApi, WhatCannotBeWrittenDownIsAskedForAgain) {
  server_.store().refuse_writes = 1;
  const std::string body = packed(one_sample("up", 1, now));
  EXPECT_EQ(write(body).status, 503);
  EXPECT_EQ(write(body).status, 204);
  server_.ready = false;
  EXPECT_EQ(write(body).status, 503);
  EXPECT_EQ(ask(server_.url() + "/api/v1/query?query=up").status, 503);
}

TEST_F(SeriesApi, ParametersComeInTheUrlOrInAForm) {
  write(packed(one_sample("up", 2, now)));
  const std::vector<std::pair<std::string, std::string>> form{{"Content-Type", "application/x-www-form-urlencoded"}};
  const auto url = server_.url() + "/api/v1/query";
  auto reply = ask(url, net::Method::post, fmt::format("query=up%2B1&time={}", now / 1000), form);
  EXPECT_EQ(reply.body, R"({"status":"success","data":{"resultType":"vector","result":[{"metric":{},)"
                        R"("value":[1790000000,"3"]}]}})");
  reply = ask(url + "?query=up&time=2026-09-21T14:13:20Z");
  EXPECT_EQ(reply.json.root()["data"]["result"].at(0)["value"].at(0).text(), "1790000000") << reply.body;
  EXPECT_EQ(ask(url, net::Method::post, "{}", {{"Content-Type", "application/json"}}).status, 415);
  reply = ask(url + "?query=up%2B");
  EXPECT_EQ(reply.status, 400);
  EXPECT_EQ(reply.json.root()["errorType"].text(), "bad_data");
  EXPECT_NE(reply.json.root()["error"].text().find("column 4"), std::string_view::npos);
}

TEST_F(SeriesApi, AQueryEndsWhenItsClientGoesAway) {
  for (int i = 0; i < 200; ++i) {
    const auto series = server_.database().series(
        series::Labels(std::vector<routing::Label>{{"__name__", "m"}, {"i", std::to_string(i)}}));
    server_.database().append(**series, now, 1);
  }
  // Minutes of work for the one worker, for which nobody waits.
  server_.service().limits.time_max = std::chrono::minutes(2);
  std::string sum = "m";
  for (int i = 0; i < 300; ++i) sum += "%2Bm";
  const std::string request =
      fmt::format("GET /api/v1/query_range?query=sum({})&start={}&end={}&step=0.001 HTTP/1.1\r\nHost: h\r\n\r\n", sum,
                  now / 1000, now / 1000 + 10);
  const int client = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(net::parse_url(server_.url())->port));
  ASSERT_EQ(::connect(client, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  ASSERT_EQ(::send(client, request.data(), request.size(), 0), static_cast<ssize_t>(request.size()));
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  ::close(client);
  const auto begun = std::chrono::steady_clock::now();
  EXPECT_EQ(value("vector(1)"), "1");
  EXPECT_LT(std::chrono::steady_clock::now() - begun, std::chrono::seconds(60));
}

TEST_F(SeriesApi, SelectorsOfOneRequestAreBounded) {
  write(packed(one_sample("up", 2, now)));
  std::string url = server_.url() + "/api/v1/series?match[]=up";
  for (int i = 1; i < 64; ++i) url += "&match[]=down";
  EXPECT_EQ(ask(url).body, R"({"status":"success","data":[{"__name__":"up"}]})");
  EXPECT_EQ(ask(url + "&match[]=up").status, 400);
}

TEST_F(SeriesApi, NumbersAreWrittenAsPrometheusWritesThem) {
  for (const auto& [expression, text] :
       std::vector<std::pair<std::string, std::string>>{{"vector(1e21)", "1000000000000000000000"},
                                                        {"vector(1/0)", "+Inf"},
                                                        {"vector(-1/0)", "-Inf"},
                                                        {"vector(18446744073709551615)", "18446744073709552000"},
                                                        {"vector(-3e20)", "-300000000000000000000"},
                                                        {"vector(0/0)", "NaN"},
                                                        {"vector(0.1)", "0.1"},
                                                        {"vector(1e-7)", "0.0000001"}})
    EXPECT_EQ(value(expression), text);
}

TEST_F(SeriesApi, MetadataTellsWhatMetricsAreFor) {
  server_.database().describe("up", {.type = "gauge", .help = "Whether it is up", .unit = ""});
  server_.database().describe("down_total", {.type = "counter", .help = "Falls", .unit = ""});
  const auto all = ask(server_.url() + "/api/v1/metadata");
  EXPECT_EQ(all.json.root()["data"]["up"].at(0)["type"].text(), "gauge");
  EXPECT_EQ(ask(server_.url() + "/api/v1/metadata?metric=up").body,
            R"({"status":"success","data":{"up":[{"type":"gauge","help":"Whether it is up","unit":""}]}})");
  EXPECT_EQ(ask(server_.url() + "/api/v1/metadata?limit=0").body, R"({"status":"success","data":{}})");
  EXPECT_EQ(ask(server_.url() + "/api/v1/metadata?limit=x").status, 400);
  EXPECT_EQ(ask(server_.url() + "/api/v1/status/buildinfo").json.root()["data"]["version"].text(), "2.42.0");
}

}  // namespace
}  // namespace mydr24::series_api
