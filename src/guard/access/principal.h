#pragma once

// Who asks: what authentication found out, and all that decisions and the audit go by. A value; what it may do is decided
// elsewhere (policy.h).

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/core/clock.h"
#include "guard/access/scope.h"

namespace mydr24::access {

enum class PrincipalKind : std::uint8_t {
  anonymous,  // nobody said who they are
  person,     // a user, by whatever application
  machine,    // a client that acts for itself (SMART Backend Services, client credentials, mutual TLS)
  system,     // this server: timers, followers, the command line on the machine itself
};
std::string_view to_string(PrincipalKind kind);

// An emergency override in force: see break_glass.h.
struct Override {
  std::string id;
  std::string reason;
  std::string patient;  // id of the Patient it was asked for; empty: every patient
  Instant until;
};

struct Principal {
  PrincipalKind kind = PrincipalKind::anonymous;
  std::string id;      // unique in its tenant and never given twice: "user/anna", "client/ehr-export"
  std::string name;    // for people to read; may be empty
  std::string tenant;  // empty: the only one there is
  std::vector<std::string> roles;
  // Of an application's token: what is not in them is refused, whatever the roles allow. Nothing: a session of our own
  // page or command line, bounded by the roles alone.
  std::optional<Scopes> scopes;
  std::string client;                  // the application that acts for the person; empty for a session of our own
  std::string fhir_user;               // "Practitioner/12", "Patient/3": the resource that this person is; may be empty
  std::vector<std::string> member_of;  // "Organization/1", "CareTeam/2": what a Consent may name in place of the person
  std::string patient;    // id of the Patient that `patient/` scopes are about, by launch context; may be empty
  std::string encounter;  // id, by launch context; may be empty
  std::string session;    // names the session in the audit and for revocation; never the token
  // HL7 v3 PurposeOfUse: "TREAT", "HOPERAT", "BTG" ...; of a token that names one. Empty: what the role is for.
  std::string purpose;
  std::vector<Override> overrides;  // in force
  Instant expires;                  // of the token; Instant's maximum when it does not

  bool is_known() const { return kind != PrincipalKind::anonymous; }
  bool has_role(std::string_view role) const;
};

}  // namespace mydr24::access
