#pragma once

// Access control as a part of the running server: identity, the gatekeeper of the listeners, emergency overrides and the
// audit trail.

#include <memory>
#include <thread>

#include "alerting/groups/groups.h"
#include "api/access_api/access_api.h"
#include "api/audit_api/audit_api.h"
#include "api/rights_api/rights_api.h"
#include "app/server/gatekeeper.h"
#include "app/server/identity_desk.h"
#include "base/telemetry/metrics.h"
#include "guard/audit/log.h"
#include "guard/audit/writes.h"

namespace mydr24::server {

class AccessControl {
 public:
  struct Parts {
    IdentityDesk::Parts desk;
    const consents::Consents& consents;
    telemetry::Metrics& metrics;
    // Raises an alert with labels; must not wait.
    std::function<void(routing::Alert)> raise;
    const pipeline::Router& router;       // of the listeners, complete when the first request comes
    std::function<std::string()> tenant;  // as JSON: tier, quotas and their use
  };
  // All parts must outlive it. Before the store's first tick; adds its followers.
  static Result<std::unique_ptr<AccessControl>> make(Parts parts);

  ~AccessControl();
  AccessControl(const AccessControl&) = delete;
  AccessControl& operator=(const AccessControl&) = delete;

  Gatekeeper& gatekeeper() { return *gatekeeper_; }
  audit::Log& audit() { return *audit_; }
  IdentityDesk& desk() { return *desk_; }
  // `fhir` must outlive the router.
  void add_routes(pipeline::Router& router, fhir_api::Service& fhir);
  void add_admin_routes(pipeline::Router& router);
  void stop() { desk_->stop(); }

  // What comes by MQTT comes in the name of the machine "service/mqtt". Its role is mqtt-feed where the policy has one, else
  // device-feed. Each write has its entry.
  Result<std::shared_ptr<access::Access>> of_mqtt();
  void note_mqtt_refused(std::string_view patient);

 private:
  // Tells the reviewers of every override, and of one over the budget as urgent; and of breaches and their clocks.
  class Notices;

  explicit AccessControl(Parts parts);
  Result<> start();
  // Commands of the operator: access.explain, audit.*, breach.*, compliance.record (operator.cc).
  Result<std::string> operate(json::Value command);
  // `asker`: what nobody may know who may not see it is left out; null: the operator.
  Result<std::string> explain(const access_api::Question& question, access::Access* asker);
  Result<std::string> processing_record();
  void keep_retention(const std::stop_token& stop);

  const Parts parts_;
  std::unique_ptr<audit::Log> audit_;
  std::unique_ptr<audit::WriteFollower> writes_;
  std::unique_ptr<IdentityDesk> desk_;
  std::unique_ptr<access::BreakGlass> glass_;
  std::unique_ptr<Gatekeeper> gatekeeper_;
  std::unique_ptr<Notices> notices_;
  std::unique_ptr<access_api::Service> api_;
  std::unique_ptr<audit_api::Service> trail_;
  std::unique_ptr<breach::Book> breaches_;
  std::unique_ptr<erasure::Ledger> ledger_;
  std::unique_ptr<rights_api::Service> rights_;
  std::jthread keeper_;  // of the retention; ends first
};

}  // namespace mydr24::server
