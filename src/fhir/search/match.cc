// matches(), sort_key() and index_decides(): what a Condition means, said plainly on the entries and the body of one
// resource. Source of the comparisons: FHIR R4, search.html, prefixes.

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdlib>
#include <numbers>
#include <optional>
#include <utility>

#include "base/core/date_time.h"
#include "fhir/search/composite.h"
#include "fhir/search/entries.h"
#include "fhir/search/walk.h"
#include "fhir/search/words.h"

namespace mydr24::search {
namespace {

// Half-open ranges [low, high) of the resource against that of the question.
template <class Number>
bool compares(Prefix prefix, Number low, Number high, Number asked_low, Number asked_high) {
  switch (prefix) {
    case Prefix::eq:
      return low >= asked_low && low < asked_high && high <= asked_high;
    case Prefix::ne:
      return low < asked_low || high > asked_high;
    case Prefix::gt:
      return high > asked_high;
    case Prefix::lt:
      return low < asked_low;
    case Prefix::ge:
      return low >= asked_low || high > asked_high;
    case Prefix::le:
      return low < asked_high && (low < asked_low || high <= asked_high);
    case Prefix::sa:
      return low >= asked_high;
    case Prefix::eb:
      return low < asked_low && high <= asked_low;
    case Prefix::ap:
      return low < asked_high && high > asked_low;
  }
  return false;
}

std::int64_t minus(std::int64_t value, std::int64_t by) { return value < open_start + by ? value : value - by; }
std::int64_t plus(std::int64_t value, std::int64_t by) { return value > open_end - by ? value : value + by; }

bool time_compares(const Term& term, std::int64_t low, std::int64_t high, Instant now) {
  std::int64_t asked_low = term.low, asked_high = term.high;
  if (term.prefix == Prefix::ap) {
    // A tenth of the time between the date and now, as the specification recommends.
    const std::int64_t middle = term.low + (term.high - term.low) / 2;
    const std::int64_t by = std::abs(to_us(now) - middle) / 10;
    asked_low = minus(asked_low, by);
    asked_high = plus(asked_high, by);
  }
  return compares(term.prefix, low, high, asked_low, asked_high);
}

bool number_compares(const Term& term, const IndexEntry& entry) {
  return compares(term.prefix, entry.from, entry.to, term.from, term.to);
}

bool token_equals(const Term& term, const IndexEntry& entry) {
  if (term.system_is == Term::System::none && !entry.system.empty()) return false;
  if (term.system_is == Term::System::named && entry.system != term.system) return false;
  return term.any_code ? !entry.value.starts_with('\x1f') : entry.value == term.value;
}

// `part` begins `whole`, and what follows is another step of the path.
bool is_path_above(std::string_view part, std::string_view whole) {
  if (!whole.starts_with(part)) return false;
  return whole.size() == part.size() || part.ends_with('/') || whole[part.size()] == '/';
}

bool address_matches(Modifier modifier, const Term& term, const IndexEntry& entry) {
  if (modifier == Modifier::below) return is_path_above(term.value, entry.value);
  if (modifier == Modifier::above) return is_path_above(entry.value, term.value);
  if (modifier == Modifier::contains) return entry.value.contains(term.value);
  return entry.value == term.value;
}

// Each word asked for begins a word of the text.
bool words_begin(std::string_view asked, std::string_view text) {
  const auto there = words(text);
  const auto wanted = words(asked);
  return !wanted.empty() && std::ranges::all_of(wanted, [&](const std::string& want) {
    return std::ranges::any_of(there, [&](const std::string& word) { return word.starts_with(want); });
  });
}

// Each of the words, which are followed by one space, is among the others.
bool has_words(std::string_view wanted, std::string_view there) {
  while (!wanted.empty()) {
    const auto word = wanted.substr(0, wanted.find(' ') + 1);
    wanted.remove_prefix(word.size());
    const bool found = there.starts_with(word) || there.contains(fmt::format(" {}", word));
    if (!found) return false;
  }
  return true;
}

bool string_matches(Modifier modifier, const Term& term, const IndexEntry& entry) {
  switch (modifier) {
    case Modifier::exact:
      return entry.value == term.exact;  // not folded
    case Modifier::is_not:
      return entry.value == term.value;
    case Modifier::contains:
      return term.at_end ? entry.value.ends_with(term.value) : entry.value.contains(term.value);
    case Modifier::text:
      return words_begin(term.exact, entry.value);
    default:
      return entry.value.starts_with(term.value);
  }
}

// Kilometres along a great circle of a sphere with the Earth's mean radius.
double distance_km(double latitude_a, double longitude_a, double latitude_b, double longitude_b) {
  constexpr double radius_km = 6371.0088;
  constexpr double degree = std::numbers::pi / 180;
  const double north = std::sin((latitude_b - latitude_a) * degree / 2);
  const double east = std::sin((longitude_b - longitude_a) * degree / 2);
  const double h = north * north + std::cos(latitude_a * degree) * std::cos(latitude_b * degree) * east * east;
  return 2 * radius_km * std::asin(std::min(1.0, std::sqrt(h)));
}

class Matcher {
 public:
  Matcher(json::Value resource, const MatchContext& context)
      : resource_(resource), context_(context), catalogue_(Catalogue::of(context.catalogue)) {}

  bool holds(const Condition& condition) const {
    const auto holds_too = [&](const Condition& part) { return holds(part); };
    switch (condition.form) {
      case Condition::Form::match:
        return match(condition);
      case Condition::Form::chain:
        return context_.chain && context_.chain(condition, targets(condition));
      case Condition::Form::has:
        return context_.has && context_.has(condition, own_reference());
      case Condition::Form::all:
        return std::ranges::all_of(condition.parts, holds_too);
      case Condition::Form::any:
        return std::ranges::any_of(condition.parts, holds_too);
      case Condition::Form::none:
        return std::ranges::none_of(condition.parts, holds_too);
    }
    return false;
  }

 private:
  std::string own_reference() const {
    return fmt::format("{}/{}", resource_["resourceType"].text(), resource_["id"].text());
  }

  // The resources of the chain's type that the reference leads to, without versions.
  std::vector<std::string> targets(const Condition& condition) const {
    std::vector<std::string> found;
    for (const auto& entry : extract(resource_, *condition.parameter, &catalogue_)) {
      if (entry.value.starts_with('\x1f') || without_version(entry.value).size() != entry.value.size()) continue;
      if (type_in(entry.value) == condition.target) found.push_back(entry.value);
    }
    return found;
  }

  bool match(const Condition& condition) const {
    const Parameter& parameter = *condition.parameter;
    const auto any_term = [&](const auto& holds_for) { return std::ranges::any_of(condition.any_of, holds_for); };
    if (parameter.kind == Kind::id) {
      return any_term([&](const Term& term) { return term.value == resource_["id"].text(); });
    }
    if (parameter.kind == Kind::last_updated) {
      const auto at = to_us(context_.last_updated);
      return any_term([&](const Term& term) { return time_compares(term, at, at + 1, context_.now); });
    }
    if (condition.modifier == Modifier::missing) {
      const bool is_missing = extract(resource_, parameter, &catalogue_).empty();
      return any_term([&](const Term& term) { return term.missing == is_missing; });
    }
    if (parameter.kind == Kind::composite)
      return any_term([&](const Term& term) { return composite(parameter, term); });
    if (parameter.kind == Kind::token && condition.modifier == Modifier::text) {
      return any_term([&](const Term& term) { return coded_text(parameter, term); });
    }
    const auto entries = entries_of(condition);
    const bool found = any_term([&](const Term& term) {
      if (!term.unit_text.empty()) return quantity_in_unit(parameter, term);
      return std::ranges::any_of(entries,
                                 [&](const IndexEntry& entry) { return entry_matches(condition, term, entry); });
    });
    const bool negative = condition.modifier == Modifier::is_not || condition.modifier == Modifier::not_in;
    return found != negative;
  }

  // For :exact and :text the strings as they are written.
  std::vector<IndexEntry> entries_of(const Condition& condition) const {
    const bool written = condition.parameter->kind == Kind::string &&
                         (condition.modifier == Modifier::exact || condition.modifier == Modifier::text);
    if (!written) return extract(resource_, *condition.parameter, &catalogue_);
    Entries entries(false);
    visit(*condition.parameter, [&](json::Value value, const Leaf& leaf) { entries.add(value, leaf); });
    if (const TypeCatalogue* type = own_type()) {
      for (const Evaluated& evaluated : type->evaluated) {
        if (evaluated.parameter == condition.parameter->number) add_evaluated(entries, resource_, resource_, evaluated);
      }
    }
    return std::move(entries.list());
  }

  bool entry_matches(const Condition& condition, const Term& term, const IndexEntry& entry) const {
    switch (entry.kind) {
      case Kind::string:
        return string_matches(condition.modifier, term, entry);
      case Kind::token:
        return token_equals(term, entry);
      case Kind::reference:
      case Kind::uri:
        return address_matches(condition.modifier, term, entry);
      case Kind::date:
        return time_compares(term, entry.low, entry.high, context_.now);
      case Kind::number:
        return number_compares(term, entry);
      case Kind::quantity:
        return entry.system == term.system && number_compares(term, entry);
      case Kind::position:
        return distance_km(entry.from, entry.to, term.from, term.to) <= term.distance_km;
      case Kind::text:
        return has_words(term.value, entry.value);
      case Kind::id:
      case Kind::last_updated:
      case Kind::composite:
        break;
    }
    return false;
  }

  // One element where every part holds.
  bool composite(const Parameter& parameter, const Term& term) const {
    bool found = false;
    visit(parameter, [&](json::Value element, const Leaf& leaf) {
      const auto lists = part_entries(catalogue_, resource_, element, leaf);
      found = found || (lists.size() == term.parts.size() && !lists.empty() && parts_hold(lists, element, leaf, term));
    });
    return found;
  }

  bool parts_hold(const std::vector<std::vector<IndexEntry>>& lists, json::Value element, const Leaf& leaf,
                  const Term& term) const {
    const auto parts = catalogue_.composite(leaf.composite);
    for (std::size_t i = 0; i < lists.size(); ++i) {
      const Condition alone{
          .parameter = &catalogue_.parameters()[parts[i].parameter], .any_of = {}, .target = {}, .parts = {}};
      const Term& part = term.parts[i];
      const bool holds_here =
          part.unit_text.empty()
              ? std::ranges::any_of(lists[i],
                                    [&](const IndexEntry& entry) { return entry_matches(alone, part, entry); })
              : part_in_unit(element, parts[i], part);
      if (!holds_here) return false;
    }
    return true;
  }

  bool part_in_unit(json::Value element, const CompositePart& part, const Term& term) const {
    bool found = false;
    const auto visitor = [&](json::Value value, const Leaf& leaf) { found = found || in_unit(value, leaf, term); };
    if (part.element_root != 0) walk(catalogue_, element, catalogue_.node(part.element_root), visitor);
    if (part.resource_root != 0) walk(catalogue_, resource_, catalogue_.node(part.resource_root), visitor);
    return found;
  }

  // "5||mg": the number as written, with that code or unit, whatever the system.
  bool in_unit(json::Value value, const Leaf& leaf, const Term& term) const {
    const json::Value units[] = {value, value["low"], value["high"], value["origin"]};
    const bool same = std::ranges::any_of(units, [&](json::Value quantity) {
      return quantity["code"].text() == term.unit_text || quantity["unit"].text() == term.unit_text ||
             quantity["currency"].text() == term.unit_text;
    });
    if (!same) return false;
    Entries entries;
    entries.add(value, leaf);
    return std::ranges::any_of(
        entries.list(), [&](const IndexEntry& entry) { return entry.system.empty() && number_compares(term, entry); });
  }

  bool quantity_in_unit(const Parameter& parameter, const Term& term) const {
    bool found = false;
    visit(parameter, [&](json::Value value, const Leaf& leaf) { found = found || in_unit(value, leaf, term); });
    return found;
  }

  // What is written beside a code: begins with the text asked for.
  bool coded_text(const Parameter& parameter, const Term& term) const {
    bool found = false;
    const auto begins = [&](json::Value text) {
      found = found || (text.is_string() && fold(text.text()).starts_with(term.value));
    };
    visit(parameter, [&](json::Value value, const Leaf& leaf) {
      if (leaf.form == Form::codeable_concept) {
        begins(value["text"]);
        for (const auto coding : value["coding"]) begins(coding["display"]);
      } else if (leaf.form == Form::coding) {
        begins(value["display"]);
      } else if (leaf.form == Form::identifier) {
        begins(value["type"]["text"]);
        for (const auto coding : value["type"]["coding"]) begins(coding["display"]);
      }
    });
    return found;
  }

  const TypeCatalogue* own_type() const { return catalogue_.type(resource_["resourceType"].text()); }

  template <class Visit>
  void visit(const Parameter& parameter, const Visit& visit_value) const {
    const TypeCatalogue* type = own_type();
    if (type == nullptr) return;
    const auto only = [&](json::Value value, const Leaf& leaf) {
      if (leaf.parameter == parameter.number) visit_value(value, leaf);
    };
    walk(catalogue_, resource_, catalogue_.node(type->root), only);
  }

  json::Value resource_;
  const MatchContext& context_;
  const Catalogue& catalogue_;
};

// Text that compares by bytes as the numbers do.
std::string ordered(std::int64_t value) {
  return fmt::format("{:016x}", static_cast<std::uint64_t>(value) ^ (std::uint64_t{1} << 63));
}

std::string ordered(double value) {
  const auto bits = std::bit_cast<std::uint64_t>(value == 0 ? 0.0 : value);
  constexpr auto sign = std::uint64_t{1} << 63;
  return fmt::format("{:016x}", (bits & sign) != 0 ? ~bits : bits | sign);
}

// Nothing for entries that only serve a modifier or another unit.
std::optional<std::string> key_of(const IndexEntry& entry) {
  if (entry.value.starts_with('\x1f')) return std::nullopt;
  switch (entry.kind) {
    case Kind::date:
      return ordered(entry.low);
    case Kind::number:
      return ordered(entry.from);
    case Kind::quantity:
      return entry.system.empty() ? std::optional(ordered(entry.from)) : std::nullopt;
    default:
      return entry.value;
  }
}

}  // namespace

bool matches(const Condition& condition, json::Value resource, const MatchContext& context) {
  return Matcher(resource, context).holds(condition);
}

std::optional<std::string> sort_key(json::Value resource, const Sort& sort, const Catalogue* catalogue) {
  const Parameter& parameter = *sort.parameter;
  if (parameter.kind == Kind::id) return std::string(resource["id"].text());
  if (parameter.kind == Kind::last_updated) {
    const auto at = parse_date_time(resource["meta"]["lastUpdated"].text());
    return at ? std::optional(ordered(to_us(at->low))) : std::nullopt;
  }
  std::optional<std::string> best;
  for (const IndexEntry& entry : extract(resource, parameter, catalogue)) {
    auto key = key_of(entry);
    if (!key) continue;
    if (!best || (sort.descending ? *key > *best : *key < *best)) best = std::move(key);
  }
  return best;
}

bool index_decides(const Condition& condition) {
  if (condition.form != Condition::Form::match) return std::ranges::all_of(condition.parts, index_decides);
  if (condition.modifier == Modifier::exact || condition.modifier == Modifier::text) return false;
  const bool by_path = condition.modifier == Modifier::above || condition.modifier == Modifier::below;
  const Kind kind = condition.parameter->kind;
  if (kind == Kind::position || (by_path && kind != Kind::token)) return false;
  return std::ranges::all_of(condition.any_of, [&](const Term& term) {
    if (!term.unit_text.empty() || term.at_end) return false;
    if (kind != Kind::composite) return true;
    // Rows hold the whole of equalities, one system and one range.
    std::size_t ranges = 0, tokens = 0;
    for (const Term& part : term.parts) {
      const bool is_string = !part.exact.empty();
      const bool is_range_part = part.from != part.to || part.low != part.high;
      const bool needs_system = part.system_is != Term::System::any || part.any_code;
      if (is_string || (tokens > 0 && needs_system)) return false;
      ranges += is_range_part ? 1 : 0;
      tokens += is_range_part ? 0 : 1;
    }
    return ranges <= 1;
  });
}

}  // namespace mydr24::search
