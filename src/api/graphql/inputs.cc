#include "api/graphql/detail/inputs.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace mydr24::graphql {
namespace {

Value from_json(json::Value json) {
  Value value{.text = std::string(json.text())};
  switch (json.exists() ? json.kind() : json::Kind::null) {
    case json::Kind::null:
      value.kind = ValueKind::null;
      break;
    case json::Kind::boolean:
      value.kind = ValueKind::boolean;
      break;
    case json::Kind::number:
      value.kind = ValueKind::number;
      break;
    case json::Kind::string:
      value.kind = ValueKind::string;
      break;
    case json::Kind::array:
    case json::Kind::object:
      value.kind = json.is_array() ? ValueKind::list : ValueKind::object;
      for (const json::Value inner : json) {
        if (json.is_object()) value.members.emplace_back(inner.key());
        value.items.push_back(from_json(inner));
      }
      break;
  }
  return value;
}

}  // namespace

Result<void> Inputs::read(const Operation& operation, json::Value variables) {
  if (variables && !variables.is_object() && !variables.is_null()) {
    return fail(Code::invalid, "the variables must be an object", "variables");
  }
  for (const Variable& variable : operation.variables) {
    const auto given = variables[variable.name];
    Value value = given ? from_json(given) : variable.default_value;
    if (variable.required && value.kind == ValueKind::null) {
      return fail_at(variable.position, fmt::format("the variable '${}' must be given", variable.name));
    }
    variables_.emplace(variable.name, std::move(value));
  }
  return {};
}

Result<Value> Inputs::value(const Value& value, Position position) const {
  if (value.kind == ValueKind::variable) {
    const auto found = variables_.find(value.text);
    if (found == variables_.end()) {
      return fail_at(position, fmt::format("the variable '${}' is not declared", value.text));
    }
    return found->second;
  }
  Value copy = value;
  for (Value& inner : copy.items) {
    MYDR24_ASSIGN(inner, this->value(inner, position));
  }
  return copy;
}

Result<std::optional<Value>> Inputs::argument(std::span<const Argument> arguments, std::string_view name) const {
  const auto found = std::ranges::find(arguments, name, &Argument::name);
  if (found == arguments.end()) return std::optional<Value>();
  MYDR24_ASSIGN(Value given, value(found->value, found->position));
  if (given.kind == ValueKind::null) return std::optional<Value>();
  return std::optional(std::move(given));
}

Result<std::optional<std::string>> Inputs::text(std::span<const Argument> arguments, std::string_view name) const {
  MYDR24_ASSIGN(auto given, argument(arguments, name));
  if (!given) return std::optional<std::string>();
  const Position position = std::ranges::find(arguments, name, &Argument::name)->position;
  if (given->kind == ValueKind::list || given->kind == ValueKind::object) {
    return fail_at(position, fmt::format("'{}' must be one value", name));
  }
  return std::optional(std::move(given->text));
}

Result<std::optional<bool>> Inputs::boolean(std::span<const Argument> arguments, std::string_view name) const {
  MYDR24_ASSIGN(const auto given, argument(arguments, name));
  if (!given) return std::optional<bool>();
  if (given->kind != ValueKind::boolean) {
    return fail_at(std::ranges::find(arguments, name, &Argument::name)->position,
                   fmt::format("'{}' must be true or false", name));
  }
  return std::optional(given->text == "true");
}

Result<std::optional<std::size_t>> Inputs::count(std::span<const Argument> arguments, std::string_view name) const {
  MYDR24_ASSIGN(const auto given, text(arguments, name));
  if (!given) return std::optional<std::size_t>();
  std::size_t number = 0;
  const char* const end = given->data() + given->size();
  if (const auto [stop, error] = std::from_chars(given->data(), end, number); error != std::errc() || stop != end) {
    return fail_at(std::ranges::find(arguments, name, &Argument::name)->position,
                   fmt::format("'{}' must be a whole number, 0 or more", name));
  }
  return std::optional(number);
}

Result<std::vector<std::string>> Inputs::texts(const Value& value, Position position) {
  std::vector<std::string> texts;
  if (value.kind != ValueKind::list && value.kind != ValueKind::object) {
    texts.push_back(value.text);
    return texts;
  }
  for (const Value& inner : value.items) {
    if (value.kind == ValueKind::object || inner.kind == ValueKind::list || inner.kind == ValueKind::object) {
      return fail_at(position, "one value, or a list of values, must stand here");
    }
    texts.push_back(inner.text);
  }
  return texts;
}

Result<void> only(std::span<const Argument> arguments, std::span<const std::string_view> names) {
  for (const Argument& argument : arguments) {
    if (std::ranges::find(names, argument.name) == names.end()) {
      return fail_at(argument.position, fmt::format("unknown argument '{}'", argument.name.substr(0, 64)));
    }
  }
  return {};
}

}  // namespace mydr24::graphql
