#pragma once

// The values of variables and arguments. Private to api/graphql.

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "api/graphql/detail/syntax.h"

namespace mydr24::graphql {

class Inputs {
 public:
  // Takes the operation's variables from the request, checked against their declarations.
  Result<void> read(const Operation& operation, json::Value variables);

  // The value with variables replaced by theirs; null for one that was not given.
  Result<Value> value(const Value& value, Position position) const;

  // The argument of that name; nothing when it is not given or null.
  Result<std::optional<Value>> argument(std::span<const Argument> arguments, std::string_view name) const;
  Result<std::optional<std::string>> text(std::span<const Argument> arguments, std::string_view name) const;
  Result<std::optional<bool>> boolean(std::span<const Argument> arguments, std::string_view name) const;
  Result<std::optional<std::size_t>> count(std::span<const Argument> arguments, std::string_view name) const;

  // The texts of a scalar or of a list of scalars.
  static Result<std::vector<std::string>> texts(const Value& value, Position position);

 private:
  std::map<std::string, Value, std::less<>> variables_;
};

// Code::invalid when there is an argument that is none of these.
Result<void> only(std::span<const Argument> arguments, std::span<const std::string_view> names);

}  // namespace mydr24::graphql
