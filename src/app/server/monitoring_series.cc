#include "app/server/monitoring_series.h"

#include <fmt/format.h>
#include <pthread.h>

#include "app/server/server.h"
#include "app/server/tracing.h"

namespace mydr24::server {
namespace {

constexpr std::chrono::minutes keep_every{1};
constexpr std::string_view job = "mydr24";

// Several servers on one store keep their own; a server that is alone finds its history wherever it is started.
std::string keeper_name(const Settings& settings, const store::Store& store) {
  if (!store.is_shared()) return "0";
  std::string name = fmt::format("{}:{}", host_name(), settings.server.listen);
  std::ranges::replace(name, '/', '_');
  return name;
}

series::DatabaseSettings database_settings(const SeriesSection& settings) {
  return {.series_max = static_cast<std::size_t>(settings.series_max),
          .bytes_max = static_cast<std::size_t>(settings.memory_mib) << 20U,
          .raw_for = std::chrono::hours(settings.raw_hours),
          .minutes_for = std::chrono::days(settings.minute_days),
          .hours_for = std::chrono::days(settings.hour_days)};
}

}  // namespace

MonitoringSeries::MonitoringSeries(const Settings& settings, store::Store& store, WorkerPool& workers,
                                   telemetry::Metrics& metrics, const telemetry::Log& log, const Clock& clock)
    : every_(settings.series.collect_every_s * 1'000),
      instance_(settings.server.listen),
      metrics_(metrics),
      log_(log),
      clock_(clock),
      database_(clock, database_settings(settings.series)),
      keeper_(database_, store, keeper_name(settings, store)),
      collector_(metrics, database_, std::string(job), settings.server.listen),
      api_{database_,
           keeper_,
           workers,
           clock,
           [this] { return is_ready_.load(); },
           std::string(version),
           {},
           {.job = std::string(job), .instance = settings.server.listen}} {
  if (settings.series.otlp_url.empty()) return;
  const bool is_json = settings.series.otlp_encoding == "json";
  exporter_ = std::make_unique<series::Exporter>(
      series::ExporterSettings{.url = settings.series.otlp_url,
                               .every = std::chrono::seconds(settings.series.otlp_every_s),
                               .json = is_json},
      [&metrics, &clock, make = is_json ? series::otlp_json : series::otlp_protobuf, resource = otlp_resource(settings),
       started = clock.now()] { return std::vector{make(metrics.gather(), resource, started, clock.now())}; },
      clock);
}

MonitoringSeries::~MonitoringSeries() { stop(); }

monitor::Recorder MonitoringSeries::recorder() {
  return [this](std::string_view name, const std::map<std::string, std::string>& more, Instant, double value) {
    // What is appended before that would be later than what is read back.
    if (is_ready_) record(name, more, value);
  };
}

void MonitoringSeries::record(std::string_view name, const std::map<std::string, std::string>& more, double value) {
  std::string key(name);
  for (const auto& [label, text] : more) key.append(1, '\xFF').append(label).append(1, '\xFE').append(text);
  const std::lock_guard lock(recorded_mutex_);
  auto& series = recorded_[std::move(key)];
  if (series && database_.append(*series, database_.now(), value) != series::Appended::gone) return;
  routing::Labels labels;
  for (const auto& [label, text] : more) labels.set(label, text);
  labels.set("__name__", fmt::format("mydr24_monitor_{}", name));
  labels.set("job", job);
  labels.set("instance", instance_);
  // One that is too many is counted by the database.
  series = database_.series(labels).value_or(nullptr);
  if (series) database_.append(*series, database_.now(), value);
}

void MonitoringSeries::add_routes(pipeline::Router& router) { series_api::add_routes(router, api_); }

void MonitoringSeries::add_metrics() {
  const auto series = metrics_.gauge("series", "Series whose history is kept");
  const auto bytes = metrics_.gauge("series_memory_bytes", "Bytes of packed samples in memory");
  const auto failures =
      metrics_.gauge("series_keep_failures", "Attempts to write samples to the store that failed, since the start");
  const auto refused =
      metrics_.gauge("series_refused", "Series that were refused because there are too many, since the start");
  const auto samples = metrics_.counter("series_samples_total", "Samples taken");
  const auto exports_failed =
      metrics_.gauge("otlp_exports_failed", "Exports to an OpenTelemetry collector that failed, since the start");
  metrics_.before_expose([=, this] {
    series.set(static_cast<double>(database_.series_count()));
    bytes.set(static_cast<double>(database_.bytes()));
    failures.set(static_cast<double>(keep_failures_.load()));
    refused.set(static_cast<double>(database_.series_refused()));
    const auto more = static_cast<double>(database_.samples_taken()) - samples.value();
    if (more > 0) samples.add(more);
    exports_failed.set(exporter_ ? static_cast<double>(exporter_->failed()) : 0);
  });
}

void MonitoringSeries::start() {
  thread_ = std::thread([this] {
    pthread_setname_np(pthread_self(), "series");
    run();
  });
  if (exporter_) exporter_->start();
}

void MonitoringSeries::stop() {
  if (exporter_) exporter_->stop();
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  thread_.join();
  if (is_ready_) keep();
  is_ready_ = false;
}

bool MonitoringSeries::wait_until(std::chrono::nanoseconds steady) {
  std::unique_lock lock(mutex_);
  const auto left = steady - clock_.steady();
  wake_.wait_for(lock, std::max(left, std::chrono::nanoseconds(0)), [this] { return stopping_; });
  return !stopping_;
}

// A store that cannot be read now is tried again: what it keeps is not lost, and what is collected meanwhile would be before it.
void MonitoringSeries::load() {
  while (true) {
    const auto loaded =
        keeper_.load([this](std::string_view packed) { series_api::replay(database_, packed, api_.own); });
    if (loaded) break;
    log_.write(telemetry::Level::error, "series", {{"detail", loaded.error().text}});
    if (!wait_until(clock_.steady() + std::chrono::seconds(5))) return;
  }
  is_ready_ = true;
}

void MonitoringSeries::run() {
  load();
  auto next = clock_.steady();
  auto kept_at = next;
  while (is_ready_ && wait_until(next)) {
    // Times that are whole steps pack best.
    const auto step = every_.count();
    collector_.collect(database_.now() / step * step);
    const auto steady = clock_.steady();
    if (steady - kept_at >= keep_every || keeper_.is_due()) {
      keep();
      database_.maintain();
      kept_at = steady;
    }
    next = std::max(next + every_, steady);
  }
}

void MonitoringSeries::keep() {
  const auto kept = keeper_.keep();
  if (kept) return;
  ++keep_failures_;
  log_.write(telemetry::Level::error, "series", {{"detail", kept.error().text}});
}

}  // namespace mydr24::server
