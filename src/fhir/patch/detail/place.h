#pragma once

// Where an element stands in the JSON text of its resource, and the text of its surroundings with it changed. Private to
// fhir/patch.

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/core/result.h"
#include "base/json/document.h"
#include "fhir/model/definitions.h"

namespace mydr24::patch {

// An element: one item of a property of the object `owner`.
struct Place {
  json::Value owner;
  const model::Type* owner_type = nullptr;
  const model::Element* element = nullptr;
  std::size_t index = 0;              // among the items of the property
  bool is_companion = false;          // it is the object with the id and extensions of a primitive, not the primitive
  const model::Type* type = nullptr;  // of the item; of a resource, its own
};

// Nothing when `target` is no element below `root`, or the definitions do not know the way there.
std::optional<Place> locate(json::Value root, json::Value target);

// One item of a property as JSON text: of a primitive its value and the object with its id and extensions, at least one
// of the two not empty.
struct Entry {
  std::string value;
  std::string companion;
};

std::vector<Entry> entries_of(json::Value owner, const model::Element& element);

struct Change {
  const model::Element* element = nullptr;
  std::vector<Entry> entries;  // all that the property has afterwards
};

// The object as JSON text with those properties changed; a missing object counts as an empty one.
std::string changed(json::Value object, std::span<const Change> changes);

}  // namespace mydr24::patch
