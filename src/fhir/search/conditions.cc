#include "fhir/search/conditions.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

namespace mydr24::search {
namespace {

constexpr std::size_t attempts_max = 4'096;
constexpr std::size_t name_bytes_max = 64;
constexpr std::string_view has_prefix = "_has:";

struct ModifierRow {
  std::string_view name;
  Modifier modifier;
  std::span<const Kind> kinds;
};
constexpr auto with_rows = std::to_array({Kind::string, Kind::token, Kind::reference, Kind::date, Kind::number,
                                          Kind::quantity, Kind::uri, Kind::composite, Kind::position});
constexpr auto strings = std::to_array({Kind::string});
constexpr auto in_parts = std::to_array({Kind::string, Kind::uri});  // of uri: R5 has it, R4 does not forbid it
constexpr auto tokens = std::to_array({Kind::token});
constexpr auto references = std::to_array({Kind::reference});
constexpr auto texts = std::to_array({Kind::string, Kind::token});
constexpr auto hierarchies = std::to_array({Kind::token, Kind::uri, Kind::reference});
// Source: FHIR R4, search.html, modifiers.
constexpr auto modifiers = std::to_array<ModifierRow>({
    {"exact", Modifier::exact, strings},
    {"contains", Modifier::contains, in_parts},
    {"text", Modifier::text, texts},
    {"not", Modifier::is_not, tokens},
    {"in", Modifier::in, tokens},
    {"not-in", Modifier::not_in, tokens},
    {"above", Modifier::above, hierarchies},
    {"below", Modifier::below, hierarchies},
    {"of-type", Modifier::of_type, tokens},
    {"identifier", Modifier::identifier, references},
    {"missing", Modifier::missing, with_rows},
});

bool takes(const Catalogue& catalogue, const ModifierRow& row, const Parameter& parameter) {
  if (std::ranges::find(row.kinds, parameter.kind) == row.kinds.end()) return false;
  return row.modifier != Modifier::of_type || catalogue.finds_identifiers(parameter);
}

std::string known_modifiers(const Catalogue& catalogue, const Parameter& parameter) {
  std::vector<std::string> known;
  for (const ModifierRow& row : modifiers) {
    if (takes(catalogue, row, parameter)) known.push_back(fmt::format(":{}", row.name));
  }
  if (parameter.kind == Kind::reference) known.emplace_back("a resource type (:Patient)");
  return known.empty() ? "none" : fmt::format("{}", fmt::join(known, ", "));
}

std::string shown(std::string_view name) { return std::string(name.substr(0, name_bytes_max)); }

// Levenshtein distance, of names that are short.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t above = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, diagonal + (a[i - 1] == b[j - 1] ? 0U : 1U)});
      diagonal = above;
    }
  }
  return row.back();
}

std::vector<std::string_view> nearest(std::span<const Parameter> known, std::string_view name) {
  constexpr std::size_t suggestions_max = 3;
  name = name.substr(0, name_bytes_max);
  std::vector<std::pair<std::size_t, std::string_view>> ranked;
  for (const Parameter& parameter : known) {
    const bool part = name.size() > 2 && (parameter.code.contains(name) || name.contains(parameter.code));
    const std::size_t far = part ? 1 : distance(name, parameter.code);
    if (far <= 1 + name.size() / 3) ranked.emplace_back(far, parameter.code);
  }
  std::ranges::sort(ranked);
  std::vector<std::string_view> names;
  for (const auto& [far, code] : ranked) {
    if (names.size() < suggestions_max) names.push_back(code);
  }
  return names;
}

std::vector<std::string_view> types_behind(const Parameter& parameter) {
  if (!parameter.targets.empty()) return {parameter.targets.begin(), parameter.targets.end()};
  std::vector<std::string_view> types;
  for (const model::Type* type : model::resource_types()) types.push_back(type->name);
  return types;
}

bool refers_to(const Parameter& parameter, std::string_view type) {
  return parameter.targets.empty() || std::ranges::find(parameter.targets, type) != parameter.targets.end();
}

std::string listed_targets(const Parameter& parameter) {
  return parameter.targets.empty() ? std::string("any resource type")
                                   : fmt::format("{}", fmt::join(parameter.targets, ", "));
}

std::unexpected<Problem> too_costly(std::string text) { return refuse("too-costly", std::move(text)); }

// What is known of a patient now, said by the conditions it stands for. Source: FHIR R4, lifecycle of lists,
// search.html 3.1.1.5.6 (functional lists).
struct FunctionalList {
  std::string_view name, type;
  std::string_view parameter, values;  // must hold
  std::string_view unless, of;         // must not; empty: nothing more
};
constexpr std::string_view in_error = "entered-in-error,refuted";
constexpr std::array functional_lists{
    FunctionalList{"$current-problems", "Condition", "clinical-status", "active,recurrence,relapse",
                   "verification-status", in_error},
    FunctionalList{"$current-allergies", "AllergyIntolerance", "clinical-status", "active", "verification-status",
                   in_error},
    FunctionalList{"$current-medications", "MedicationStatement", "status", "active", "", ""},
    FunctionalList{"$current-medications", "MedicationRequest", "status", "active", "", ""},
};

}  // namespace

Parsed<Modifier> modifier_of(const Catalogue& catalogue, const Parameter& parameter, std::string_view name,
                             std::string_view& target) {
  const auto row = std::ranges::find(modifiers, name, &ModifierRow::name);
  if (row != modifiers.end() && takes(catalogue, *row, parameter)) return row->modifier;
  if (parameter.kind == Kind::reference && model::find_resource(name) != nullptr) {
    target = name;
    return Modifier::none;
  }
  return refuse("not-supported", fmt::format("'{0}' does not take the modifier ':{1}'. Modifiers of {0}: {2}.",
                                             parameter.code, shown(name), known_modifiers(catalogue, parameter)));
}

Condition missing(const Parameter& parameter, bool is_missing) {
  Condition condition{.parameter = &parameter, .modifier = Modifier::missing, .any_of = {}, .target = {}, .parts = {}};
  condition.any_of.emplace_back().missing = is_missing;
  return condition;
}

Condition combined(Condition::Form form, std::vector<Condition> parts) {
  return {.any_of = {}, .form = form, .target = {}, .parts = std::move(parts)};
}

Problem ConditionParser::unknown(std::string_view type, std::string_view name) const {
  const auto known = catalogue_.parameters_of(type);
  const auto near = nearest(known, name.substr(0, name.find_first_of(":.")));
  std::vector<std::string_view> codes;
  for (const Parameter& parameter : known) codes.push_back(parameter.code);
  const auto suggestion = near.empty() ? std::string() : fmt::format(" Did you mean {}?", fmt::join(near, ", "));
  return {"not-supported",
          fmt::format("This server does not search {} by '{}'.{} Known parameters of {}: {}.", type, shown(name),
                      suggestion, type, fmt::join(codes, ", ")),
          true};
}

Parsed<Condition> ConditionParser::parse(std::string_view type, std::string_view name, std::string_view value) {
  auto condition = parse(type, name, value, 0);
  budget_.written += split_unescaped(value, ',').size();
  if (budget_.written > terms_max) return too_costly(fmt::format("A search has at most {} values.", terms_max));
  return condition;
}

Parsed<Condition> ConditionParser::parse(std::string_view type, std::string_view name, std::string_view value,
                                         std::size_t depth) {
  if (depth > chain_depth_max) {
    return too_costly(fmt::format("A chain has at most {} steps.", chain_depth_max));
  }
  if (name.starts_with(has_prefix)) return has(type, name.substr(has_prefix.size()), value, depth);
  const auto dot = name.find('.');
  if (dot == std::string_view::npos) return match(type, name, value);
  const auto rest = name.substr(dot + 1);
  return chain(type, name.substr(0, dot), [&](std::string_view target) -> Parsed<std::vector<Condition>> {
    auto inner = parse(target, rest, value, depth + 1);
    if (!inner) return std::unexpected(std::move(inner.error()));
    std::vector<Condition> parts;
    parts.push_back(std::move(*inner));
    return parts;
  });
}

Parsed<Condition> ConditionParser::match(std::string_view type, std::string_view name, std::string_view value) {
  const auto code = name.substr(0, name.find(':'));
  const Parameter* parameter = catalogue_.find(type, code);
  if (parameter == nullptr) return std::unexpected(unknown(type, name));
  Asked asked{.parameter = parameter, .modifier = Modifier::none, .target = {}, .name = name};
  if (code.size() < name.size()) {
    const auto modifier = modifier_of(catalogue_, *parameter, name.substr(code.size() + 1), asked.target);
    if (!modifier) return std::unexpected(modifier.error());
    asked.modifier = *modifier;
  }
  Condition condition{.parameter = parameter, .modifier = asked.modifier, .any_of = {}, .target = {}, .parts = {}};
  for (const auto part : split_unescaped(value, ',')) {
    auto terms = terms_.parse(asked, part);
    if (!terms) return std::unexpected(std::move(terms.error()));
    if (condition.any_of.size() + terms->size() > expanded_max) {
      return too_costly(fmt::format("'{}' stands for more than {} values.", shown(name), expanded_max));
    }
    std::ranges::move(*terms, std::back_inserter(condition.any_of));
  }
  // :above and :below of tokens are resolved to the codes they stand for.
  if (const auto within = spend(condition); !within) return std::unexpected(within.error());
  return condition;
}

Parsed<Condition> ConditionParser::chain(std::string_view type, std::string_view reference_name, const Parts& parts) {
  const auto code = reference_name.substr(0, reference_name.find(':'));
  const Parameter* parameter = catalogue_.find(type, code);
  if (parameter == nullptr) return std::unexpected(unknown(type, reference_name));
  if (parameter->kind != Kind::reference) {
    return refuse("not-supported",
                  fmt::format("'{}' of {} is no reference: nothing can be chained to it.", code, type));
  }
  std::string_view only;
  if (code.size() < reference_name.size()) {
    only = reference_name.substr(code.size() + 1);
    if (model::find_resource(only) == nullptr || !refers_to(*parameter, only)) {
      return refuse("value", fmt::format("'{}' of {} does not refer to {}. It refers to: {}.", code, type, shown(only),
                                         listed_targets(*parameter)));
    }
  }
  std::vector<Condition> found;
  std::optional<Problem> problem;
  for (const auto target : only.empty() ? types_behind(*parameter) : std::vector{only}) {
    if (++budget_.attempts > attempts_max) {
      return too_costly(fmt::format("'{0}' may lead to too many types: write {0}:TYPE.", code));
    }
    auto inner = parts(target);
    if (!inner) {
      if (inner.error().code == "too-costly") return std::unexpected(std::move(inner.error()));
      // What is wrong where the name is known says more than that it is not known elsewhere.
      if (!problem || (problem->unknown && !inner.error().unknown)) problem = std::move(inner.error());
      continue;
    }
    Condition condition{.parameter = parameter,
                        .any_of = {},
                        .form = Condition::Form::chain,
                        .target = std::string(target),
                        .parts = std::move(*inner)};
    if (const auto within = spend(condition); !within) return std::unexpected(within.error());
    found.push_back(std::move(condition));
  }
  if (found.empty()) return std::unexpected(problem.value_or(unknown(type, reference_name)));
  if (found.size() == 1) return std::move(found.front());
  return combined(Condition::Form::any, std::move(found));
}

// After "_has:": TYPE:REFERENCE:NAME, where NAME may be a chain or another _has.
Parsed<Condition> ConditionParser::has(std::string_view type, std::string_view name, std::string_view value,
                                       std::size_t depth) {
  constexpr std::string_view right = "Write _has:TYPE:REFERENCE:PARAMETER, as in _has:Observation:patient:code=1234.";
  const auto first = name.find(':');
  const auto second = first == std::string_view::npos ? first : name.find(':', first + 1);
  if (second == std::string_view::npos || second + 1 == name.size()) {
    return refuse("value", std::string(right));
  }
  const auto source = name.substr(0, first), code = name.substr(first + 1, second - first - 1);
  if (model::find_resource(source) == nullptr) {
    return refuse("not-supported", fmt::format("'{}' is not a resource type of FHIR R4. {}", shown(source), right));
  }
  const Parameter* parameter = catalogue_.find(source, code);
  if (parameter == nullptr) return std::unexpected(unknown(source, code));
  if (parameter->kind != Kind::reference || !refers_to(*parameter, type)) {
    return refuse("not-supported", fmt::format("'{}' of {} does not refer to {}. {}", code, source, type, right));
  }
  auto inner = parse(source, name.substr(second + 1), value, depth + 1);
  if (!inner) return inner;
  Condition condition{.parameter = parameter, .any_of = {}, .form = Condition::Form::has, .target = {}, .parts = {}};
  condition.parts.push_back(std::move(*inner));
  if (const auto within = spend(condition); !within) return std::unexpected(within.error());
  return condition;
}

Parsed<Condition> ConditionParser::functional_list(std::string_view type, std::string_view name) {
  const auto found = std::ranges::find_if(
      functional_lists, [&](const FunctionalList& one) { return one.name == name && one.type == type; });
  if (found == functional_lists.end()) {
    return refuse(
        "not-supported",
        fmt::format("There is no list {} of {}. There are: $current-problems of Condition, $current-allergies "
                    "of AllergyIntolerance, $current-medications of MedicationStatement and "
                    "MedicationRequest.",
                    shown(name), type));
  }
  std::vector<Condition> parts;
  auto holds = match(type, found->parameter, found->values);
  if (!holds || found->unless.empty()) return holds;
  parts.push_back(std::move(*holds));
  auto unless = match(type, fmt::format("{}:not", found->unless), found->of);
  if (!unless) return unless;
  parts.push_back(std::move(*unless));
  return combined(Condition::Form::all, std::move(parts));
}

Parsed<Condition> ConditionParser::list(std::string_view type, std::string_view id) {
  if (id.starts_with('$')) return functional_list(type, id);
  const Resolver* resolver = options_.resolver;
  if (resolver == nullptr || !resolver->list) return refuse("not-supported", "This server does not know '_list'.");
  const auto members = resolver->list(id);
  if (!members) return refuse("value", fmt::format("The List '{}': {}", shown(id), members.error().text));
  Condition condition{.parameter = catalogue_.find(type, "_id"), .any_of = {}, .target = {}, .parts = {}};
  for (const auto& entry : *members) {
    const auto slash = entry.find('/');
    if (slash == std::string::npos || std::string_view(entry).substr(0, slash) != type) continue;
    const auto rest = std::string_view(entry).substr(slash + 1);
    condition.any_of.emplace_back().value = rest.substr(0, rest.find('/'));
  }
  if (condition.any_of.empty()) condition.modifier = Modifier::in;  // of nothing: matches nothing
  if (const auto within = spend(condition); !within) return std::unexpected(within.error());
  return condition;
}

Parsed<void> ConditionParser::spend(const Condition& condition) {
  budget_.expanded += condition.any_of.size();
  if (budget_.expanded > expanded_max) {
    return too_costly(fmt::format("The values of this search stand for more than {}.", expanded_max));
  }
  if (++budget_.nodes > tree_max) {
    return too_costly(fmt::format(
        "This search has more than {} conditions in all; a chain counts once for each type it may lead to.", tree_max));
  }
  return {};
}

}  // namespace mydr24::search
