#pragma once

// An entry as FHIR R4 AuditEvents by the patterns of IHE BALP (Basic Audit Log Patterns): create, read, update, delete
// and query, with and without a patient. One event for each patient, as BALP has it; one where there is none. Emergency
// overrides are DICOM security alerts (110113) "Emergency Override Started" (110127) and "Stopped" (110138).
// Source: profiles.ihe.net/ITI/BALP; hl7.org/fhir/R4/auditevent.html.

#include <string>
#include <string_view>
#include <vector>

#include "guard/audit/entry.h"

namespace mydr24::audit {

// Interactions that are events of their own kind in FHIR.
inline constexpr std::string_view override_started = "override.start";
inline constexpr std::string_view override_stopped = "override.stop";
inline constexpr std::string_view login = "login";
inline constexpr std::string_view logout = "logout";

// Ours, where FHIR has no code: interactions that are not FHIR's, and the emergency override that an entry was made
// under.
inline constexpr std::string_view interaction_system = "https://mydr24.org/fhir/CodeSystem/audit-interaction";
inline constexpr std::string_view override_system = "https://mydr24.org/fhir/NamingSystem/emergency-override";

// Who recorded it.
struct Observer {
  std::string name = "mydr24";  // of this server, for people
  std::string url;              // its FHIR base URL; empty: not told
};

// The canonical of the BALP profile that the events of this entry claim; empty: none is for it (failures, operations,
// what is not FHIR).
std::string balp_profile(const Entry& entry);

// JSON of each event, in the order of the patients. The id of the first is the entry's, the others have ".2", ".3"
// after it.
std::vector<std::string> to_audit_events(const Entry& entry, const Observer& observer);

}  // namespace mydr24::audit
