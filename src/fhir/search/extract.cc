#include <algorithm>
#include <optional>
#include <utility>

#include "base/core/date_time.h"
#include "fhir/search/catalogue.h"
#include "fhir/search/search.h"

namespace mydr24::search {
namespace {

// The resource type that a reference names: of "Patient/1", "http://server/fhir/Patient/1" and both with "/_history/2".
// Empty when the text does not tell.
std::string_view type_in(std::string_view reference) {
  if (const auto history = reference.find("/_history/"); history != std::string_view::npos) {
    reference = reference.substr(0, history);
  }
  const auto slash = reference.rfind('/');
  if (slash == std::string_view::npos) return {};
  const auto before = reference.substr(0, slash);
  const auto start = before.rfind('/');
  const auto type = start == std::string_view::npos ? before : before.substr(start + 1);
  return model::find_resource(type) != nullptr ? type : std::string_view();
}

// The outer limits of several times.
struct Span {
  std::int64_t low = INT64_MAX;
  std::int64_t high = INT64_MIN;
  bool empty() const { return low > high; }
  void include(std::int64_t from, std::int64_t to) {
    low = std::min(low, from);
    high = std::max(high, to);
  }
};

// Nothing for a Period without start and end, or with a malformed one.
std::optional<Span> span_of_period(json::Value period) {
  Span span{open_start, open_end};
  const auto start = period["start"], end = period["end"];
  if (!start.is_string() && !end.is_string()) return std::nullopt;
  if (start.is_string()) {
    const auto range = parse_date_time(start.text());
    if (!range) return std::nullopt;
    span.low = to_us(range->low);
  }
  if (end.is_string()) {
    const auto range = parse_date_time(end.text());
    if (!range) return std::nullopt;
    span.high = to_us(range->high);
  }
  return span;
}

class Extraction {
 public:
  explicit Extraction(const Catalogue& catalogue) : catalogue_(catalogue) {
    constexpr std::size_t usual_entries = 24;
    entries_.reserve(usual_entries);
  }

  std::vector<IndexEntry> run(json::Value resource, const Node& root) {
    visit(resource, root);
    std::ranges::sort(entries_);
    const auto repeats = std::ranges::unique(entries_);
    entries_.erase(repeats.begin(), repeats.end());
    return std::move(entries_);
  }

 private:
  void visit(json::Value value, const Node& node) {
    if (value.is_array()) {
      for (const auto item : value) visit(item, node);
      return;
    }
    for (const Leaf& leaf : node.leaves) emit(value, leaf);
    if (node.edges.empty()) return;
    for (const auto member : value) {
      const auto key = member.key();
      for (const auto& edge : node.edges) {
        if (edge.name == key) visit(member, catalogue_.node(edge.node));
      }
    }
  }

  void emit(json::Value value, const Leaf& leaf) {
    switch (leaf.form) {
      case Form::text:
        return add_string(value, leaf);
      case Form::human_name:
      case Form::address:
        return add_parts(value, leaf);
      case Form::plain:
        return add_token(value, {}, leaf);
      case Form::coding:
        return add_token(value["code"], value["system"], leaf);
      case Form::codeable_concept:
        for (const auto coding : value["coding"]) add_token(coding["code"], coding["system"], leaf);
        return;
      case Form::identifier:
      case Form::contact_point:
        return add_token(value["value"], value["system"], leaf);
      case Form::reference:
        return add_reference(value, leaf);
      case Form::address_of_resource:
        if (!full() && value.is_string()) add(leaf).value = value.text();
        return;
      case Form::date:
        return add_date(value, leaf);
      case Form::period:
        if (const auto span = span_of_period(value)) add_span(*span, leaf);
        return;
      case Form::timing:
        return add_timing(value, leaf);
    }
  }

  bool full() const { return entries_.size() >= index_entries_max; }

  IndexEntry& add(const Leaf& leaf) {
    IndexEntry& entry = entries_.emplace_back();
    entry.parameter = leaf.parameter;
    entry.kind = leaf.kind;
    return entry;
  }

  void add_string(json::Value value, const Leaf& leaf) {
    if (full() || !value.is_string()) return;
    if (std::string folded = fold(value.text()); !folded.empty()) add(leaf).value = std::move(folded);
  }

  // Every text of a HumanName or Address; their codes and periods say nothing a person would look for.
  void add_parts(json::Value value, const Leaf& leaf) {
    for (const auto part : value) {
      const auto key = part.key();
      if (key == "use" || key == "type" || key == "id") continue;
      if (part.is_array()) {
        for (const auto item : part) add_string(item, leaf);
      } else {
        add_string(part, leaf);
      }
    }
  }

  void add_token(json::Value code, json::Value system, const Leaf& leaf) {
    if (full() || (!code.is_string() && !code.is_boolean() && !code.is_number()) || code.text().empty()) return;
    IndexEntry& entry = add(leaf);
    entry.value = code.text();
    entry.system = system.text();
  }

  void add_reference(json::Value value, const Leaf& leaf) {
    const auto reference = value["reference"].text();
    if (full() || reference.empty() || reference.front() == '#') return;
    if (!leaf.target.empty()) {
      const auto named = type_in(reference);
      if ((named.empty() ? value["type"].text() : named) != leaf.target) return;
    }
    add(leaf).value = reference;
  }

  void add_span(const Span& span, const Leaf& leaf) {
    if (full() || span.empty()) return;
    IndexEntry& entry = add(leaf);
    entry.low = span.low;
    entry.high = span.high;
  }

  void add_date(json::Value value, const Leaf& leaf) {
    if (const auto range = parse_date_time(value.text())) add_span({to_us(range->low), to_us(range->high)}, leaf);
  }

  // The outer limits of a Timing; how often something happens between them is not searched.
  void add_timing(json::Value value, const Leaf& leaf) {
    Span span;
    for (const auto event : value["event"]) {
      if (const auto range = parse_date_time(event.text())) span.include(to_us(range->low), to_us(range->high));
    }
    if (const auto bounds = span_of_period(value["repeat"]["boundsPeriod"])) span.include(bounds->low, bounds->high);
    add_span(span, leaf);
  }

  const Catalogue& catalogue_;
  std::vector<IndexEntry> entries_;
};

}  // namespace

std::vector<IndexEntry> extract(json::Value resource, const Catalogue*) {
  const Catalogue& catalogue = Catalogue::get();
  const Node* root = catalogue.root(resource["resourceType"].text());
  if (root == nullptr || root->edges.empty()) return {};
  return Extraction(catalogue).run(resource, *root);
}

}  // namespace mydr24::search
