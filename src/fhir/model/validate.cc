#include "fhir/model/validate.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <functional>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "fhir/model/element_path.h"
#include "fhir/model/primitive_format.h"

namespace mydr24::model {
namespace {

// The client's text for a message: the beginning is enough to recognise it by.
std::string excerpt(std::string_view text) {
  constexpr std::size_t bytes_max = 60;
  if (text.size() <= bytes_max) return std::string(text);
  std::size_t end = bytes_max;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) --end;
  return std::string(text.substr(0, end)) + "...";
}

// Levenshtein distance, ignoring case; names longer than the row are far from everything.
std::size_t distance(std::string_view a, std::string_view b) {
  constexpr std::size_t length_max = 63;
  if (a.size() > length_max || b.size() > length_max) return length_max;
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
  std::array<std::size_t, length_max + 1> row{};
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = diagonal + (lower(a[i - 1]) == lower(b[j - 1]) ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, replaced});
    }
  }
  return row[b.size()];
}

// The known name that was probably meant; empty when none is near.
template <class Range, class Name = std::identity>
std::string_view nearest(std::string_view name, const Range& known_names, Name name_of = {}) {
  std::string_view best;
  std::size_t best_distance = std::max<std::size_t>(1, std::min<std::size_t>(3, name.size() / 3)) + 1;
  for (const auto& one : known_names) {
    const std::string_view candidate = std::invoke(name_of, one);
    if (const std::size_t d = distance(name, candidate); d < best_distance) {
      best_distance = d;
      best = candidate;
    }
  }
  return best;
}

std::string_view phrase(json::Kind kind) {
  switch (kind) {
    case json::Kind::null:
      return "null";
    case json::Kind::boolean:
      return "a boolean";
    case json::Kind::number:
      return "a number";
    case json::Kind::string:
      return "a string";
    case json::Kind::array:
      return "an array";
    case json::Kind::object:
      return "an object";
  }
  return "something else";
}

// The member "_name" of an object that carries the extensions of the primitive `name`.
json::Value companion_of(json::Value object, std::string_view name) {
  for (const json::Value member : object) {
    const std::string_view key = member.key();
    if (key.size() == name.size() + 1 && key.front() == '_' && key.substr(1) == name) return member;
  }
  return {};
}

struct Known {
  const Type* reference = find_type("Reference");
  const Element* id = find_type("Extension")->find("id");
  const Element* extension = find_type("Extension")->find("extension");
};
const Known& known() {
  static const Known types;
  return types;
}

class Validation {
 public:
  explicit Validation(const ValidationLimits& limits) : limits_(limits) {}

  std::vector<Issue> run(json::Value resource) {
    const Step root{nullptr, resource["resourceType"].text()};
    this->resource(resource, root);
    return std::move(issues_);
  }

 private:
  // What a walk over the members of one object has met, a bit for each slot of its type.
  struct Seen {
    std::uint64_t values = 0;
    std::uint64_t companions = 0;
  };

  bool full() const { return issues_.size() >= limits_.issues_max; }

  void add(std::string_view code, const Step& step, std::string diagnostics) {
    if (full()) return;
    Issue issue{Severity::error, std::string(code), std::move(diagnostics), {}};
    append_path(issue.expression, step);
    issues_.push_back(std::move(issue));
  }

  void resource(json::Value value, const Step& step) {
    if (!value.is_object()) {
      return add("structure", step, fmt::format("A resource is a JSON object, not {}.", phrase(value.kind())));
    }
    const json::Value name = value["resourceType"];
    if (!name.is_string()) return add("required", step, "Every resource has a resourceType, a string.");
    const Type* type = find_resource(name.text());
    if (type == nullptr) {
      return add("value", step, fmt::format("'{}' is not a resource type of FHIR R4.", excerpt(name.text())));
    }
    object(value, *type, step);
  }

  void object(json::Value object, const Type& type, const Step& step) {
    const bool is_resource = type.kind == TypeKind::resource;
    if (object.size() == 0) return add("structure", step, "An object must not be empty: leave it out.");
    Seen seen;
    bool type_seen = false;
    for (const json::Value value : object) {
      if (full()) return;
      std::string_view key = value.key();
      if (is_resource && key == "resourceType") {
        if (type_seen) add("structure", step, "The property 'resourceType' is there twice.");
        type_seen = true;
        continue;
      }
      const bool companion = key.starts_with('_');
      if (companion) key.remove_prefix(1);
      const Element* element = type.find(key);
      if (element == nullptr || (companion && !is_primitive(*element))) {
        unknown(value.key(), type, step);
        continue;
      }
      const std::uint64_t bit = std::uint64_t{1} << element->slot;
      if (((seen.values | seen.companions) & bit) != 0) repeated(object, type, value, *element, step);
      const Step below{&step, element->name, element};
      if (companion) {
        seen.companions |= bit;
        companion_value(value, *element, below);
      } else {
        seen.values |= bit;
        member(object, value, *element, below);
      }
    }
    if ((seen.values & seen.companions) != 0) pairs(object, type, step);
    const std::uint64_t absent = type.required & ~(seen.values | seen.companions);
    if (absent != 0) required(type, absent, step);
  }

  static bool is_primitive(const Element& element) {
    return element.type != nullptr && element.type->kind == TypeKind::primitive;
  }

  void unknown(std::string_view key, const Type& type, const Step& step) {
    const bool companion = key.starts_with('_');
    const std::string_view hint = nearest(companion ? key.substr(1) : key, type.elements, &Element::name);
    const Step below{&step, key};
    add("structure", below,
        hint.empty() ? fmt::format("{} has no element '{}'.", type.name, excerpt(key))
                     : fmt::format("{} has no element '{}'. Did you mean '{}{}'?", type.name, excerpt(key),
                                   companion ? "_" : "", hint));
  }

  // The slot has been met before: a key given twice, a second type of a choice, or only `name` after `_name`.
  void repeated(json::Value object, const Type& type, json::Value value, const Element& element, const Step& step) {
    for (const json::Value other : object) {
      if (other.offset() == value.offset()) return;
      std::string_view key = other.key();
      if (key == value.key()) {
        return add("structure", step, fmt::format("The property '{}' is there twice.", key));
      }
      if (key.starts_with('_')) key.remove_prefix(1);
      const Element* rival = type.find(key);
      if (rival != nullptr && rival != &element && rival->slot == element.slot) {
        return add("structure", step,
                   fmt::format("Only one type of {}[x] may be given, not both '{}' and '{}'.", element.choice, key,
                               element.name));
      }
    }
  }

  void required(const Type& type, std::uint64_t absent, const Step& step) {
    for (const Element& element : type.elements) {
      const std::uint64_t bit = std::uint64_t{1} << element.slot;
      if ((absent & bit) == 0) continue;
      absent &= ~bit;
      const bool choice = !element.choice.empty();
      const Step below{&step, choice ? element.choice : element.name};
      add("required", below, fmt::format("{} needs '{}{}'.", type.name, below.name, choice ? "[x]" : ""));
    }
  }

  void member(json::Value object, json::Value value, const Element& element, const Step& step) {
    if (!element.repeats) {
      if (value.is_array()) {
        return add("structure", step, fmt::format("'{}' does not repeat: it must not be an array.", element.name));
      }
      return item(value, element, step);
    }
    if (!value.is_array()) {
      add("structure", step, fmt::format("'{}' may repeat: it must be an array, even of one item.", element.name));
      return item(value, element, step);
    }
    if (value.size() == 0) return add("structure", step, "An array must not be empty: leave it out.");
    Step below = step;
    std::optional<bool> has_companion;  // looked for once: the array and its object may both be long
    for (const json::Value one : value) {
      if (full()) return;
      ++below.index;
      if (one.is_null() && is_primitive(element)) {
        if (!has_companion) has_companion = companion_of(object, element.name).exists();
        if (*has_companion) continue;  // see pairs()
      }
      item(one, element, below);
    }
  }

  void item(json::Value value, const Element& element, const Step& step) {
    if (value.is_null()) return add("structure", step, "null is no value: leave the property out.");
    if (element.type == nullptr) return nested(value, element, step);
    if (element.type->kind == TypeKind::primitive) {
      const char* problem = primitive_problem(element.type->primitive, value);
      if (problem == nullptr) return bound(value.text(), element, step);
      const bool scalar = !value.is_object() && !value.is_array();
      return add(
          "value", step,
          fmt::format("'{}' {}, not {}.", element.name, problem, scalar ? excerpt(value.raw()) : phrase(value.kind())));
    }
    if (!value.is_object()) {
      return add("structure", step,
                 fmt::format("'{}' is a {}: it must be an object, not {}.", element.name, element.type->name,
                             phrase(value.kind())));
    }
    object(value, *element.type, step);
    if (element.type == known().reference) reference(value, element, step);
  }

  // The value of an element of type code is one of the value set that it must come from.
  void bound(std::string_view code, const Element& element, const Step& step) {
    if (element.values == nullptr || element.values->has(code)) return;
    constexpr std::size_t listed_max = 12;
    const auto& [url, codes] = *element.values;
    const std::string what = fmt::format("'{}' is not a code of {}", excerpt(code), url);
    if (codes.size() <= listed_max) {
      return add("code-invalid", step, fmt::format("{}, which has {}.", what, fmt::join(codes, ", ")));
    }
    const std::string_view hint = nearest(code, codes);
    add("code-invalid", step, hint.empty() ? what + '.' : fmt::format("{}. Did you mean '{}'?", what, hint));
  }

  // A resource inside of a resource.
  void nested(json::Value value, const Element& element, const Step& step) {
    const bool contained = element.name == "contained";
    if (contained && in_contained_) {
      return add("invariant", step, "A contained resource must not contain others: put it into the outer resource.");
    }
    const bool before = in_contained_;
    in_contained_ = before || contained;
    resource(value, step);
    in_contained_ = before;
  }

  // Relative references ("Patient/123", "Patient?identifier=...") must name a resource type the element
  // allows. Fragments, urn: and absolute URLs are not looked into.
  void reference(json::Value value, const Element& element, const Step& step) {
    const std::string_view target = value["reference"].text();
    const std::size_t end = target.find_first_of("/?:#");
    if (end == 0 || end == std::string_view::npos || (target[end] != '/' && target[end] != '?')) return;
    const std::string_view name = target.substr(0, end);
    const bool allowed = element.targets.empty() ? find_resource(name) != nullptr
                                                 : std::ranges::find(element.targets, name) != element.targets.end();
    if (allowed) return;
    const Step below{&step, "reference"};
    if (find_resource(name) == nullptr) {
      return add("value", below, fmt::format("'{}' is not a resource type of FHIR R4.", excerpt(name)));
    }
    add("value", below,
        fmt::format("'{}' may refer to {}, not to {}.", element.name, fmt::join(element.targets, ", "), name));
  }

  // The value of "_name": an object with id and extension, or an array of such objects and nulls.
  void companion_value(json::Value value, const Element& element, const Step& step) {
    if (!element.repeats) return extensions(value, element, step);
    if (!value.is_array()) {
      return add("structure", step, fmt::format("'{0}' may repeat: '_{0}' must be an array.", element.name));
    }
    if (value.size() == 0) return add("structure", step, "An array must not be empty: leave it out.");
    Step below = step;
    for (const json::Value one : value) {
      ++below.index;
      if (!one.is_null()) extensions(one, element, below);
    }
  }

  void extensions(json::Value value, const Element& element, const Step& step) {
    if (!value.is_object() || value.size() == 0) {
      return add("structure", step,
                 fmt::format("'_{}' must be an object with id or extension, not {}.", element.name,
                             value.is_object() ? "an empty object" : phrase(value.kind())));
    }
    for (const json::Value one : value) {
      const Element* part = one.key() == "extension" ? known().extension : one.key() == "id" ? known().id : nullptr;
      const Step below{&step, one.key(), part};
      if (part == nullptr) {
        add("structure", below,
            fmt::format("'_{}' may have id and extension, not '{}'.", element.name, excerpt(one.key())));
      } else if (value[one.key()].offset() != one.offset()) {
        add("structure", step, fmt::format("The property '{}' is there twice.", one.key()));
      } else {
        member(value, one, *part, below);
      }
    }
  }

  // Where an array and its companion are both given they are of one length, and no place is null in both.
  void pairs(json::Value object, const Type& type, const Step& step) {
    for (const json::Value companion : object) {
      if (full()) return;
      if (!companion.key().starts_with('_') || !companion.is_array()) continue;
      const Element* element = type.find(companion.key().substr(1));
      const json::Value values = element == nullptr ? json::Value() : object[element->name];
      if (!values.is_array()) continue;
      Step below{&step, element->name, element};
      if (values.size() != companion.size()) {
        add("structure", below,
            fmt::format("'{0}' has {1} items and '_{0}' has {2}: fill the shorter with null.", element->name,
                        values.size(), companion.size()));
        continue;
      }
      auto other = companion.begin();
      for (const json::Value one : values) {
        ++below.index;
        if (one.is_null() && (*other).is_null())
          add("structure", below, "Here both the value and its extensions are null.");
        ++other;
      }
    }
  }

  const ValidationLimits& limits_;
  std::vector<Issue> issues_;
  bool in_contained_ = false;
};

}  // namespace

std::vector<Issue> validate(json::Value resource, const ValidationLimits& limits) {
  return Validation(limits).run(resource);
}

}  // namespace mydr24::model
