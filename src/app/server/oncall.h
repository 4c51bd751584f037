#pragma once

// On-call as a part of the running server: its routes, heartbeats, and the thread that audits the desk and watches coverage.

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "alerting/alerts/auditor.h"
#include "alerting/alerts/monitors.h"
#include "alerting/alerts/notices.h"
#include "alerting/alerts/upkeep.h"
#include "api/oncall_api/oncall_api.h"
#include "base/telemetry/log.h"
#include "base/telemetry/metrics.h"

namespace mydr24::server {

class OnCallDesk : public store::Follower {
 public:
  // All must outlive it, except that the store may be closed after stop().
  OnCallDesk(const alerts::Book& book, store::Store& store, WorkerPool& workers, const Clock& clock,
             const telemetry::Log& log, alerts::UpkeepSettings upkeep);
  ~OnCallDesk() override;
  OnCallDesk(const OnCallDesk&) = delete;
  OnCallDesk& operator=(const OnCallDesk&) = delete;

  // Before the store's first submit and tick.
  void attach();
  void add_routes(pipeline::Router& router);
  void add_metrics(telemetry::Metrics& metrics);
  void start();
  void stop();
  // From the next round on; 0: never.
  void close_idle_after(std::chrono::days idle) { idle_days_ = idle.count(); }
  void clear_after(std::chrono::days kept) { kept_days_ = kept.count(); }

  // Addresses that were confirmed or switched off: the plan is judged again.
  std::string_view name() const override { return "oncall.addresses"; }
  bool in_every_process() const override { return true; }
  Result<> begin() override { return book_.directory().load(store_); }
  Result<> follow(std::span<const store::Event> events) override;

 private:
  void run();
  void look();
  void look_for_gaps();
  void keep_up();

  const alerts::Book& book_;
  store::Store& store_;
  const Clock& clock_;
  const telemetry::Log& log_;
  std::atomic<std::int64_t> idle_days_;
  std::atomic<std::int64_t> kept_days_;
  std::chrono::nanoseconds kept_up_at_{};  // steady
  alerts::Monitors monitors_;
  alerts::Notices notices_;
  alerts::Auditor auditor_;
  oncall_api::OnCall api_;
  std::atomic<std::int64_t> behind_ = 0;
  std::atomic<std::int64_t> gaps_ = 0;
  oncall::PlanPointer covered_plan_;  // held, so that no other can have its address
  std::chrono::nanoseconds covered_at_{};

  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace mydr24::server
