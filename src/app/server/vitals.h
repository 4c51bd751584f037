#pragma once

// Vital signs in the running system: outcomes of rules, their API, and the MQTT subscriber. Wiring, nothing else.

#include <memory>

#include "api/mqtt/mqtt.h"
#include "api/vitals_api/vitals_api.h"
#include "app/server/access_control.h"
#include "app/server/settings.h"
#include "base/telemetry/metrics.h"
#include "clinical/vitals/outcomes.h"

namespace mydr24::server {

vitals::WatchSettings watch_settings(const VitalsSection& section);

class Vitals {
 public:
  // All must outlive it but the store: outcomes() is added to it as a follower and must outlive that.
  Vitals(const records::Records& records, vitals::Watch& watch, WorkerPool& workers, const Clock& clock)
      : clock_(clock), outcomes_(records.store()), service_{records, watch, workers, clock} {}

  store::Follower& outcomes() { return outcomes_; }
  void add_routes(pipeline::Router& router) { vitals_api::add_routes(router, service_); }
  void make_metrics(telemetry::Metrics& metrics);
  // When the settings name a broker. The error names the setting.
  // `access`: null: what comes by MQTT counts as the server itself.
  Result<> start_mqtt(const VitalsSection& section, const telemetry::Log& log, AccessControl* access);
  // Before the store is closed.
  void stop_mqtt() { subscriber_.reset(); }

 private:
  const Clock& clock_;
  vitals::Outcomes outcomes_;
  vitals_api::Service service_;
  std::unique_ptr<mqtt::Subscriber> subscriber_;
};

}  // namespace mydr24::server
