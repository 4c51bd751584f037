#include "base/telemetry/metrics.h"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

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
  std::mutex mutex;  // guards `refreshers` and their runs
  std::vector<std::function<void()>> refreshers;

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
  registry_->refreshers.push_back(std::move(refresh));
}

std::string Metrics::expose() {
  {
    const std::lock_guard lock(registry_->mutex);
    for (const auto& refresh : registry_->refreshers) refresh();
  }
  std::ostringstream out;
  prometheus::TextSerializer().Serialize(out, registry_->families.Collect());
  return std::move(out).str();
}

}  // namespace mydr24::telemetry
