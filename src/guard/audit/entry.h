#pragma once

// One line of the audit trail: who did what to whose data, when, from where, and what came of it. A value.
//
// Never in it: content of a resource, a token, a secret. What is in it may still identify a patient (ids, a query):
// the trail is kept as the records are.
// Source: FHIR R4 AuditEvent (action, outcome); IHE BALP (what is recorded of a request).

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/core/clock.h"
#include "base/core/result.h"
#include "base/json/document.h"
#include "guard/access/principal.h"

namespace mydr24::audit {

// FHIR audit-event-action.
enum class Action : char { create = 'C', read = 'R', update = 'U', remove = 'D', execute = 'E' };
// FHIR audit-event-outcome: the numbers are its codes.
enum class Outcome : std::uint8_t { success = 0, minor_failure = 4, serious_failure = 8, major_failure = 12 };

std::optional<Action> parse_action(std::string_view letter);
std::optional<Outcome> parse_outcome(std::string_view number);
// Below 400 success; below 500 a minor failure (refused, not found, invalid); the rest a serious one.
Outcome outcome_of_status(int http_status);

// What is longer is cut when the entry is written: a text at a character, lists at an item. `patients_cut` and
// `query_cut` say so for those two.
inline constexpr std::size_t text_bytes_max = 256;
inline constexpr std::size_t rule_bytes_max = 1024;
inline constexpr std::size_t query_bytes_max = 4096;
inline constexpr std::size_t roles_max = 32;
inline constexpr std::size_t patients_max = 1024;

struct Entry {
  std::string id;  // UUID version 7: sorts by time; empty: made when it is appended
  Instant at;      // kept to the millisecond
  std::string request_id;

  Action action = Action::read;
  std::string interaction;  // "read", "search-type", "alert.acknowledge"; a FHIR restful-interaction where there is one
  Outcome outcome = Outcome::success;
  int http_status = 0;  // 0: not a request

  // Of who it was, as principal_text() makes it, once for many entries; append_json() then writes it in place of the
  // fields up to fhir_user.
  std::shared_ptr<const std::string> principal_text;
  access::PrincipalKind principal_kind = access::PrincipalKind::anonymous;
  std::string principal;  // id, unique in its tenant
  std::string name;       // for people to read
  std::string client;
  std::vector<std::string> roles;
  std::string session;  // names it; never the token. Of an opaque one at most 32 characters of a hash: token_trace()
  std::string tenant;
  std::string fhir_user;  // "Practitioner/12"

  std::string address;  // where the request came from: an IP address
  std::string purpose;  // HL7 v3 PurposeOfUse

  std::string resource_type;
  std::string resource_id;
  std::string resource_version;

  std::vector<std::string> patients;  // ids of those concerned, without repetition
  bool patients_cut = false;          // there were more, or it concerns every patient (an export)
  std::string query;                  // as it was sent, without '?'
  bool query_cut = false;

  std::string rule;         // that decided, as text
  std::string override_id;  // of the emergency override it was done under

  std::int64_t store_sequence = 0;  // line of the store's journal that it came with; 0: none

  bool operator==(const Entry&) const = default;
};

// Fills what a principal says: kind, id, name, client, roles, session, tenant, FHIR user, purpose, override.
void set_principal(Entry& entry, const access::Principal& principal);
// What append_json() writes of a principal.
std::string principal_text(const access::Principal& principal);

// The last 32 hexadecimal digits of the SHA-256 of an opaque token: enough to find entries of one token, useless for
// presenting it.
std::string token_trace(std::string_view token);

// As JSON; what is empty is left out.
void append_json(std::string& out, const Entry& entry);
std::string to_json(const Entry& entry);
// Members that are not known are ignored. Code::invalid: a member has the wrong type or a value that cannot be.
Result<Entry> entry_of(json::Value value);

}  // namespace mydr24::audit
