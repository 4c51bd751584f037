#pragma once

// Incidents as a part of the running server: the book, what watches the journal, the routes.

#include <functional>

#include "alerting/notify/console_hub.h"
#include "api/incident_api/incident_api.h"
#include "base/telemetry/metrics.h"
#include "operations/incidents/safety.h"
#include "operations/incidents/watcher.h"

namespace mydr24::server {

class IncidentDesk : public store::Follower {
 public:
  // All must outlive it, except that the store may be closed.
  IncidentDesk(const alerts::Book& alerts, records::Records& records, notify::ConsoleHub& hub, WorkerPool& workers,
               const Clock& clock);

  // Before the store's first submit and tick.
  Result<> start();
  void add_routes(pipeline::Router& router);
  void add_metrics(telemetry::Metrics& metrics);
  const incidents::Book& book() const { return book_; }

  // In every server: consoles are told, and a setup that another one activated is put in force.
  std::string_view name() const override { return "incidents.console"; }
  bool in_every_process() const override { return true; }
  Result<> follow(std::span<const store::Event> events) override;

 private:
  Result<std::int64_t> count_patients(store::Reader& reader, std::string_view location) const;

  records::Records& records_;
  notify::ConsoleHub& hub_;
  incidents::Setups setups_;
  incidents::Book book_;
  incidents::Watcher watcher_;
  incidents::SafetyEvents safety_;
  incident_api::Service api_;
};

}  // namespace mydr24::server
