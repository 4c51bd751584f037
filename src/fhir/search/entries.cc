#include "fhir/search/entries.h"

#include <algorithm>
#include <limits>
#include <numeric>
#include <utility>

#include "base/core/date_time.h"
#include "fhir/search/number.h"

namespace mydr24::search {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr std::size_t usual_entries = 32;
constexpr std::size_t samples_max = 100'000;

// The outer limits of several times.
struct Span {
  std::int64_t low = INT64_MAX;
  std::int64_t high = INT64_MIN;
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

std::optional<double> number_of(json::Value value) {
  return value.is_number() ? parse_number(value.text()) : std::nullopt;
}

// The code that measures: `code`, or where there is none nothing.
struct Unit {
  std::string_view system, code;
  bool known() const { return !code.empty(); }
};
Unit unit_of(json::Value quantity) { return {quantity["system"].text(), quantity["code"].text()}; }

void fill(IndexEntry* entry, NumberRange range, std::string system) {
  if (entry == nullptr) return;
  entry->from = range.from;
  entry->to = range.to;
  entry->system = std::move(system);
}

// As written whatever the unit, and measured where the unit is known.
void add_measure(Entries& out, NumberRange range, bool is_exact, Unit unit, const Leaf& leaf) {
  fill(out.add(leaf.parameter, leaf.kind), range, {});
  if (!unit.known()) return;
  auto measure = measure_of(range, is_exact, unit.system, unit.code);
  fill(out.add(leaf.parameter, leaf.kind), measure.range, std::move(measure.unit));
}

void add_quantity(Entries& out, json::Value quantity, Unit unit, const Leaf& leaf) {
  const auto value = number_of(quantity["value"]);
  if (!value) return;
  const auto comparator = quantity["comparator"].text();
  NumberRange range = exactly(*value);
  if (comparator == "<") range = {-infinity, range.from};
  if (comparator == "<=") range = {-infinity, range.to};
  if (comparator == ">") range = {range.to, infinity};
  if (comparator == ">=") range = {range.from, infinity};
  add_measure(out, range, comparator.empty(), unit, leaf);
}

}  // namespace

std::string_view without_version(std::string_view reference) {
  if (const auto history = reference.find("/_history/"); history != std::string_view::npos) {
    return reference.substr(0, history);
  }
  return reference.substr(0, reference.find('|'));
}

std::string_view type_in(std::string_view reference) {
  reference = without_version(reference);
  const auto slash = reference.rfind('/');
  if (slash == std::string_view::npos) return {};
  const auto before = reference.substr(0, slash);
  const auto start = before.rfind('/');
  const auto type = start == std::string_view::npos ? before : before.substr(start + 1);
  return model::find_resource(type) != nullptr ? type : std::string_view();
}

IndexEntry* Entries::add(std::uint16_t parameter, Kind kind) {
  if (list_.size() >= index_entries_max) return nullptr;
  if (list_.capacity() == 0) list_.reserve(usual_entries);
  IndexEntry& entry = list_.emplace_back();
  entry.parameter = parameter;
  entry.kind = kind;
  entry.contained = contained_;
  return &entry;
}

// Sorts places rather than entries, which are large.
std::vector<IndexEntry> Entries::take_sorted() {
  std::vector<std::uint32_t> places(list_.size());
  std::iota(places.begin(), places.end(), 0U);
  std::ranges::sort(places, [&](std::uint32_t a, std::uint32_t b) { return list_[a] < list_[b]; });
  std::vector<IndexEntry> sorted;
  sorted.reserve(list_.size());
  for (const auto place : places) {
    if (sorted.empty() || sorted.back() != list_[place]) sorted.push_back(std::move(list_[place]));
  }
  list_.clear();
  return sorted;
}

void Entries::add(json::Value value, const Leaf& leaf) {
  switch (leaf.form) {
    case Form::text:
      return add_string(value, leaf);
    case Form::human_name:
    case Form::address:
      return add_parts(value, leaf);
    case Form::concept_text:
      return add_concept_text(value, leaf);
    case Form::plain:
      if (value.is_string() || value.is_boolean() || value.is_number()) add_token(value.text(), {}, leaf.parameter);
      return;
    case Form::coding:
      return add_coding(value, leaf);
    case Form::codeable_concept:
      for (const auto coding : value["coding"]) add_coding(coding, leaf);
      return;
    case Form::identifier:
      return add_identifier(value, leaf);
    case Form::contact_point:
      return add_token(value["value"].text(), value["system"].text(), leaf.parameter);
    case Form::reference:
      return add_reference(value, leaf);
    case Form::address_of_resource:
    case Form::uri:
      return add_address(value.is_string() ? value.text() : std::string_view(), leaf);
    case Form::resource:
      return add_resource(value, leaf);
    case Form::date:
      if (const auto range = parse_date_time(value.text())) add_times(to_us(range->low), to_us(range->high), leaf);
      return;
    case Form::period:
      if (const auto span = span_of_period(value)) add_times(span->low, span->high, leaf);
      return;
    case Form::timing:
      return add_timing(value, leaf);
    case Form::number:
      return add_number(value, leaf);
    case Form::quantity:
      return add_quantity(*this, value, unit_of(value), leaf);
    case Form::money:
      return add_quantity(*this, value, {"urn:iso:std:iso:4217", value["currency"].text()}, leaf);
    case Form::range:
      return add_range(value, leaf);
    case Form::sampled_data:
      return add_sampled(value, leaf);
    case Form::position:
      return add_position(value, leaf);
    case Form::composite:
      return;  // made of several values: extract.cc
  }
}

void Entries::add_string(json::Value value, const Leaf& leaf) {
  if (!value.is_string()) return;
  std::string text = folded_ ? fold(value.text()) : std::string(value.text());
  if (text.empty()) return;
  if (auto* entry = add(leaf)) entry->value = std::move(text);
}

// Every text of a HumanName or Address; their codes and periods say nothing a person would look for.
void Entries::add_parts(json::Value value, const Leaf& leaf) {
  for (const auto part : value) {
    const auto key = part.key();
    if (key == "use" || key == "type" || key == "id" || key.starts_with('_')) continue;
    if (part.is_array()) {
      for (const auto item : part) add_string(item, leaf);
    } else {
      add_string(part, leaf);
    }
  }
}

void Entries::add_concept_text(json::Value value, const Leaf& leaf) {
  add_string(value["text"], leaf);
  add_string(value["display"], leaf);
  for (const auto coding : value["coding"]) add_string(coding["display"], leaf);
}

void Entries::add_token(std::string_view code, std::string_view system, std::uint16_t parameter) {
  if (code.empty()) return;
  if (auto* entry = add(parameter, Kind::token)) {
    entry->value = code;
    entry->system = system;
  }
}

void Entries::add_coding(json::Value coding, const Leaf& leaf) {
  add_token(coding["code"].text(), coding["system"].text(), leaf.parameter);
}

void Entries::add_identifier(json::Value identifier, const Leaf& leaf) {
  const auto value = identifier["value"].text();
  if (value.empty()) return;
  add_token(value, identifier["system"].text(), leaf.parameter);
  for (const auto coding : identifier["type"]["coding"]) {
    auto* entry = coding["code"].is_string() ? add(leaf) : nullptr;
    if (entry == nullptr) continue;
    entry->system.append(coding["system"].text()).append("|").append(coding["code"].text());
    entry->value.append("\x1f").append(value);
  }
}

void Entries::add_reference(json::Value value, const Leaf& leaf) {
  const auto reference = value["reference"].text();
  const auto named = reference.empty() ? std::string_view() : type_in(reference);
  const auto type = named.empty() ? value["type"].text() : named;
  const bool logical = reference.empty() && type.empty();  // it may be anything
  if (!leaf.target.empty() && type != leaf.target && !logical) return;
  if (!reference.starts_with('#')) add_address(reference, leaf);
  add_logical(value["identifier"], leaf);
}

void Entries::add_logical(json::Value identifier, const Leaf& leaf) {
  const auto value = identifier["value"].text();
  if (value.empty()) return;
  if (auto* entry = add(leaf)) {
    entry->value.append("\x1f").append(identifier["system"].text()).append("|").append(value);
  }
  if (auto* entry = add(leaf)) entry->value.append("\x1f\x1f").append(value);
}

void Entries::add_address(std::string_view address, const Leaf& leaf) {
  if (address.empty()) return;
  if (catalogue_ != nullptr && leaf.kind == Kind::reference) address = catalogue_->local(address);
  if (auto* entry = add(leaf)) entry->value = address;
  const auto bare = without_version(address);
  if (bare.size() == address.size() || bare.empty()) return;
  if (auto* entry = add(leaf)) entry->value = bare;
}

void Entries::add_resource(json::Value resource, const Leaf& leaf) {
  const auto type = resource["resourceType"].text(), id = resource["id"].text();
  if (type.empty() || id.empty()) return;
  if (!leaf.target.empty() && type != leaf.target) return;
  if (auto* entry = add(leaf)) entry->value.append(type).append("/").append(id);
}

void Entries::add_times(std::int64_t low, std::int64_t high, const Leaf& leaf) {
  if (low > high) return;
  if (auto* entry = add(leaf)) {
    entry->low = low;
    entry->high = high;
  }
}

// The outer limits of a Timing; how often something happens between them is not searched.
void Entries::add_timing(json::Value timing, const Leaf& leaf) {
  Span span;
  for (const auto event : timing["event"]) {
    if (const auto range = parse_date_time(event.text())) span.include(to_us(range->low), to_us(range->high));
  }
  if (const auto bounds = span_of_period(timing["repeat"]["boundsPeriod"])) span.include(bounds->low, bounds->high);
  add_times(span.low, span.high, leaf);
}

void Entries::add_number(json::Value number, const Leaf& leaf) {
  if (const auto value = number_of(number)) fill(add(leaf), exactly(*value), {});
}

void Entries::add_range(json::Value value, const Leaf& leaf) {
  const auto low = number_of(value["low"]["value"]), high = number_of(value["high"]["value"]);
  if (!low && !high) return;
  const NumberRange range{low ? *low : -infinity, high ? exactly(*high).to : infinity};
  if (range.from > range.to) return;
  if (leaf.kind == Kind::number) return fill(add(leaf), range, {});
  add_measure(*this, range, false, unit_of(low ? value["low"] : value["high"]), leaf);
}

// The smallest and the largest sample.
void Entries::add_sampled(json::Value data, const Leaf& leaf) {
  const auto origin = number_of(data["origin"]["value"]);
  if (!origin) return;
  const double factor = number_of(data["factor"]).value_or(1);
  NumberRange range{infinity, -infinity};
  auto text = data["data"].text();
  for (std::size_t i = 0; i < samples_max && !text.empty(); ++i) {
    const auto end = std::min(text.find(' '), text.size());
    if (const auto sample = parse_number(text.substr(0, end))) {
      const double value = *origin + *sample * factor;
      range = {std::min(range.from, value), std::max(range.to, exactly(value).to)};
    }
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  if (range.from < range.to) add_measure(*this, range, false, unit_of(data["origin"]), leaf);
}

void Entries::add_position(json::Value position, const Leaf& leaf) {
  const auto latitude = number_of(position["latitude"]), longitude = number_of(position["longitude"]);
  if (!latitude || !longitude) return;
  fill(add(leaf), {*latitude, *longitude}, {});
}

}  // namespace mydr24::search
