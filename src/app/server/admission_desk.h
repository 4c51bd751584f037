#pragma once

// Admission at work in the running system: the thread that looks every few milliseconds, what it measures, the events it
// writes, and the way in for hints.

#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "api/pipeline/router.h"
#include "app/server/settings.h"
#include "base/async/threads.h"
#include "base/async/worker_pool.h"
#include "base/core/clock.h"
#include "base/telemetry/log.h"
#include "base/telemetry/metrics.h"
#include "guard/admission/control.h"
#include "storage/store/store.h"

namespace mydr24::server {

// How late the I/O threads are; each writes its own place.
class LagBoard {
 public:
  static constexpr std::size_t threads_max = 64;
  void note(std::size_t thread, std::chrono::nanoseconds lag) {
    auto& worst = lags_[std::min(thread, threads_max - 1)];
    if (lag.count() > worst.load(std::memory_order_relaxed)) worst.store(lag.count(), std::memory_order_relaxed);
  }
  // The worst since it was asked last.
  std::chrono::nanoseconds take(std::size_t thread) {
    return std::chrono::nanoseconds(lags_[thread].exchange(0, std::memory_order_relaxed));
  }

 private:
  std::array<std::atomic<std::int64_t>, threads_max> lags_{};
};

class AdmissionDesk {
 public:
  struct Parts {
    const Settings& settings;
    ThreadWeights& weights;
    WorkerPool& workers;
    telemetry::Metrics& metrics;
    const telemetry::Log& log;
    const Clock& clock;
    const std::atomic<bool>& hold;  // while it is set, brown-out level 1 at least
  };
  // Code::invalid names the setting.
  static Result<std::unique_ptr<AdmissionDesk>> make(const Parts& parts);
  ~AdmissionDesk() { stop(); }
  AdmissionDesk(const AdmissionDesk&) = delete;
  AdmissionDesk& operator=(const AdmissionDesk&) = delete;

  admission::Control& control() { return control_; }
  LagBoard& general_lag() { return general_lag_; }
  LagBoard& emergency_lag() { return emergency_lag_; }

  // Begins to look. A change of the level is an event in each of the stores, which must outlive stop().
  void start(std::vector<store::Store*> stores);
  void stop();
  // POST /api/v1/admission/hints and GET /api/v1/admission, on the admin listener.
  void add_admin_routes(pipeline::Router& router);

 private:
  AdmissionDesk(const Parts& parts, const admission::ControlSettings& settings);
  void run();
  void look();
  void hold(std::chrono::nanoseconds now);
  void make_metrics();
  void write_event(const std::string& kind, const std::string& payload);
  Task<> handle_hint(pipeline::Call& call);
  Task<> handle_show(pipeline::Call& call) const;

  const Parts parts_;
  admission::Control control_;
  LagBoard general_lag_;
  LagBoard emergency_lag_;
  std::vector<store::Store*> stores_;
  std::chrono::nanoseconds held_at_{0};
  std::vector<telemetry::Gauge> lag_gauges_;  // of the general listener's threads
  telemetry::Gauge emergency_lag_gauge_;

  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace mydr24::server
