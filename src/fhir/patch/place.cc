#include <algorithm>

#include "base/json/writer.h"
#include "fhir/patch/detail/place.h"

namespace mydr24::patch {
namespace {

using model::Element;
using model::Type;

bool contains(json::Value outer, json::Value inner) {
  const std::string_view a = outer.raw(), b = inner.raw();
  return a.data() <= b.data() && b.data() + b.size() <= a.data() + a.size();
}

const Type* type_of(json::Value object, const Element& element) {
  return element.type != nullptr ? element.type : model::find_resource(object["resourceType"].text());
}

// The property of `owner` that the target stands in.
std::optional<Place> step(json::Value owner, const Type& owner_type, json::Value target, json::Value& item) {
  for (const json::Value member : owner) {
    if (!contains(member, target)) continue;
    std::string_view name = member.key();
    const bool is_companion = name.starts_with('_');
    if (is_companion) name.remove_prefix(1);
    const Element* element = owner_type.find(name);
    if (element == nullptr) return std::nullopt;
    Place place{.owner = owner, .owner_type = &owner_type, .element = element, .is_companion = is_companion};
    item = member;
    if (member.is_array()) {
      for (const json::Value one : member) {
        item = one;
        if (contains(one, target)) break;
        ++place.index;
      }
      if (!contains(item, target)) return std::nullopt;
    }
    place.type = type_of(item, *element);
    return place;
  }
  return std::nullopt;
}

std::string name_of(const Element& element, bool is_companion) {
  return (is_companion ? "_" : "") + std::string(element.name);
}

void append_member(std::string& out, const Change& change, bool is_companion) {
  const auto text_of = [is_companion](const Entry& entry) -> const std::string& {
    return is_companion ? entry.companion : entry.value;
  };
  if (std::ranges::all_of(change.entries, [&](const Entry& entry) { return text_of(entry).empty(); })) return;
  if (out.size() > 1) out += ',';
  json::append_quoted(out, name_of(*change.element, is_companion));
  out += ':';
  if (!change.element->repeats) {
    out += text_of(change.entries.front());
    return;
  }
  char before = '[';
  for (const Entry& entry : change.entries) {
    out += std::exchange(before, ',');
    out += text_of(entry).empty() ? "null" : text_of(entry);
  }
  out += ']';
}

}  // namespace

std::optional<Place> locate(json::Value root, json::Value target) {
  if (!target || !contains(root, target)) return std::nullopt;
  static const Type* const extension = model::find_type("Extension");
  const Type* type = model::find_resource(root["resourceType"].text());
  json::Value owner = root;
  while (type != nullptr) {
    json::Value item;
    auto place = step(owner, *type, target, item);
    if (!place) return std::nullopt;
    if (item.raw().size() == target.raw().size() && contains(item, target)) return place;
    owner = item;
    type = place->is_companion ? extension : place->type;
  }
  return std::nullopt;
}

std::vector<Entry> entries_of(json::Value owner, const Element& element) {
  std::vector<Entry> entries;
  for (const bool is_companion : {false, true}) {
    const auto member = owner[name_of(element, is_companion)];
    const auto put = [&](std::size_t index, json::Value item) {
      if (entries.size() <= index) entries.resize(index + 1);
      if (item.is_null()) return;
      (is_companion ? entries[index].companion : entries[index].value) = item.raw();
    };
    if (member.is_array()) {
      std::size_t index = 0;
      for (const json::Value item : member) put(index++, item);
    } else if (member) {
      put(0, member);
    }
  }
  return entries;
}

std::string changed(json::Value object, std::span<const Change> changes) {
  std::string out = "{";
  const auto of = [&](std::string_view key) -> const Change* {
    if (key.starts_with('_')) key.remove_prefix(1);
    const auto found = std::ranges::find(changes, key, [](const Change& one) { return one.element->name; });
    return found == changes.end() ? nullptr : &*found;
  };
  for (const json::Value member : object) {
    if (const Change* change = of(member.key())) {
      append_member(out, *change, member.key().starts_with('_'));
      continue;
    }
    if (out.size() > 1) out += ',';
    json::append_quoted(out, member.key());
    out += ':';
    out += member.raw();
  }
  for (const Change& change : changes) {
    for (const bool is_companion : {false, true}) {
      if (!object[name_of(*change.element, is_companion)]) append_member(out, change, is_companion);
    }
  }
  out += '}';
  return out;
}

}  // namespace mydr24::patch
