#include "base/telemetry/metrics.h"

#include <fmt/format.h>
#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <cmath>
#include <mutex>
#include <sstream>

namespace mydr24::telemetry {

void Counter::add(double by) const {
  if (counter_ != nullptr) counter_->Increment(by);
}
double Counter::value() const { return counter_ != nullptr ? counter_->Value() : 0; }

void Gauge::set(double value) const {
  if (gauge_ != nullptr) gauge_->Set(value);
}
void Gauge::add(double by) const {
  if (gauge_ != nullptr) gauge_->Increment(by);
}
double Gauge::value() const { return gauge_ != nullptr ? gauge_->Value() : 0; }

void Histogram::observe(double value) const {
  if (histogram_ != nullptr) histogram_->Observe(value);
}

std::vector<double> seconds_buckets() {
  return {0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10};
}

struct Metrics::Registry {
  // Merge: one family however often its name is asked for.
  prometheus::Registry families{prometheus::Registry::InsertBehavior::Merge};
  std::mutex mutex;                                                  // guards `refreshers` and their runs
  std::vector<std::pair<Labels, std::function<void()>>> refreshers;  // and the labels of what they set

  // Of those metrics that have all of the labels.
  void refresh(const Labels& wanted) {
    const std::lock_guard lock(mutex);
    for (const auto& [labels, run] : refreshers)
      if (std::ranges::includes(labels, wanted)) run();
  }

  static std::string full_name(std::string_view name) {
    constexpr std::string_view prefix = "mydr24_";
    return name.starts_with(prefix) ? std::string(name) : std::string(prefix).append(name);
  }

  template <class Builder, class... Arguments>
  auto& add(Builder builder, std::string_view name, std::string_view help, const Labels& labels,
            Arguments&&... arguments) {
    return builder.Name(full_name(name))
        .Help(std::string(help))
        .Register(families)
        .Add(labels, std::forward<Arguments>(arguments)...);
  }
};

Metrics::Metrics() : registry_(std::make_shared<Registry>()) {}
Metrics::Metrics(const Metrics& all, Labels fixed) : registry_(all.registry_), fixed_(std::move(fixed)) {}
Metrics::~Metrics() = default;

Labels Metrics::with_fixed(const Labels& labels) const {
  Labels both = labels;
  both.insert(fixed_.begin(), fixed_.end());
  return both;
}

Counter Metrics::counter(std::string_view name, std::string_view help, const Labels& labels) {
  return Counter(registry_->add(prometheus::BuildCounter(), name, help, with_fixed(labels)));
}

Gauge Metrics::gauge(std::string_view name, std::string_view help, const Labels& labels) {
  return Gauge(registry_->add(prometheus::BuildGauge(), name, help, with_fixed(labels)));
}

Histogram Metrics::histogram(std::string_view name, std::string_view help, const std::vector<double>& buckets,
                             const Labels& labels) {
  return Histogram(registry_->add(prometheus::BuildHistogram(), name, help, with_fixed(labels), buckets));
}

void Metrics::before_expose(std::function<void()> refresh) {
  const std::lock_guard lock(registry_->mutex);
  registry_->refreshers.emplace_back(fixed_, std::move(refresh));
}

std::string Metrics::expose() {
  registry_->refresh({});
  std::ostringstream out;
  prometheus::TextSerializer().Serialize(out, registry_->families.Collect());
  return std::move(out).str();
}

namespace {

Labels labels_of(const prometheus::ClientMetric& metric) {
  Labels labels;
  for (const auto& label : metric.label) labels.emplace(label.name, label.value);
  return labels;
}

void read(const std::string& name, prometheus::MetricType type, const prometheus::ClientMetric& metric,
          const Labels& labels, std::vector<Reading>& readings) {
  if (type == prometheus::MetricType::Counter) return void(readings.emplace_back(name, labels, metric.counter.value));
  if (type == prometheus::MetricType::Gauge) return void(readings.emplace_back(name, labels, metric.gauge.value));
  if (type != prometheus::MetricType::Histogram) return;
  const auto all = static_cast<double>(metric.histogram.sample_count);
  bool has_last = false;
  const auto add_bucket = [&](std::string bound, double count) {
    Labels with_bound = labels;
    with_bound.emplace("le", std::move(bound));
    readings.emplace_back(name + "_bucket", std::move(with_bound), count);
  };
  for (const auto& bucket : metric.histogram.bucket) {
    has_last = std::isinf(bucket.upper_bound);
    add_bucket(has_last ? "+Inf" : fmt::format("{}", bucket.upper_bound), static_cast<double>(bucket.cumulative_count));
  }
  if (!has_last) add_bucket("+Inf", all);
  readings.emplace_back(name + "_sum", labels, metric.histogram.sample_sum);
  readings.emplace_back(name + "_count", labels, all);
}

std::string_view type_name(prometheus::MetricType type) {
  switch (type) {
    case prometheus::MetricType::Counter:
      return "counter";
    case prometheus::MetricType::Histogram:
      return "histogram";
    default:
      return "gauge";
  }
}

}  // namespace

std::vector<Family> Metrics::gather() {
  registry_->refresh(fixed_);
  std::vector<Family> families;
  for (const auto& each : registry_->families.Collect()) {
    Family family{.name = each.name, .help = each.help, .type = type_name(each.type), .readings = {}};
    for (const auto& metric : each.metric) {
      const bool wanted = std::ranges::all_of(fixed_, [&](const auto& fixed) {
        return std::ranges::any_of(
            metric.label, [&](const auto& label) { return label.name == fixed.first && label.value == fixed.second; });
      });
      if (wanted) read(each.name, each.type, metric, labels_of(metric), family.readings);
    }
    if (!family.readings.empty()) families.push_back(std::move(family));
  }
  return families;
}

}  // namespace mydr24::telemetry
