#pragma once

// Where incidents stand in the store.
//   incidents          incident/ID -> the incident; cause/CAUSE -> ID of the one that is not resolved; open/SEVERITY/... and
//                      done/... -> its summary, in the order of lists
//   incident_timeline  timeline.h
//   incident_alerts    ALERT -> ID of the incident that it belongs to, or of which it is the page
//   incident_setup     setups.h; followed -> the last event of the journal that was seen to; storm/SERVICE -> when its last
//                      incidents were opened by alerts

#include <string>
#include <string_view>

#include "alerting/alerts/alert.h"
#include "operations/incidents/incident.h"
#include "storage/store/store.h"

namespace mydr24::incidents::rows {

inline constexpr std::string_view incidents = "incidents";
inline constexpr std::string_view alerts = "incident_alerts";
inline constexpr std::string_view setup = "incident_setup";
inline constexpr std::string_view incident_prefix = "incident/";
inline constexpr std::string_view open_prefix = "open/";
inline constexpr std::string_view done_prefix = "done/";
inline constexpr std::string_view own_source = "incidents";  // of the alerts by which an incident's people are called

std::string incident_key(std::string_view id);
std::string cause_key(std::string_view cause);
std::string list_key(const Incident& incident);
std::string open_prefix_of(Severity severity);
// The id at the end of a list key.
std::string_view id_of(std::string_view list_key);

Facts facts_of(const Incident& incident);
Facts facts_of(const mydr24::alerts::Alert& alert);

// Keeps it, with its place in the lists. `place_before`: its list key as it stands; empty when it is new.
Result<> save(store::Transaction& transaction, std::string_view place_before, const Incident& incident);

}  // namespace mydr24::incidents::rows
