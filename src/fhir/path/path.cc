#include "fhir/path/path.h"

#include <fmt/format.h>

#include <utility>

#include "fhir/path/check.h"
#include "fhir/path/evaluator.h"

namespace mydr24::path {

struct Expression::Program {
  std::unique_ptr<const Syntax> syntax;
};

Expression::Expression() = default;
Expression::~Expression() = default;
Expression::Expression(Expression&&) noexcept = default;
Expression& Expression::operator=(Expression&&) noexcept = default;

Result<Expression> Expression::compile(std::string_view text, const model::Type* context) {
  MYDR24_ASSIGN(auto syntax, parse(text));
  if (context != nullptr) MYDR24_TRY(check(*syntax, *context));
  Expression expression;
  expression.program_ = std::make_shared<const Program>(std::move(syntax));
  return expression;
}

std::string_view Expression::text() const { return program_ ? program_->syntax->text : std::string_view(); }

Result<Collection> Expression::evaluate(json::Value resource, const Environment& environment) const {
  return evaluate(item_of(resource), environment);
}

Result<Collection> Expression::evaluate(const Item& focus, const Environment& environment) const {
  if (!program_) return fail(Code::internal, "an empty expression was evaluated");
  const Cell cell = cell_of(focus);
  const bool has_focus = !cell.is_element() || cell.value || cell.extended;
  Evaluator evaluator(*program_->syntax, environment, cell);
  Sequence found;
  const Scope scope{std::span(&cell, has_focus ? 1U : 0U), -1, {}};
  if (!evaluator.evaluate(*program_->syntax->root, scope, found)) return evaluator.take_error();
  Collection result;
  result.reserve(found.size());
  for (const Cell& one : found) result.push_back(item_from(one));
  return result;
}

Result<bool> Expression::holds(const Item& focus, const Environment& environment) const {
  if (!program_) return fail(Code::internal, "an empty expression was evaluated");
  const Cell cell = cell_of(focus);
  Evaluator evaluator(*program_->syntax, environment, cell);
  Truth truth = Truth::unknown;
  if (!evaluator.truth(*program_->syntax->root, {std::span(&cell, 1), -1, {}}, truth)) return evaluator.take_error();
  return truth != Truth::no;
}

Item item_of(json::Value resource) { return item_of(resource, {}, nullptr); }

Item item_of(json::Value value, json::Value extended, const model::Type* type) {
  return item_from(element_cell(value, extended, type));
}

std::string type_name(const Item& item) {
  return fmt::format("{}.{}", item.kind == ItemKind::element ? "FHIR" : "System", type_name_of(cell_of(item)));
}

std::string_view text_of(const Item& item) {
  return item.kind == ItemKind::element ? item.value.text() : std::string_view(item.text);
}

}  // namespace mydr24::path
