// In whose name vital signs by MQTT are written.

#include <fmt/format.h>

#include "app/server/access_control.h"

namespace mydr24::server {
namespace {

constexpr std::string_view interaction = "vitals-mqtt";

access::Principal mqtt_principal(const access::Policy& policy, std::string_view tenant) {
  access::Principal principal;
  principal.kind = access::PrincipalKind::machine;
  principal.id = "service/mqtt";
  principal.name = "MQTT";
  principal.tenant = tenant;
  principal.roles = {policy.find("mqtt-feed") != nullptr ? "mqtt-feed" : "device-feed"};
  principal.expires = Instant::max();
  return principal;
}

audit::Entry entry_of(const access::Principal& principal, Instant at) {
  audit::Entry entry;
  entry.at = at;
  audit::set_principal(entry, principal);
  entry.interaction = interaction;
  entry.resource_type = "Observation";
  entry.rule = fmt::format("role {}", fmt::join(principal.roles, ", "));
  return entry;
}

}  // namespace

Result<std::shared_ptr<access::Access>> AccessControl::of_mqtt() {
  MYDR24_ASSIGN(const auto caller,
                gatekeeper_->caller_of(mqtt_principal(*gatekeeper_->policy(), parts_.desk.settings.tenant)));
  auto made = std::make_shared<access::Access>(caller, parts_.desk.clock);
  made->set_consents_aside();
  made->note_writes_by(
      [caller](store::Transaction& transaction, std::span<const access::Access::Written> written) -> Result<> {
        auto entry = entry_of(caller->principal, transaction.now());
        for (const auto& each : written) {
          entry.action = each.action == access::Permission::create ? audit::Action::create : audit::Action::update;
          entry.resource_type = each.type;
          entry.resource_id = each.id;
          entry.resource_version = std::to_string(each.version);
          entry.patients = each.patients;
          MYDR24_TRY(audit::note_write(transaction, entry));
        }
        return {};
      });
  return made;
}

void AccessControl::note_mqtt_refused(std::string_view patient) {
  const auto caller = gatekeeper_->caller_of(mqtt_principal(*gatekeeper_->policy(), parts_.desk.settings.tenant));
  if (!caller) return;
  auto entry = entry_of((*caller)->principal, parts_.desk.clock.now());
  entry.action = audit::Action::create;
  entry.http_status = 403;
  entry.outcome = audit::outcome_of_status(403);
  if (!patient.empty()) entry.patients.emplace_back(patient);
  if (const auto kept = audit_->append(std::move(entry)); !kept)
    parts_.desk.log.error("a refusal by MQTT has no audit entry", {{"detail", kept.error().text}});
}

}  // namespace mydr24::server
