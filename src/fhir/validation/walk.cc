#include <fmt/format.h>

#include <algorithm>

#include "fhir/model/narrative.h"
#include "fhir/model/validate.h"
#include "fhir/validation/detail/run.h"

namespace mydr24::validation {
namespace {

using model::Severity;
using model::Step;

struct Known {
  const model::Type* extension = model::find_type("Extension");
  const model::Element* extensions = extension->find("extension");
  const model::Type* reference = model::find_type("Reference");
  const model::Type* attachment = model::find_type("Attachment");
};
const Known& known() {
  static const Known types;
  return types;
}

// The member "_name" of an object.
json::Value companion_of(json::Value object, std::string_view name) {
  for (const json::Value member : object) {
    const std::string_view key = member.key();
    if (key.size() == name.size() + 1 && key.front() == '_' && key.substr(1) == name) return member;
  }
  return {};
}

bool is_primitive(const model::Type* type) { return type != nullptr && type->kind == model::TypeKind::primitive; }

const model::Type* type_of_resource(json::Value resource) {
  return resource.is_object() ? model::find_resource(resource["resourceType"].text()) : nullptr;
}

}  // namespace

Run::Run(const terminology::Terminology& terminology, const Catalogue& catalogue, const Request& request)
    : terminology_(terminology), catalogue_(catalogue), request_(request) {
  environment_.now = request.now;
  environment_.resolve = [this](std::string_view reference) { return resolve(reference); };
  environment_.member_of = [this](const path::Item& coded, std::string_view value_set) -> std::optional<bool> {
    using terminology::Membership;
    Membership found = Membership::unknown;
    if (coded.kind == path::ItemKind::element) {
      found = membership({coded.value, coded.extended, coded.type, nullptr}, value_set);
    } else {
      found = terminology_.member(value_set, "", coded.text);
    }
    return found == Membership::unknown ? std::nullopt : std::optional(found == Membership::member);
  };
  environment_.conforms_to = [this](json::Value value, std::string_view url) -> std::optional<bool> {
    const auto* wanted = catalogue_.find(url);
    if (wanted == nullptr) return std::nullopt;
    const Step step{nullptr, value["resourceType"].text()};
    return conforms(*wanted, {value, {}, type_of_resource(value), &step});
  };
}

std::vector<model::Issue> Run::validate(json::Value root) {
  if (request_.checks.structure) issues_ = model::validate(root, {.issues_max = request_.issues_max});
  errors_ = issues_.size();
  const auto* type = type_of_resource(root);
  if (type == nullptr) return std::move(issues_);
  const Step step{nullptr, type->name};
  Frame frame{root, type};
  resource(root, step, frame);
  return std::move(issues_);
}

void Run::add(Severity severity, std::string_view code, const Step& step, std::string diagnostics) {
  if (quiet_ > 0) {
    failed_ = failed_ || severity == Severity::error;
    return;
  }
  std::size_t& count = severity == Severity::error ? errors_ : others_;
  if (count >= request_.issues_max) return;
  ++count;
  model::Issue issue{severity, std::string(code), std::move(diagnostics), {}};
  model::append_path(issue.expression, step);
  issues_.push_back(std::move(issue));
}

void Run::error(std::string_view code, const Step& step, std::string diagnostics) {
  add(Severity::error, code, step, std::move(diagnostics));
}

void Run::warn(std::string_view code, const Step& step, std::string diagnostics) {
  if (request_.warnings && quiet_ == 0) add(Severity::warning, code, step, std::move(diagnostics));
}

void Run::resource(json::Value value, const Step& step, Frame& frame) {
  Frame* const before = frame_;
  const json::Value resource_before = environment_.resource, root_before = environment_.root_resource;
  frame_ = &frame;
  environment_.resource = value;
  environment_.root_resource = frame.contained ? frame.outer->resource : value;
  ContainedResources inner;
  std::unordered_set<std::string_view> met;
  if (frame.contained) {
    frame.inner = frame.outer->inner;
    frame.met = frame.outer->met;
  } else if (const auto contained = value["contained"]; contained.is_array()) {
    for (const auto one : contained) inner.emplace(one["id"].text(), one);
    frame.inner = &inner;
    frame.met = &met;
  }
  const References* const bundle_before = frame.bundle;
  if (frame.type->name == "Bundle") {
    frame.bundle = bundles_.emplace_back(std::make_unique<References>(value)).get();
  }
  const Item item{value, {}, frame.type, &step};
  rules(frame.type->constraints, item);
  object(value, *frame.type, step);
  if (frame.met != nullptr && !frame.contained) contained_rules(step);
  if (frame.outer == nullptr && request_.warnings && !value["text"]["div"].exists() &&
      frame.type->find("text") != nullptr && request_.checks.invariants) {
    warn("invariant", step, "A resource should have a narrative for people to read (dom-6).");
  }
  if (request_.checks.invariants) resource_rules(item);
  if (request_.checks.profiles) meta_profiles(item);
  frame.bundle = bundle_before;
  environment_.resource = resource_before;
  environment_.root_resource = root_before;
  frame_ = before;
}

// A resource inside of a resource.
void Run::nested(json::Value value, const model::Element& element, const Step& step, json::Value holder) {
  const auto* type = type_of_resource(value);
  if (type == nullptr) return;
  Frame frame{value, type, frame_, element.name == "contained", frame_->bundle, frame_->full_url};
  if (frame.contained && frame_->contained) return;  // the structure has been told
  if (const auto url = holder["fullUrl"]; url.is_string()) frame.full_url = url.text();
  resource(value, step, frame);
}

void Run::object(json::Value value, const model::Type& type, const Step& step) {
  // More members than there are elements: the structure has been told, and looking for pairs would take its square.
  if (!value.is_object() || value.size() > 2 * type.elements.size() + 2) return;
  if (value.size() == 1 && type.kind != model::TypeKind::resource && (*value.begin()).key() == "id" &&
      request_.checks.invariants) {
    error("invariant", step, "An element must have a value or children, not only an id (ele-1).");
  }
  const bool companions = std::ranges::any_of(value, [](json::Value one) { return one.key().starts_with('_'); });
  for (const json::Value one : value) {
    if (full()) return;
    std::string_view key = one.key();
    const bool companion = key.starts_with('_');
    if (companion) key.remove_prefix(1);
    const auto* part = type.find(key);
    if (part == nullptr || (companion && (!is_primitive(part->type) || value[key].exists()))) continue;
    const Step below{&step, part->name, part};
    member(value, companion ? json::Value() : one, type, *part, below, companions);
  }
}

void Run::member(json::Value holder, json::Value value, const model::Type& owner, const model::Element& part,
                 const Step& step, bool companions) {
  const json::Value companion = companions && is_primitive(part.type) ? companion_of(holder, part.name) : json::Value();
  if (!value.is_array() && !companion.is_array()) {
    return element({value, companion, part.type, &step}, owner, part, holder);
  }
  Step below = step;
  auto one = value.begin(), other = companion.begin();
  while (one != value.end() || other != companion.end()) {
    if (full()) return;
    ++below.index;
    Item item{one != value.end() ? *one : json::Value(), other != companion.end() ? *other : json::Value(), part.type,
              &below};
    if (item.value.is_null()) item.value = {};
    if (item.extended.is_null()) item.extended = {};
    if (item.value.exists() || item.extended.exists()) element(item, owner, part, holder);
    if (one != value.end()) ++one;
    if (other != companion.end()) ++other;
  }
}

void Run::element(const Item& item, const model::Type& owner, const model::Element& part, json::Value holder) {
  if (part.type == nullptr) return nested(item.value, part, *item.step, holder);
  if (is_primitive(part.type)) {
    rules(part.constraints, item);
    bindings(item, part);
    return primitive(item, owner, part);
  }
  if (!item.value.is_object()) return;
  rules(part.constraints, item);
  rules(part.type->constraints, item);
  bindings(item, part);
  object(item.value, *part.type, *item.step);
  special(item, holder, part);
}

void Run::primitive(const Item& item, const model::Type& owner, const model::Element& part) {
  if (item.extended.is_object()) {
    if (!item.value.exists() && item.extended.size() == 1 && item.extended["id"].exists() &&
        request_.checks.invariants) {
      error("invariant", *item.step, "An element must have a value or extensions, not only an id (ele-1).");
    }
    if (const auto extensions = item.extended["extension"]; extensions.is_array()) {
      const Step below{item.step, "extension", known().extensions};
      member(item.extended, extensions, *known().extension, *known().extensions, below, false);
    }
  }
  if (!item.value.is_string()) return;
  const std::string_view text = item.value.text();
  switch (part.type->primitive) {
    case model::Primitive::string:
      if (text.starts_with('#') && &owner == known().reference && part.name == "reference") break;
      if ((request_.strict || request_.warnings) && model::has_html_tag(text)) {
        constexpr auto message = "The text holds what looks like an HTML tag: a string is plain text.";
        request_.strict ? error("security", *item.step, message) : warn("security", *item.step, message);
      }
      return;
    case model::Primitive::uri:
    case model::Primitive::url:
    case model::Primitive::canonical:
      break;
    default:
      return;
  }
  if (!text.starts_with('#') || frame_->met == nullptr) return;
  // A contained resource that refers to its container is connected as well.
  const bool to_container = text.size() == 1 && frame_->contained;
  frame_->met->insert(to_container ? frame_->resource["id"].text() : text.substr(1));
}

void Run::rules(std::span<const model::Constraint> constraints, const Item& item) {
  if (!request_.checks.invariants) return;
  for (const auto& constraint : constraints) {
    if (constraint.is_error || request_.warnings) judge(rule_of(constraint), item);
  }
}

void Run::judge(const Rule& rule, const Item& item) {
  const auto holds =
      rule.holds({item.value, item.extended, item.type, environment_.root_resource, frame_->inner}, environment_);
  if (!holds) {
    return warn("processing", *item.step,
                fmt::format("The rule {} could not be judged: {}.", rule.key(), holds.error().text));
  }
  if (*holds) return;
  std::string text = fmt::format("{} ({})", rule.human(), rule.key());
  if (rule.expression() == "htmlChecks()") {
    if (const auto problem = model::narrative_problem(item.value.text())) text += fmt::format(": {}", *problem);
  }
  rule.is_error() ? error("invariant", *item.step, std::move(text)) : warn("invariant", *item.step, std::move(text));
}

void Run::bindings(const Item& item, const model::Element& part) {
  if (!item.value.exists() || item.value.is_array()) return;
  if (!part.required_value_set.empty()) {
    // What the structure has checked already.
    if (part.values != nullptr && part.type->primitive == model::Primitive::code && request_.checks.structure) return;
    bound(item, part.required_value_set, Strength::required);
  } else if (!part.extensible_value_set.empty()) {
    bound(item, part.extensible_value_set, Strength::extensible);
  }
}

void Run::special(const Item& item, json::Value holder, const model::Element& part) {
  if (item.type == known().extension) return extension(item, holder);
  if (!request_.checks.invariants) return;
  if (item.type == known().attachment) return attachment(item);
  if (item.type == known().reference && frame_->bundle != nullptr) {
    bundle_reference(item.value["reference"].text(), part, *item.step);
  }
}

void Run::attachment(const Item& item) {
  const auto data = item.value["data"].text(), size = item.value["size"].text();
  if (data.empty() || size.empty()) return;
  std::size_t characters = 0;
  for (const char c : data) {
    if (c == '=') break;
    if (static_cast<unsigned char>(c) > ' ') ++characters;
  }
  const std::size_t bytes = characters * 3 / 4;
  if (size == std::to_string(bytes)) return;
  error("value", *item.step, fmt::format("The size is said to be {}, but the data has {} bytes.", size, bytes));
}

// dom-3 to dom-5; dom-2 is structure.
void Run::contained_rules(const Step& step) {
  if (!request_.checks.invariants) return;
  Step below{&step, "contained", frame_->type->find("contained")};
  for (const auto one : frame_->resource["contained"]) {
    ++below.index;
    const auto id = one["id"].text();
    if (!frame_->met->contains(id)) {
      error("invariant", below,
            fmt::format("The contained resource '{}' is not referred to, and does not refer to its container (dom-3).",
                        id));
    }
    if (one["meta"]["versionId"].exists() || one["meta"]["lastUpdated"].exists()) {
      error("invariant", below, "A contained resource must not have a meta.versionId or meta.lastUpdated (dom-4).");
    }
    if (one["meta"]["security"].exists()) {
      error("invariant", below, "A contained resource must not have a security label (dom-5).");
    }
  }
}

void Run::meta_profiles(const Item& item) {
  const auto check_one = [&](std::string_view url, const Step& step) {
    const auto* wanted = catalogue_.find(url);
    if (wanted != nullptr) return profile(*wanted, item);
    if (url.starts_with(structure_definition_url) && url.substr(structure_definition_url.size()) == item.type->name) {
      return;
    }
    warn("not-found", step, fmt::format("The profile {} is not known here: it was not checked.", url));
  };
  const Step meta{item.step, "meta", item.type->find("meta")};
  Step below{&meta, "profile"};
  const auto named = item.value["meta"]["profile"];
  for (const auto url : named) {
    ++below.index;
    if (url.is_string()) check_one(url.text(), below);
  }
  if (frame_->outer != nullptr) return;
  for (const auto& url : request_.profiles) {
    if (std::ranges::any_of(named, [&](json::Value one) { return one.text() == url; })) continue;
    if (catalogue_.find(url) == nullptr && !url.starts_with(structure_definition_url)) {
      error("not-found", *item.step, fmt::format("The profile {} is not known here.", url));
    } else {
      check_one(url, *item.step);
    }
  }
}

json::Value Run::resolve(std::string_view reference) const {
  if (reference.starts_with('#')) {
    const auto root = environment_.root_resource;
    if (reference.size() == 1) return root;
    if (frame_ == nullptr || frame_->inner == nullptr) return {};
    const auto found = frame_->inner->find(reference.substr(1));
    return found == frame_->inner->end() ? json::Value() : found->second;
  }
  if (frame_ != nullptr && frame_->bundle != nullptr) {
    if (const auto found = frame_->bundle->find(reference, frame_->full_url); found.count > 0) return found.resource;
  }
  return request_.resolve ? request_.resolve(reference) : json::Value();
}

}  // namespace mydr24::validation
