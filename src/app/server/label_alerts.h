#pragma once

// Wiring of alerts with labels: the routing configuration, alerting/groups, the Alertmanager API, the watch over a feed that
// must always come, and what the consoles' feed says of silences.

#include <memory>
#include <mutex>
#include <string_view>

#include "alerting/alerts/dispatcher.h"
#include "alerting/groups/groups.h"
#include "alerting/groups/rules.h"
#include "alerting/notify/console_hub.h"
#include "api/alert_api/alert_api.h"
#include "app/server/settings.h"
#include "base/telemetry/log.h"
#include "base/telemetry/metrics.h"

namespace mydr24::server {

class LabelAlerts final : public store::Follower {
 public:
  // All must outlive it. `base_url`: of this server, for links in notifications. `clock`: the machine's, with which senders
  // agree about when an alert ends; a paced one would take theirs for ended, or for firing, until it has caught up.
  LabelAlerts(const AlertingSection& settings, const std::string& base_url, const alerts::Book& book,
              store::Store& store, WorkerPool& workers, const telemetry::Log& log, const Clock& clock,
              alerts::Dispatcher& dispatcher, notify::ConsoleHub& hub);

  // Errors name the file and line of the routing configuration.
  Result<> start();
  void add_routes(pipeline::Router& router);
  void add_metrics(telemetry::Metrics& metrics);
  // Often, as Store::tick().
  void tick();
  // Before the store is closed.
  void stop();

  // Emergencies that are not written down, now.
  std::int64_t unrecorded() const { return groups_.counters().unrecorded; }

  // An alert of the server itself; does not wait.
  void raise(routing::Alert alert);

  std::string_view name() const override { return "silences.console"; }
  bool in_every_process() const override { return true; }
  Result<> follow(std::span<const store::Event> events) override;

 private:
  Result<routing::ConfigPtr> load() const;
  Result<> make_feed();

  const AlertingSection settings_;
  WorkerPool& workers_;
  const telemetry::Log& log_;
  const Clock& clock_;
  store::Store& store_;
  const alerts::Book& book_;
  groups::Groups groups_;
  notify::ConsoleHub& hub_;
  std::mutex feed_mutex_;
  std::unique_ptr<groups::Feed> feed_;
  std::chrono::nanoseconds judged_at_{0};  // steady; the ticking thread's
  std::unique_ptr<alert_api::Service> service_;
};

}  // namespace mydr24::server
