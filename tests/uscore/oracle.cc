#include "oracle.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>

#include "base/core/date_time.h"

namespace mydr24::live {
namespace {

using enum Kind;

constexpr std::size_t values_max = 3;

constexpr std::array<Element, 92> elements{{
    {"AllergyIntolerance", "patient", reference, "patient"},
    {"AllergyIntolerance", "clinical-status", token, "clinicalStatus"},
    {"CarePlan", "category", token, "category"},
    {"CarePlan", "date", date, "period"},
    {"CarePlan", "patient", reference, "subject"},
    {"CarePlan", "status", token, "status"},
    {"CareTeam", "patient", reference, "subject"},
    {"CareTeam", "status", token, "status"},
    {"CareTeam", "role", token, "participant.role", "SearchParameter-us-core-careteam-role.json"},
    {"Condition", "abatement-date", date, "abatementDateTime abatementPeriod"},
    {"Condition", "asserted-date", date, "extension:condition-assertedDate.valueDateTime",
     "SearchParameter-us-core-condition-asserted-date.json"},
    {"Condition", "category", token, "category"},
    {"Condition", "clinical-status", token, "clinicalStatus"},
    {"Condition", "code", token, "code"},
    {"Condition", "encounter", reference, "encounter"},
    {"Condition", "onset-date", date, "onsetDateTime onsetPeriod"},
    {"Condition", "patient", reference, "subject"},
    {"Condition", "recorded-date", date, "recordedDate"},
    {"Coverage", "patient", reference, "beneficiary"},
    {"Device", "patient", reference, "patient"},
    {"Device", "status", token, "status"},
    {"Device", "type", token, "type"},
    {"DiagnosticReport", "category", token, "category"},
    {"DiagnosticReport", "code", token, "code"},
    {"DiagnosticReport", "date", date, "effectiveDateTime effectivePeriod"},
    {"DiagnosticReport", "patient", reference, "subject"},
    {"DiagnosticReport", "status", token, "status"},
    {"DocumentReference", "category", token, "category"},
    {"DocumentReference", "date", date, "date"},
    {"DocumentReference", "patient", reference, "subject"},
    {"DocumentReference", "period", date, "context.period"},
    {"DocumentReference", "status", token, "status"},
    {"DocumentReference", "type", token, "type"},
    {"Encounter", "class", token, "class"},
    {"Encounter", "date", date, "period"},
    {"Encounter", "discharge-disposition", token, "hospitalization.dischargeDisposition",
     "SearchParameter-us-core-encounter-discharge-disposition.json"},
    {"Encounter", "identifier", token, "identifier"},
    {"Encounter", "location", reference, "location.location"},
    {"Encounter", "patient", reference, "subject"},
    {"Encounter", "status", token, "status"},
    {"Encounter", "type", token, "type"},
    {"FamilyMemberHistory", "patient", reference, "patient"},
    {"FamilyMemberHistory", "code", token, "condition.code"},
    {"Goal", "description", token, "description", "SearchParameter-us-core-goal-description.json"},
    {"Goal", "lifecycle-status", token, "lifecycleStatus"},
    {"Goal", "patient", reference, "subject"},
    {"Goal", "target-date", date, "target.dueDate"},
    {"Immunization", "date", date, "occurrenceDateTime"},
    {"Immunization", "patient", reference, "patient"},
    {"Immunization", "status", token, "status"},
    {"Location", "address", string,
     "address.line address.city address.district address.state address.postalCode address.country address.text"},
    {"Location", "address-city", string, "address.city"},
    {"Location", "address-postalcode", string, "address.postalCode"},
    {"Location", "address-state", string, "address.state"},
    {"Location", "name", string, "name alias"},
    {"MedicationDispense", "patient", reference, "subject"},
    {"MedicationDispense", "status", token, "status"},
    {"MedicationDispense", "type", token, "type"},
    {"MedicationRequest", "authoredon", date, "authoredOn"},
    {"MedicationRequest", "encounter", reference, "encounter"},
    {"MedicationRequest", "intent", token, "intent"},
    {"MedicationRequest", "patient", reference, "subject"},
    {"MedicationRequest", "status", token, "status"},
    {"Observation", "category", token, "category"},
    {"Observation", "code", token, "code"},
    {"Observation", "date", date, "effectiveDateTime effectivePeriod effectiveInstant"},
    {"Observation", "patient", reference, "subject"},
    {"Observation", "status", token, "status"},
    {"Organization", "address", string,
     "address.line address.city address.district address.state address.postalCode address.country address.text"},
    {"Organization", "name", string, "name alias"},
    {"Patient", "birthdate", date, "birthDate"},
    {"Patient", "death-date", date, "deceasedDateTime"},
    {"Patient", "family", string, "name.family"},
    {"Patient", "given", string, "name.given"},
    {"Patient", "identifier", token, "identifier"},
    {"Patient", "name", string, "name.family name.given name.text name.prefix name.suffix"},
    {"Practitioner", "identifier", token, "identifier"},
    {"Practitioner", "name", string, "name.family name.given name.text name.prefix name.suffix"},
    {"PractitionerRole", "practitioner", reference, "practitioner"},
    {"PractitionerRole", "specialty", token, "specialty"},
    {"Procedure", "code", token, "code"},
    {"Procedure", "date", date, "performedDateTime performedPeriod"},
    {"Procedure", "patient", reference, "subject"},
    {"Procedure", "status", token, "status"},
    {"QuestionnaireResponse", "authored", date, "authored"},
    {"QuestionnaireResponse", "patient", reference, "subject"},
    {"QuestionnaireResponse", "questionnaire", reference, "questionnaire"},
    {"QuestionnaireResponse", "status", token, "status"},
    {"RelatedPerson", "name", string, "name.family name.given name.text name.prefix name.suffix"},
    {"RelatedPerson", "patient", reference, "patient"},
    {"Specimen", "patient", reference, "subject"},
    {"ServiceRequest", "patient", reference, "subject"},
}};

constexpr std::array<Element, 4> service_request{{
    {"ServiceRequest", "authored", date, "authoredOn"},
    {"ServiceRequest", "category", token, "category"},
    {"ServiceRequest", "code", token, "code"},
    {"ServiceRequest", "status", token, "status"},
}};

constexpr std::array<Element, 2> of_all{{
    {"", "_id", Kind::id, "id"},
    {"", "_lastUpdated", last_updated, "meta"},
}};

std::vector<std::string_view> parts(std::string_view text, char by) {
  std::vector<std::string_view> out;
  while (true) {
    const std::size_t at = text.find(by);
    out.push_back(text.substr(0, at));
    if (at == std::string_view::npos) return out;
    text.remove_prefix(at + 1);
  }
}

// "extension:NAME" is the extensions whose url ends so.
void walk(json::Value value, std::span<const std::string_view> path, std::vector<json::Value>& out) {
  if (value.is_array()) {
    for (const json::Value item : value) walk(item, path, out);
    return;
  }
  if (path.empty()) {
    out.push_back(value);
    return;
  }
  if (path.front().starts_with("extension:")) {
    for (const json::Value item : value["extension"])
      if (item["url"].text().ends_with(path.front().substr(10))) walk(item, path.subspan(1), out);
    return;
  }
  if (const json::Value member = value[path.front()]; member.exists()) walk(member, path.subspan(1), out);
}

std::vector<json::Value> values_at(json::Value resource, const Element& element) {
  std::vector<json::Value> out;
  for (const std::string_view path : parts(element.paths, ' ')) walk(resource, parts(path, '.'), out);
  return out;
}

struct Token {
  std::string system;
  std::string code;
};

void add_token(json::Value coding, std::string_view code, std::vector<Token>& out) {
  if (coding[code].exists()) out.push_back({std::string(coding["system"].text()), std::string(coding[code].text())});
}

// Of a code, a Coding, a CodeableConcept or an Identifier.
std::vector<Token> tokens(json::Value value) {
  std::vector<Token> out;
  if (!value.is_object()) {
    out.push_back({"", std::string(value.text())});
  } else {
    for (const json::Value coding : value["coding"]) add_token(coding, "code", out);
    add_token(value, "code", out);
    add_token(value, "value", out);
  }
  return out;
}

struct Range {
  std::int64_t low = std::numeric_limits<std::int64_t>::min();
  std::int64_t high = std::numeric_limits<std::int64_t>::max();
};

std::int64_t ticks(Instant at) { return at.time_since_epoch().count(); }

std::optional<Range> range_of(json::Value value) {
  Range range;
  const bool period = value.is_object();
  const auto low = parse_date_time(period ? value["start"].text() : value.text());
  const auto high = parse_date_time(period ? value["end"].text() : value.text());
  if (!low && !high) return std::nullopt;
  if (low) range.low = ticks(low->low);
  if (high) range.high = ticks(high->high);
  return range;
}

bool date_satisfies(json::Value value, std::string_view asked) {
  std::string_view prefix = "eq";
  if (!asked.empty() && asked[0] >= 'a') {
    prefix = asked.substr(0, 2);
    asked.remove_prefix(2);
  }
  const auto question = parse_date_time(asked);
  const auto range = range_of(value);
  if (!question || !range) return false;
  const std::int64_t low = ticks(question->low);
  const std::int64_t high = ticks(question->high);
  const bool inside = low <= range->low && range->high <= high;
  if (prefix == "gt") return range->high > high;
  if (prefix == "lt") return range->low < low;
  if (prefix == "ge") return range->high > high || inside;
  if (prefix == "le") return range->low < low || inside;
  return inside;
}

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return out;
}

bool token_satisfies(json::Value value, std::string_view asked) {
  const std::size_t bar = asked.find('|');
  for (const Token& token : tokens(value)) {
    if (bar == std::string_view::npos ? token.code == asked
                                      : token.system == asked.substr(0, bar) && token.code == asked.substr(bar + 1))
      return true;
  }
  return false;
}

bool reference_satisfies(json::Value value, std::string_view asked, std::string_view parameter) {
  if (!value.is_object()) {  // a canonical
    const std::string_view whole = value.text();
    return whole == asked || whole.substr(0, whole.find('|')) == asked;
  }
  std::string_view target = value["reference"].text();
  target = target.substr(0, target.find("/_history/"));
  if (parameter == "patient" && !target.starts_with("Patient/")) return false;
  return target == asked || (asked.find('/') == std::string_view::npos && target.ends_with(fmt::format("/{}", asked)) &&
                             target.find("//") == std::string_view::npos);
}

}  // namespace

const Element* find_element(std::string_view type, std::string_view parameter) {
  const auto same = [&](const Element& element) {
    return (element.type == type || element.type.empty()) && element.parameter == parameter;
  };
  for (const std::span<const Element> table :
       {std::span<const Element>(elements), std::span<const Element>(service_request),
        std::span<const Element>(of_all)}) {
    const auto found = std::ranges::find_if(table, same);
    if (found != table.end()) return &*found;
  }
  return nullptr;
}

std::vector<std::string_view> own_definitions() {
  std::vector<std::string_view> out;
  for (const Element& element : elements)
    if (!element.definition.empty()) out.push_back(element.definition);
  return out;
}

std::vector<std::string> askable_values(json::Value resource, const Element& element) {
  std::vector<std::string> out;
  if (element.kind == last_updated) return {"ge2020-01-01T00:00:00Z"};
  for (const json::Value value : values_at(resource, element)) {
    if (element.kind == token) {
      for (const Token& one : tokens(value))
        out.push_back(one.system.empty() ? one.code : fmt::format("{}|{}", one.system, one.code));
    } else if (element.kind == reference) {
      const std::string_view target = value.is_object() ? value["reference"].text() : value.text();
      const bool fits = element.parameter != "patient" || target.starts_with("Patient/");
      if (fits && !target.empty() && !target.starts_with('#')) out.emplace_back(target);
    } else if (element.kind == date && value.is_object()) {
      if (value["start"].exists()) out.push_back(fmt::format("ge{}", value["start"].text()));
    } else if (!value.text().empty()) {
      out.emplace_back(value.text());
    }
    if (out.size() >= values_max) break;
  }
  return out;
}

bool satisfies(json::Value resource, const Element& element, std::string_view value) {
  if (element.kind == last_updated) return true;
  const auto stored = values_at(resource, element);
  for (const std::string_view asked : element.kind == string ? std::vector{value} : parts(value, ',')) {
    for (const json::Value one : stored) {
      bool found = false;
      if (element.kind == token) found = token_satisfies(one, asked);
      if (element.kind == reference) found = reference_satisfies(one, asked, element.parameter);
      if (element.kind == date) found = date_satisfies(one, asked);
      if (element.kind == Kind::id) found = one.text() == asked;
      if (element.kind == string) found = lower(one.text()).starts_with(lower(asked));
      if (found) return true;
    }
  }
  return false;
}

std::string short_form(const Element& element, std::string_view value) {
  if (element.kind == token) return std::string(value.substr(value.find('|') + 1));
  if (element.kind == reference && value.find("//") == std::string_view::npos)
    return std::string(value.substr(value.find('/') + 1));
  return std::string(value);
}

}  // namespace mydr24::live
