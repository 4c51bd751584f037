// Looking at incidents.

#include <fmt/format.h>

#include <algorithm>

#include "base/json/writer.h"
#include "operations/incidents/book.h"

namespace mydr24::incidents {
namespace {

constexpr std::uint32_t list_max = 500;

}  // namespace

Result<Incident> Book::find(store::Reader& reader, std::string_view id) {
  MYDR24_ASSIGN(const auto row, reader.state(rows::incidents, rows::incident_key(id)));
  if (!row) return fail(Code::not_found, fmt::format("there is no incident {}", id.substr(0, 64)));
  return incident_of(*row);
}

// The cause of a duplicate leads to the incident that it was merged into, for as long as that one is not over.
Result<std::optional<std::string>> Book::find_unresolved(store::Reader& reader, std::string_view cause) {
  MYDR24_ASSIGN(auto row, reader.state(rows::incidents, rows::cause_key(cause)));
  for (std::size_t hops = 0; row && !row->empty() && hops <= duplicates_max; ++hops) {
    MYDR24_ASSIGN(const Incident incident, find(reader, *row));
    if (!incident.is_over()) return row;
    row = incident.merged_into;
  }
  return std::optional<std::string>();
}

Result<Page> Book::list(store::Reader& reader, bool over, std::string_view after, std::uint32_t count) {
  const std::string_view prefix = over ? rows::done_prefix : rows::open_prefix;
  if (!after.empty() && !after.starts_with(prefix))
    return fail(Code::invalid, "it is not from the page before", "after");
  const std::uint32_t asked = std::clamp(count, 1U, list_max);
  MYDR24_ASSIGN(auto found, reader.states(rows::incidents, prefix, after, asked + 1));
  Page page;
  if (found.size() > asked) {
    found.pop_back();
    page.next = found.back().key;
  }
  for (store::StateRow& row : found) page.summaries.push_back(std::move(row.value));
  return page;
}

Result<std::vector<std::string>> Book::open_emergencies(store::Reader& reader, std::uint32_t count) {
  MYDR24_ASSIGN(const auto found, reader.states(rows::incidents, rows::open_prefix_of(Severity::emergency), "", count));
  std::vector<std::string> ids;
  for (const store::StateRow& row : found) ids.emplace_back(rows::id_of(row.key));
  return ids;
}

Result<Impact> Book::impact(store::Reader& reader, const Incident& incident) const {
  Impact impact{.reach = setups_.active()->reach_of(incident.service),
                .alert_patients = static_cast<std::int64_t>(incident.patients.size())};
  impact.patients = impact.alert_patients;
  if (!count_patients_) return impact;
  for (const std::string& ward : impact.reach.wards) {
    MYDR24_ASSIGN(const std::int64_t count, count_patients_(reader, ward));
    impact.wards.push_back({ward, count});
    impact.patients += count;
  }
  return impact;
}

std::string to_json(const Impact& impact) {
  std::string text;
  json::Writer out(text);
  out.begin_object().field("patients", impact.patients).field("patients_of_alerts", impact.alert_patients);
  out.key("services").begin_array();
  for (const std::string& each : impact.reach.services) out.string(each);
  out.end_array().key("wards").begin_array();
  for (const auto& each : impact.wards)
    out.begin_object().field("ward", each.ward).field("patients", each.patients).end_object();
  out.end_array().field(
      "computed",
      "patients of linked alerts, and those with an encounter in progress at each ward of the service "
      "and of services that depend on it; who is in both is counted twice");
  out.end_object();
  return text;
}

}  // namespace mydr24::incidents
