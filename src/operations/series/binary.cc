// Binary operators: of numbers, and of vectors whose elements are matched by their labels.

#include <fmt/format.h>

#include <cmath>

#include "operations/series/detail/evaluation.h"
#include "operations/series/detail/lexer.h"

namespace mydr24::series {
namespace {

double compute(Operator op, double a, double b) {
  switch (op) {
    case Operator::add:
      return a + b;
    case Operator::subtract:
      return a - b;
    case Operator::multiply:
      return a * b;
    case Operator::divide:
      return a / b;
    case Operator::modulo:
      return std::fmod(a, b);
    case Operator::power:
      return std::pow(a, b);
    case Operator::equal:
      return a == b ? 1 : 0;
    case Operator::not_equal:
      return a != b ? 1 : 0;
    case Operator::greater:
      return a > b ? 1 : 0;
    case Operator::less:
      return a < b ? 1 : 0;
    case Operator::greater_equal:
      return a >= b ? 1 : 0;
    case Operator::less_equal:
      return a <= b ? 1 : 0;
    case Operator::conjunction:
    case Operator::disjunction:
    case Operator::unless:
      break;
  }
  return 0;
}

}  // namespace

Result<Value> Evaluation::binary(const Node& node, Milliseconds time) {
  MYDR24_ASSIGN(const Value left, at(*node.children[0], time));
  MYDR24_ASSIGN(const Value right, at(*node.children[1], time));
  MYDR24_TRY(spend(left.vector.size() + right.vector.size()));
  const bool left_scalar = node.children[0]->type == Type::scalar;
  const bool right_scalar = node.children[1]->type == Type::scalar;
  if (left_scalar && right_scalar) return Value{.scalar = compute(node.op, left.scalar, right.scalar), .vector = {}};
  Value value;
  if (left_scalar || right_scalar) {
    MYDR24_ASSIGN(value, with_scalar(node, left, right));
  } else if (is_set(node.op)) {
    value = sets(node, left, right);
  } else {
    MYDR24_ASSIGN(value, match(node, left, right));
  }
  for (Element& each : value.vector) each.time = time;
  return value;
}

Result<Value> Evaluation::with_scalar(const Node& node, const Value& left, const Value& right) {
  const bool swapped = node.children[0]->type == Type::scalar;
  const Value& vector = swapped ? right : left;
  const double scalar = swapped ? left.scalar : right.scalar;
  const bool filters = is_comparison(node.op) && !node.returns_bool;
  Value value;
  for (const Element& each : vector.vector) {
    const double result = swapped ? compute(node.op, scalar, each.value) : compute(node.op, each.value, scalar);
    if (filters) {
      if (result != 0) value.vector.push_back(each);
    } else {
      value.vector.push_back({bare(node, each.labels), result, 0});
    }
  }
  if (!filters) MYDR24_TRY(check_unique(node, 0, value.vector));
  return value;
}

const Labels* Evaluation::signature(const Node& node, std::size_t side, const Labels* labels) {
  return map(node, 1 + side, labels,
             [&](const Labels& all) { return node.on ? only(all, node.labels) : without(all, node.labels); });
}

Value Evaluation::sets(const Node& node, const Value& left, const Value& right) {
  std::unordered_set<const Labels*> seen;
  const bool is_or = node.op == Operator::disjunction;
  for (const Element& each : is_or ? left.vector : right.vector)
    seen.insert(signature(node, is_or ? 0 : 1, each.labels));
  Value value;
  if (is_or) {
    value.vector = left.vector;
    for (const Element& each : right.vector)
      if (!seen.contains(signature(node, 1, each.labels))) value.vector.push_back(each);
    return value;
  }
  for (const Element& each : left.vector)
    if (seen.contains(signature(node, 0, each.labels)) == (node.op == Operator::conjunction))
      value.vector.push_back(each);
  return value;
}

// The labels of a match. A comparison that filters keeps the name.
const Labels* Evaluation::matched(const Node& node, const Labels* many, const Labels* one) {
  const bool keeps_name = is_comparison(node.op) && !node.returns_bool;
  const bool grouped = node.group != Node::Group::one_to_one;
  Mapping& mapping = included_[&node][node.include.empty() ? none_ : one];
  if (const auto found = mapping.made.find(many); found != mapping.made.end()) return found->second;
  Labels labels = *many;
  if (!grouped) {
    const std::string name(labels[name_label]);
    labels = node.on ? only(labels, node.labels) : without(labels, node.labels);
    if (!node.on) labels.set(name_label, name);
  }
  if (!keeps_name) labels.set(name_label, "");
  for (const std::string& name : node.include) labels.set(name, (*one)[name]);
  const Labels* made = interner_.intern(std::move(labels));
  mapping.made.emplace(many, made);
  return made;
}

Result<Value> Evaluation::match(const Node& node, const Value& left, const Value& right) {
  if (left.vector.empty() || right.vector.empty()) return Value{};  // nothing to match, and so nothing that is wrong
  const bool many_right = node.group == Node::Group::right;
  const std::size_t one_side = many_right ? 0 : 1;
  const auto& one = many_right ? left.vector : right.vector;
  const auto& many = many_right ? right.vector : left.vector;
  std::unordered_map<const Labels*, const Element*> by_signature;
  for (const Element& each : one) {
    const Labels* of = signature(node, one_side, each.labels);
    if (!by_signature.emplace(of, &each).second)
      return fault_at(node.column,
                      fmt::format("several series of the {} side match {}: many-to-many matching is not allowed",
                                  many_right ? "left" : "right", routing::to_text(*of)));
  }
  const bool filters = is_comparison(node.op) && !node.returns_bool;
  std::unordered_set<const Labels*> used;  // one to one: signatures; else the labels of the result
  Value value;
  for (const Element& each : many) {
    const Labels* of = signature(node, 1 - one_side, each.labels);
    const auto found = by_signature.find(of);
    if (found == by_signature.end()) continue;
    const double a = many_right ? found->second->value : each.value;
    const double b = many_right ? each.value : found->second->value;
    double result = compute(node.op, a, b);
    if (filters) {
      if (result == 0) continue;
      result = a;
    }
    const Labels* labels = matched(node, each.labels, found->second->labels);
    const bool grouped = node.group != Node::Group::one_to_one;
    if (!used.insert(grouped ? labels : of).second)
      return fault_at(
          node.column,
          grouped ? fmt::format("several matches would have the labels {}", routing::to_text(*labels))
                  : fmt::format("several series match {}: group_left or group_right is needed", routing::to_text(*of)));
    value.vector.push_back({labels, result, 0});
  }
  return value;
}

}  // namespace mydr24::series
