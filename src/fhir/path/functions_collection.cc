// Functions of collections. Source: FHIRPath 2.0.0, sections 5.1 to 5.4, 5.8, 5.9, 6.3, 7.

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "fhir/path/evaluator.h"

namespace mydr24::path {
namespace {

// Stable, and in bounds whatever `before` answers: partial dates have no strict order.
template <class Before>
void merge_sort(std::vector<std::size_t>& places, const Before& before) {
  std::vector<std::size_t> merged(places.size());
  for (std::size_t width = 1; width < places.size(); width *= 2) {
    for (std::size_t begin = 0; begin < places.size(); begin += 2 * width) {
      const auto at = [&](std::size_t place) {
        return places.begin() + static_cast<std::ptrdiff_t>(std::min(place, places.size()));
      };
      std::merge(at(begin), at(begin + width), at(begin + width), at(begin + 2 * width),
                 merged.begin() + static_cast<std::ptrdiff_t>(begin), before);
    }
    places.swap(merged);
  }
}

}  // namespace

// The first argument as a condition on one item.
bool Evaluator::criterion(const Node& node, std::span<const Cell> cells, std::size_t index, const Scope& scope,
                          Truth& out) {
  const Block block(*this);
  const Scope inner{cells, static_cast<std::int64_t>(index), scope.total};
  return truth(*node.operands[0], inner, out);
}

// where(), and exists() with a condition.
bool Evaluator::filter(const Node& node, const Scope& scope, Sequence& out) {
  Sequence input;
  if (!input_of(node, scope, input)) return false;
  for (std::size_t i = 0; i < input.size(); ++i) {
    Truth met = Truth::unknown;
    if (!criterion(node, input.cells().subspan(i, 1), i, scope, met)) return false;
    if (met == Truth::yes && !push(node, out, input[i])) return false;
    if (met == Truth::yes && node.function == Function::exists) return true;
  }
  return true;
}

bool Evaluator::all(const Node& node, const Scope& scope, Truth& out) {
  Sequence input;
  if (!input_of(node, scope, input)) return false;
  out = Truth::yes;
  for (std::size_t i = 0; i < input.size() && out == Truth::yes; ++i) {
    Truth met = Truth::unknown;
    if (!criterion(node, input.cells().subspan(i, 1), i, scope, met)) return false;
    if (met != Truth::yes) out = Truth::no;
  }
  return true;
}

bool Evaluator::select(const Node& node, const Scope& scope, Sequence& out) {
  Sequence input;
  if (!input_of(node, scope, input)) return false;
  for (std::size_t i = 0; i < input.size(); ++i) {
    const Block block(*this);
    Sequence part;
    const Scope inner{input.cells().subspan(i, 1), static_cast<std::int64_t>(i), scope.total};
    if (!evaluate(*node.operands[0], inner, part) || !append(node, out, part.cells())) return false;
  }
  return true;
}

// What the projection gives, and what it gives of that, until nothing is new.
bool Evaluator::repeat(const Node& node, const Scope& scope, Sequence& out) {
  Sequence round;
  Distinct index;
  if (!input_of(node, scope, round)) return false;
  while (!round.empty()) {
    Sequence found;
    for (std::size_t i = 0; i < round.size(); ++i) {
      const Block block(*this);
      Sequence part;
      const Scope inner{round.cells().subspan(i, 1), static_cast<std::int64_t>(i), scope.total};
      if (!evaluate(*node.operands[0], inner, part) || !append(node, found, part.cells())) return false;
    }
    const std::size_t before = out.size();
    if (!add_distinct(node, found.cells(), out, index)) return false;
    round.clear();
    round.append(out.cells().subspan(before));
  }
  return true;
}

bool Evaluator::iif(const Node& node, const Scope& scope, Sequence& out) {
  Sequence input;
  if (!input_of(node, scope, input)) return false;
  if (node.input != nullptr && input.size() > 1) return fail_at(node, "iif() takes a single item");
  const Scope inner = node.input == nullptr ? scope : Scope{input.cells(), scope.index, scope.total};
  Sequence condition;
  {
    const Block block(*this);
    if (!evaluate(*node.operands[0], inner, condition)) return false;
  }
  Cell value;
  if (condition.size() > 1 ||
      (condition.size() == 1 && (!system_value(condition[0], value) || value.kind != ItemKind::boolean))) {
    return fail_at(node, "the condition of iif() is no single boolean");
  }
  const bool is_met = condition.size() == 1 && value.number != 0;
  const Block block(*this);
  if (is_met) return evaluate(*node.operands[1], inner, out);
  return node.operands.size() < 3 || evaluate(*node.operands[2], inner, out);
}

bool Evaluator::aggregate(const Node& node, const Scope& scope, Sequence& out) {
  Sequence input;
  if (!input_of(node, scope, input)) return false;
  Sequence total;
  if (node.operands.size() > 1 && !argument(node, 1, scope, total)) return false;
  for (std::size_t i = 0; i < input.size(); ++i) {
    const Block block(*this);
    Sequence next;
    const Scope inner{input.cells().subspan(i, 1), static_cast<std::int64_t>(i), total.cells()};
    if (!evaluate(*node.operands[0], inner, next)) return false;
    total = std::move(next);
  }
  out = std::move(total);
  return true;
}

bool Evaluator::trace(const Node& node, const Scope& scope, Sequence& out) {
  if (!input_of(node, scope, out)) return false;
  std::string_view name;
  bool none = false;
  if (!text_argument(node, 0, scope, name, none)) return false;
  if (!environment_.trace || none) return true;
  Collection shown;
  if (node.operands.size() == 1) {
    for (const Cell& cell : out) shown.push_back(item_from(cell));
  }
  for (std::size_t i = 0; node.operands.size() > 1 && i < out.size(); ++i) {
    const Block block(*this);
    Sequence part;
    if (!evaluate(*node.operands[1], {out.cells().subspan(i, 1), static_cast<std::int64_t>(i), {}}, part)) return false;
    for (const Cell& cell : part) shown.push_back(item_from(cell));
  }
  environment_.trace(name, shown);
  return true;
}

// Each argument is a key; one with a minus before it sorts descending. Nothing comes before everything,
// whichever way the key sorts.
bool Evaluator::sort(const Node& node, const Scope& scope, Sequence& out) {
  Sequence input;
  if (!input_of(node, scope, input)) return false;
  const std::size_t keys = std::max<std::size_t>(node.operands.size(), 1);
  if (input.size() * keys > sort_values_max) return fail_at(node, "too many items to sort", Code::too_large);
  std::vector<Sequence> values(input.size() * keys);
  for (std::size_t i = 0; i < input.size(); ++i) {
    if (node.operands.empty()) values[i].push(input[i]);
    for (std::size_t k = 0; k < node.operands.size(); ++k) {
      const Node& key = *node.operands[k];
      const Block block(*this);
      const Scope inner{input.cells().subspan(i, 1), static_cast<std::int64_t>(i), scope.total};
      Sequence& value = values[i * keys + k];
      if (!evaluate(key.op == Op::negate ? *key.operands[0] : key, inner, value)) return false;
      if (value.size() > 1) return fail_at(node, "a key of sort() is a single item");
    }
  }
  bool ok = true;
  const auto before = [&](std::size_t a, std::size_t b) {
    for (std::size_t k = 0; ok && k < keys; ++k) {
      const Sequence& x = values[a * keys + k];
      const Sequence& y = values[b * keys + k];
      const bool descends = !node.operands.empty() && node.operands[k]->op == Op::negate;
      Order order = Order::equal;
      if (x.empty() || y.empty()) {
        if (x.empty() == y.empty()) continue;
        return x.empty();
      }
      if (!step(node) || !this->order(node, x[0], y[0], order)) {
        ok = false;
        return false;
      }
      if (order == Order::less || order == Order::greater) return (order == Order::less) != descends;
    }
    return false;
  };
  std::vector<std::size_t> places(input.size());
  std::iota(places.begin(), places.end(), std::size_t{0});
  merge_sort(places, before);
  if (!ok) return false;
  for (const std::size_t place : places) {
    if (!push(node, out, input[place])) return false;
  }
  return true;
}

bool Evaluator::define_variable(const Node& node, const Scope& scope, Sequence& out) {
  if (!input_of(node, scope, out)) return false;
  std::string_view name;
  bool none = false;
  if (!text_argument(node, 0, scope, name, none)) return false;
  static constexpr auto reserved =
      std::to_array<std::string_view>({"context", "resource", "rootResource", "ucum", "sct", "loinc"});
  if (none || std::ranges::find(reserved, name) != reserved.end() || environment_.variables.contains(name) ||
      std::ranges::find(variables_, name, &Variable::name) != variables_.end()) {
    return fail_at(node, fmt::format("%{} cannot be defined here: the name is taken", name));
  }
  Sequence value;
  if (node.operands.size() == 1) {
    value.append(out.cells());
  } else {
    const Block block(*this);
    if (!evaluate(*node.operands[1], {out.cells(), scope.index, scope.total}, value)) return false;
  }
  variables_.push_back({name, std::move(value)});
  return step(node);
}

bool Evaluator::combine(const Node& node, const Scope& scope, Sequence& out) {
  Sequence other;
  return input_of(node, scope, out) && argument(node, 0, scope, other) && append(node, out, other.cells());
}

bool Evaluator::all_of(const Node& node, std::span<const Cell> input, Sequence& out) {
  const bool is_all = node.function == Function::all_true || node.function == Function::all_false;
  const bool wanted = node.function == Function::all_true || node.function == Function::any_true;
  bool result = is_all;
  for (const Cell& cell : input) {
    Cell value;
    if (!system_value(cell, value) || value.kind != ItemKind::boolean) {
      return fail_at(node, fmt::format("{}() takes booleans", node.name));
    }
    const bool is_wanted = (value.number != 0) == wanted;
    if (is_all && !is_wanted) result = false;
    if (!is_all && is_wanted) result = true;
  }
  return push(node, out, boolean_cell(result));
}

// Those that compare their input with the argument.
bool Evaluator::subset_function(const Node& node, const Scope& scope, Sequence& input, Sequence& out) {
  Sequence other;
  if (!argument(node, 0, scope, other)) return false;
  const auto contains_all = [this](const Sequence& all, const Sequence& some) {
    return std::ranges::all_of(some, [&](const Cell& cell) { return has_equal(all.cells(), cell); });
  };
  switch (node.function) {
    case Function::subset_of:
      return push(node, out, boolean_cell(contains_all(other, input)));
    case Function::superset_of:
      return push(node, out, boolean_cell(contains_all(input, other)));
    case Function::unite:
      return add_distinct(node, input.cells(), out) && add_distinct(node, other.cells(), out);
    default:
      break;
  }
  for (const Cell& cell : input) {
    const bool is_shared = has_equal(other.cells(), cell);
    const bool is_kept = node.function == Function::exclude ? !is_shared : is_shared && !has_equal(out.cells(), cell);
    if (!step(node) || (is_kept && !push(node, out, cell))) return false;
  }
  return true;
}

bool Evaluator::collection_function(const Node& node, const Scope& scope, Sequence& out) {
  switch (node.function) {
    case Function::where:
      return filter(node, scope, out);
    case Function::select:
      return select(node, scope, out);
    case Function::repeat:
      return repeat(node, scope, out);
    case Function::iif:
      return iif(node, scope, out);
    case Function::aggregate:
      return aggregate(node, scope, out);
    case Function::trace:
      return trace(node, scope, out);
    case Function::sort:
      return sort(node, scope, out);
    case Function::define_variable:
      return define_variable(node, scope, out);
    case Function::combine:
      return combine(node, scope, out);
    case Function::coalesce:
      for (std::size_t i = 0; i < node.operands.size() && out.empty(); ++i) {
        if (!argument(node, i, scope, out)) return false;
      }
      return true;
    default:
      break;
  }
  Sequence input;
  if (!input_of(node, scope, input)) return false;
  switch (node.function) {
    case Function::subset_of:
    case Function::superset_of:
    case Function::unite:
    case Function::intersect:
    case Function::exclude:
      return subset_function(node, scope, input, out);
    case Function::all_true:
    case Function::any_true:
    case Function::all_false:
    case Function::any_false:
      return all_of(node, input.cells(), out);
    case Function::skip:
    case Function::take: {
      std::int64_t count = 0;
      bool none = false;
      if (!integer_argument(node, 0, scope, count, none)) return false;
      if (none) return true;
      const auto place = std::min(static_cast<std::size_t>(std::max<std::int64_t>(count, 0)), input.size());
      const auto cells = input.cells();
      return append(node, out, node.function == Function::skip ? cells.subspan(place) : cells.first(place));
    }
    default:
      return plain_collection_function(node, input, out);
  }
}

// Those without arguments but a type.
bool Evaluator::plain_collection_function(const Node& node, Sequence& input, Sequence& out) {
  switch (node.function) {
    case Function::count:
      return push(node, out, integer_cell(static_cast<std::int64_t>(input.size())));
    case Function::distinct:
      return add_distinct(node, input.cells(), out);
    case Function::is_distinct: {
      Sequence distinct;
      return add_distinct(node, input.cells(), distinct) &&
             push(node, out, boolean_cell(distinct.size() == input.size()));
    }
    case Function::single:
      if (input.size() > 1) return fail_at(node, "single() finds several items");
      out = std::move(input);
      return true;
    case Function::first:
      if (!input.empty()) out.push(input[0]);
      return true;
    case Function::last:
      if (!input.empty()) out.push(input.back());
      return true;
    case Function::tail:
      return input.empty() || append(node, out, input.cells().subspan(1));
    case Function::children:
      for (const Cell& cell : input) {
        if (!children(node, cell, out)) return false;
      }
      return true;
    case Function::descendants:
      return descendants(node, input.cells(), out);
    case Function::as:  // of several items too: R4's own invariants apply it to descendants()
    case Function::of_type:
      for (const Cell& cell : input) {
        if (has_exact_type(cell, node.type)) out.push(cell);
      }
      return true;
    default:  // type()
      for (const Cell& cell : input) {
        std::string_view text;
        const std::string_view space = cell.is_element() ? "FHIR" : "System";
        if (!keep(node, fmt::format("{}.{}", space, type_name_of(cell)), text)) return false;
        if (!push(node, out, text_cell(ItemKind::string, text, type_info_mark))) return false;
      }
      return true;
  }
}

}  // namespace mydr24::path
