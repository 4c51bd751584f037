#pragma once

// What patients have decided about their records: FHIR Consent resources of scope patient-privacy, and what they mean for one
// principal, as search conditions.
// Source: FHIR R4, consent.html: the policyRule is the base (OPTIN permits, OPTOUT denies); the provision of the Consent is
// the exception to it, and each provision within a provision the exception to that one. Where R4 is silent:
// - a provision that says no more than the one it stands in is no exception to it;
// - of actors, each role that is named must be met, by one of those named in it;
// - a denial by one Consent is not lifted by another.
// What is not understood refuses: of what narrows a provision, one that denies goes without it, and one that permits is met
// by nothing; where it is the policy itself, the whole Consent denies. Consent::unclear names it.

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "fhir/search/search.h"
#include "guard/access/principal.h"
#include "guard/access/scope.h"

namespace mydr24::access {

struct Coded {
  std::string system;
  std::string code;
  bool operator==(const Coded&) const = default;
};

// One rule of a Consent.
struct Provision {
  // What may narrow a provision; bits of `unclear`.
  enum Criterion : std::uint8_t {
    of_actor = 1,
    of_action = 2,
    of_purpose = 4,
    of_label = 8,
    of_class = 16,
    of_code = 32,
    of_data = 64
  };
  struct Actor {
    std::string role;        // code of v3-ParticipationType: PRCP, IRCP, CST, AUT ...; empty: the recipient
    std::string reference;   // "Practitioner/1"; empty: it was not understood who that is
    bool elsewhere = false;  // the reference was a URL, which may be of another server
    bool operator==(const Actor&) const = default;
  };
  bool permits = false;
  std::optional<Instant> from, until;  // period
  std::vector<Actor> actors;
  std::vector<std::string> actions;              // codes of consentaction: collect, access, use, disclose, correct
  std::vector<std::string> purposes;             // codes of v3-PurposeOfUse
  std::vector<Coded> labels;                     // securityLabel
  std::vector<std::string> classes;              // resource types
  std::vector<std::string> formats;              // media types of documents, beside the types
  std::vector<Coded> codes;                      // what a resource is about: Observation.code ...
  std::vector<std::string> data;                 // "Observation/1"
  std::optional<Instant> data_from, data_until;  // dataPeriod
  std::uint8_t unclear = 0;                      // of Criterion: it says something there, too, that is not understood
  std::vector<Provision> exceptions;
};

struct Consent {
  std::string id;
  std::string patient;                 // id
  bool permits = true;                 // the base policy
  std::optional<Instant> from, until;  // of the whole: the period of the provision
  std::optional<Provision> exception;
  std::vector<std::string> unclear;  // elements that were not understood: "policyRule", "provision.actor"
};

inline constexpr std::size_t provisions_max = 256;  // of one Consent
inline constexpr int provision_depth_max = 8;

// Nothing when it restricts nothing: not active, of another scope, without a patient of this server, a plain permission.
// Beyond the limits above the whole Consent denies, as with a policyRule other than OPTIN and OPTOUT, and with a modifier
// extension. One without a policyRule (but a policy elsewhere) is read as OPTIN: the roles are what that policy allows.
std::optional<Consent> parse_consent(json::Value consent);

// The Consents in force in memory, by patient. Thread-safe.
class ConsentBook {
 public:
  void put(Consent consent);  // replaces one of the same id
  void erase(std::string_view id);
  void assign(std::vector<Consent> consents);  // these and no others
  bool empty() const;
  bool has(std::string_view patient) const;
  std::size_t unclear() const;  // how many say something that is not understood
  // Changes with every change.
  std::uint64_t version() const;

  struct Asker {
    const Principal* principal = nullptr;
    std::string purpose;       // the principal's, or that of its role
    std::string organization;  // "Organization/1" that keeps the records; empty: any that is named as custodian
    Instant now;
  };
  // What holds of the resources of `type` that this asker must not see (any of them hides). A patient's own Consents do not
  // keep the record from the patient, nor any from who has overridden them in an emergency.
  std::vector<search::Condition> hidden(const Asker& asker, Permission permission, std::string_view type) const;
  // The earliest time after `now` at which a period begins or ends.
  std::optional<Instant> changes_after(Instant now) const;

 private:
  mutable std::mutex mutex_;
  std::uint64_t version_ = 1;
  std::unordered_map<std::string, std::vector<std::shared_ptr<const Consent>>> by_patient_;
  std::unordered_map<std::string, std::string> patient_of_;  // by id of the Consent
};

// What the Consents keep from one principal, worked out once for each type and again when they change. Thread-safe.
class Denials {
 public:
  // `book` must outlive it. `purpose` and `organization` as in ConsentBook::Asker.
  Denials(const ConsentBook& book, Principal principal, std::string purpose, std::string organization)
      : book_(book),
        principal_(std::move(principal)),
        purpose_(std::move(purpose)),
        organization_(std::move(organization)) {}

  using Conditions = std::shared_ptr<const std::vector<search::Condition>>;
  // Never null; empty: nothing.
  Conditions of(Permission permission, std::string_view type, Instant now);
  const ConsentBook& book() const { return book_; }

 private:
  const ConsentBook& book_;
  const Principal principal_;
  const std::string purpose_;
  const std::string organization_;
  std::mutex mutex_;
  std::uint64_t version_ = 0;
  Instant valid_until_;
  std::map<std::pair<Permission, std::string>, Conditions> worked_out_;
};

}  // namespace mydr24::access
