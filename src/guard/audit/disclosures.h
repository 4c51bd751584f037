#pragma once

// Who got data of a patient: the accounting of disclosures (45 CFR 164.528: the date, the recipient, what, and the
// purpose; of several to one recipient the first, the last and how many).

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/core/result.h"
#include "guard/audit/search.h"

namespace mydr24::audit {

// One recipient for one purpose.
struct Disclosure {
  std::string purpose;    // HL7 v3 PurposeOfUse; empty: none was said
  std::string client;     // the application; empty: a session of this server's own
  std::string principal;  // who used it
  std::string name;
  std::int64_t count = 0;
  Instant first, last;
  std::vector<std::string> interactions;  // "read Observation", sorted; at most interactions_max
  // To be accounted for: neither treatment, payment nor operations, nor to the patient. Without a purpose, what an
  // application or a machine got is.
  bool outside = false;
  bool names_patient = true;  // false: only in bulk (an export), which concerns every patient

  static constexpr std::size_t interactions_max = 32;
};

struct Accounting {
  std::string patient;
  std::vector<Disclosure> disclosures;  // outside first, then by purpose, client, principal
  std::int64_t entries = 0;
};

// Successful reads, searches and exports in [since, until). Where it is not given, everything there is.
Result<Accounting> account_disclosures(const Trail& trail, std::string_view patient, std::optional<Instant> since,
                                       std::optional<Instant> until);

}  // namespace mydr24::audit
