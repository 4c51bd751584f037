// Equality, equivalence and order. Source: FHIRPath 2.0.0, sections 6.1 and 6.2.

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <unordered_map>

#include "fhir/path/evaluator.h"
#include "fhir/path/quantity.h"
#include "fhir/path/unicode.h"

namespace mydr24::path {
namespace {

// Long texts cost more than a step.
std::uint64_t comparing_steps(std::string_view a, std::string_view b) { return std::min(a.size(), b.size()) / 64; }
std::uint64_t folding_steps(std::string_view a, std::string_view b) { return (a.size() + b.size()) / 4; }

Truth truth_of(bool value) { return value ? Truth::yes : Truth::no; }

// A quantity, whether computed or a FHIR element; `out` views into it.
bool amount_of(const Cell& cell, Amount& out) {
  Cell quantity;
  if (!quantity_value(cell, quantity)) return false;
  out = {quantity.text, quantity.unit};
  return true;
}

// At least one is a computed quantity: two FHIR Quantities are compared as they are.
bool are_amounts(const Cell& a, const Cell& b, Amount& left, Amount& right) {
  const bool is_asked = a.kind == ItemKind::quantity || b.kind == ItemKind::quantity;
  return is_asked && amount_of(a, left) && amount_of(b, right);
}

int compare_numbers(const Cell& a, const Cell& b) {
  if (a.kind == ItemKind::integer && b.kind == ItemKind::integer) {
    return a.number < b.number ? -1 : (a.number > b.number ? 1 : 0);
  }
  const auto left = decimal_of(a);
  const auto right = decimal_of(b);
  if (left && right) return compare(*left, *right);
  const int order = a.text.compare(b.text);
  return order < 0 ? -1 : (order > 0 ? 1 : 0);
}

// The coarser number of decimals decides: 0.67 is 0.6666...
bool equivalent_numbers(const Decimal& a, const Decimal& b) {
  const int scale = std::min(trimmed(a).scale, trimmed(b).scale);
  const auto left = with_scale(a, scale, Rounding::half_away);
  const auto right = with_scale(b, scale, Rounding::half_away);
  return left && right && left->digits == right->digits;
}

Truth equal_system(const Cell& a, const Cell& b) {
  if (is_number(a) && is_number(b)) return truth_of(compare_numbers(a, b) == 0);
  if (is_moment(a) && is_moment(b)) {
    const auto left = moment_of(a);
    const auto right = moment_of(b);
    if (!left || !right) return truth_of(a.text == b.text);
    switch (compare(*left, *right)) {
      case Order::equal:
        return Truth::yes;
      case Order::unknown:
        return Truth::unknown;
      default:
        return Truth::no;
    }
  }
  if (a.kind == ItemKind::boolean && b.kind == ItemKind::boolean) return truth_of(a.number == b.number);
  const bool are_texts = (a.kind == ItemKind::string || is_moment(a)) && (b.kind == ItemKind::string || is_moment(b));
  return truth_of(are_texts && a.text == b.text);
}

// Equal cells have equal hashes; numbers and moments can be equal in other words, so they share one.
std::size_t hash_of(const Cell& cell) {
  Cell value;
  if (!system_value(cell, value)) {
    const json::Value id = cell.value["id"];
    return cell.value.size() * 31 + (id ? std::hash<std::string_view>()(id.text()) : 0);
  }
  if (value.kind == ItemKind::string) return std::hash<std::string_view>()(value.text);
  if (value.kind == ItemKind::integer) return static_cast<std::size_t>(value.number) + 1;
  if (value.kind == ItemKind::decimal) {
    const auto number = decimal_of(value);
    const auto integer = number ? whole(*number, Rounding::to_zero) : std::nullopt;
    return integer ? static_cast<std::size_t>(*integer) + 1 : 0;
  }
  return static_cast<std::size_t>(value.kind == ItemKind::boolean);
}

bool same_place(const Cell& a, const Cell& b) {
  return a.is_element() && b.is_element() && a.value.exists() && b.value.exists() &&
         a.value.raw().data() == b.value.raw().data();
}

}  // namespace

// Beyond steps_max nothing is equal any more: the next step of the evaluation fails.
Truth Evaluator::equal(const Cell& a, const Cell& b) {
  if (steps_ > steps_max) return Truth::no;
  if (same_place(a, b)) return Truth::yes;
  constexpr std::uint64_t parsing_steps = 4;
  Amount left;
  Amount right;
  if (are_amounts(a, b, left, right)) {
    steps_ += parsing_steps;
    const auto order = compare(left, right);
    return order ? truth_of(*order == 0) : Truth::unknown;
  }
  Cell x;
  Cell y;
  const bool has_left = system_value(a, x);
  const bool has_right = system_value(b, y);
  if (has_left && has_right) {
    steps_ += is_moment(x) ? parsing_steps : comparing_steps(x.text, y.text);
    return equal_system(x, y);
  }
  if (has_left || has_right || !a.is_element() || !b.is_element()) return Truth::no;
  steps_ += std::min(a.value.raw().size(), b.value.raw().size()) / 8;
  return truth_of(json::equal(a.value, b.value) && json::equal(a.extended, b.extended));
}

Truth Evaluator::equal(std::span<const Cell> a, std::span<const Cell> b) {
  if (a.empty() || b.empty()) return Truth::unknown;
  if (a.size() != b.size()) return Truth::no;
  Truth result = Truth::yes;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const Truth one = equal(a[i], b[i]);
    if (one == Truth::no) return one;
    if (one == Truth::unknown) result = one;
  }
  return result;
}

bool Evaluator::equivalent_json(json::Value a, json::Value b, std::size_t depth) {
  ++steps_;
  if (a.kind() != b.kind() || a.size() != b.size() || depth > descent_max || steps_ > steps_max) return false;
  switch (a.kind()) {
    case json::Kind::object:
      for (const json::Value one : a) {
        if (one.key() != "id" && !equivalent_json(one, b[one.key()], depth + 1)) return false;
      }
      return true;
    case json::Kind::array: {
      std::vector<bool> taken(b.size());
      for (const json::Value one : a) {
        std::size_t i = 0;
        bool found = false;
        for (const json::Value other : b) {
          if (!taken[i] && equivalent_json(one, other, depth + 1)) {
            taken[i] = found = true;
            break;
          }
          ++i;
        }
        if (!found) return false;
      }
      return true;
    }
    case json::Kind::string:
      steps_ += folding_steps(a.text(), b.text());
      return a.text() == b.text() || (steps_ <= steps_max && folded(a.text()) == folded(b.text()));
    default:
      return json::equal(a, b);
  }
}

bool Evaluator::equivalent(const Cell& a, const Cell& b) {
  Amount left;
  Amount right;
  if (are_amounts(a, b, left, right)) return path::equivalent(left, right);
  Cell x;
  Cell y;
  const bool has_left = system_value(a, x);
  const bool has_right = system_value(b, y);
  if (has_left != has_right) return false;
  if (!has_left) return equivalent_json(a.value, b.value, 0);
  if (is_number(x) && is_number(y)) {
    const auto first = decimal_of(x);
    const auto second = decimal_of(y);
    return first && second && equivalent_numbers(*first, *second);
  }
  if (x.kind == ItemKind::string && y.kind == ItemKind::string) {
    steps_ += folding_steps(x.text, y.text);
    return x.text == y.text || (steps_ <= steps_max && folded(x.text) == folded(y.text));
  }
  return equal_system(x, y) == Truth::yes;
}

// Order does not matter.
bool Evaluator::equivalent(std::span<const Cell> a, std::span<const Cell> b) {
  if (a.size() != b.size()) return false;
  std::vector<bool> taken(b.size());
  for (const Cell& one : a) {
    std::size_t i = 0;
    while (i < b.size() && (taken[i] || !equivalent(one, b[i]))) {
      ++i;
      if (++steps_ > steps_max) return false;  // the next step of the evaluation fails
    }
    if (i == b.size()) return false;
    taken[i] = true;
  }
  return true;
}

bool Evaluator::order(const Node& node, const Cell& a, const Cell& b, Order& out) {
  const auto from_int = [&out](int order) {
    out = order < 0 ? Order::less : (order > 0 ? Order::greater : Order::equal);
    return true;
  };
  Amount left;
  Amount right;
  if (amount_of(a, left) && amount_of(b, right)) {
    const auto order = compare(left, right);
    out = Order::unknown;
    return !order || from_int(*order);
  }
  Cell x;
  Cell y;
  if (system_value(a, x) && system_value(b, y)) {
    if (is_number(x) && is_number(y)) return from_int(compare_numbers(x, y));
    steps_ += comparing_steps(x.text, y.text);
    if (x.kind == ItemKind::string && y.kind == ItemKind::string) return from_int(x.text.compare(y.text));
    if (is_moment(x) && is_moment(y)) {
      const auto first = moment_of(x);
      const auto second = moment_of(y);
      if (first && second) {
        out = compare(*first, *second);
        if (out != Order::unrelated) return true;
      }
    }
  }
  return fail_at(node, fmt::format("{} and {} cannot be ordered", type_name_of(a), type_name_of(b)));
}

bool Evaluator::has_equal(std::span<const Cell> cells, const Cell& cell) {
  if (steps_ > steps_max) return false;
  steps_ += cells.size();
  return std::ranges::any_of(cells, [&](const Cell& one) { return equal(one, cell) == Truth::yes; });
}

bool Evaluator::add_distinct(const Node& node, std::span<const Cell> cells, Sequence& out) {
  Distinct index;
  return add_distinct(node, cells, out, index);
}

bool Evaluator::add_distinct(const Node& node, std::span<const Cell> cells, Sequence& out, Distinct& index) {
  constexpr std::size_t few = 8;
  if (out.size() + cells.size() <= few) {
    for (const Cell& cell : cells) {
      if (!has_equal(out.cells(), cell) && !push(node, out, cell)) return false;
    }
    return step(node);
  }
  for (; index.indexed < out.size(); ++index.indexed) index.places.emplace(hash_of(out[index.indexed]), index.indexed);
  for (const Cell& cell : cells) {
    const std::size_t hash = hash_of(cell);
    if (!step(node, (cell.text.size() + cell.value.text().size()) / 32)) return false;
    const auto [first, last] = index.places.equal_range(hash);
    bool found = false;
    for (auto at = first; at != last && !found; ++at) {
      if (!step(node)) return false;
      found = equal(out[at->second], cell) == Truth::yes;
    }
    if (found) continue;
    index.places.emplace(hash, index.indexed++);
    if (!push(node, out, cell)) return false;
  }
  return true;
}

}  // namespace mydr24::path
