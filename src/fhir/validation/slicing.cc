// Which slice of a sliced element an item belongs to, and what slices demand together.
// Source: FHIR R4, profiling.html, "Slicing" and "Discriminator".

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "fhir/validation/detail/run.h"

namespace mydr24::validation {
namespace {

using model::Step;

constexpr std::size_t discriminator_steps_max = 16;

// One step of a discriminator's path: a name, extension('url'), resolve(), ofType(T).
struct PathStep {
  enum class Kind : std::uint8_t { child, extension, resolve, of_type } kind = Kind::child;
  std::string_view text;
};

// Nothing when the path uses what discriminators may not.
std::optional<std::vector<PathStep>> steps_of(std::string_view path) {
  std::vector<PathStep> steps;
  while (!path.empty() && steps.size() < discriminator_steps_max) {
    std::size_t end = 0, brackets = 0;
    for (; end < path.size() && (path[end] != '.' || brackets > 0); ++end) {
      if (path[end] == '(') ++brackets;
      if (path[end] == ')' && brackets > 0) --brackets;
    }
    const auto one = path.substr(0, end);
    path.remove_prefix(std::min(path.size(), end + 1));
    const auto open = one.find('(');
    if (open == std::string_view::npos) {
      if (one != "$this") steps.push_back({PathStep::Kind::child, one});
      continue;
    }
    const auto name = one.substr(0, open);
    auto argument = one.substr(open + 1, one.size() - open - 2);
    if (argument.size() >= 2 && argument.front() == '\'') argument = argument.substr(1, argument.size() - 2);
    if (name == "extension") {
      steps.push_back({PathStep::Kind::extension, argument});
    } else if (name == "resolve") {
      steps.push_back({PathStep::Kind::resolve, {}});
    } else if (name == "ofType") {
      steps.push_back({PathStep::Kind::of_type, argument});
    } else {
      return std::nullopt;
    }
  }
  if (!path.empty()) return std::nullopt;
  return steps;
}

// What a slice says at the end of a discriminator's path: a node, or a part of a constant above it.
struct Demand {
  const Node* node = nullptr;
  json::Value constant;
};

bool says_something(const Node& node) {
  return node.fixed.exists() || node.pattern.exists() || node.strength == Strength::required ||
         std::ranges::any_of(node.children, [](const auto& child) { return says_something(*child); }) ||
         std::ranges::any_of(node.slices, [](const auto& slice) { return says_something(*slice); });
}

// A constant of the pattern is among the values.
bool among(json::Value constant, json::Value value) {
  if (constant.is_array()) {
    return std::ranges::all_of(constant, [&](json::Value one) {
      return std::ranges::any_of(value, [&](json::Value other) { return among(one, other); });
    });
  }
  if (constant.is_object()) {
    return std::ranges::all_of(constant, [&](json::Value one) { return among(one, value[one.key()]); });
  }
  return value.exists() && json::equal(constant, value);
}

// Finds the demands at a path, going also into the profiles of types (an extension's url stands there).
class Demands {
 public:
  explicit Demands(const Catalogue& catalogue) : catalogue_(catalogue) {}

  std::vector<Demand> at(const Node& slice, const std::vector<PathStep>& steps) {
    std::vector<Demand> now{{&slice, {}}};
    add_profiles(now);
    for (const auto& step : steps) {
      std::vector<Demand> next;
      for (const auto& one : now) follow(one, step, next);
      add_profiles(next);
      now = std::move(next);
    }
    return now;
  }

 private:
  void follow(const Demand& from, const PathStep& step, std::vector<Demand>& next) {
    if (from.constant.exists()) return follow_constant(from.constant, step, next);
    const Node& node = *from.node;
    for (const auto constant : {node.fixed, node.pattern}) {
      if (constant.exists()) follow_constant(constant, step, next);
    }
    switch (step.kind) {
      case PathStep::Kind::child:
        child(node, step.text, next);
        break;
      case PathStep::Kind::extension:
        if (const Node* extensions = node.child("extension"); extensions != nullptr) {
          for (const auto& one : extensions->slices) {
            const bool named = std::ranges::any_of(one->types, [&](const TypeRule& rule) {
              return std::ranges::find(rule.profiles, step.text) != rule.profiles.end();
            });
            if (named) next.push_back({one.get(), {}});
          }
        }
        break;
      case PathStep::Kind::of_type:
      case PathStep::Kind::resolve:
        next.push_back(from);
        for (const auto& rule : node.types) {
          for (const auto target : rule.targets) {
            if (const auto* one = catalogue_.find(target); one != nullptr) next.push_back({one->root.get(), {}});
          }
        }
        break;
    }
  }

  static void child(const Node& node, std::string_view name, std::vector<Demand>& next) {
    const auto add = [&](const Node& holder) {
      for (const auto& one : holder.children) {
        const std::string_view own = one->name;
        const bool choice = own.ends_with("[x]") && own.substr(0, own.size() - 3) == name;
        if (own == name || choice) next.push_back({one.get(), {}});
      }
    };
    add(node);
    for (const auto& slice : node.slices) add(*slice);
  }

  static void follow_constant(json::Value constant, const PathStep& step, std::vector<Demand>& next) {
    if (constant.is_array()) {
      for (const auto one : constant) follow_constant(one, step, next);
    } else if (step.kind == PathStep::Kind::child && constant[step.text].exists()) {
      next.push_back({nullptr, constant[step.text]});
    }
  }

  void add_profiles(std::vector<Demand>& demands) {
    for (std::size_t i = 0, count = demands.size(); i < count; ++i) {
      if (demands[i].node == nullptr) continue;
      for (const auto& rule : demands[i].node->types) {
        for (const auto url : rule.profiles) {
          if (const auto* one = catalogue_.find(url); one != nullptr) demands.push_back({one->root.get(), {}});
        }
      }
    }
  }

  const Catalogue& catalogue_;
};

}  // namespace

bool Run::discriminates(const Discriminator& discriminator, const Node& slice, const Item& item) {
  if (discriminator.path == "url" && item.type != nullptr && item.type->name == "Extension") {
    // By far the most frequent: the profile of an extension has the extension's url.
    const auto url = item.value["url"].text();
    for (const auto& rule : slice.types) {
      for (const auto profile : rule.profiles) return profile.substr(0, profile.find('|')) == url;
    }
  }
  const auto steps = steps_of(discriminator.path);
  if (!steps) return false;
  // The items at the path.
  std::vector<std::unique_ptr<Step>> kept;
  std::vector<Item> items{item};
  for (const auto& step : *steps) {
    std::vector<Item> next;
    for (const auto& one : items) {
      switch (step.kind) {
        case PathStep::Kind::child: {
          auto found = children_of(one, step.text, kept);
          if (found.empty()) found = children_of(one, fmt::format("{}[x]", step.text), kept);
          next.insert(next.end(), found.begin(), found.end());
          break;
        }
        case PathStep::Kind::extension:
          for (const auto& found : children_of(one, "extension", kept)) {
            if (found.value["url"].text() == step.text) next.push_back(found);
          }
          break;
        case PathStep::Kind::resolve:
          if (const auto target = resolve(one.value.is_string() ? one.value.text() : one.value["reference"].text());
              target.is_object()) {
            next.push_back({target, {}, model::find_resource(target["resourceType"].text()), one.step});
          }
          break;
        case PathStep::Kind::of_type:
          if (one.type != nullptr && one.type->name == step.text) next.push_back(one);
          break;
      }
    }
    items = std::move(next);
  }

  const auto demands = Demands(catalogue_).at(slice, *steps);
  const auto any_item = [&](auto&& good) { return std::ranges::any_of(items, good); };
  switch (discriminator.kind) {
    case DiscriminatorKind::exists:
      for (const auto& demand : demands) {
        if (demand.node == nullptr || demand.node == &slice) continue;
        if (demand.node->max == 0) return items.empty();
        if (demand.node->min > 0) return !items.empty();
      }
      return true;
    case DiscriminatorKind::type: {
      const auto has_type = [&](const Demand& demand) {
        if (demand.node == nullptr) return false;
        return any_item([&](const Item& one) {
          if (one.type == nullptr) return false;
          if (demand.node->types.empty()) return demand.node->type == one.type;
          return std::ranges::any_of(demand.node->types, [&](const TypeRule& rule) {
            const auto target = [&](std::string_view url) { return url.ends_with(fmt::format("/{}", one.type->name)); };
            return rule.code == one.type->name || std::ranges::any_of(rule.targets, target);
          });
        });
      };
      return std::ranges::any_of(demands, has_type);
    }
    case DiscriminatorKind::profile:
      return std::ranges::any_of(demands, [&](const Demand& demand) {
        if (demand.node == nullptr || demand.node == &slice) return false;
        return any_item([&](const Item& one) {
          const Quiet quiet(*this);
          check(*demand.node, one);
          return !quiet.failed();
        });
      });
    case DiscriminatorKind::value:
      break;
  }
  bool told = false;
  for (const auto& demand : demands) {
    if (demand.constant.exists()) {
      told = true;
      if (!any_item([&](const Item& one) { return among(demand.constant, one.value); })) return false;
      continue;
    }
    const Node& node = *demand.node;
    if (!says_something(node)) continue;
    told = true;
    const bool found = any_item([&](const Item& one) {
      const Quiet quiet(*this);
      if (node.fixed.exists() || node.pattern.exists()) {
        check_constant(node, one);
      } else if (node.strength == Strength::required) {
        bound(one, node.value_set, node.strength);
      } else {
        check_children(node, one);
      }
      return !quiet.failed();
    });
    if (!found) return false;
  }
  return told;
}

bool Run::in_slice(const Node& node, const Node& slice, const Item& item) {
  return std::ranges::all_of(node.discriminators,
                             [&](const Discriminator& one) { return discriminates(one, slice, item); });
}

void Run::check_slices(const Node& node, const std::vector<Item>& items, const Step& place) {
  if (node.discriminators.empty()) return;  // nothing tells the slices apart
  std::vector<std::uint32_t> counts(node.slices.size());
  std::size_t last = 0;
  bool other_seen = false;
  for (const auto& item : items) {
    if (full()) return;
    const auto found = std::ranges::find_if(node.slices, [&](const auto& one) { return in_slice(node, *one, item); });
    if (found == node.slices.end()) {
      other_seen = true;
      if (node.slicing_rules == SlicingRules::closed) {
        error("structure", *item.step,
              fmt::format("This is none of the slices of '{}', and others are not allowed.", node.name));
      }
      continue;
    }
    const auto number = static_cast<std::size_t>(found - node.slices.begin());
    if (node.slicing_rules == SlicingRules::open_at_end && other_seen) {
      error("structure", *item.step,
            fmt::format("The slice '{}' must stand before everything that is no slice.", (*found)->slice));
    }
    if (node.ordered && number < last) {
      error("structure", *item.step,
            fmt::format("The slice '{}' must stand before '{}'.", (*found)->slice, node.slices[last]->slice));
    }
    last = std::max(last, number);
    ++counts[number];
    check(**found, item);
  }
  for (std::size_t i = 0; i < counts.size(); ++i) {
    const Node& slice = *node.slices[i];
    if (counts[i] < slice.min) {
      error("required", place,
            fmt::format("The profile needs '{}' as slice '{}' {} times, not {}.", node.name, slice.slice, slice.min,
                        counts[i]));
    }
    if (counts[i] > slice.max) {
      error("structure", place,
            fmt::format("The profile allows '{}' as slice '{}' {} times, not {}.", node.name, slice.slice, slice.max,
                        counts[i]));
    }
    if (!slice.slices.empty()) {
      std::vector<Item> own;
      std::ranges::copy_if(items, std::back_inserter(own), [&](const Item& one) { return in_slice(node, slice, one); });
      check_slices(slice, own, place);
    }
  }
}

}  // namespace mydr24::validation
