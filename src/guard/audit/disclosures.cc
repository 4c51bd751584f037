#include "guard/audit/disclosures.h"

#include <algorithm>
#include <array>
#include <map>
#include <tuple>

#include "base/core/id.h"

namespace mydr24::audit {
namespace {

// 45 CFR 164.528(a)(1): treatment (emergencies too), payment, operations, and the patient's own requests.
constexpr std::array<std::string_view, 6> not_accounted{"TREAT", "ETREAT", "BTG", "HPAYMT", "HOPERAT", "PATRQT"};

bool is_outside(const Entry& entry) {
  if (entry.purpose.empty()) return !entry.client.empty() || entry.principal_kind == access::PrincipalKind::machine;
  return std::ranges::find(not_accounted, entry.purpose) == not_accounted.end();
}

void add(Disclosure& disclosure, const Entry& entry, bool names_patient) {
  if (disclosure.count == 0) {
    disclosure.purpose = entry.purpose;
    disclosure.client = entry.client;
    disclosure.principal = entry.principal;
    disclosure.first = disclosure.last = entry.at;
  }
  ++disclosure.count;
  disclosure.first = std::min(disclosure.first, entry.at);
  disclosure.last = std::max(disclosure.last, entry.at);
  disclosure.outside = disclosure.outside || is_outside(entry);
  if (!entry.name.empty()) disclosure.name = entry.name;
  disclosure.names_patient = names_patient;
  std::string what = entry.interaction;
  if (!entry.resource_type.empty()) what += " " + entry.resource_type;
  auto& known = disclosure.interactions;
  const auto at = std::ranges::lower_bound(known, what);
  if (known.size() < Disclosure::interactions_max && (at == known.end() || *at != what)) known.insert(at, what);
}

}  // namespace

Result<Accounting> account_disclosures(const Trail& trail, std::string_view patient, std::optional<Instant> since,
                                       std::optional<Instant> until) {
  if (!is_fhir_id(patient)) return fail(Code::invalid, "is no id of a patient", "patient");
  const Query query{.patient = std::string(patient),
                    .or_everyone = true,
                    .outcome = Outcome::success,
                    .since = since,
                    .until = until};
  using Key = std::tuple<bool, std::string, std::string, std::string, bool>;
  std::map<Key, Disclosure> found;
  Accounting accounting{.patient = std::string(patient)};
  MYDR24_TRY(for_each(trail, query, [&](const Found& one) {
    const Entry& entry = one.entry;
    if (entry.action != Action::read && entry.action != Action::execute) return true;
    ++accounting.entries;
    const bool names_patient = std::ranges::find(entry.patients, patient) != entry.patients.end();
    add(found[{!is_outside(entry), entry.purpose, entry.client, entry.principal, !names_patient}], entry,
        names_patient);
    return true;
  }));
  for (auto& [key, disclosure] : found) accounting.disclosures.push_back(std::move(disclosure));
  return accounting;
}

}  // namespace mydr24::audit
