#include "fhir/search/composite.h"

#include <algorithm>
#include <utility>

#include "fhir/search/walk.h"

namespace mydr24::search {
namespace {

constexpr std::size_t combinations_max = 256;

bool is_special(const IndexEntry& entry) { return entry.value.starts_with('\x1f'); }

// One part of a composite entry added to what stands there.
void join(IndexEntry& entry, const IndexEntry& part, bool is_first_range, bool is_first_token) {
  switch (part.kind) {
    case Kind::date:
      if (!is_first_range) return;
      entry.from = static_cast<double>(part.low);
      entry.to = static_cast<double>(part.high);
      return;
    case Kind::number:
    case Kind::quantity:
      if (!is_first_range) return;
      entry.from = part.from;
      entry.to = part.to;
      entry.unit = part.system;
      return;
    default:
      break;
  }
  if (!entry.value.empty()) entry.value += '$';
  entry.value += part.value;
  if (is_first_token) entry.system = part.system;
}

}  // namespace

bool is_range(Kind kind) { return kind == Kind::date || kind == Kind::number || kind == Kind::quantity; }

std::vector<std::vector<IndexEntry>> part_entries(const Catalogue& catalogue, json::Value resource, json::Value element,
                                                  const Leaf& leaf) {
  std::vector<std::vector<IndexEntry>> lists;
  for (const CompositePart& part : catalogue.composite(leaf.composite)) {
    Entries found;
    found.set_catalogue(catalogue);
    const auto visit = [&](json::Value value, const Leaf& inner) { found.add(value, inner); };
    if (part.element_root != 0) walk(catalogue, element, catalogue.node(part.element_root), visit);
    if (part.resource_root != 0) walk(catalogue, resource, catalogue.node(part.resource_root), visit);
    lists.push_back(std::move(found.list()));
    std::erase_if(lists.back(), is_special);
    if (lists.back().empty()) return {};
  }
  return lists;
}

void add_composite(Entries& entries, const Catalogue& catalogue, json::Value resource, json::Value element,
                   const Leaf& leaf) {
  const auto lists = part_entries(catalogue, resource, element, leaf);
  if (lists.empty()) return;
  std::vector<std::size_t> at(lists.size(), 0);
  for (std::size_t count = 0; count < combinations_max; ++count) {
    IndexEntry* const entry = entries.add(leaf.parameter, Kind::composite);
    if (entry == nullptr) return;
    bool ranges = false, tokens = false;
    for (std::size_t i = 0; i < lists.size(); ++i) {
      const IndexEntry& part = lists[i][at[i]];
      join(*entry, part, !ranges, !tokens && part.kind == Kind::token);
      ranges = ranges || is_range(part.kind);
      tokens = tokens || part.kind == Kind::token;
    }
    std::size_t place = 0;
    while (place < at.size() && ++at[place] == lists[place].size()) at[place++] = 0;
    if (place == at.size()) return;
  }
}

void add_presence(Entries& entries, json::Value resource, const Presence& presence) {
  const bool there = std::ranges::any_of(presence.properties, [&](std::string_view property) {
    const auto value = resource[property];
    return value.exists() && !(value.is_boolean() && !value.is_true());
  });
  entries.add_token(there ? "true" : "false", {}, presence.parameter);
}

void add_evaluated(Entries& entries, json::Value resource, json::Value root, const Evaluated& evaluated) {
  path::Environment environment;
  environment.resource = resource;
  environment.root_resource = root;
  const auto found = evaluated.expression->evaluate(resource, environment);
  if (!found) return;
  for (const path::Item& item : *found) {
    if (item.kind == path::ItemKind::element) {
      const auto form = form_of(evaluated.kind, item.type);
      if (!form || *form == Form::composite) continue;
      entries.add(item.value, {.parameter = evaluated.parameter, .kind = evaluated.kind, .form = *form});
    } else if (evaluated.kind == Kind::token) {
      entries.add_token(item.text, {}, evaluated.parameter);
    } else if (evaluated.kind == Kind::string) {
      if (auto* entry = entries.add(evaluated.parameter, Kind::string)) entry->value = fold(item.text);
    }
  }
}

}  // namespace mydr24::search
