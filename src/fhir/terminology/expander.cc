#include "fhir/terminology/detail/expander.h"

#include <fmt/format.h>

#include "fhir/terminology/detail/filters.h"
#include "fhir/terminology/detail/judge.h"

namespace mydr24::terminology::detail {
namespace {

constexpr std::size_t checks_max = 10'000;  // value sets passed on the way

Item item_of(const SystemRef& system, const ConceptRow& row) {
  const Tables& tables = *system.tables;
  return {tables.text(system.row->url), tables.text(system.row->version), tables.text(row.code),
          tables.text(row.display), row.flags};
}

std::span<const Rule> rules_of(const SetRef& set) {
  return rows_of(set.tables->rules, *set.row, &ValueSet::first_rule);
}

bool has(const SetRef& set, RuleKind kind) {
  for (const auto& rule : rules_of(set)) {
    if (rule.kind == kind) return true;
  }
  return false;
}

bool has_list(const Rule& rule) { return (&rule)[1].first_listed != rule.first_listed; }

}  // namespace

Result<> Expander::each(const SetRef& set, const Visit& visit) {
  MYDR24_TRY(can_list(set, 0));
  list(set, visit);
  if (visits_ <= visits_max_) return {};
  return fail(Code::too_costly,
              fmt::format("The expansion looks at more than {} concepts: narrow the value set", visits_max_));
}

// ---- Whether everything that is needed is here

Result<> Expander::can_list(const SetRef& set, std::size_t depth) {
  if (set.row == nullptr) return can_list_system(set.system, set.version);
  auto able = can_follow_rules(set, depth);
  // No expansion makes good for rules that go in circles: listing would follow them.
  const bool in_circles = !able && able.error().code == Code::unprocessable;
  return able || in_circles || !has(set, RuleKind::expanded) ? able : Result<>();
}

Result<> Expander::can_follow_rules(const SetRef& set, std::size_t depth) {
  const Tables& tables = *set.tables;
  if (depth >= nesting_max || ++checks_ > checks_max) {
    return fail(Code::unprocessable, fmt::format("Value sets include one another more than {} deep", nesting_max));
  }
  if (!has(set, RuleKind::include)) {
    return fail(Code::invalid, fmt::format("The value set {} includes nothing", tables.text(set.row->url)));
  }
  for (const auto& rule : rules_of(set)) {
    if (rule.kind != RuleKind::include) continue;
    if (rule.system.size > 0 && !has_list(rule)) {
      MYDR24_TRY(can_list_system(tables.text(rule.system), tables.text(rule.version)));
    }
    for (const auto canonical : rows_of(tables.nested, rule, &Rule::first_value_set)) {
      const auto other = library_.find_set(tables.text(canonical));
      if (!other) {
        return fail(Code::not_found, fmt::format("The value set {} is not known here", tables.text(canonical)));
      }
      MYDR24_TRY(can_list(other, depth + 1));
    }
  }
  return {};
}

Result<> Expander::can_list_system(std::string_view url, std::string_view version) const {
  const auto system = library_.find_system(url, version);
  const auto* grammar = system ? nullptr : find_grammar(url);
  if (grammar != nullptr) {
    if (grammar->each != nullptr) return {};
    return fail(Code::too_costly, fmt::format("There is no end of codes in {}: they cannot be listed", url));
  }
  if (system && !concepts_of(system).empty()) return {};
  return fail(Code::not_found, fmt::format("The concepts of the code system {}{}{} are not here: they cannot be listed",
                                           url, version.empty() ? "" : "|", version));
}

// ---- Listing

bool Expander::offer(const Visit& visit, const Item& item) { return ++visits_ <= visits_max_ && visit(item); }

void Expander::note_content(const SystemRef& system) {
  if (system && system.row->content != Content::complete) is_complete_ = false;
}

void Expander::list(const SetRef& set, const Visit& visit) {
  if (set.row == nullptr) return list_implicit(set, visit);
  const bool from_expansion = has(set, RuleKind::expanded) && !can_follow_rules(set, 0);
  for (const auto& rule : rules_of(set)) {
    if (rule.kind == (from_expansion ? RuleKind::expanded : RuleKind::include)) list_rule(set, rule, visit);
  }
}

void Expander::list_rule(const SetRef& set, const Rule& rule, const Visit& visit) {
  const Tables& tables = *set.tables;
  const Visit wanted = [&](const Item& item) { return !is_wanted(set, rule, item) || visit(item); };
  if (has_list(rule)) return list_enumerated(tables, rule, wanted);
  if (rule.system.size > 0) return list_system(tables, rule, wanted);
  const auto nested = rows_of(tables.nested, rule, &Rule::first_value_set);
  if (!nested.empty()) list(library_.find_set(tables.text(nested[0])), wanted);
}

void Expander::list_enumerated(const Tables& tables, const Rule& rule, const Visit& visit) {
  const auto url = tables.text(rule.system);
  const auto system = library_.system_of(tables, rule);
  const auto* grammar = system ? nullptr : find_grammar(url);
  for (const auto& listed : rows_of(tables.listed, rule, &Rule::first_listed)) {
    const auto code = tables.text(listed.code);
    if (find_listed(tables, rule, code, false) != &listed) continue;
    Item item{url, tables.text(rule.version), code, tables.text(listed.display), 0};
    const auto* row = system ? find_concept(system, code) : nullptr;
    std::string name;
    if (row != nullptr) {
      item.version = system.tables->text(system.row->version);
      item.flags = row->flags;
      if (item.display.empty()) item.display = system.tables->text(row->display);
    } else if (grammar != nullptr && item.display.empty()) {
      name = grammar->display(code);
      item.display = name;
    }
    if (!offer(visit, item)) return;
  }
}

void Expander::list_system(const Tables& tables, const Rule& rule, const Visit& visit) {
  const auto url = tables.text(rule.system);
  const auto system = library_.system_of(tables, rule);
  const auto* grammar = system ? nullptr : find_grammar(url);
  const Filters filters(tables, rows_of(tables.filters, rule, &Rule::first_filter), system, grammar);
  note_content(system);
  if (system) {
    for (const auto& row : concepts_of(system)) {
      const auto item = item_of(system, row);
      if (filters.pass(item.code, &row) != Membership::member) {
        if (++visits_ > visits_max_) return;
      } else if (!offer(visit, item)) {
        return;
      }
    }
  } else if (grammar != nullptr && grammar->each != nullptr) {
    bool goes_on = true;
    grammar->each([&](std::string_view code) {
      if (!goes_on || filters.pass(code, nullptr) != Membership::member) return;
      goes_on = offer(visit, {url, {}, code, grammar->display(code), 0});
    });
  }
}

void Expander::list_implicit(const SetRef& set, const Visit& visit) {
  const auto system = library_.find_system(set.system, set.version);
  note_content(system);
  if (!system) return;
  const auto* ancestor = set.ancestor.empty() ? nullptr : find_concept(system, set.ancestor);
  for (const auto& row : concepts_of(system)) {
    if (!set.ancestor.empty() && (ancestor == nullptr || !is_a(*system.tables, row, *ancestor))) continue;
    if (!offer(visit, item_of(system, row))) return;
  }
}

// Not listed before by an earlier rule, in every value set that the rule names, and not excluded.
bool Expander::is_wanted(const SetRef& set, const Rule& rule, const Item& item) const {
  const Tables& tables = *set.tables;
  if (set.row->excludes_inactive != 0 && (item.flags & flag_inactive) != 0) return false;
  for (const auto canonical : rows_of(tables.nested, rule, &Rule::first_value_set)) {
    const auto other = library_.find_set(tables.text(canonical));
    if (Judge(library_, false).in_set(other, item.system, item.code) != Membership::member) return false;
  }
  for (const auto& other : rules_of(set)) {
    const bool is_earlier = other.kind == rule.kind && &other < &rule;
    if (!is_earlier && (other.kind != RuleKind::exclude || rule.kind == RuleKind::expanded)) continue;
    if (Judge(library_, false).in_rule(tables, other, item.system, item.code) == Membership::member) return false;
  }
  return true;
}

}  // namespace mydr24::terminology::detail
