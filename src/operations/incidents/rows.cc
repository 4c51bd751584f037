#include "operations/incidents/rows.h"

#include <fmt/format.h>

namespace mydr24::incidents::rows {
namespace {

// So that the newest is first.
std::string backwards(Instant at) { return fmt::format("{:019}", INT64_MAX - to_us(at)); }

}  // namespace

std::string incident_key(std::string_view id) { return fmt::format("{}{}", incident_prefix, id); }
std::string cause_key(std::string_view cause) { return fmt::format("cause/{}", cause); }
std::string open_prefix_of(Severity severity) { return fmt::format("{}{}/", open_prefix, static_cast<int>(severity)); }

std::string list_key(const Incident& incident) {
  if (incident.is_over())
    return fmt::format("{}{}/{}", done_prefix, backwards(incident.resolved_at.value_or(incident.opened_at)),
                       incident.id);
  return fmt::format("{}{}/{}", open_prefix_of(incident.severity), backwards(incident.opened_at), incident.id);
}

std::string_view id_of(std::string_view key) { return key.substr(key.rfind('/') + 1); }

Facts facts_of(const Incident& incident) {
  return {.title = incident.title,
          .text = incident.text,
          .status = incident.status,
          .service = incident.service,
          .source = incident.source};
}

Facts facts_of(const mydr24::alerts::Alert& alert) {
  return {.title = alert.title, .text = alert.reason, .status = "down", .service = {}, .source = alert.source};
}

Result<> save(store::Transaction& transaction, std::string_view place_before, const Incident& incident) {
  const std::string place = list_key(incident);
  if (!place_before.empty() && place != place_before) MYDR24_TRY(transaction.erase_state(incidents, place_before));
  MYDR24_TRY(transaction.set_state(incidents, place, summary_json(incident)));
  return transaction.set_state(incidents, incident_key(incident.id), to_json(incident));
}

}  // namespace mydr24::incidents::rows
