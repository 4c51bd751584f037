#include "fhir/path/evaluator.h"

#include <fmt/format.h>

#include <utility>

namespace mydr24::path {
namespace {

bool makes_truth(const Node& node) {
  switch (node.op) {
    case Op::less:
    case Op::less_or_equal:
    case Op::greater:
    case Op::greater_or_equal:
    case Op::equal:
    case Op::not_equal:
    case Op::equivalent:
    case Op::not_equivalent:
    case Op::in:
    case Op::contains:
    case Op::both:
    case Op::either:
    case Op::exclusive:
    case Op::implies:
    case Op::is:
      return true;
    case Op::call:
      return node.function == Function::exists || node.function == Function::empty || node.function == Function::not_ ||
             node.function == Function::all || node.function == Function::is || node.function == Function::has_value;
    default:
      return false;
  }
}

Truth invert(Truth truth) { return truth == Truth::unknown ? truth : (truth == Truth::yes ? Truth::no : Truth::yes); }

Truth truth_of(bool value) { return value ? Truth::yes : Truth::no; }

}  // namespace

bool Evaluator::fail_at(const Node& node, std::string_view what, Code code) {
  error_ = fail(code, fmt::format("{}: {}", place_of(syntax_.text, node.offset), what));
  return false;
}

bool Evaluator::fail_with(const Node& node, Error error) { return fail_at(node, error.text, error.code); }

bool Evaluator::step(const Node& node, std::uint64_t steps) {
  steps_ += steps;
  return steps_ <= steps_max || fail_at(node, "the evaluation takes too many steps", Code::too_large);
}

bool Evaluator::push(const Node& node, Sequence& out, const Cell& cell) {
  if (out.size() >= collection_max) return fail_at(node, "the collection has too many items", Code::too_large);
  out.push(cell);
  return step(node);
}

bool Evaluator::append(const Node& node, Sequence& out, std::span<const Cell> cells) {
  if (out.size() + cells.size() > collection_max) {
    return fail_at(node, "the collection has too many items", Code::too_large);
  }
  if (!step(node, cells.size() * (cells.size() >= bulk_min ? bulk_steps : 1))) return false;
  out.append(cells);
  return true;
}

bool Evaluator::keep(const Node& node, std::string text, std::string_view& out) {
  text_bytes_ += text.size() + sizeof(std::string);
  if (text_bytes_ > made_text_bytes_max) return fail_at(node, "the texts become too long", Code::too_large);
  texts_.push_back(std::make_unique<const std::string>(std::move(text)));
  out = *texts_.back();
  return true;
}

bool Evaluator::push_text(const Node& node, ItemKind kind, std::string text, Sequence& out) {
  std::string_view kept;
  return keep(node, std::move(text), kept) && push(node, out, text_cell(kind, kept));
}

bool Evaluator::input_of(const Node& node, const Scope& scope, Sequence& out) {
  if (node.input != nullptr) return evaluate(*node.input, scope, out);
  return append(node, out, scope.focus);
}

bool Evaluator::argument(const Node& node, std::size_t number, const Scope& scope, Sequence& out) {
  const Block block(*this);
  return evaluate(*node.operands[number], scope, out);
}

bool Evaluator::text_argument(const Node& node, std::size_t number, const Scope& scope, std::string_view& out,
                              bool& none) {
  Sequence cells;
  if (!argument(node, number, scope, cells)) return false;
  Cell cell;
  none = cells.empty();
  if (none) return true;
  if (cells.size() > 1 || !system_value(cells[0], cell) || cell.kind != ItemKind::string) {
    return fail_at(node, fmt::format("{}() takes a single string", node.name));
  }
  out = cell.text;
  return true;
}

bool Evaluator::integer_argument(const Node& node, std::size_t number, const Scope& scope, std::int64_t& out,
                                 bool& none) {
  Sequence cells;
  if (!argument(node, number, scope, cells)) return false;
  Cell cell;
  none = cells.empty();
  if (none) return true;
  if (cells.size() > 1 || !system_value(cells[0], cell) || cell.kind != ItemKind::integer) {
    return fail_at(node, fmt::format("{}() takes a single integer", node.name));
  }
  out = cell.number;
  return true;
}

bool Evaluator::evaluate(const Node& node, const Scope& scope, Sequence& out) {
  if (!step(node)) return false;
  if (makes_truth(node)) {
    Truth result = Truth::unknown;
    if (!truth(node, scope, result)) return false;
    if (result != Truth::unknown) out.push(boolean_cell(result == Truth::yes));
    return true;
  }
  switch (node.op) {
    case Op::literal:
      out.push(node.literal);
      return true;
    case Op::nothing:
      return true;
    case Op::focus:
      return append(node, out, scope.focus);
    case Op::index:
      if (scope.index >= 0) out.push(integer_cell(scope.index));
      return true;
    case Op::total:
      return append(node, out, scope.total);
    case Op::external:
      return external(node, out);
    case Op::member: {
      if (node.input == nullptr) {
        for (const Cell& cell : scope.focus) {
          const bool is_root =
              !node.root.empty() && cell.is_element() && cell.type != nullptr && is_a(*cell.type, node.root);
          if (is_root ? !push(node, out, cell) : !member(node, node.name, cell, out)) return false;
        }
        return true;
      }
      Sequence input;
      if (!evaluate(*node.input, scope, input)) return false;
      for (const Cell& cell : input) {
        if (!member(node, node.name, cell, out)) return false;
      }
      return true;
    }
    case Op::at: {
      Sequence input;
      Sequence index;
      if (!input_of(node, scope, input) || !argument(node, 0, scope, index)) return false;
      Cell number;
      if (index.empty()) return true;
      if (index.size() > 1 || !system_value(index[0], number) || number.kind != ItemKind::integer) {
        return fail_at(node, "an index is a single integer");
      }
      const bool is_inside = number.number >= 0 && static_cast<std::uint64_t>(number.number) < input.size();
      if (is_inside) out.push(input[static_cast<std::size_t>(number.number)]);
      return true;
    }
    case Op::as: {
      Sequence cells;
      if (!argument(node, 0, scope, cells)) return false;
      // R4's search parameters write `as` after paths with several items.
      for (const Cell& cell : cells) {
        if (has_exact_type(cell, node.type)) out.push(cell);
      }
      return true;
    }
    case Op::unite:
      return unite(node, scope, out);
    case Op::concatenate:
      return concatenate(node, scope, out);
    case Op::negate:
    case Op::keep_sign:
      return negate(node, scope, out);
    case Op::call:
      return evaluate_call(node, scope, out);
    default:
      return arithmetic(node, scope, out);
  }
}

bool Evaluator::evaluate_call(const Node& node, const Scope& scope, Sequence& out) {
  const auto is_before = [&node](Function end) { return node.function < end; };
  if (is_before(Function::to_boolean)) return collection_function(node, scope, out);
  if (is_before(Function::index_of)) return conversion_function(node, scope, out);
  if (is_before(Function::abs)) return string_function(node, scope, out);
  if (is_before(Function::now)) return math_function(node, scope, out);
  if (is_before(Function::extension)) return boundary_function(node, scope, out);
  return fhir_function(node, scope, out);
}

bool Evaluator::singleton_truth(std::span<const Cell> cells, const Node& node, Truth& out) {
  out = Truth::unknown;
  if (cells.empty()) return true;
  if (cells.size() > 1) return fail_at(node, "a single boolean is expected, not a collection");
  Cell value;
  const bool is_boolean = system_value(cells[0], value) && value.kind == ItemKind::boolean;
  out = truth_of(!is_boolean || value.number != 0);  // a single item of another type counts as true
  return true;
}

bool Evaluator::truth(const Node& node, const Scope& scope, Truth& out) {
  switch (node.op) {
    case Op::both:
    case Op::either:
    case Op::exclusive:
    case Op::implies:
      return step(node) && chain_truth(node, scope, out);
    case Op::less:
    case Op::less_or_equal:
    case Op::greater:
    case Op::greater_or_equal:
    case Op::equal:
    case Op::not_equal:
    case Op::equivalent:
    case Op::not_equivalent:
      return step(node) && comparison(node, scope, out);
    case Op::in:
    case Op::contains:
      return step(node) && membership(node, scope, out);
    case Op::is: {
      Sequence cells;
      return step(node) && argument(node, 0, scope, cells) && type_test(node, cells.cells(), out);
    }
    case Op::call:
      if (makes_truth(node)) return step(node) && call_truth(node, scope, out);
      break;
    default:
      break;
  }
  Sequence cells;
  return evaluate(node, scope, cells) && singleton_truth(cells.cells(), node, out);
}

// Three-valued logic. Source: FHIRPath 2.0.0, section 6.5.
bool Evaluator::chain_truth(const Node& node, const Scope& scope, Truth& out) {
  const auto operand = [&](std::size_t number, Truth& result) {
    const Block block(*this);
    return truth(*node.operands[number], scope, result);
  };
  if (node.op == Op::both || node.op == Op::either) {
    const Truth decisive = node.op == Op::both ? Truth::no : Truth::yes;
    Truth result = invert(decisive);
    for (std::size_t i = 0; i < node.operands.size(); ++i) {
      Truth next = Truth::unknown;
      if (!operand(i, next)) return false;
      if (next == decisive) {
        out = decisive;
        return true;
      }
      if (next == Truth::unknown) result = Truth::unknown;
    }
    out = result;
    return true;
  }
  Truth left = Truth::unknown;
  if (!operand(0, left)) return false;
  if (node.op == Op::implies && left == Truth::no) {
    out = Truth::yes;
    return true;
  }
  Truth right = Truth::unknown;
  if (!operand(1, right)) return false;
  if (node.op == Op::implies) {
    out = right == Truth::yes || left == Truth::yes ? right : Truth::unknown;
  } else {
    const bool is_known = left != Truth::unknown && right != Truth::unknown;
    out = is_known ? truth_of(left != right) : Truth::unknown;
  }
  return true;
}

bool Evaluator::call_truth(const Node& node, const Scope& scope, Truth& out) {
  if (node.function == Function::all) return all(node, scope, out);
  if (node.function == Function::not_ && node.input != nullptr) {
    Truth inner = Truth::unknown;
    if (!truth(*node.input, scope, inner)) return false;
    out = invert(inner);
    return true;
  }
  if (node.function == Function::exists && !node.operands.empty()) {
    Sequence found;
    if (!filter(node, scope, found)) return false;
    out = truth_of(!found.empty());
    return true;
  }
  Sequence input;
  if (!input_of(node, scope, input)) return false;
  switch (node.function) {
    case Function::exists:
      out = truth_of(!input.empty());
      return true;
    case Function::empty:
      out = truth_of(input.empty());
      return true;
    case Function::is:
      return type_test(node, input.cells(), out);
    case Function::not_:
      if (!singleton_truth(input.cells(), node, out)) return false;
      out = invert(out);
      return true;
    default: {  // hasValue()
      Cell value;
      out = truth_of(input.size() == 1 && system_value(input[0], value));
      return true;
    }
  }
}

bool Evaluator::external(const Node& node, Sequence& out) {
  const auto constant = [&](std::string_view text) { return push(node, out, string_cell(text)); };
  const auto resource = [&](json::Value value) { return !value || push(node, out, element_cell(value, {}, nullptr)); };
  const std::string_view name = node.name;
  for (const Variable& variable : variables_) {
    if (variable.name == name) return append(node, out, variable.cells.cells());
  }
  if (const auto found = environment_.variables.find(name); found != environment_.variables.end()) {
    for (const Item& item : found->second) {
      if (!push(node, out, cell_of(item))) return false;
    }
    return true;
  }
  if (name == "context") return push(node, out, context_);
  if (name == "resource") return resource(environment_.resource);
  if (name == "rootResource") {
    return resource(environment_.root_resource ? environment_.root_resource : environment_.resource);
  }
  if (name == "ucum") return constant("http://unitsofmeasure.org");
  if (name == "sct") return constant("http://snomed.info/sct");
  if (name == "loinc") return constant("http://loinc.org");
  if (name.starts_with("vs-")) {
    return push_text(node, ItemKind::string, fmt::format("http://hl7.org/fhir/ValueSet/{}", name.substr(3)), out);
  }
  if (name.starts_with("ext-")) {
    return push_text(node, ItemKind::string, fmt::format("http://hl7.org/fhir/StructureDefinition/{}", name.substr(4)),
                     out);
  }
  return fail_at(node, fmt::format("there is no variable %{}", name));
}

}  // namespace mydr24::path
