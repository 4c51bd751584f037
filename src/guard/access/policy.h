#pragma once

// What roles may do: data, read from JSON. A policy says what is allowed; all else is refused.
//
//   { "sensitive": ["http://terminology.hl7.org/CodeSystem/v3-Confidentiality|R", ...],
//     "roles": { "nurse": {
//       "text": "Nurses on the wards",
//       "purpose": "TREAT", "purposes": ["HPAYMT"],
//       "fhir": [ { "types": ["*"], "not_types": ["AuditEvent"], "permissions": "rs" },
//                 { "types": ["Observation"], "permissions": "cu", "compartment": "own", "criteria": "status=final",
//                   "purposes": ["TREAT"] } ],
//       "labels": ["http://terminology.hl7.org/CodeSystem/v3-ActCode|HIV"],
//       "operations": ["status", "alert-*"],
//       "break_glass": [ { "types": ["*"], "permissions": "rs" } ] } } }

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/core/result.h"
#include "guard/access/principal.h"

namespace mydr24::access {

// Some permissions on some resource types.
struct Grant {
  std::vector<std::string> types;      // resource types; "*": every one
  std::vector<std::string> not_types;  // ... but these
  std::uint8_t permissions = 0;        // of Permission
  // Only what is in the compartment of the Patient that the principal is (Principal::fhir_user, Principal::patient).
  bool own_compartment = false;
  // Only what these search criteria find; decoded. "{fhirUser}" and "{patient}" in a value stand for the principal's.
  std::vector<std::pair<std::string, std::string>> criteria;
  std::vector<std::string> purposes;  // only for one of these, or a kind of it; empty: for each that the role is for

  bool covers(std::string_view type) const;
};

struct Role {
  std::string name;
  std::string text;     // for people
  std::string purpose;  // HL7 v3 PurposeOfUse when the principal names none
  // What a principal may name beside it and its kinds. Without any and without `purpose`: every one.
  std::vector<std::string> purposes;
  std::vector<Grant> fhir;
  std::vector<std::string> labels;      // "system|code" of sensitive labels that it may see; "*": all
  std::vector<std::string> operations;  // Route::interaction of what is not FHIR; "*" at the end: all that begin so
  std::vector<Grant> break_glass;       // what an emergency override adds; empty: it may ask for none
  bool privileged = false;              // a second factor is needed to log in

  bool may_operate(std::string_view operation) const;
  // Whether a principal that acts for this purpose may do so in this role; for an empty one: yes.
  bool serves(std::string_view named) const;
};

struct Policy {
  std::vector<Role> roles;
  // Labels in meta.security ("system|code") that hide a resource from roles that do not name them.
  std::vector<std::string> sensitive;

  const Role* find(std::string_view role) const;
};

// The error names the place in the document ("roles.nurse.fhir[1].permissions").
Result<Policy> parse_policy(std::string_view json);

// The roles of a hospital as it comes, as JSON text (default_policy.cc).
std::string_view default_policy_text();
std::shared_ptr<const Policy> default_policy();

// Whether any of the principal's roles may do this, and which; empty: none.
std::string_view role_for_operation(const Policy& policy, const Principal& principal, std::string_view operation);

}  // namespace mydr24::access
