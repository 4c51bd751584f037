#pragma once

// Numbers about the running process for Prometheus: counters, gauges and histograms, and their text exposition. A
// metric is asked for once, at start-up, and the handle kept: counting is then one atomic addition.
//
// Invariant: label values come from a small fixed set (a route, a status class, a request class), never from
// a client's input and never from a patient's record: every new value is a series that lives as long as the
// process. Source: the Prometheus text exposition format 0.0.4 and its naming rules (counters end in _total,
// base units: seconds, bytes).

#include <functional>
#include <initializer_list>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace prometheus {
class Counter;
class Gauge;
class Histogram;
}  // namespace prometheus

namespace mydr24::telemetry {

using Labels = std::map<std::string, std::string>;

// Handles: cheap to copy, valid as long as their Metrics. Thread-safe. A default-made one counts nothing.
class Counter {
 public:
  Counter() = default;
  void add(double by = 1) const;  // by >= 0
  double value() const;

 private:
  friend class Metrics;
  explicit Counter(prometheus::Counter& counter) : counter_(&counter) {}
  prometheus::Counter* counter_ = nullptr;
};

class Gauge {
 public:
  Gauge() = default;
  void set(double value) const;
  void add(double by) const;
  double value() const;

 private:
  friend class Metrics;
  explicit Gauge(prometheus::Gauge& gauge) : gauge_(&gauge) {}
  prometheus::Gauge* gauge_ = nullptr;
};

class Histogram {
 public:
  Histogram() = default;
  void observe(double value) const;

 private:
  friend class Metrics;
  explicit Histogram(prometheus::Histogram& histogram) : histogram_(&histogram) {}
  prometheus::Histogram* histogram_ = nullptr;
};

// A metric as it is now. A histogram is its cumulative buckets (NAME_bucket with the label le), NAME_sum and NAME_count.
struct Reading {
  std::string name;
  Labels labels;
  double value = 0;
};
struct Family {
  std::string name;
  std::string help;
  std::string_view type;  // counter, gauge, histogram
  std::vector<Reading> readings;
};

// Upper bounds in seconds, 250 us to 10 s: for the time of a request or a delivery.
std::vector<double> seconds_buckets();

class Metrics {
 public:
  Metrics();
  // The same metrics, exposed by either; those asked for here have `fixed` among their labels, as those of one tenant.
  Metrics(const Metrics& all, Labels fixed);
  ~Metrics();
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;

  // `name` as in "mydr24_http_requests_total"; the prefix is put in front when it is missing. The same name
  // and labels give the same metric. A name or label that Prometheus does not allow, or a name used for
  // another kind before, is a fault of the program: std::invalid_argument, at start-up.
  Counter counter(std::string_view name, std::string_view help, const Labels& labels = {});
  Gauge gauge(std::string_view name, std::string_view help, const Labels& labels = {});
  // `buckets`: upper bounds, ascending, without +Inf.
  Histogram histogram(std::string_view name, std::string_view help, const std::vector<double>& buckets,
                      const Labels& labels = {});

  // Called at the beginning of every expose(), and of a gather() that wants these labels, one after another, to set what
  // is cheaper to read than to keep. Must not throw and must outlive the last of both.
  void before_expose(std::function<void()> refresh);

  // The text exposition of everything, for /metrics. Thread-safe.
  std::string expose();
  // Everything as numbers; where there are fixed labels, only what has them. Thread-safe.
  std::vector<Family> gather();
  static constexpr std::string_view content_type = "text/plain; version=0.0.4; charset=utf-8";

 private:
  struct Registry;
  Labels with_fixed(const Labels& labels) const;

  std::shared_ptr<Registry> registry_;
  Labels fixed_;
};

}  // namespace mydr24::telemetry
