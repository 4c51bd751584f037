#include "fhir/terminology/detail/library.h"

#include <algorithm>
#include <ranges>
#include <tuple>
#include <utility>

namespace mydr24::terminology::detail {
namespace {

constexpr std::string_view snomed = "http://snomed.info/sct";

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Digits count as numbers: 4.0.10 is above 4.0.9.
bool is_lower_version(std::string_view a, std::string_view b) {
  while (!a.empty() && !b.empty()) {
    if (is_digit(a[0]) && is_digit(b[0])) {
      const auto number = [](std::string_view& text) {
        const auto end = std::ranges::find_if_not(text, is_digit);
        auto digits = text.substr(0, static_cast<std::size_t>(end - text.begin()));
        text.remove_prefix(digits.size());
        while (digits.size() > 1 && digits[0] == '0') digits.remove_prefix(1);
        return digits;
      };
      const auto x = number(a), y = number(b);
      if (x != y) return x.size() != y.size() ? x.size() < y.size() : x < y;
    } else {
      if (a[0] != b[0]) return a[0] < b[0];
      a.remove_prefix(1);
      b.remove_prefix(1);
    }
  }
  return a.size() < b.size();
}

// SNOMED CT names an edition, and its releases as paths below it.
bool is_version(std::string_view have, std::string_view wanted) {
  return wanted.empty() || have == wanted ||
         (have.size() > wanted.size() && have.starts_with(wanted) && have[wanted.size()] == '/');
}

template <class Row>
const Row* better(const Tables& tables, const Row* best, const Row& row) {
  return best == nullptr || !is_lower_version(tables.text(row.version), tables.text(best->version)) ? &row : best;
}

// The best row among published ones of that url.
template <class Row>
const Row* find_row(const Tables& tables, std::span<const Key> keys, std::span<const Row> rows, Text Row::* url_of,
                    const Canonical& canonical, std::uint32_t hash) {
  const Row* best = nullptr;
  for (const Key* key = find_key(keys, hash); key != keys.data() + keys.size() && key->hash == hash; ++key) {
    const Row& row = rows[key->row];
    if (tables.text(row.*url_of) != canonical.url || !is_version(tables.text(row.version), canonical.version)) continue;
    best = better(tables, best, row);
  }
  return best;
}

template <class Row>
struct Found {
  const Tables* tables = nullptr;
  const Row* row = nullptr;
};

// The best row among loaded ones of that url.
template <class Row, class Shelf>
Found<Row> find_loaded(const Shelf& shelf, std::span<const Row> Tables::* rows, Text Row::* url_of,
                       const Canonical& canonical, std::uint32_t hash) {
  Found<Row> best;
  const auto same = std::ranges::equal_range(shelf, hash, {}, [](const auto& loaded) { return loaded.hash; });
  for (const auto& loaded : same) {
    const Tables& tables = loaded.block->tables;
    const Row& row = (tables.*rows)[0];
    if (Canonical(tables.text(row.*url_of)).url != canonical.url) continue;
    if (!is_version(tables.text(row.version), canonical.version)) continue;
    if (best.row == nullptr || !is_lower_version(tables.text(row.version), best.tables->text(best.row->version))) {
      best = {&tables, &row};
    }
  }
  return best;
}

}  // namespace

Canonical::Canonical(std::string_view text) {
  const auto bar = text.find('|');
  url = text.substr(0, bar);
  if (bar != std::string_view::npos) version = text.substr(bar + 1);
}

SystemRef Library::find_system(std::string_view url, std::uint32_t hash, std::string_view version) const {
  Canonical canonical(url);
  if (canonical.url.size() != url.size()) hash = hash_url(canonical.url);
  if (!version.empty()) canonical.version = version;
  if (!systems_.empty()) {
    const auto loaded = find_loaded(systems_, &Tables::systems, &System::url, canonical, hash);
    if (loaded.row != nullptr) return {loaded.tables, loaded.row};
  }
  const Tables& tables = published_tables();
  return {&tables, find_row(tables, tables.system_keys, tables.systems, &System::url, canonical, hash)};
}

SetRef Library::find_set(std::string_view text) const {
  const Canonical canonical(text);
  const auto hash = hash_url(canonical.url);
  const auto found = find_explicit(canonical, hash);
  return found ? found : find_implicit(canonical, hash);
}

SetRef Library::find_explicit(const Canonical& canonical, std::uint32_t hash) const {
  if (!value_sets_.empty()) {
    const auto loaded = find_loaded(value_sets_, &Tables::value_sets, &ValueSet::url, canonical, hash);
    if (loaded.row != nullptr) return {.tables = loaded.tables, .row = loaded.row};
  }
  const Tables& tables = published_tables();
  return {.tables = &tables,
          .row = find_row(tables, tables.value_set_keys, tables.value_sets, &ValueSet::url, canonical, hash)};
}

// Value sets that nobody wrote down: CodeSystem.valueSet, and the forms that SNOMED CT, LOINC and UCUM define.
// Source: FHIR R4, snomedct.html#implicit, loinc.html#alls, ucum.html.
SetRef Library::find_implicit(const Canonical& canonical, std::uint32_t hash) const {
  const auto whole = [](const Tables& tables, const System& row) {
    return SetRef{.system = tables.text(row.url), .version = tables.text(row.version)};
  };
  const auto loaded = find_loaded(implicit_, &Tables::systems, &System::value_set, canonical, hash);
  if (loaded.row != nullptr) return whole(*loaded.tables, *loaded.row);
  const Tables& tables = published_tables();
  if (const auto* row = find_row(tables, tables.implicit_keys, tables.systems, &System::value_set, canonical, hash)) {
    return whole(tables, *row);
  }

  if (canonical.url == "http://loinc.org/vs") return {.system = "http://loinc.org"};
  if (canonical.url == "http://unitsofmeasure.org/vs") return {.system = "http://unitsofmeasure.org"};
  const auto query = canonical.url.find("?fhir_vs");
  if (query == std::string_view::npos || !canonical.url.starts_with(snomed)) return {};
  const auto edition = canonical.url.substr(0, query);
  SetRef set{.system = snomed, .version = edition.size() > snomed.size() ? edition : std::string_view()};
  const auto what = canonical.url.substr(query + std::string_view("?fhir_vs").size());
  if (what.empty()) return set;
  constexpr std::string_view isa = "=isa/";
  if (!what.starts_with(isa) || what.size() == isa.size()) return {};
  set.ancestor = what.substr(isa.size());
  return set;
}

namespace {

template <class Ref, class Shelf, class Row>
std::vector<Ref> all_of(const Shelf& shelf, std::span<const Row> Tables::* rows) {
  std::vector<Ref> all;
  for (const auto& loaded : shelf) {
    const Tables& tables = loaded.block->tables;
    all.push_back({.tables = &tables, .row = &(tables.*rows)[0]});
  }
  const Tables& tables = published_tables();
  for (const auto& row : (tables.*rows).first((tables.*rows).size() - 1)) {
    all.push_back({.tables = &tables, .row = &row});
  }
  return all;
}

}  // namespace

std::vector<MapRef> Library::maps() const { return all_of<MapRef>(maps_, &Tables::maps); }
std::vector<SystemRef> Library::systems() const { return all_of<SystemRef>(systems_, &Tables::systems); }
std::vector<SetRef> Library::sets() const { return all_of<SetRef>(value_sets_, &Tables::value_sets); }

void Library::load(json::Value resource) {
  if (resource["url"].text().empty()) return;
  Builder builder;
  if (!builder.add(resource)) return;
  const std::shared_ptr<const Block> block = builder.finish();
  const Tables& tables = block->tables;
  const auto put = [&](Shelf& shelf, const auto& row) {
    const auto url = tables.text(row.url);
    shelf.push_back({hash_url(url), url, tables.text(row.version), loads_++, block});
  };
  if (tables.systems.size() > 1) {
    put(systems_, tables.systems[0]);
  } else if (tables.value_sets.size() > 1) {
    put(value_sets_, tables.value_sets[0]);
  } else {
    put(maps_, tables.maps[0]);
  }
}

void Library::settle() {
  const auto less = [](const Loaded& a, const Loaded& b) {
    return std::tie(a.hash, a.url, a.version, a.order) < std::tie(b.hash, b.url, b.version, b.order);
  };
  for (Shelf* shelf : {&systems_, &value_sets_, &maps_}) {
    std::ranges::sort(*shelf, less);
    Shelf kept;
    for (auto& loaded : *shelf) {
      const bool replaces = !kept.empty() && kept.back().url == loaded.url && kept.back().version == loaded.version;
      if (replaces) kept.pop_back();
      kept.push_back(std::move(loaded));
    }
    *shelf = std::move(kept);
  }
  implicit_.clear();
  for (const auto& loaded : systems_) {
    const Tables& tables = loaded.block->tables;
    const auto set = Canonical(tables.text(tables.systems[0].value_set)).url;
    if (!set.empty()) implicit_.push_back({hash_url(set), loaded.url, loaded.version, loaded.order, loaded.block});
  }
  std::ranges::sort(implicit_, less);
}

void Library::unload(std::string_view url) {
  for (Shelf* shelf : {&systems_, &value_sets_, &maps_}) {
    std::erase_if(*shelf, [url](const Loaded& loaded) { return loaded.url == url; });
  }
}

// ---- Concepts

bool same_folded(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
  return std::ranges::equal(a, b, {}, lower, lower);
}

const ConceptRow* find_concept(const SystemRef& system, std::string_view code) {
  const Tables& tables = *system.tables;
  const auto keys = rows_of(tables.concept_keys, *system.row, &System::first_concept);
  const auto hash = hash_code(code);
  const ConceptRow* folded = nullptr;
  for (const Key* key = find_key(keys, hash); key != keys.data() + keys.size() && key->hash == hash; ++key) {
    const ConceptRow& row = tables.concepts[key->row];
    const auto text = tables.text(row.code);
    if (text == code) return &row;
    if (system.row->is_case_sensitive == 0 && same_folded(text, code)) folded = &row;
  }
  return folded;
}

std::span<const ConceptRow> concepts_of(const SystemRef& system) {
  return rows_of(system.tables->concepts, *system.row, &System::first_concept);
}

std::span<const std::uint32_t> parents_of(const Tables& tables, const ConceptRow& row) {
  return rows_of(tables.parents, row, &ConceptRow::first_parent);
}

std::span<const std::uint32_t> children_of(const Tables& tables, const ConceptRow& row) {
  return rows_of(tables.children, row, &ConceptRow::first_child);
}

bool is_a(const Tables& tables, const ConceptRow& row, const ConceptRow& ancestor) {
  if (&row == &ancestor) return true;
  std::vector<std::uint32_t> above(parents_of(tables, row).begin(), parents_of(tables, row).end());
  for (std::size_t i = 0; i < above.size(); ++i) {
    const ConceptRow& parent = tables.concepts[above[i]];
    if (&parent == &ancestor) return true;
    for (const auto next : parents_of(tables, parent)) {
      if (std::ranges::find(above, next) == above.end()) above.push_back(next);
    }
  }
  return false;
}

}  // namespace mydr24::terminology::detail
