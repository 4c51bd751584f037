#pragma once

// From one value of a resource to its index entries: what each form of value is found by.

#include <optional>
#include <string_view>
#include <vector>

#include "fhir/search/catalogue.h"
#include "fhir/search/search.h"

namespace mydr24::search {

// Collects entries. Bounded by index_entries_max.
class Entries {
 public:
  // `contained`: IndexEntry::contained of all. `folded` false: strings as written, for :exact.
  explicit Entries(bool folded = true) : folded_(folded) {}

  void add(json::Value value, const Leaf& leaf);
  void add_token(std::string_view code, std::string_view system, std::uint16_t parameter);
  IndexEntry* add(std::uint16_t parameter, Kind kind);  // nullptr when it is full
  // Of Catalogue: references below its own bases are local. It must outlive the Entries; null: none are.
  void set_catalogue(const Catalogue& catalogue) { catalogue_ = &catalogue; }
  void set_contained(bool contained) { contained_ = contained; }

  std::vector<IndexEntry>& list() { return list_; }
  std::vector<IndexEntry> take_sorted();

 private:
  IndexEntry* add(const Leaf& leaf) { return add(leaf.parameter, leaf.kind); }
  void add_string(json::Value value, const Leaf& leaf);
  void add_parts(json::Value value, const Leaf& leaf);
  void add_concept_text(json::Value value, const Leaf& leaf);
  void add_coding(json::Value coding, const Leaf& leaf);
  void add_identifier(json::Value identifier, const Leaf& leaf);
  void add_reference(json::Value reference, const Leaf& leaf);
  void add_logical(json::Value identifier, const Leaf& leaf);
  void add_address(std::string_view address, const Leaf& leaf);
  void add_resource(json::Value resource, const Leaf& leaf);
  void add_times(std::int64_t low, std::int64_t high, const Leaf& leaf);
  void add_timing(json::Value timing, const Leaf& leaf);
  void add_number(json::Value number, const Leaf& leaf);
  void add_range(json::Value range, const Leaf& leaf);
  void add_sampled(json::Value data, const Leaf& leaf);
  void add_position(json::Value position, const Leaf& leaf);

  std::vector<IndexEntry> list_;
  const Catalogue* catalogue_ = nullptr;
  bool folded_ = true;
  bool contained_ = false;
};

// The resource type that a reference names: of "Patient/1", "http://server/fhir/Patient/1" and both with "/_history/2".
// Empty when the text does not tell.
std::string_view type_in(std::string_view reference);
// Without "/_history/2" or "|version"; the same text when there is none.
std::string_view without_version(std::string_view reference);

}  // namespace mydr24::search
