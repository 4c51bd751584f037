#include <fmt/format.h>

#include <algorithm>

#include "fhir/terminology/detail/content.h"
#include "fhir/terminology/terminology.h"

namespace mydr24::terminology {

using namespace detail;

namespace {

constexpr std::size_t other_maps_max = 8;  // that lead on from one to the next

bool is_url(std::string_view text, std::string_view canonical) {
  return text == canonical || Canonical(text).url == Canonical(canonical).url;
}

// As seen from the other side.
std::string_view turned_round(std::string_view equivalence) {
  if (equivalence == "wider") return "narrower";
  if (equivalence == "narrower") return "wider";
  if (equivalence == "subsumes") return "specializes";
  if (equivalence == "specializes") return "subsumes";
  return equivalence;
}

class Translator {
 public:
  Translator(std::vector<MapRef> maps, const Coding& coding) : maps_(std::move(maps)), coding_(coding) {}

  Result<std::vector<Translation>> back_by_url(std::string_view url) {
    const auto map = find(url);
    if (map.row == nullptr) return fail(Code::not_found, fmt::format("The concept map {} is not known here", url));
    add_back(map, {});
    return std::move(found_);
  }

  std::vector<Translation> back_by_scope(std::string_view source, std::string_view target) {
    for (const auto& map : maps_) {
      const auto of_map = [&](Text text) { return map.tables->text(text); };
      const bool from = source.empty() || is_url(of_map(map.row->target), source) ||
                        std::ranges::any_of(groups_of(map), [&](const Group& group) {
                          return map.tables->text(group.target) == source;
                        });
      if (!from) continue;
      const bool whole = target.empty() || is_url(of_map(map.row->source), target);
      add_back(map, whole ? std::string_view() : target);
    }
    return std::move(found_);
  }

  Result<std::vector<Translation>> by_url(std::string_view url) {
    const auto map = find(url);
    if (map.row == nullptr) return fail(Code::not_found, fmt::format("The concept map {} is not known here", url));
    add(map, {}, 0);
    return std::move(found_);
  }

  std::vector<Translation> by_scope(std::string_view source, std::string_view target) {
    for (const auto& map : maps_) {
      const auto of_map = [&](Text text) { return map.tables->text(text); };
      const bool from = source.empty() || is_url(of_map(map.row->source), source) || has_group_of(map, source);
      if (!from) continue;
      const bool whole = target.empty() || is_url(of_map(map.row->target), target);
      add(map, whole ? std::string_view() : target, 0);
    }
    return std::move(found_);
  }

 private:
  MapRef find(std::string_view url) const {
    const Canonical canonical(url);
    for (const auto& map : maps_) {
      const auto version = map.tables->text(map.row->version);
      if (map.tables->text(map.row->url) != canonical.url) continue;
      if (canonical.version.empty() || version == canonical.version) return map;
    }
    return {};
  }

  static std::span<const Group> groups_of(const MapRef& map) {
    return rows_of(map.tables->groups, *map.row, &Map::first_group);
  }

  static bool has_group_of(const MapRef& map, std::string_view source) {
    return std::ranges::any_of(groups_of(map),
                               [&](const Group& group) { return map.tables->text(group.source) == source; });
  }

  // What the map says, of its groups to `target` only unless that is empty.
  void add(const MapRef& map, std::string_view target, std::size_t depth) {
    const Tables& tables = *map.tables;
    for (const auto& group : groups_of(map)) {
      const auto source = tables.text(group.source);
      const bool applies = coding_.system.empty() || source.empty() || source == coding_.system;
      if (!applies || (!target.empty() && tables.text(group.target) != target)) continue;
      if (!add_mapped(map, group)) add_unmapped(map, group, depth);
    }
  }

  // The codes that the map translates to this one, of its groups from `target` only unless that is empty.
  void add_back(const MapRef& map, std::string_view target) {
    const Tables& tables = *map.tables;
    for (const auto& group : groups_of(map)) {
      const auto system = tables.text(group.target);
      const bool applies = coding_.system.empty() || system.empty() || system == coding_.system;
      if (!applies || (!target.empty() && tables.text(group.source) != target)) continue;
      for (const auto& element : rows_of(tables.elements, group, &Group::first_element)) {
        for (const auto& to : rows_of(tables.targets, element, &Element::first_target)) {
          if (tables.text(to.code) != coding_.code) continue;
          found_.push_back({std::string(turned_round(tables.text(to.equivalence))),
                            {std::string(tables.text(group.source)), std::string(tables.text(element.code)), "", ""},
                            std::string(tables.text(map.row->url))});
        }
      }
    }
  }

  void put(const MapRef& map, const Group& group, std::string_view equivalence, std::string_view code,
           std::string_view display) {
    const auto text = [&](Text what) { return std::string(map.tables->text(what)); };
    found_.push_back({std::string(equivalence),
                      {text(group.target), std::string(code), std::string(display), text(group.target_version)},
                      text(map.row->url)});
  }

  bool add_mapped(const MapRef& map, const Group& group) {
    const Tables& tables = *map.tables;
    const auto keys = rows_of(tables.element_keys, group, &Group::first_element);
    const auto hash = hash_code(coding_.code);
    bool mapped = false;
    for (const Key* key = find_key(keys, hash); key != keys.data() + keys.size() && key->hash == hash; ++key) {
      const Element& element = tables.elements[key->row];
      if (tables.text(element.code) != coding_.code) continue;
      mapped = true;
      for (const auto& to : rows_of(tables.targets, element, &Element::first_target)) {
        put(map, group, tables.text(to.equivalence), tables.text(to.code), tables.text(to.display));
      }
    }
    return mapped;
  }

  // Nothing says how near an unmapped code comes: relatedto is the least that can be said.
  void add_unmapped(const MapRef& map, const Group& group, std::size_t depth) {
    const Tables& tables = *map.tables;
    switch (group.unmapped) {
      case Unmapped::none:
        return;
      case Unmapped::provided:
        return put(map, group, "relatedto", coding_.code, coding_.display);
      case Unmapped::fixed:
        return put(map, group, "relatedto", tables.text(group.unmapped_code), tables.text(group.unmapped_display));
      case Unmapped::other_map:
        if (const auto other = find(tables.text(group.unmapped_url)); other.row != nullptr && depth < other_maps_max) {
          add(other, {}, depth + 1);
        }
        return;
    }
  }

  std::vector<MapRef> maps_;
  const Coding& coding_;
  std::vector<Translation> found_;
};

}  // namespace

Result<std::vector<Translation>> Terminology::translate(std::string_view map, const Coding& coding,
                                                        std::string_view source, std::string_view target) const {
  Translator translator(content_->library.maps(), coding);
  if (!map.empty()) return translator.by_url(map);
  return translator.by_scope(source, target);
}

Result<std::vector<Translation>> Terminology::translate_back(std::string_view map, const Coding& coding,
                                                             std::string_view source, std::string_view target) const {
  Translator translator(content_->library.maps(), coding);
  if (!map.empty()) return translator.back_by_url(map);
  return translator.back_by_scope(source, target);
}

}  // namespace mydr24::terminology
