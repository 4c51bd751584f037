#include "fhir/terminology/detail/judge.h"

#include <algorithm>

#include "fhir/terminology/detail/filters.h"

namespace mydr24::terminology::detail {
namespace {

// What is left of `all` when `part` is required too.
Membership both(Membership all, Membership part) {
  if (all == Membership::not_member || part == Membership::not_member) return Membership::not_member;
  return all == Membership::unknown ? all : part;
}

}  // namespace

const Listed* find_listed(const Tables& tables, const Rule& rule, std::string_view code, bool folded) {
  const auto keys = rows_of(tables.listed_keys, rule, &Rule::first_listed);
  const auto hash = hash_code(code);
  for (const Key* key = find_key(keys, hash); key != keys.data() + keys.size() && key->hash == hash; ++key) {
    const Listed& row = tables.listed[key->row];
    const auto text = tables.text(row.code);
    if (text == code || (folded && same_folded(text, code))) return &row;
  }
  return nullptr;
}

InSystem Judge::in_system(const SystemRef& system, std::string_view url, std::string_view code) const {
  InSystem answer{.system = system};
  if (!answer.system) {
    answer.grammar = find_grammar(url);
    if (answer.grammar == nullptr) return answer;
    answer.result = answer.grammar->is_valid(code) ? Membership::member : Membership::not_member;
    return answer;
  }
  const System& row = *answer.system.row;
  if (row.content == Content::supplement) return answer;
  answer.row = find_concept(answer.system, code);
  if (answer.row != nullptr) {
    const bool usable = !selectable_only_ || (answer.row->flags & flag_abstract) == 0;
    answer.result = usable ? Membership::member : Membership::not_member;
  } else if (row.content == Content::complete && (&row)[1].first_concept != row.first_concept) {
    answer.result = Membership::not_member;
  }
  return answer;
}

Membership Judge::in_set(const SetRef& set, std::string_view system, std::string_view code) {
  if (depth_ >= nesting_max || ++steps_ > steps_max) return Membership::unknown;
  if (set.row == nullptr) return set ? in_implicit(set, system, code) : Membership::unknown;
  ++depth_;
  auto answer = in_rules(set, RuleKind::include, system, code);
  if (answer == Membership::unknown) {
    // An expansion that came along says what the rules, for want of a code system, cannot.
    const auto listed = in_rules(set, RuleKind::expanded, system, code);
    if (listed == Membership::member) answer = listed;
  }
  --depth_;
  if (answer == Membership::member && set.row->excludes_inactive != 0 && is_inactive(system_found_, code)) {
    return Membership::not_member;
  }
  return answer;
}

Membership Judge::in_rules(const SetRef& set, RuleKind kind, std::string_view system, std::string_view code) {
  const Tables& tables = *set.tables;
  const auto rules = rows_of(tables.rules, *set.row, &ValueSet::first_rule);
  bool any = false;
  Membership answer = Membership::not_member;
  for (const auto& rule : rules) {
    any = any || rule.kind == RuleKind::include;
    if (rule.kind != kind) continue;
    system_found_ = system;
    auto one = in_rule(tables, rule, system, code);
    if (one == Membership::member && kind == RuleKind::include) {
      const auto found = system_found_;
      const auto excluded = in_excludes(set, found, code);
      system_found_ = found;
      one = excluded == Membership::not_member ? one
            : excluded == Membership::member   ? Membership::not_member
                                               : Membership::unknown;
    }
    if (one == Membership::member) return one;
    if (one == Membership::unknown) answer = one;
  }
  // Without a rule that includes anything, only an expansion can tell what is meant.
  return !any && kind == RuleKind::include ? Membership::unknown : answer;
}

Membership Judge::in_excludes(const SetRef& set, std::string_view system, std::string_view code) {
  Membership answer = Membership::not_member;
  for (const auto& rule : rows_of(set.tables->rules, *set.row, &ValueSet::first_rule)) {
    if (rule.kind != RuleKind::exclude) continue;
    const auto one = in_rule(*set.tables, rule, system, code);
    if (one == Membership::member) return one;
    if (one == Membership::unknown) answer = one;
  }
  return answer;
}

Membership Judge::in_implicit(const SetRef& set, std::string_view system, std::string_view code) {
  if (!system.empty() && system != set.system) return Membership::not_member;
  system_found_ = set.system;
  const auto found = in_system(set.system, set.version, code);
  if (set.ancestor.empty() || found.row == nullptr || found.result != Membership::member) return found.result;
  const auto* ancestor = find_concept(found.system, set.ancestor);
  if (ancestor == nullptr) return Membership::unknown;
  return is_a(*found.system.tables, *found.row, *ancestor) ? Membership::member : Membership::not_member;
}

Membership Judge::in_rule(const Tables& tables, const Rule& rule, std::string_view system, std::string_view code) {
  if (++steps_ > steps_max) return Membership::unknown;
  auto answer = Membership::member;
  const auto nested = rows_of(tables.nested, rule, &Rule::first_value_set);
  if (rule.system.size > 0) {
    const auto own = tables.text(rule.system);
    if (!system.empty() && system != own) return Membership::not_member;
    system = own;
    answer = by_system(tables, rule, code);
    system_found_ = own;
  } else if (nested.empty()) {
    return Membership::unknown;
  }
  for (const auto canonical : nested) {
    if (answer == Membership::not_member) return answer;
    answer = both(answer, in_set(library_.find_set(tables.text(canonical)), system, code));
    if (system.empty()) system = system_found_;
  }
  return answer;
}

// By the rule's list, its filters, or the whole system.
Membership Judge::by_system(const Tables& tables, const Rule& rule, std::string_view code) {
  if ((&rule)[1].first_listed != rule.first_listed) {
    if (find_listed(tables, rule, code, false) != nullptr) return Membership::member;
    if (find_listed(tables, rule, code, true) == nullptr) return Membership::not_member;
    const auto system = library_.system_of(tables, rule);
    return system && system.row->is_case_sensitive == 0 ? Membership::member : Membership::not_member;
  }
  const auto found = in_system(library_.system_of(tables, rule), tables.text(rule.system), code);
  const auto filters = rows_of(tables.filters, rule, &Rule::first_filter);
  if (filters.empty() || found.result != Membership::member) return found.result;
  return Filters(tables, filters, found.system, found.grammar).pass(code, found.row);
}

bool Judge::is_inactive(std::string_view system, std::string_view code) const {
  const auto found = in_system(system, {}, code);
  return found.row != nullptr && (found.row->flags & flag_inactive) != 0;
}

}  // namespace mydr24::terminology::detail
