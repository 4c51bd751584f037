// Checks an element against what a profile demands of it. Source: FHIR R4, profiling.html.

#include <fmt/format.h>

#include <algorithm>

#include "fhir/validation/detail/run.h"

namespace mydr24::validation {
namespace {

using model::Step;

std::string_view without_version(std::string_view canonical) { return canonical.substr(0, canonical.find('|')); }

// Objects: every member of the pattern; arrays: every item of the pattern somewhere; primitives: the same.
bool matches_pattern(json::Value pattern, json::Value value) {
  if (pattern.is_object()) {
    if (!value.is_object()) return false;
    return std::ranges::all_of(pattern, [&](json::Value one) { return matches_pattern(one, value[one.key()]); });
  }
  if (pattern.is_array()) {
    return std::ranges::all_of(pattern, [&](json::Value one) {
      return std::ranges::any_of(value, [&](json::Value other) { return matches_pattern(one, other); });
    });
  }
  return value.exists() && json::equal(pattern, value);
}

bool is_abstract(std::string_view code) {
  return code == "Element" || code == "BackboneElement" || code == "Resource" || code == "DomainResource";
}

std::string excerpt(json::Value value) {
  constexpr std::size_t bytes_max = 120;
  std::string text = json::compact(value);
  if (text.size() <= bytes_max) return text;
  std::size_t end = bytes_max;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) --end;
  return text.substr(0, end) + "...";
}

const model::Type* type_of_item(json::Value value, const model::Element& element) {
  return element.type != nullptr ? element.type : model::find_resource(value["resourceType"].text());
}

}  // namespace

std::vector<Item> children_of(const Item& item, std::string_view name, std::vector<std::unique_ptr<Step>>& steps) {
  std::vector<Item> found;
  if (item.type == nullptr) return found;
  const bool primitive = item.type->kind == model::TypeKind::primitive;
  const json::Value holder = primitive ? item.extended : item.value;
  if (!holder.is_object()) return found;
  static const model::Type* const extension = model::find_type("Extension");
  const model::Type& type = primitive ? *extension : *item.type;
  const bool choice = name.ends_with("[x]");
  const auto stem = choice ? name.substr(0, name.size() - 3) : name;
  const auto add = [&](json::Value value, json::Value extended, const model::Element& element, std::int64_t index) {
    if (value.is_null()) value = {};
    if (extended.is_null()) extended = {};
    if (!value.exists() && !extended.exists()) return;
    steps.push_back(std::make_unique<Step>(Step{item.step, element.name, &element, index}));
    found.push_back({value, extended, type_of_item(value, element), steps.back().get()});
  };
  for (const json::Value member : holder) {
    std::string_view key = member.key();
    const bool companion = key.starts_with('_');
    if (companion) key.remove_prefix(1);
    if (!key.starts_with(stem) || (!choice && key.size() != stem.size())) continue;
    const model::Element* element = type.find(key);
    if (element == nullptr || (choice && element->choice != stem)) continue;
    if (companion && holder[key].exists()) continue;
    json::Value values = companion ? json::Value() : member, others = companion ? member : json::Value();
    if (!companion && element->type != nullptr && element->type->kind == model::TypeKind::primitive) {
      others = holder[fmt::format("_{}", key)];
    }
    if (!values.is_array() && !others.is_array()) {
      add(values, others, *element, -1);
      continue;
    }
    auto one = values.begin(), other = others.begin();
    for (std::int64_t index = 0; one != values.end() || other != others.end(); ++index) {
      add(one != values.end() ? *one : json::Value(), other != others.end() ? *other : json::Value(), *element, index);
      if (one != values.end()) ++one;
      if (other != others.end()) ++other;
    }
  }
  return found;
}

void Run::profile(const Profile& profile, const Item& item) {
  if (profile.type != item.type) {
    return error("structure", *item.step,
                 fmt::format("The profile {} is one of {}, not of {}.", profile.url, profile.type->name,
                             item.type == nullptr ? "this" : item.type->name));
  }
  if (profile_depth_ >= profile_depth_max) return;
  ++profile_depth_;
  check(*profile.root, item);
  --profile_depth_;
}

bool Run::conforms(const Profile& wanted, const Item& item) {
  const Quiet quiet(*this);
  profile(wanted, item);
  return !quiet.failed();
}

void Run::check(const Node& node, const Item& item) {
  if (full()) return;
  if (!node.types.empty()) check_types(node, item);
  if (node.fixed.exists() || node.pattern.exists()) check_constant(node, item);
  if (node.strength != Strength::none && (item.value.exists() && !item.value.is_array())) {
    bound(item, node.value_set, node.strength);
  }
  if (request_.checks.invariants) {
    for (const auto& rule : node.rules) {
      if (rule->is_error() || (request_.warnings && quiet_ == 0)) judge(*rule, item);
    }
  }
  if (!node.children.empty()) check_children(node, item);
  check_nested(node, item);
}

// What is defined by itself, as the items of an item, must be as the profile demands it above.
void Run::check_nested(const Node& node, const Item& item) {
  if (item.type == nullptr || item.type->kind != model::TypeKind::backbone || !node.slice.empty()) return;
  const auto* const again = item.type->find(node.name);
  if (again == nullptr || again->type != item.type || node.child(node.name) != nullptr) return;
  std::vector<std::unique_ptr<Step>> steps;
  for (const auto& nested : children_of(item, node.name, steps)) check(node, nested);
}

void Run::check_types(const Node& node, const Item& item) {
  if (item.type == nullptr) return;
  const auto fits = [&](const TypeRule& rule) { return rule.code == item.type->name || is_abstract(rule.code); };
  if (std::ranges::none_of(node.types, fits)) {
    if (item.type->kind == model::TypeKind::backbone) return;
    std::string allowed;
    for (const auto& rule : node.types) allowed += fmt::format("{}{}", allowed.empty() ? "" : ", ", rule.code);
    return error("structure", *item.step, fmt::format("The profile allows {} here, not {}.", allowed, item.type->name));
  }
  for (const auto& rule : node.types) {
    if (!fits(rule)) continue;
    if (!rule.targets.empty()) check_targets(rule, item);
    if (rule.profiles.empty()) continue;
    // The walk judges an extension by its own definition.
    if (item.type->name == "Extension" && std::ranges::any_of(rule.profiles, [&](auto url) {
          return without_version(url) == item.value["url"].text();
        })) {
      continue;
    }
    std::vector<const Profile*> known;
    for (const auto url : rule.profiles) {
      if (const auto* one = catalogue_.find(url); one != nullptr) known.push_back(one);
    }
    if (known.size() < rule.profiles.size()) continue;  // one that is not known may be the one that fits
    if (known.size() == 1) {
      profile(*known[0], item);
    } else if (std::ranges::none_of(known, [&](const auto* one) { return conforms(*one, item); })) {
      error("structure", *item.step,
            fmt::format("The element conforms to none of the profiles {}.", fmt::join(rule.profiles, ", ")));
    }
  }
}

// What a Reference leads to must be of a type that the profile names, and, where it can be looked at, conform.
void Run::check_targets(const TypeRule& rule, const Item& item) {
  const auto reference = item.value["reference"].text();
  if (item.type->name != "Reference" || reference.empty()) return;
  std::vector<const Profile*> profiles;
  std::vector<std::string_view> types;
  for (const auto target : rule.targets) {
    const auto url = without_version(target);
    const auto name = url.substr(std::min(url.size(), structure_definition_url.size()));
    if (url.starts_with(structure_definition_url) && (is_abstract(name) || model::find_resource(name) != nullptr)) {
      if (is_abstract(name)) return;
      types.push_back(name);
    } else if (const auto* one = catalogue_.find(url); one != nullptr) {
      profiles.push_back(one);
    } else {
      return;  // not known: it may be what is referred to
    }
  }
  const auto allowed = [&](std::string_view type) {
    return std::ranges::find(types, type) != types.end() ||
           std::ranges::any_of(profiles, [&](const auto* one) { return one->type->name == type; });
  };
  const auto target = resolve(reference);
  std::string_view type = target["resourceType"].text();
  if (!target.is_object()) {
    // "Patient/1", or ".../Patient/1": the last name of a type tells.
    auto path = reference.substr(0, reference.find_first_of("?#"));
    path = path.substr(0, path.find("/_history/"));
    const auto slash = path.rfind('/');
    if (slash == std::string_view::npos) return;
    path = path.substr(0, slash);
    path = path.substr(path.rfind('/') + 1);
    if (model::find_resource(path) == nullptr) return;
    type = path;
  }
  if (!type.empty() && !allowed(type)) {
    std::string names;
    for (const auto one : rule.targets) names += fmt::format("{}{}", names.empty() ? "" : ", ", one);
    return error("structure", *item.step, fmt::format("The profile allows a reference to {}, not to {}.", names, type));
  }
  if (!target.is_object() || std::ranges::find(types, type) != types.end()) return;
  if (reference_depth_ >= reference_depth_max) return;
  ++reference_depth_;
  const Step step{item.step, "resolve()"};
  const Item found{target, {}, model::find_resource(type), &step};
  const bool fits = std::ranges::any_of(profiles, [&](const auto* one) {
    if (one->type != found.type) return false;
    const auto [known, is_new] = judged_.emplace(std::pair{target.raw().data(), one}, true);
    if (is_new) known->second = conforms(*one, found);
    return known->second;
  });
  --reference_depth_;
  if (!fits) {
    error(
        "structure", *item.step,
        fmt::format("What {} leads to conforms to none of the profiles {}.", reference, fmt::join(rule.targets, ", ")));
  }
}

void Run::check_constant(const Node& node, const Item& item) {
  if (node.fixed.exists() && !json::same(node.fixed, item.value) &&
      !(node.fixed.is_number() && json::equal(node.fixed, item.value))) {
    error("value", *item.step,
          fmt::format("The profile fixes this to {}, not {}.", excerpt(node.fixed),
                      item.value.exists() ? excerpt(item.value) : "an absent value"));
  }
  if (node.pattern.exists() && !matches_pattern(node.pattern, item.value)) {
    error("value", *item.step,
          fmt::format("The profile demands {} here, not {}.", excerpt(node.pattern),
                      item.value.exists() ? excerpt(item.value) : "an absent value"));
  }
}

void Run::check_children(const Node& node, const Item& item) {
  if (item.value.exists() && !item.value.is_object() && item.type != nullptr &&
      item.type->kind != model::TypeKind::primitive) {
    return;
  }
  for (const auto& child : node.children) {
    if (full()) return;
    std::vector<std::unique_ptr<Step>> steps;
    check_items(*child, children_of(item, child->name, steps), item);
  }
}

void Run::check_items(const Node& node, const std::vector<Item>& items, const Item& parent) {
  const auto count = static_cast<std::uint32_t>(items.size());
  const Step place{parent.step, node.name};
  if (count < node.min) {
    error("required", place,
          node.min == 1 ? fmt::format("The profile needs '{}'.", node.name)
                        : fmt::format("The profile needs '{}' {} times, not {}.", node.name, node.min, count));
  }
  if (count > node.max) {
    error("structure", place,
          node.max == 0 ? fmt::format("The profile does not allow '{}'.", node.name)
                        : fmt::format("The profile allows '{}' {} times, not {}.", node.name, node.max, count));
  }
  for (const auto& item : items) check(node, item);
  if (!node.slices.empty()) check_slices(node, items, place);
}

}  // namespace mydr24::validation
