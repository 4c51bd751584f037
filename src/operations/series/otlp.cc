#include "operations/series/otlp.h"

#include <fmt/format.h>

#include <bit>
#include <charconv>
#include <cmath>
#include <limits>

#include "operations/series/detail/otlp.h"

namespace mydr24::series {
namespace {

constexpr int cumulative = 2;  // AGGREGATION_TEMPORALITY_CUMULATIVE

// A histogram put together again from its readings.
struct HistogramPoint {
  telemetry::Labels labels;
  std::vector<double> bounds;
  std::vector<std::uint64_t> counts;  // of each bucket, one more than bounds
  std::uint64_t count = 0;
  double sum = 0;
};

std::vector<HistogramPoint> histograms(const telemetry::Family& family) {
  std::vector<HistogramPoint> points;
  std::map<telemetry::Labels, std::size_t> places;
  for (const telemetry::Reading& reading : family.readings) {
    telemetry::Labels labels = reading.labels;
    labels.erase("le");
    const auto [place, is_new] = places.emplace(labels, points.size());
    if (is_new) points.push_back({.labels = std::move(labels)});
    HistogramPoint& point = points[place->second];
    if (reading.name.ends_with("_sum")) {
      point.sum = reading.value;
    } else if (reading.name.ends_with("_count")) {
      point.count = static_cast<std::uint64_t>(reading.value);
    } else {
      const std::string& bound = reading.labels.at("le");
      double value = 0;
      std::from_chars(bound.data(), bound.data() + bound.size(), value);
      if (bound != "+Inf") point.bounds.push_back(value);
      std::uint64_t before = 0;
      for (const std::uint64_t each : point.counts) before += each;
      point.counts.push_back(static_cast<std::uint64_t>(reading.value) - before);
    }
  }
  return points;
}

std::uint64_t ns(Instant at) { return static_cast<std::uint64_t>(to_us(at)) * 1'000; }

struct Times {
  std::uint64_t start;
  std::uint64_t now;
};

// protobuf
void put_double(std::string& out, unsigned field, double value) {
  put_fixed(out, field, std::bit_cast<std::uint64_t>(value));
}

std::string number_point(const telemetry::Reading& reading, const Times& times, bool has_start) {
  std::string out;
  if (has_start) put_fixed(out, 2, times.start);
  put_fixed(out, 3, times.now);
  put_double(out, 4, reading.value);
  for (const auto& [name, value] : reading.labels) put_message(out, 7, attribute(name, value));
  return out;
}

std::string histogram_point(const HistogramPoint& point, const Times& times) {
  std::string out;
  put_fixed(out, 2, times.start);
  put_fixed(out, 3, times.now);
  put_fixed(out, 4, point.count);
  put_double(out, 5, point.sum);
  std::string counts;
  for (const std::uint64_t each : point.counts) put_fixed64(counts, each);
  put_message(out, 6, counts);
  std::string bounds;
  for (const double each : point.bounds) put_fixed64(bounds, std::bit_cast<std::uint64_t>(each));
  put_message(out, 7, bounds);
  for (const auto& [name, value] : point.labels) put_message(out, 9, attribute(name, value));
  return out;
}

std::string metric(const telemetry::Family& family, const Times& times) {
  std::string out;
  put_message(out, 1, family.name);
  put_message(out, 2, family.help);
  std::string data;
  if (family.type == "histogram") {
    for (const HistogramPoint& each : histograms(family)) put_message(data, 1, histogram_point(each, times));
    put_number(data, 2, cumulative);
    put_message(out, 9, data);
    return out;
  }
  const bool is_sum = family.type == "counter";
  for (const telemetry::Reading& each : family.readings) put_message(data, 1, number_point(each, times, is_sum));
  if (is_sum) {
    put_number(data, 2, cumulative);
    put_number(data, 3, 1);
  }
  put_message(out, is_sum ? 7 : 5, data);
  return out;
}

// JSON
void write_attributes(json::Writer& writer, const telemetry::Labels& labels) {
  writer.key("attributes").begin_array();
  for (const auto& [name, value] : labels) write_attribute(writer, name, value);
  writer.end_array();
}

// What JSON has no number for is a text.
void write_double(json::Writer& writer, std::string_view name, double value) {
  writer.key(name);
  if (std::isnan(value))
    writer.string("NaN");
  else if (std::isinf(value))
    writer.string(value > 0 ? "Infinity" : "-Infinity");
  else
    writer.number(value);
}

void write_histogram(json::Writer& writer, const HistogramPoint& point, const Times& times) {
  writer.begin_object();
  write_time(writer, "startTimeUnixNano", times.start);
  write_time(writer, "timeUnixNano", times.now);
  write_time(writer, "count", point.count);
  write_double(writer, "sum", point.sum);
  writer.key("bucketCounts").begin_array();
  for (const std::uint64_t each : point.counts) writer.string(std::to_string(each));
  writer.end_array().key("explicitBounds").begin_array();
  for (const double each : point.bounds) writer.number(each);
  writer.end_array();
  write_attributes(writer, point.labels);
  writer.end_object();
}

void write_metric(json::Writer& writer, const telemetry::Family& family, const Times& times) {
  writer.begin_object()
      .field("name", std::string_view(family.name))
      .field("description", std::string_view(family.help));
  const bool is_sum = family.type == "counter";
  const bool is_histogram = family.type == "histogram";
  writer.key(is_histogram ? "histogram" : is_sum ? "sum" : "gauge").begin_object().key("dataPoints").begin_array();
  if (is_histogram) {
    for (const HistogramPoint& each : histograms(family)) write_histogram(writer, each, times);
  } else {
    for (const telemetry::Reading& each : family.readings) {
      writer.begin_object();
      if (is_sum) write_time(writer, "startTimeUnixNano", times.start);
      write_time(writer, "timeUnixNano", times.now);
      write_double(writer, "asDouble", each.value);
      write_attributes(writer, each.labels);
      writer.end_object();
    }
  }
  writer.end_array();
  if (is_sum || is_histogram) writer.field("aggregationTemporality", cumulative);
  if (is_sum) writer.field("isMonotonic", true);
  writer.end_object().end_object();
}

}  // namespace

std::string otlp_protobuf(const std::vector<telemetry::Family>& families, const Resource& resource, Instant start,
                          Instant now) {
  const Times times{ns(start), ns(now)};
  std::string metrics;
  for (const telemetry::Family& each : families) put_message(metrics, 2, metric(each, times));
  return with_resource(resource, metrics);
}

std::string otlp_json(const std::vector<telemetry::Family>& families, const Resource& resource, Instant start,
                      Instant now) {
  const Times times{ns(start), ns(now)};
  std::string out;
  json::Writer writer(out);
  write_with_resource(writer, resource, "resourceMetrics", "scopeMetrics", "metrics", [&] {
    for (const telemetry::Family& each : families) write_metric(writer, each, times);
  });
  return out;
}

}  // namespace mydr24::series
