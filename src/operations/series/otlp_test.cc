#include "operations/series/otlp.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <condition_variable>
#include <mutex>

#include "base/json/document.h"
#include "base/json/writer.h"
#include "base/net/http.h"
#include "operations/series/detail/bytes.h"
#include "operations/series/exporter.h"
#include "operations/series/otlp_traces.h"

namespace mydr24::series {
namespace {

using namespace std::chrono_literals;

// A message of protobuf as the JSON that the mapping of OTLP makes of it: names, kinds and what is repeated of each field.
struct Shape {
  struct Field {
    unsigned number;
    std::string name;
    enum Kind { message, repeated, text, id, fixed, number_double, varint, number_text, flag, counts, bounds } kind;
    const Shape* of = nullptr;
  };
  std::vector<Field> fields;
};

const Shape any_value{{{1, "stringValue", Shape::Field::text}, {3, "intValue", Shape::Field::number_text}}};
const Shape key_value{{{1, "key", Shape::Field::text}, {2, "value", Shape::Field::message, &any_value}}};
const Shape number_point{{{2, "startTimeUnixNano", Shape::Field::fixed},
                          {3, "timeUnixNano", Shape::Field::fixed},
                          {4, "asDouble", Shape::Field::number_double},
                          {7, "attributes", Shape::Field::repeated, &key_value}}};
const Shape histogram_point{{{2, "startTimeUnixNano", Shape::Field::fixed},
                             {3, "timeUnixNano", Shape::Field::fixed},
                             {4, "count", Shape::Field::fixed},
                             {5, "sum", Shape::Field::number_double},
                             {6, "bucketCounts", Shape::Field::counts},
                             {7, "explicitBounds", Shape::Field::bounds},
                             {9, "attributes", Shape::Field::repeated, &key_value}}};
const Shape gauge{{{1, "dataPoints", Shape::Field::repeated, &number_point}}};
const Shape sum{{{1, "dataPoints", Shape::Field::repeated, &number_point},
                 {2, "aggregationTemporality", Shape::Field::varint},
                 {3, "isMonotonic", Shape::Field::flag}}};
const Shape histogram{
    {{1, "dataPoints", Shape::Field::repeated, &histogram_point}, {2, "aggregationTemporality", Shape::Field::varint}}};
const Shape metric{{{1, "name", Shape::Field::text},
                    {2, "description", Shape::Field::text},
                    {5, "gauge", Shape::Field::message, &gauge},
                    {7, "sum", Shape::Field::message, &sum},
                    {9, "histogram", Shape::Field::message, &histogram}}};
const Shape scope{{{1, "name", Shape::Field::text}, {2, "version", Shape::Field::text}}};
const Shape scope_metrics{
    {{1, "scope", Shape::Field::message, &scope}, {2, "metrics", Shape::Field::repeated, &metric}}};
const Shape resource{{{1, "attributes", Shape::Field::repeated, &key_value}}};
const Shape resource_metrics{
    {{1, "resource", Shape::Field::message, &resource}, {2, "scopeMetrics", Shape::Field::repeated, &scope_metrics}}};
const Shape request{{{1, "resourceMetrics", Shape::Field::repeated, &resource_metrics}}};
const Shape status{{{3, "code", Shape::Field::varint}}};
const Shape span{{{1, "traceId", Shape::Field::id},
                  {2, "spanId", Shape::Field::id},
                  {4, "parentSpanId", Shape::Field::id},
                  {5, "name", Shape::Field::text},
                  {6, "kind", Shape::Field::varint},
                  {7, "startTimeUnixNano", Shape::Field::fixed},
                  {8, "endTimeUnixNano", Shape::Field::fixed},
                  {9, "attributes", Shape::Field::repeated, &key_value},
                  {15, "status", Shape::Field::message, &status}}};
const Shape scope_spans{{{1, "scope", Shape::Field::message, &scope}, {2, "spans", Shape::Field::repeated, &span}}};
const Shape resource_spans{
    {{1, "resource", Shape::Field::message, &resource}, {2, "scopeSpans", Shape::Field::repeated, &scope_spans}}};
const Shape trace_request{{{1, "resourceSpans", Shape::Field::repeated, &resource_spans}}};

std::string number_text(double value) {
  std::string out;
  json::Writer(out).number(value);
  return out;
}

std::string as_json(std::string_view bytes, const Shape& shape);

std::string value_as_json(BytesReader& reader, const Shape::Field& field) {
  std::string out;
  switch (field.kind) {
    case Shape::Field::message:
    case Shape::Field::repeated:
      return as_json(reader.text(), *field.of);
    case Shape::Field::text:
      json::append_quoted(out, reader.text());
      return out;
    case Shape::Field::id:
      for (const char each : reader.text()) out += fmt::format("{:02x}", static_cast<unsigned char>(each));
      return "\"" + out + "\"";
    case Shape::Field::number_text:
      return "\"" + std::to_string(static_cast<std::int64_t>(reader.varint())) + "\"";
    case Shape::Field::fixed:
      return "\"" + std::to_string(reader.fixed64()) + "\"";
    case Shape::Field::number_double: {
      const double value = std::bit_cast<double>(reader.fixed64());
      return std::isfinite(value) ? number_text(value) : std::isnan(value) ? "\"NaN\"" : "\"Infinity\"";
    }
    case Shape::Field::varint:
      return std::to_string(reader.varint());
    case Shape::Field::flag:
      return reader.varint() != 0 ? "true" : "false";
    default:
      break;
  }
  BytesReader numbers(reader.text());
  while (!numbers.done()) {
    if (!out.empty()) out += ',';
    const std::uint64_t bits = numbers.fixed64();
    out += field.kind == Shape::Field::counts ? "\"" + std::to_string(bits) + "\""
                                              : number_text(std::bit_cast<double>(bits));
  }
  return "[" + out + "]";
}

std::string as_json(std::string_view bytes, const Shape& shape) {
  std::map<unsigned, std::vector<std::string>> values;
  BytesReader reader(bytes);
  while (!reader.done()) {
    const auto number = static_cast<unsigned>(reader.varint() >> 3U);
    const auto field = std::ranges::find(shape.fields, number, &Shape::Field::number);
    if (field == shape.fields.end()) {
      ADD_FAILURE() << "unknown field " << number;
      return {};
    }
    values[number].push_back(value_as_json(reader, *field));
  }
  EXPECT_FALSE(reader.broken());
  std::string out;
  for (const Shape::Field& field : shape.fields) {
    // The JSON tells of empty attributes, protobuf does not.
    const bool is_list = field.kind == Shape::Field::repeated;
    if (!values.contains(field.number) && !is_list) continue;
    if (!out.empty()) out += ',';
    std::string items;
    for (const std::string& each : values[field.number]) items += (items.empty() ? "" : ",") + each;
    out += "\"" + field.name + "\":" + (is_list ? "[" + items + "]" : items);
  }
  return "{" + out + "}";
}

class Otlp : public testing::Test {
 protected:
  Otlp() {
    metrics_.counter("requests_total", "Requests", {{"class", "urgent"}}).add(3);
    metrics_.gauge("waiting", "Who \"waits\"").set(-7.25);
    metrics_.gauge("strange", "No number").set(std::numeric_limits<double>::quiet_NaN());
    const auto seconds = metrics_.histogram("seconds", "Time", {0.5, 1}, {{"route", "read"}});
    for (const double each : {0.1, 0.7, 0.8, 5.0}) seconds.observe(each);
  }
  Exporter::Source source(bool json) {
    return [this, make = json ? otlp_json : otlp_protobuf] {
      return std::vector{make(metrics_.gather(), resource_, start_, start_ + 15s)};
    };
  }
  telemetry::Metrics metrics_;
  const Resource resource_{"mydr24", "1", "host:1"};
  const Instant start_ = from_us(1'790'000'000'000'000);
};

TEST_F(Otlp, JsonAndProtobufAreTheSameMessage) {
  const auto families = metrics_.gather();
  const auto now = start_ + 15s;
  const std::string text = otlp_json(families, resource_, start_, now);
  ASSERT_TRUE(json::Document::parse(text));
  EXPECT_EQ(as_json(otlp_protobuf(families, resource_, start_, now), request), text);
}

TEST_F(Otlp, TracesInJsonAndProtobufAreTheSameMessage) {
  ManualClock clock(start_);
  telemetry::Traces traces({}, clock);
  constexpr std::string_view asked = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  auto first = traces.begin(asked);
  const auto began = clock.steady();
  first->add("store commit", began, began + 2ms);
  traces.end(std::move(first),
             {.name = "POST /fhir/{type}",
              .kind = telemetry::Span::Kind::server,
              .begin = began,
              .end = began + 3ms,
              .failed = true,
              .attributes = {{"http.route", "/fhir/{type}"}, {"http.response.status_code", std::int64_t{500}}}});
  auto crowded = traces.begin_late("", 1s, true);
  for (std::size_t i = 0; i < telemetry::Trace::spans_max + 7; ++i) crowded->add("store read", began, began);
  traces.end(std::move(crowded), {.name = "alert delivery", .attributes = {{"mydr24.attempts", std::int64_t{-1}}}});
  const auto taken = traces.take();
  const std::string text = otlp_traces_json(taken, resource_);
  EXPECT_EQ(as_json(otlp_traces_protobuf(taken, resource_), trace_request), text);
  const auto document = json::Document::parse(text);
  ASSERT_TRUE(document);
  const auto spans = document->root()["resourceSpans"].at(0)["scopeSpans"].at(0)["spans"];
  EXPECT_EQ(spans.at(0)["traceId"].text(), "0af7651916cd43dd8448eb211c80319c");
  EXPECT_EQ(spans.at(0)["parentSpanId"].text(), spans.at(1)["spanId"].text());
  EXPECT_EQ(spans.at(1)["parentSpanId"].text(), "b7ad6b7169203331");
  EXPECT_EQ(spans.at(1)["kind"].raw(), "2");
  EXPECT_EQ(spans.at(1)["startTimeUnixNano"].text(), "1790000000000000000");
  EXPECT_EQ(spans.at(1)["endTimeUnixNano"].text(), "1790000000003000000");
  EXPECT_EQ(spans.at(1)["status"]["code"].raw(), "2");
  EXPECT_EQ(spans.at(1)["attributes"].at(1)["value"]["intValue"].text(), "500");
  EXPECT_TRUE(text.contains(R"({"key":"mydr24.spans_left_out","value":{"intValue":"7"}})"));
}

TEST_F(Otlp, AHistogramHasTheCountOfEachBucket) {
  const auto document = json::Document::parse(otlp_json(metrics_.gather(), resource_, start_, start_ + 15s));
  ASSERT_TRUE(document);
  for (const auto each : document->root()["resourceMetrics"].at(0)["scopeMetrics"].at(0)["metrics"]) {
    if (each["name"].text() != "mydr24_seconds") continue;
    const auto point = each["histogram"]["dataPoints"].at(0);
    EXPECT_EQ(point["count"].text(), "4");
    EXPECT_EQ(point["bucketCounts"].raw(), R"(["1","2","1"])");
    EXPECT_EQ(point["explicitBounds"].raw(), "[0.5,1]");
    EXPECT_EQ(point["timeUnixNano"].text(), "1790000015000000000");
    return;
  }
  FAIL() << "no histogram";
}

// A collector that answers as it is told.
class Peer {
 public:
  Peer() {
    auto server = net::serve({}, [this](net::Exchange& exchange) { return serve(exchange); });
    EXPECT_TRUE(server);
    server_ = std::move(*server);
  }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(server_->port()) + "/v1/metrics"; }
  std::size_t wait_for(std::size_t count) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, 10s, [&] { return bodies_.size() >= count; });
    return bodies_.size();
  }
  std::vector<std::string> types() {
    const std::lock_guard lock(mutex_);
    return types_;
  }
  std::atomic<int> status = 200;
  std::atomic<bool> is_slow = false;

 private:
  Task<> serve(net::Exchange& exchange) {
    auto body = co_await exchange.read_body(1U << 20);
    {
      const std::lock_guard lock(mutex_);
      bodies_.push_back(body ? *body : "");
      types_.emplace_back(exchange.request().header("Content-Type"));
    }
    changed_.notify_all();
    if (is_slow) co_await exchange.sleep(300ms);
    co_await exchange.respond({.status = status.load()});
  }
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> bodies_;
  std::vector<std::string> types_;
  std::unique_ptr<net::Server> server_;
};

TEST_F(Otlp, ExportsGoOutAndWaitWhileThePeerRefusesThem) {
  Peer peer;
  peer.status = 503;
  Exporter exporter({.url = peer.url(), .every = 100ms, .json = true, .queue_max = 3}, source(true), system_clock());
  exporter.start();
  EXPECT_GE(peer.wait_for(1), 1U);
  // Nothing more is asked of it for a second, while more exports than may wait are made.
  std::this_thread::sleep_for(700ms);
  EXPECT_EQ(peer.wait_for(1), 1U);
  EXPECT_GT(exporter.given_up(), 0);
  peer.status = 200;
  EXPECT_GE(peer.wait_for(4), 4U);
  exporter.stop();
  EXPECT_GE(exporter.sent(), 2);
  EXPECT_EQ(exporter.failed(), 1);
  EXPECT_EQ(peer.types().front(), "application/json");
}

TEST_F(Otlp, WhoStopsDoesNotWaitForAllThatIsToBeSent) {
  Peer peer;
  peer.status = 503;
  Exporter exporter({.url = peer.url(), .every = 100ms, .json = true}, source(true), system_clock());
  exporter.start();
  EXPECT_EQ(peer.wait_for(1), 1U);
  std::this_thread::sleep_for(500ms);
  peer.is_slow = true;
  peer.status = 200;
  EXPECT_EQ(peer.wait_for(2), 2U);
  exporter.stop();
  EXPECT_EQ(peer.wait_for(2), 2U);
  EXPECT_EQ(exporter.sent(), 1);
}

TEST_F(Otlp, WhatIsRefusedForGoodIsNotSentAgain) {
  Peer peer;
  peer.status = 400;
  Exporter exporter({.url = peer.url(), .every = 100ms}, source(false), system_clock());
  exporter.start();
  EXPECT_GE(peer.wait_for(2), 2U);
  exporter.stop();
  EXPECT_GE(exporter.given_up(), 1);
  EXPECT_EQ(exporter.sent(), 0);
  EXPECT_EQ(peer.types().front(), "application/x-protobuf");
}

}  // namespace
}  // namespace mydr24::series
