#include <algorithm>
#include <optional>
#include <utility>

#include "fhir/search/composite.h"
#include "fhir/search/entries.h"
#include "fhir/search/walk.h"
#include "fhir/search/words.h"

namespace mydr24::search {
namespace {

class Extraction {
 public:
  // `only`: no other parameter; nullptr: all.
  Extraction(const Catalogue& catalogue, json::Value resource, const Parameter* only)
      : catalogue_(catalogue), resource_(resource), only_(only) {
    entries_.set_catalogue(catalogue);
  }

  std::vector<IndexEntry> run() {
    const TypeCatalogue* type = catalogue_.type(resource_["resourceType"].text());
    if (type == nullptr) return {};
    found_in(resource_, *type);
    texts(*type);
    if (only_ != nullptr) return entries_.take_sorted();
    entries_.set_contained(true);
    for (const auto inner : resource_["contained"]) {
      const TypeCatalogue* inner_type = catalogue_.type(inner["resourceType"].text());
      if (inner_type != nullptr) found_in(inner, *inner_type);
    }
    return entries_.take_sorted();
  }

 private:
  bool is_wanted(std::uint16_t parameter) const { return only_ == nullptr || only_->number == parameter; }

  void found_in(json::Value resource, const TypeCatalogue& type) {
    const auto visit = [&](json::Value value, const Leaf& leaf) {
      if (!is_wanted(leaf.parameter)) return;
      if (leaf.form == Form::composite) {
        add_composite(entries_, catalogue_, resource, value, leaf);
      } else {
        entries_.add(value, leaf);
      }
    };
    walk(catalogue_, resource, catalogue_.node(type.root), visit);
    for (const Presence& presence : type.presences) {
      if (is_wanted(presence.parameter)) add_presence(entries_, resource, presence);
    }
    for (const Evaluated& evaluated : type.evaluated) {
      if (is_wanted(evaluated.parameter)) add_evaluated(entries_, resource, resource_, evaluated);
    }
  }

  void add_text(const std::optional<std::uint16_t>& parameter, const Words& words) {
    if (words.empty() || !parameter || !is_wanted(*parameter)) return;
    if (auto* entry = entries_.add(*parameter, Kind::text)) entry->value = words.text();
  }

  void texts(const TypeCatalogue& type) {
    if (only_ != nullptr && only_->kind != Kind::text) return;
    Words words;
    words.add_narrative(resource_["text"]["div"].text());
    add_text(type.narrative, words);
    add_content(words, resource_);
    add_text(type.content, words);
  }

  const Catalogue& catalogue_;
  json::Value resource_;
  const Parameter* only_;
  Entries entries_;
};

}  // namespace

std::vector<IndexEntry> extract(json::Value resource, const Catalogue* catalogue) {
  return Extraction(Catalogue::of(catalogue), resource, nullptr).run();
}

std::vector<IndexEntry> extract(json::Value resource, const Parameter& parameter, const Catalogue* catalogue) {
  return Extraction(Catalogue::of(catalogue), resource, &parameter).run();
}

}  // namespace mydr24::search
