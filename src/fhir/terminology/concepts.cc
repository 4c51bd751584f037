#include <fmt/format.h>

#include <algorithm>

#include "fhir/terminology/detail/content.h"
#include "fhir/terminology/detail/judge.h"
#include "fhir/terminology/terminology.h"

namespace mydr24::terminology {

using namespace detail;

namespace {

Error no_system(std::string_view system) {
  return fail(Code::not_found, fmt::format("The content of the code system {} is not here", system));
}

Error no_code(std::string_view system, std::string_view code) {
  return fail(Code::not_found, fmt::format("The code system {} has no code {}", system, code));
}

// The concept, or why there is none.
Result<InSystem> find(const Library& library, std::string_view system, std::string_view version,
                      std::string_view code) {
  const auto found = Judge(library, false).in_system(system, version, code);
  if (found.row != nullptr || found.result == Membership::member) return found;
  return found.result == Membership::unknown ? no_system(system) : no_code(system, code);
}

// All rows that `next` leads to from `row`, itself first, nearer ones before.
Result<std::vector<std::string>> closure(const InSystem& from,
                                         std::span<const std::uint32_t> (*next)(const Tables&, const ConceptRow&)) {
  const Tables& tables = *from.system.tables;
  std::vector<std::uint32_t> rows{static_cast<std::uint32_t>(from.row - tables.concepts.data())};
  std::vector<bool> seen(concepts_of(from.system).size());
  const auto first = from.system.row->first_concept;
  seen[rows[0] - first] = true;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    for (const auto row : next(tables, tables.concepts[rows[i]])) {
      if (seen[row - first]) continue;
      seen[row - first] = true;
      rows.push_back(row);
      if (rows.size() > expansion_max) {
        return fail(Code::too_large,
                    fmt::format("More than {} concepts are related to {}", expansion_max, tables.text(from.row->code)));
      }
    }
  }
  std::vector<std::string> codes;
  codes.reserve(rows.size());
  for (const auto row : rows) codes.emplace_back(tables.text(tables.concepts[row].code));
  return codes;
}

std::vector<std::string_view> codes_of(const Tables& tables, std::span<const std::uint32_t> rows) {
  std::vector<std::string_view> codes;
  for (const auto row : rows) codes.push_back(tables.text(tables.concepts[row].code));
  return codes;
}

std::string_view name_of(PropertyType type) {
  switch (type) {
    case PropertyType::code:
      return "code";
    case PropertyType::coding:
      return "Coding";
    case PropertyType::string:
      return "string";
    case PropertyType::integer:
      return "integer";
    case PropertyType::boolean:
      return "boolean";
    case PropertyType::date_time:
      return "dateTime";
    case PropertyType::decimal:
      return "decimal";
  }
  return "string";
}

Description describe_row(const InSystem& found) {
  const Tables& tables = *found.system.tables;
  const ConceptRow& row = *found.row;
  const auto text = [&](Text what) { return std::string(tables.text(what)); };
  const auto owned = [](const std::vector<std::string_view>& codes) {
    return std::vector<std::string>(codes.begin(), codes.end());
  };
  Description out{.system_name = text(found.system.row->name),
                  .system_version = text(found.system.row->version),
                  .code = text(row.code),
                  .display = text(row.display),
                  .definition = text(row.definition),
                  .is_abstract = (row.flags & flag_abstract) != 0,
                  .is_inactive = (row.flags & flag_inactive) != 0,
                  .parents = owned(codes_of(tables, parents_of(tables, row))),
                  .children = owned(codes_of(tables, children_of(tables, row)))};
  for (const auto& property : rows_of(tables.properties, row, &ConceptRow::first_property)) {
    const auto code = tables.text(property.code);
    if (code == "parent" || code == "child") continue;
    out.properties.push_back({std::string(code), std::string(name_of(property.type)), text(property.value)});
  }
  for (const auto& designation : rows_of(tables.designations, row, &ConceptRow::first_designation)) {
    out.designations.push_back({text(designation.language), text(designation.use_system), text(designation.use_code),
                                text(designation.value)});
  }
  return out;
}

}  // namespace

Result<Concept> Terminology::lookup(std::string_view system, std::string_view code) const {
  MYDR24_ASSIGN(const auto found, find(content_->library, system, {}, code));
  if (found.row == nullptr) return Concept{.code = code};
  const Tables& tables = *found.system.tables;
  return Concept{tables.text(found.row->code), tables.text(found.row->display), tables.text(found.row->definition),
                 (found.row->flags & flag_abstract) != 0};
}

Result<Description> Terminology::describe(const Coding& coding) const {
  MYDR24_ASSIGN(const auto found, find(content_->library, coding.system, coding.version, coding.code));
  if (found.row != nullptr) return describe_row(found);
  return Description{.system_name = std::string(found.grammar->name),
                     .code = coding.code,
                     .display = found.grammar->display(coding.code)};
}

Result<std::vector<std::string_view>> Terminology::parents(std::string_view system, std::string_view code) const {
  MYDR24_ASSIGN(const auto found, find(content_->library, system, {}, code));
  if (found.row == nullptr) return std::vector<std::string_view>();
  return codes_of(*found.system.tables, parents_of(*found.system.tables, *found.row));
}

Result<std::vector<std::string_view>> Terminology::children(std::string_view system, std::string_view code) const {
  MYDR24_ASSIGN(const auto found, find(content_->library, system, {}, code));
  if (found.row == nullptr) return std::vector<std::string_view>();
  return codes_of(*found.system.tables, children_of(*found.system.tables, *found.row));
}

Result<Subsumption> Terminology::subsumes(std::string_view system, std::string_view a, std::string_view b) const {
  MYDR24_ASSIGN(const auto first, find(content_->library, system, {}, a));
  MYDR24_ASSIGN(const auto second, find(content_->library, system, {}, b));
  if (a == b || (first.row != nullptr && first.row == second.row)) return Subsumption::equivalent;
  if (first.row == nullptr || second.row == nullptr) return Subsumption::not_subsumed;
  const Tables& tables = *first.system.tables;
  if (is_a(tables, *second.row, *first.row)) return Subsumption::subsumes;
  if (is_a(tables, *first.row, *second.row)) return Subsumption::subsumed_by;
  return Subsumption::not_subsumed;
}

Result<std::vector<std::string>> Terminology::below(std::string_view system, std::string_view code) const {
  MYDR24_ASSIGN(const auto found, find(content_->library, system, {}, code));
  if (found.row == nullptr) return std::vector{std::string(code)};
  return closure(found, children_of);
}

Result<std::vector<std::string>> Terminology::above(std::string_view system, std::string_view code) const {
  MYDR24_ASSIGN(const auto found, find(content_->library, system, {}, code));
  if (found.row == nullptr) return std::vector{std::string(code)};
  return closure(found, parents_of);
}

}  // namespace mydr24::terminology
