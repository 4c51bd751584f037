#pragma once

// A GraphQL document as a tree. Private to api/graphql.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/graphql/graphql.h"

namespace mydr24::graphql {

struct Position {
  std::size_t line = 1, column = 1;
};

Error fail_at(Position position, std::string text, Code code = Code::invalid);

enum class ValueKind : std::uint8_t { null, boolean, number, string, enumeration, list, object, variable };

struct Value {
  ValueKind kind = ValueKind::null;
  std::string text;                  // decoded; of a variable its name
  std::vector<Value> items;          // of a list, and the values of an object
  std::vector<std::string> members;  // of an object: the names that go with `items`
};

struct Argument {
  std::string name;
  Value value;
  Position position;
};

struct Directive {
  std::string name;
  std::vector<Argument> arguments;
  Position position;
};

enum class SelectionKind : std::uint8_t { field, spread, inline_fragment };

struct Selection {
  SelectionKind kind = SelectionKind::field;
  std::string name;   // of a field; of a spread, its fragment
  std::string alias;  // the field's name where none is given
  std::string on;     // of an inline fragment: the type; may be empty
  std::vector<Argument> arguments;
  std::vector<Directive> directives;
  std::vector<Selection> selections;
  Position position;
};

struct Fragment {
  std::string name;
  std::string on;
  std::vector<Selection> selections;
};

struct Variable {
  std::string name;
  bool required = false;  // its type ends in '!'
  bool has_default = false;
  Value default_value;
  Position position;
};

struct Operation {
  std::string name;
  std::vector<Variable> variables;
  std::vector<Selection> selections;
  Position position;
};

struct Tree {
  std::vector<Operation> operations;
  std::vector<Fragment> fragments;
};

Result<Tree> parse(std::string_view document, const Limits& limits);

}  // namespace mydr24::graphql
