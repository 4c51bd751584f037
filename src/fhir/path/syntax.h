#pragma once

// The program that an expression becomes: a tree of nodes with everything decided that does not depend on the data.
// Immutable once parsed. Private to fhir/path.

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fhir/path/cell.h"
#include "fhir/path/regex.h"
#include "fhir/path/type_name.h"

namespace mydr24::path {

enum class Op : std::uint8_t {
  literal,
  nothing,   // {}
  focus,     // $this
  index,     // $index
  total,     // $total
  external,  // %name
  member,    // input.name
  call,      // input.name(arguments)
  at,        // input[index]
  negate,
  keep_sign,
  multiply,
  divide,
  int_divide,
  modulo,
  add,
  subtract,
  concatenate,
  unite,  // |, of two or more
  less,
  less_or_equal,
  greater,
  greater_or_equal,
  equal,
  not_equal,
  equivalent,
  not_equivalent,
  in,
  contains,
  both,    // and, of two or more
  either,  // or, of two or more
  exclusive,
  implies,
  is,
  as,
};

enum class Function : std::uint8_t {
  // existence and collections
  empty,
  exists,
  all,
  all_true,
  any_true,
  all_false,
  any_false,
  subset_of,
  superset_of,
  count,
  distinct,
  is_distinct,
  where,
  select,
  repeat,
  of_type,
  single,
  first,
  last,
  tail,
  skip,
  take,
  intersect,
  exclude,
  unite,
  combine,
  iif,
  children,
  descendants,
  trace,
  aggregate,
  sort,
  define_variable,
  not_,
  is,
  as,
  type,
  coalesce,
  // conversion
  to_boolean,
  to_integer,
  to_decimal,
  to_string,
  to_date,
  to_date_time,
  to_time,
  to_quantity,
  converts_to_boolean,
  converts_to_integer,
  converts_to_decimal,
  converts_to_string,
  converts_to_date,
  converts_to_date_time,
  converts_to_time,
  converts_to_quantity,
  // strings
  index_of,
  last_index_of,
  substring,
  starts_with,
  ends_with,
  contains,
  upper,
  lower,
  replace,
  matches,
  matches_full,
  replace_matches,
  length,
  to_chars,
  encode,
  decode,
  escape,
  unescape,
  trim,
  split,
  join,
  // numbers
  abs,
  ceiling,
  exp,
  floor,
  ln,
  log,
  power,
  round,
  sqrt,
  truncate,
  // dates and boundaries
  now,
  today,
  time_of_day,
  low_boundary,
  high_boundary,
  precision,
  comparable,
  // FHIR
  extension,
  has_value,
  get_value,
  resolve,
  memberof,
  conforms_to,
  html_checks,
  element_definition,
  slice,
  check_modifiers,
  subsumes,
  subsumed_by,
};

struct FunctionEntry {
  std::string_view name;
  Function function;
  std::uint8_t arguments_min;
  std::uint8_t arguments_max;
};
// nullptr when there is no such function.
const FunctionEntry* find_function(std::string_view name);

struct Node {
  Op op = Op::nothing;
  Function function = Function::empty;
  bool typed_reference = false;  // of resolve(): only the type of what it finds is asked for
  std::uint32_t offset = 0;      // in the text
  std::uint32_t depth = 1;
  const Node* input = nullptr;  // of member, call and at: nullptr when it begins at $this
  std::vector<const Node*> operands;
  std::string name;  // of member, call and external
  Cell literal;
  TypeName type;                       // of is, as and ofType
  std::string_view root;               // of a member without input: the type that its name may be
  std::unique_ptr<const Regex> regex;  // of matches and the like with a literal pattern
};

struct Syntax {
  std::string text;
  std::deque<Node> nodes;
  std::deque<std::string> strings;  // literals, unescaped
  const Node* root = nullptr;
};

// Code::invalid with line and column; Code::too_large beyond expression_bytes_max and expression_depth_max.
Result<std::unique_ptr<Syntax>> parse(std::string_view text);

// "line 1, column 5" of the byte at `offset`.
std::string place_of(std::string_view text, std::size_t offset);

}  // namespace mydr24::path
