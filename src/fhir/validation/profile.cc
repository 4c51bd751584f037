#include "fhir/validation/detail/profile.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <ranges>
#include <set>

namespace mydr24::validation {
namespace {

std::string_view without_version(std::string_view canonical) { return canonical.substr(0, canonical.find('|')); }

// "http://hl7.org/fhir/StructureDefinition/Patient" is the type Patient; nullptr for a profile.
const model::Type* type_of_url(std::string_view url) {
  url = without_version(url);
  return url.starts_with(structure_definition_url) ? model::find_type(url.substr(structure_definition_url.size()))
                                                   : nullptr;
}

bool is_choice(std::string_view name) { return name.ends_with("[x]"); }

// One part of an element's id: "component:systolic".
struct Part {
  std::string_view name, slice;
};

// Applies the elements of one StructureDefinition to a tree, in their order.
class Builder {
 public:
  Builder(Node& root, const model::Type& type) : root_(root), type_(type) {}

  Result<> apply(json::Value elements, bool of_snapshot) {
    of_snapshot_ = of_snapshot;
    std::size_t count = 0;
    for (const auto element : elements) {
      if (++count > profile_elements_max) return fail(Code::too_large, "it has too many elements");
      MYDR24_TRY(one(element));
    }
    return {};
  }

 private:
  Result<> one(json::Value element) {
    MYDR24_ASSIGN(const auto parts, parts_of(element));
    Node* node = &root_;
    for (const auto& part : parts | std::views::drop(1)) {
      MYDR24_ASSIGN(node, step(*node, part, element["path"].text()));
    }
    return set(*node, element);
  }

  // The id tells the slices; without one the path and the slices that were opened last do.
  Result<std::vector<Part>> parts_of(json::Value element) {
    const auto id = element["id"].text(), path = element["path"].text();
    if (path.empty()) return fail(Code::invalid, "an element has no path");
    std::vector<Part> parts;
    const bool by_id = !id.empty() && std::ranges::count(id, '.') == std::ranges::count(path, '.') &&
                       (id.find(':') != std::string_view::npos || element["sliceName"].text().empty());
    for (std::string_view rest = by_id ? id : path; parts.size() <= profile_path_max;) {
      const auto dot = rest.find('.');
      const auto part = rest.substr(0, dot);
      const auto colon = part.find(':');
      parts.push_back({part.substr(0, colon), colon == std::string_view::npos ? "" : part.substr(colon + 1)});
      if (dot == std::string_view::npos) break;
      rest.remove_prefix(dot + 1);
    }
    if (parts.size() > profile_path_max) return fail(Code::too_large, "an element is nested too deep");
    if (parts[0].name != type_.name) {
      return fail(Code::invalid, fmt::format("the element {} is not one of {}", path, type_.name));
    }
    if (!by_id) slices_by_order(path, element["sliceName"].text(), parts);
    return parts;
  }

  void slices_by_order(std::string_view path, std::string_view slice, std::vector<Part>& parts) {
    std::size_t at = 0;
    for (auto& part : parts) {
      at = path.find('.', at);
      const auto prefix = path.substr(0, at);
      const bool last = prefix.size() == path.size();
      if (last) {
        if (slice.empty()) {
          open_.erase(std::string(prefix));
        } else {
          open_[std::string(prefix)] = slice;
        }
      }
      if (const auto found = open_.find(std::string(prefix)); found != open_.end()) part.slice = found->second;
      if (at != std::string_view::npos) ++at;
    }
  }

  Result<Node*> step(Node& parent, Part part, std::string_view path) {
    const auto wrong = [&] {
      return fail(Code::invalid, fmt::format("there is no element {} (in {})", path, parent.name));
    };
    std::string name(part.name);
    std::string_view slice = part.slice;
    const model::Type* type = nullptr;
    const model::Element* element = parent.type != nullptr ? parent.type->find(part.name) : nullptr;
    if (element != nullptr && !element->choice.empty()) {
      // valueQuantity: the slice of value[x] that is a Quantity.
      name = fmt::format("{}[x]", element->choice);
      Node& choice = child_of(parent, name, nullptr);
      if (!slice.empty() && slice != part.name) return &slice_of(choice, slice, element->type);
      Node& one = slice_of(choice, part.name, element->type);
      if (one.types.empty()) one.types.push_back({element->type->name, {}, {}});
      return &one;
    }
    if (element != nullptr) type = element->type;
    if (element == nullptr && parent.type != nullptr && !is_choice(name) &&
        parent.type->kind != model::TypeKind::primitive) {
      return wrong();
    }
    if (parent.type != nullptr && is_choice(name)) {
      const auto stem = part.name.substr(0, part.name.size() - 3);
      const auto& elements = parent.type->elements;
      if (std::ranges::find(elements, stem, &model::Element::choice) == elements.end()) return wrong();
    }
    if (parent.type != nullptr && parent.type->kind == model::TypeKind::primitive && name == "extension") {
      type = model::find_type("Extension");
    }
    if (parent.type != nullptr && is_choice(name) && !slice.empty()) {
      // The slice's name tells its type: value[x]:valueQuantity.
      if (const auto* variant = parent.type->find(slice); variant != nullptr && !variant->choice.empty()) {
        return &slice_of(child_of(parent, name, nullptr), slice, variant->type);
      }
    }
    Node& child = child_of(parent, name, type);
    return slice.empty() ? &child : &slice_of(child, slice, child.type);
  }

  Node& child_of(Node& parent, std::string_view name, const model::Type* type) {
    if (Node* known = parent.child(name); known != nullptr) return *known;
    auto& made = parent.children.emplace_back(std::make_unique<Node>());
    made->name = name;
    made->type = type;
    if (name == "extension" || name == "modifierExtension") {
      made->discriminators.push_back({DiscriminatorKind::value, "url"});
      made->sliced = true;
    }
    if (is_choice(name)) made->discriminators.push_back({DiscriminatorKind::type, "$this"});
    return *made;
  }

  // "a/b" slices the slice "a" further.
  Node& slice_of(Node& node, std::string_view name, const model::Type* type) {
    if (const auto slash = name.find('/'); slash != std::string_view::npos && node.slice_of(name.substr(0, slash))) {
      Node& outer = *node.slice_of(name.substr(0, slash));
      if (outer.discriminators.empty()) outer.discriminators = node.discriminators;
      return slice_of(outer, name.substr(slash + 1), type);
    }
    if (Node* known = node.slice_of(name); known != nullptr) return *known;
    node.sliced = true;
    auto& made = node.slices.emplace_back(std::make_unique<Node>());
    made->name = node.name;
    made->slice = name;
    made->type = type;
    return *made;
  }

  Result<> set(Node& node, json::Value element) {
    if (const auto min = number(element["min"].text())) node.min = *min;
    if (const auto max = element["max"].text(); !max.empty()) {
      node.max = max == "*" ? Node::unbounded : number(max).value_or(Node::unbounded);
    }
    for (const auto member : element) {
      if (member.key().starts_with("fixed")) node.fixed = member;
      if (member.key().starts_with("pattern")) node.pattern = member;
    }
    if (const auto types = element["type"]; types.exists()) MYDR24_TRY(set_types(node, types));
    if (const auto binding = element["binding"]; binding.exists() && binding["valueSet"].exists()) {
      const auto strength = binding["strength"].text();
      node.strength = strength == "required"     ? Strength::required
                      : strength == "extensible" ? Strength::extensible
                                                 : Strength::none;
      node.value_set = binding["valueSet"].text();
    }
    for (const auto constraint : element["constraint"]) add_rule(node, constraint);
    if (const auto slicing = element["slicing"]; slicing.exists()) return set_slicing(node, slicing);
    return {};
  }

  static std::optional<std::uint32_t> number(std::string_view text) {
    std::uint32_t value = 0;
    const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || stop != text.data() + text.size()) return std::nullopt;
    return value;
  }

  Result<> set_types(Node& node, json::Value types) {
    node.types.clear();
    for (const auto type : types) {
      TypeRule rule{type["code"].text(), {}, {}};
      if (rule.code.starts_with("http://hl7.org/fhirpath/")) {  // ids and urls
        node.types.clear();
        return {};
      }
      for (const auto profile : type["profile"]) {
        const auto* type_itself = type_of_url(profile.text());
        if (type_itself == nullptr) rule.profiles.push_back(profile.text());
        if (type_itself != nullptr && type_itself->name != rule.code) {
          return fail(Code::invalid, fmt::format("{} is no profile of {}", profile.text(), rule.code));
        }
      }
      for (const auto target : type["targetProfile"]) rule.targets.push_back(target.text());
      node.types.push_back(std::move(rule));
    }
    // Several entries of one code, an old way to give several targets, are one.
    const bool single =
        std::ranges::all_of(node.types, [&](const auto& one) { return one.code == node.types[0].code; });
    if (!single || node.types.empty()) return {};
    const auto* type = model::find_type(node.types[0].code);
    const bool of_backbone = node.type != nullptr && node.type->kind == model::TypeKind::backbone;
    if (type != nullptr && !of_backbone) node.type = type;
    return {};
  }

  void add_rule(Node& node, json::Value constraint) {
    const auto key = constraint["key"].text(), expression = constraint["expression"].text();
    if (expression.empty()) return;
    constexpr auto everywhere =
        std::to_array<std::string_view>({"ele-1", "ext-1", "dom-2", "dom-3", "dom-4", "dom-5", "dom-6"});
    if (std::ranges::find(everywhere, key) != everywhere.end()) return;
    // A snapshot repeats the rules of R4, which are judged anyway.
    const auto of_r4 = [&](const model::Constraint& one) { return one.key == key; };
    if (of_snapshot_ && std::ranges::any_of(model::constraints(), of_r4)) return;
    std::erase_if(node.rules, [&](const auto& one) { return one->key() == key; });
    node.rules.push_back(
        std::make_shared<Rule>(key, constraint["human"].text(), expression, constraint["severity"].text() == "error"));
  }

  Result<> set_slicing(Node& node, json::Value slicing) {
    node.sliced = true;
    node.ordered = slicing["ordered"].is_true();
    const auto rules = slicing["rules"].text();
    node.slicing_rules = rules == "closed"      ? SlicingRules::closed
                         : rules == "openAtEnd" ? SlicingRules::open_at_end
                                                : SlicingRules::open;
    if (!slicing["discriminator"].exists()) return {};
    node.discriminators.clear();
    for (const auto one : slicing["discriminator"]) {
      const auto kind = one["type"].text();
      Discriminator discriminator{DiscriminatorKind::value, one["path"].text()};
      if (kind == "exists") discriminator.kind = DiscriminatorKind::exists;
      if (kind == "type") discriminator.kind = DiscriminatorKind::type;
      if (kind == "profile") discriminator.kind = DiscriminatorKind::profile;
      if (kind != "value" && kind != "pattern" && discriminator.kind == DiscriminatorKind::value) {
        return fail(Code::unsupported, fmt::format("a discriminator of type '{}' is not known", kind));
      }
      node.discriminators.push_back(discriminator);
    }
    return {};
  }

  Node& root_;
  const model::Type& type_;
  bool of_snapshot_ = false;
  std::map<std::string, std::string_view> open_;  // by path: the slice that was begun last
};

// Takes away what R4 says as well. `element` is what R4 has there; nullptr for the root.
void prune(Node& node, const model::Element* element);

void prune_children(Node& node) {
  for (auto& child : node.children) {
    const model::Element* element = nullptr;
    if (node.type != nullptr && is_choice(child->name)) {
      const auto stem = std::string_view(child->name).substr(0, child->name.size() - 3);
      const auto found = std::ranges::find(node.type->elements, stem, &model::Element::choice);
      if (found != node.type->elements.end()) element = &*found;
    } else if (node.type != nullptr) {
      element = node.type->find(child->name);
    }
    prune(*child, element);
  }
  std::erase_if(node.children, [](const auto& child) {
    const bool says_nothing = child->min == 0 && child->max == Node::unbounded && child->types.empty() &&
                              !child->fixed.exists() && !child->pattern.exists() && child->strength == Strength::none &&
                              child->rules.empty() && child->children.empty() && child->slices.empty();
    return says_nothing;
  });
}

// Whether the types of a choice, with everything they allow, are those of R4.
bool same_types(const Node& node, const model::Type& owner, const model::Element& element) {
  const auto plain = [](const TypeRule& rule) { return rule.profiles.empty(); };
  if (!std::ranges::all_of(node.types, plain)) return false;
  std::set<std::string_view> codes, targets;
  for (const auto& rule : node.types) {
    codes.insert(rule.code);
    for (const auto target : rule.targets) {
      const auto* type = type_of_url(target);
      if (type == nullptr && without_version(target) != "http://hl7.org/fhir/StructureDefinition/Resource")
        return false;
      if (type != nullptr) targets.insert(type->name);
    }
  }
  const std::size_t all =
      element.choice.empty()
          ? 1
          : static_cast<std::size_t>(std::ranges::count(owner.elements, element.choice, &model::Element::choice));
  const bool any_target = targets.empty() || targets.size() >= element.targets.size();
  return codes.size() >= all && any_target;
}

void prune(Node& node, const model::Element* element) {
  if (element != nullptr && node.slice.empty()) {
    if (node.min <= element->min && !node.sliced) node.min = 0;
    if (!element->repeats && node.max == 1) node.max = Node::unbounded;
    if (node.strength == Strength::required && node.value_set == element->required_value_set) {
      node.strength = Strength::none;
    }
  }
  for (auto& slice : node.slices) prune(*slice, element);
  prune_children(node);
}

// Only of a snapshot: a differential names a type because it means something by it.
void prune_types(Node& node) {
  for (auto& child : node.children) {
    if (node.type != nullptr && child->slice.empty()) {
      const auto stem = is_choice(child->name) ? std::string_view(child->name).substr(0, child->name.size() - 3) : "";
      const auto found = std::ranges::find_if(node.type->elements, [&](const auto& one) {
        return stem.empty() ? one.name == child->name : one.choice == stem;
      });
      if (found != node.type->elements.end() && same_types(*child, *node.type, *found)) child->types.clear();
    }
    prune_types(*child);
    for (auto& slice : child->slices) prune_types(*slice);
  }
}

}  // namespace

std::unique_ptr<Node> Node::copy() const {
  auto made = std::make_unique<Node>();
  made->name = name;
  made->slice = slice;
  made->type = type;
  made->min = min;
  made->max = max;
  made->types = types;
  made->fixed = fixed;
  made->pattern = pattern;
  made->strength = strength;
  made->value_set = value_set;
  made->rules = rules;
  made->sliced = sliced;
  made->ordered = ordered;
  made->slicing_rules = slicing_rules;
  made->discriminators = discriminators;
  for (const auto& child : children) made->children.push_back(child->copy());
  for (const auto& one : slices) made->slices.push_back(one->copy());
  return made;
}

Node* Node::child(std::string_view child_name) const {
  const auto found = std::ranges::find_if(children, [&](const auto& one) { return one->name == child_name; });
  return found == children.end() ? nullptr : found->get();
}

Node* Node::slice_of(std::string_view slice_name) const {
  const auto found = std::ranges::find_if(slices, [&](const auto& one) { return one->slice == slice_name; });
  return found == slices.end() ? nullptr : found->get();
}

void Catalogue::add(json::Value structure_definition) {
  auto document = json::Document::parse(json::compact(structure_definition));
  if (!document) return;
  auto kept = std::make_shared<const json::Document>(std::move(*document));
  add(kept, kept->root());
}

void Catalogue::add(std::shared_ptr<const json::Document> document, json::Value structure_definition) {
  auto& entry = entries_[std::string(structure_definition["url"].text())];
  entry = std::make_unique<Entry>();
  entry->document = std::move(document);
  entry->definition = structure_definition;
}

const Catalogue::Entry* Catalogue::entry(std::string_view canonical) const {
  const auto found = entries_.find(without_version(canonical));
  return found == entries_.end() ? nullptr : found->second.get();
}

bool Catalogue::has(std::string_view canonical) const {
  const Entry* own = entry(canonical);
  return own != nullptr || (parent_ != nullptr && parent_->has(canonical));
}

json::Value Catalogue::definition_of(std::string_view canonical) const {
  if (const Entry* own = entry(canonical); own != nullptr) return own->definition;
  return parent_ != nullptr ? parent_->definition_of(canonical) : json::Value();
}

void Catalogue::list(std::vector<std::string>& urls) const {
  for (const auto& [url, one] : entries_) urls.push_back(url);
  if (parent_ != nullptr) parent_->list(urls);
}

const Profile* Catalogue::find(std::string_view canonical) const {
  const Entry* own = entry(canonical);
  if (own == nullptr) return parent_ != nullptr ? parent_->find(canonical) : nullptr;
  const auto& profile = made(*own);
  return profile ? &*profile : nullptr;
}

const Result<Profile>& Catalogue::made(const Entry& entry) const {
  std::call_once(const_cast<Entry&>(entry).once, [&] { const_cast<Entry&>(entry).profile = make(entry.definition); });
  return entry.profile;
}

Result<> Catalogue::understands(json::Value structure_definition) const {
  const auto profile = make(structure_definition);
  if (!profile) return profile.error();
  return {};
}

Result<Profile> Catalogue::make(json::Value definition) const {
  Profile profile;
  profile.url = definition["url"].text();
  profile.version = definition["version"].text();
  profile.base = definition["baseDefinition"].text();
  profile.type = model::find_type(definition["type"].text());
  if (profile.type == nullptr) {
    return fail(Code::invalid, fmt::format("'{}' is not a type of R4", definition["type"].text()));
  }
  for (const auto* form : {"snapshot", "differential"}) {
    profile.is_modifier = profile.is_modifier || definition[form]["element"].at(0)["isModifier"].is_true();
  }
  for (const auto context : definition["context"]) {
    auto& made = profile.contexts.emplace_back(context["type"].text(), context["expression"].text());
    if (made.kind != "fhirpath") continue;
    auto places = path::Expression::compile(made.expression);
    if (places) made.places = std::make_shared<const path::Expression>(std::move(*places));
  }
  const bool has_base = type_of_url(profile.base) == profile.type;
  const Profile* base = nullptr;
  if (!has_base) {
    // A chain that comes back to itself would wait for itself.
    std::set<std::string_view> chain{profile.url};
    for (auto url = without_version(profile.base); has(url);) {
      if (!chain.insert(url).second || chain.size() > profile_bases_max) {
        return fail(Code::invalid, "its base profiles lead back to it");
      }
      url = without_version(definition_of(url)["baseDefinition"].text());
    }
    base = find(profile.base);
  }
  const auto differential = definition["differential"]["element"], snapshot = definition["snapshot"]["element"];
  // Without its base and without a snapshot its own demands still hold, on top of those of the type.
  profile.lacks_base = !has_base && base == nullptr && !snapshot.exists();
  const bool by_differential = differential.exists() && (has_base || base != nullptr || profile.lacks_base);
  if (!by_differential && !snapshot.exists()) {
    return fail(Code::not_found, fmt::format("its base {} is not known and it demands nothing", profile.base));
  }
  if (base != nullptr && by_differential) {
    profile.root = base->root->copy();
  } else {
    profile.root = std::make_unique<Node>();
    profile.root->name = profile.type->name;
  }
  profile.root->type = profile.type;
  MYDR24_TRY(Builder(*profile.root, *profile.type).apply(by_differential ? differential : snapshot, !by_differential));
  profile.root->types.clear();
  if (!by_differential) prune_types(*profile.root);
  prune(*profile.root, nullptr);
  return profile;
}

namespace {

void check_rules(Node& node, std::string_view url, std::vector<std::string>* problems) {
  std::erase_if(node.rules, [&](const auto& rule) {
    const auto checked = rule->check();
    if (!checked && problems != nullptr) {
      problems->push_back(fmt::format("{}: the constraint {}: {}", url, rule->key(), checked.error().text));
    }
    return !checked;
  });
  for (auto& child : node.children) check_rules(*child, url, problems);
  for (auto& slice : node.slices) check_rules(*slice, url, problems);
}

}  // namespace

void Catalogue::settle(std::vector<std::string>* problems) {
  for (auto& [url, entry] : entries_) {
    const auto& profile = made(*entry);
    if (problems == nullptr) continue;
    if (!profile) problems->push_back(fmt::format("{}: {}.", url, profile.error().text));
    if (profile && profile->lacks_base) {
      problems->push_back(
          fmt::format("{}: its base {} is not known: only what it demands itself is checked.", url, profile->base));
    }
  }
  std::erase_if(entries_, [](const auto& one) { return !one.second->profile; });
  for (auto& [url, entry] : entries_) check_rules(*entry->profile->root, url, problems);
}

}  // namespace mydr24::validation
