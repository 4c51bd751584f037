#pragma once

// History of what this server counts, and of what others write to it: operations/series as a part of the running server, its routes,
// and the threads that collect and keep it.

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <unordered_map>

#include "api/series_api/series_api.h"
#include "app/server/settings.h"
#include "base/telemetry/log.h"
#include "base/telemetry/metrics.h"
#include "operations/monitor/metric.h"
#include "operations/series/collector.h"
#include "operations/series/exporter.h"
#include "operations/series/keeper.h"

namespace mydr24::server {

class MonitoringSeries {
 public:
  // All must outlive it, except that the store may be closed after stop(). `clock`: the machine's, which other monitors agree
  // with. With settings of a tenant, `metrics` are the tenant's.
  MonitoringSeries(const Settings& settings, store::Store& store, WorkerPool& workers, telemetry::Metrics& metrics,
                   const telemetry::Log& log, const Clock& clock);
  ~MonitoringSeries();
  MonitoringSeries(const MonitoringSeries&) = delete;
  MonitoringSeries& operator=(const MonitoringSeries&) = delete;

  void add_routes(pipeline::Router& router);
  void add_metrics();
  // Reads what was kept, then collects.
  void start();
  // Writes what is not written yet.
  void stop();

  // Keeps what the monitor measures as mydr24_monitor_NAME. It must outlive what is given back.
  monitor::Recorder recorder();

 private:
  void run();
  void load();
  void keep();
  void record(std::string_view name, const std::map<std::string, std::string>& more, double value);
  bool wait_until(std::chrono::nanoseconds steady);  // false: it stops

  const std::chrono::milliseconds every_;
  const std::string instance_;
  telemetry::Metrics& metrics_;
  const telemetry::Log& log_;
  const Clock& clock_;
  series::Database database_;
  series::Keeper keeper_;
  series::Collector collector_;
  series_api::Service api_;
  std::unique_ptr<series::Exporter> exporter_;  // null: nobody is told
  std::atomic<bool> is_ready_ = false;
  std::atomic<std::int64_t> keep_failures_ = 0;

  std::mutex recorded_mutex_;
  std::unordered_map<std::string, series::SeriesPtr> recorded_;  // by name and labels

  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace mydr24::server
