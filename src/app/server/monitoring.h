#pragma once

// The monitor as a part of the running server: where each metric is measured, its thread, the probes, its routes.

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "alerting/alerts/dispatcher.h"
#include "alerting/notify/console_hub.h"
#include "api/monitor_api/monitor_api.h"
#include "app/server/settings.h"
#include "guard/audit/log.h"
#include "operations/monitor/calls.h"
#include "operations/monitor/monitor.h"
#include "operations/monitor/probes.h"
#include "operations/monitor/pulse.h"

namespace mydr24::server {

class Monitoring {
 public:
  struct Parts {
    const Settings& settings;
    store::Store& store;
    const alerts::Book& book;
    const alerts::Dispatcher& dispatcher;
    notify::ConsoleHub& hub;
    WorkerPool& workers;
    const Clock& clock;
    const telemetry::Log& log;
    std::function<std::unique_ptr<notify::Channel>(asio::io_context&, const notify::Address&)> make_channel;
    std::function<audit::Log*()> audit;        // null: nothing is recorded
    std::function<std::int64_t()> unrecorded;  // emergencies that could not be written down, now
    std::function<bool()> is_ending;           // no request is taken any more
    std::function<bool()> is_limited;          // the store has reached its limit: routine writes are refused
    monitor::Monitor::CallFromMemory call;     // people, about what the store does not take
  };
  // All parts must outlive it, except that the store may be closed after stop().
  explicit Monitoring(Parts parts);
  ~Monitoring();
  Monitoring(const Monitoring&) = delete;
  Monitoring& operator=(const Monitoring&) = delete;

  // Before the store's first submit and tick.
  void attach();
  void add_routes(pipeline::Router& router);
  void add_metrics(telemetry::Metrics& metrics) { monitor_.add_metrics(metrics); }
  // Before begin().
  void record_to(monitor::Recorder recorder) { monitor_.record_to(std::move(recorder)); }
  // When requests are answered. `loopback`: where this server reaches itself; empty: it cannot, and asks neither for
  // its page nor for its own webhook. The error names the setting.
  Result<> begin(const std::string& loopback);
  void stop();

  // A route answered a request.
  void served(const pipeline::Route& route, std::chrono::nanoseconds time);
  // A backup was made. Errors are logged.
  void note_backup();
  monitor::Monitor& monitor() { return monitor_; }

 private:
  Result<> check_probes() const;
  std::vector<monitor::Probe> make_probes(asio::io_context& context, const std::string& loopback);
  Result<> read_record() const;
  void add_served_sources();
  void add_machine_sources();
  void add_audit_source();
  std::optional<double> available() const;
  void run();

  const Parts parts_;
  monitor::Calls calls_;
  monitor::Monitor monitor_;
  monitor::Pulse pulse_;
  std::unique_ptr<monitor::Probes> probes_;
  monitor_api::Service api_;
  monitor::Worst access_{std::chrono::seconds(60)};
  monitor::Worst login_{std::chrono::seconds(60)};
  std::atomic<std::int64_t> reads_ = 0, reads_in_time_ = 0;
  std::atomic<std::int64_t> backup_at_us_ = 0;  // 0: none is known of
  std::atomic<bool> has_probes_ = false;        // requests are answered before begin()

  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;
  std::thread thread_;
};

// Of monitor.probes: "email=probe@hospital.example,sms=+15550100". Code::invalid names the setting.
Result<std::vector<notify::Address>> probe_addresses(const MonitorSection& section);

}  // namespace mydr24::server
