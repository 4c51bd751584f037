#pragma once

// One tenant of a running server: its store, and every service that works on it, bound to the others and started. With other
// tenants it shares threads, admission and the listeners, and nothing that holds a record. A server without tenants has one.

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "alerting/alerts/console_feed.h"
#include "alerting/alerts/dispatcher.h"
#include "alerting/alerts/unwritten.h"
#include "alerting/alerts/updates.h"
#include "api/desk_api/desk_api.h"
#include "api/fhir_api/fhir_api.h"
#include "api/notify_api/notify_api.h"
#include "app/server/access_control.h"
#include "app/server/changes.h"
#include "app/server/core.h"
#include "app/server/emergency_patients.h"
#include "app/server/incidents.h"
#include "app/server/label_alerts.h"
#include "app/server/listeners.h"
#include "app/server/monitoring.h"
#include "app/server/monitoring_series.h"
#include "app/server/notify.h"
#include "app/server/oncall.h"
#include "app/server/tenants.h"
#include "app/server/vitals.h"
#include "base/core/paced_clock.h"
#include "base/telemetry/traces.h"
#include "clinical/vitals/chart.h"
#include "guard/identity/origins.h"

namespace mydr24::server {

// What tenants share; outlives them.
struct Shared {
  const Clock& machine_clock;
  const telemetry::Log& log;
  telemetry::Metrics& metrics;
  ThreadWeights& weights;
  WorkerPool& workers;
  const std::atomic<bool>& draining;
  std::atomic<bool>& hold;                                    // see AdmissionDesk::Parts
  const std::function<void(pipeline::Router&)>& more_routes;  // empty: none
  telemetry::Traces* traces;                                  // null: nothing is traced
};

class Tenant {
 public:
  // `settings`: as tenant_settings() gives them, or those of a server without tenants. `section`: null: there are none.
  Tenant(Settings settings, const TenantSection* section, const Shared& shared);
  ~Tenant();
  Tenant(const Tenant&) = delete;
  Tenant& operator=(const Tenant&) = delete;

  // Opens the store and starts all that needs no listener.
  Result<> start();
  // What the listeners need of it; when it was started.
  Door door();
  // When requests are answered, at `base_url`: timers run from now on.
  Result<> begin(std::string base_url);
  // What all tenants count is read while one of them collects: none does any more when the first one goes.
  void stop_collecting();
  const std::string& name() const { return settings_.tenant; }  // empty: the only one
  records::Records& records() { return *core_.records; }
  store::Store& store() { return *core_.store; }
  const PacedClock& clock() const { return clock_; }
  pipeline::Router& router() { return router_; }
  pipeline::Router& admin_router() { return admin_router_; }
  std::vector<desk_api::Check> checks() const;

 private:
  Result<> start_clock();
  std::unique_ptr<notify::Channel> make_channel(asio::io_context& context, const notify::Address& address);
  Result<> make_origins();
  Result<> make_changes();
  changes::Outlook make_outlook();
  void make_routes(std::chrono::seconds escalate_after);
  std::string describe() const;
  void make_metrics();
  void make_monitoring();
  void call_from_memory(const monitor::Unstored::Call& call);
  void run(const std::stop_token& stop);
  void tick();

  const Settings settings_;
  const Shared shared_;
  const telemetry::Log log_;
  telemetry::Metrics metrics_;
  PacedClock clock_;
  const std::vector<std::string> hosts_;
  const std::string tier_;               // empty: there are no tenants
  std::int64_t requests_per_s_ = 0;      // 0: no limit
  std::optional<admission::Hand> hand_;  // none: every queue
  std::optional<admission::Quota> quota_;
  std::atomic<std::size_t> storage_bytes_max_ = 0;  // 0: no limit
  pipeline::FeatureSwitches features_;
  std::atomic<bool> is_full_ = false;
  Core core_;
  notify::ConsoleHub hub_;
  alerts::ConsoleFeed feed_{hub_};
  alerts::ResponseClocks response_clocks_{clock_};
  EmergencyPatients emergencies_;
  std::unique_ptr<Notify> notify_;
  std::unique_ptr<notify_api::Service> answers_;
  std::unique_ptr<vitals::Chart> chart_;
  std::unique_ptr<Vitals> vitals_;
  std::unique_ptr<alerts::Dispatcher> dispatcher_;
  std::unique_ptr<alerts::Updates> updates_;
  std::unique_ptr<alerts::Unwritten> unwritten_;
  std::unique_ptr<OnCallDesk> oncall_;
  std::unique_ptr<LabelAlerts> label_alerts_;
  std::unique_ptr<IncidentDesk> incidents_;
  std::unique_ptr<MonitoringSeries> series_;  // null: off
  std::unique_ptr<Monitoring> monitoring_;
  std::unique_ptr<AccessControl> access_;
  std::unique_ptr<identity::Origins> origins_;
  std::unique_ptr<ChangeDesk> changes_;
  pipeline::Router router_;
  pipeline::Router admin_router_;
  std::unique_ptr<fhir_api::Service> fhir_;
  std::unique_ptr<desk_api::Desk> desk_;
  std::unique_ptr<desk_api::Health> health_;
  std::jthread ticker_;  // its own: one tenant whose store hangs keeps no other waiting
};

}  // namespace mydr24::server
