// What of an AuditEvent search the trail's own index can answer. It may let too much through: search::matches() decides
// on the event (ADR 5).

#include <algorithm>
#include <array>
#include <charconv>

#include "api/audit_api/audit_api.h"
#include "base/core/id.h"

namespace mydr24::audit_api {
namespace {

using search::Condition;
using search::Prefix;
using search::Term;

constexpr std::string_view patient_mark = "Patient/";

const Term* only_term(const Condition& condition) {
  return condition.form == Condition::Form::match && condition.any_of.size() == 1 ? &condition.any_of.front() : nullptr;
}

// The one patient whom the condition is about; empty: it is not about one.
std::string patient_of(const Condition& condition) {
  if (condition.form == Condition::Form::any) {
    std::string patient;
    for (const auto& part : condition.parts) {
      auto one = patient_of(part);
      if (one.empty() || (!patient.empty() && one != patient)) return {};
      patient = std::move(one);
    }
    return patient;
  }
  const Term* term = only_term(condition);
  if (term == nullptr || condition.modifier != search::Modifier::none || condition.parameter->code != "patient" ||
      !term->value.starts_with(patient_mark))
    return {};
  auto id = term->value.substr(patient_mark.size());
  return is_fhir_id(id) ? id : std::string();
}

void take_time(audit::Query& query, const Term& term) {
  const auto since = [&] {
    const auto at = from_us(term.low);
    if (!query.since || *query.since < at) query.since = at;
  };
  const auto until = [&] {
    const auto at = from_us(term.high);
    if (!query.until || *query.until > at) query.until = at;
  };
  switch (term.prefix) {
    case Prefix::eq:
      since();
      until();
      break;
    case Prefix::ge:
    case Prefix::gt:
    case Prefix::sa:
      since();
      break;
    case Prefix::le:
    case Prefix::lt:
    case Prefix::eb:
      until();
      break;
    case Prefix::ne:
    case Prefix::ap:
      break;
  }
}

// Events that have another subtype than the name of their interaction.
bool is_dicom(std::string_view code) {
  constexpr std::array<std::string_view, 4> codes{"110127", "110138", "110122", "110123"};
  return std::ranges::find(codes, code) != codes.end();
}

void take(audit::Query& query, const Condition& condition) {
  if (auto patient = patient_of(condition); !patient.empty()) {
    query.patient = std::move(patient);
    return;
  }
  const Term* term = only_term(condition);
  if (term == nullptr) return;
  const std::string_view code = condition.parameter->code;
  if (condition.modifier == search::Modifier::identifier) {
    // "\x1f\x1fVALUE" of any system.
    const auto value = std::string_view(term->value).substr(std::min<std::size_t>(2, term->value.size()));
    if (code == "agent" && value.starts_with("user/")) query.principal = value;
    return;
  }
  if (condition.modifier != search::Modifier::none || term->any_code) return;
  if (code == "date" || code == "_lastUpdated") {
    take_time(query, *term);
  } else if (code == "_id") {
    auto one = by_id(term->value);
    query.id = std::move(one.id);
    query.since = one.since;
    query.until = one.until;
  } else if (code == "altid") {
    query.principal = term->value;
  } else if (code == "action" && term->value != "E") {
    query.action = audit::parse_action(term->value);
  } else if (code == "outcome") {
    query.outcome = audit::parse_outcome(term->value);
  } else if (code == "subtype" && !is_dicom(term->value)) {
    query.interaction = term->value;
  } else if (code == "entity" && !term->value.starts_with(patient_mark)) {
    const std::string_view value = term->value;
    const auto slash = value.find('/');
    if (slash == value.npos || value.contains(':')) return;
    query.resource_type = value.substr(0, slash);
    query.resource_id = value.substr(slash + 1, value.find('/', slash + 1) - slash - 1);
  }
}

}  // namespace

// The id begins with the entry's time in milliseconds (UUID version 7).
audit::Query by_id(std::string_view id) {
  audit::Query query{.id = std::string(id.substr(0, id.find('.')))};
  std::string digits;
  for (const char c : query.id.substr(0, 13))
    if (c != '-') digits += c;
  std::int64_t milliseconds = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), milliseconds, 16);
  if (error != std::errc() || end != digits.data() + digits.size() || digits.size() != 12) return query;
  const auto at = from_us(milliseconds * 1000);
  query.since = at - std::chrono::seconds(1);
  query.until = at + std::chrono::seconds(1);
  return query;
}

audit::Query narrowed(const search::Query& query) {
  audit::Query narrow;
  for (const auto& condition : query.conditions) take(narrow, condition);
  return narrow;
}

}  // namespace mydr24::audit_api
