#include <gtest/gtest.h>

#include <set>

#include "app/load/bodies.h"
#include "app/load/histogram.h"
#include "app/load/http.h"
#include "app/load/process.h"
#include "app/load/webhook.h"
#include "base/json/document.h"

namespace mydr24::load {
namespace {

using std::chrono::microseconds;
using State = AnswerReader::State;

void feed(AnswerReader& reader, std::string_view bytes) {
  for (const char c : bytes) {
    *reader.space().first = c;
    reader.received(1);
  }
}

TEST(Histogram, AQuantileIsAtMostAThousandthAboveWhatWasRecorded) {
  for (const std::int64_t us : {1, 2, 999, 1023, 1024, 2047, 2048, 2049, 4095, 123'456, 9'999'999, 60'000'000}) {
    Histogram histogram;
    histogram.record(microseconds(us));
    histogram.record(std::chrono::seconds(60));
    const double value = histogram.quantile_ms(0.5) * 1000;
    EXPECT_GE(value + 0.001, static_cast<double>(us));
    EXPECT_LE(value, static_cast<double>(us) * 1.001);
  }
}

TEST(Histogram, QuantilesOfEvenlySpreadLatencies) {
  Histogram histogram;
  for (int us = 1; us <= 100'000; ++us) histogram.record(microseconds(us));
  EXPECT_NEAR(histogram.quantile_ms(0.5), 50, 0.06);
  EXPECT_NEAR(histogram.quantile_ms(0.99), 99, 0.1);
  EXPECT_DOUBLE_EQ(histogram.quantile_ms(1), 100);
  EXPECT_EQ(histogram.count(), 100'000U);
}

TEST(AnswerReader, ReadsAnAnswerThatComesByteForByte) {
  AnswerReader reader;
  feed(reader, "HTTP/1.1 201 Created\r\nContent-Length: 2\r\netag: W/\"1\"\r\nLOCATION: /a\r\n\r\n{");
  EXPECT_EQ(reader.poll(), State::more);
  feed(reader, "}");
  ASSERT_EQ(reader.poll(), State::complete);
  EXPECT_EQ(reader.answer().status, 201);
  EXPECT_EQ(reader.answer().body, "{}");
  EXPECT_EQ(reader.answer().etag, "W/\"1\"");
  EXPECT_EQ(reader.answer().location, "/a");
  reader.next();
  EXPECT_TRUE(reader.empty());
}

TEST(AnswerReader, PutsChunksTogether) {
  AnswerReader reader;
  feed(reader, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
  EXPECT_EQ(reader.poll(), State::more);
  feed(reader, "a\r\n0123456789\r\n0\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n");
  ASSERT_EQ(reader.poll(), State::complete);
  EXPECT_EQ(reader.answer().body, "abc0123456789");
  reader.next();
  ASSERT_EQ(reader.poll(), State::complete);
  EXPECT_EQ(reader.answer().status, 204);
}

TEST(AnswerReader, RefusesWhatHasNoLength) {
  AnswerReader reader;
  feed(reader, "HTTP/1.1 200 OK\r\n\r\n");
  EXPECT_EQ(reader.poll(), State::broken);
  reader.clear();
  feed(reader, "SSH-2.0-x\r\n\r\n");
  EXPECT_EQ(reader.poll(), State::broken);
}

TEST(Bodies, EveryTemplateIsAResourceOfItsType) {
  const std::vector<std::pair<const Body*, std::string_view>> all{{&patient(), "Patient"},
                                                                  {&location(), "Location"},
                                                                  {&organization(), "Organization"},
                                                                  {&practitioner(), "Practitioner"},
                                                                  {&encounter(), "Encounter"},
                                                                  {&pain_score(), "Observation"},
                                                                  {&medication_request(), "MedicationRequest"},
                                                                  {&claim(), "Claim"},
                                                                  {&condition(), "Condition"},
                                                                  {&explanation_of_benefit(), "ExplanationOfBenefit"},
                                                                  {&small_encounter(), "Encounter"}};
  for (const auto& [body, type] : all) {
    const auto document = json::Document::parse(body->fill({{"id", id_member("x")}}));
    ASSERT_TRUE(document) << type << ": " << document.error().text;
    EXPECT_EQ(document->root()["resourceType"].text(), type);
    EXPECT_EQ(document->root()["id"].text(), "x");
  }
}

TEST(Bodies, ATransactionRefersOnlyToItsOwnEntries) {
  const std::string text = linked_transaction(100, "2023-04-11T09:12:44Z").fill({{"n", "7"}});
  const auto document = json::Document::parse_view(text);
  ASSERT_TRUE(document);
  std::set<std::string> urls;
  for (const json::Value entry : document->root()["entry"]) urls.emplace(entry["fullUrl"].text());
  EXPECT_EQ(urls.size(), 101U);
  for (std::size_t at = text.find("\"reference\":\""); at != std::string::npos;
       at = text.find("\"reference\":\"", at + 1)) {
    const std::size_t begin = at + 13;
    EXPECT_TRUE(urls.contains(text.substr(begin, text.find('"', begin) - begin)));
  }
}

TEST(Bodies, NdjsonLinesAreResourcesWithTheIdsItTells) {
  std::vector<std::string> ids;
  const std::string text = ndjson(40, "2023-04-11T09:12:44Z", &ids);
  ASSERT_EQ(ids.size(), 40U);
  std::size_t at = 0;
  for (const std::string& id : ids) {
    const std::size_t end = text.find('\n', at);
    const auto document = json::Document::parse(text.substr(at, end - at));
    ASSERT_TRUE(document);
    EXPECT_EQ(fmt::format("{}/{}", document->root()["resourceType"].text(), document->root()["id"].text()), id);
    at = end + 1;
  }
}

TEST(Webhook, KeepsPathHeadersAndBody) {
  const WebhookReceiver receiver;
  HttpClient client(*parse_endpoint(receiver.url()));
  const auto reply = client.send("POST", "/nurse", R"({"a":1})", "X-Test: yes\r\n");
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->status, 200);
  const auto deliveries = receiver.deliveries();
  ASSERT_EQ(deliveries.size(), 1U);
  EXPECT_EQ(deliveries[0].path, "/nurse");
  EXPECT_EQ(deliveries[0].body, R"({"a":1})");
  EXPECT_NE(deliveries[0].head.find("X-Test: yes"), std::string::npos);
}

TEST(Process, TellsExitCodeAndOutput) {
  const Finished finished = run_command({"sh", "-c", "echo out; echo err >&2; exit 3"});
  EXPECT_EQ(finished.exit_code, 3);
  EXPECT_EQ(finished.out, "out\n");
  EXPECT_EQ(finished.err, "err\n");
}

TEST(Process, AServerThatEndsAtOnceIsAnErrorWithItsLog) {
  const TempFolder folder;
  const auto server = Server::start({.binary = "/bin/echo", .data = folder.path() / "data"});
  ASSERT_FALSE(server);
  EXPECT_NE(server.error().text.find("--listen"), std::string::npos);
}

}  // namespace
}  // namespace mydr24::load
