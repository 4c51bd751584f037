#pragma once

// The answer while it grows: fields in the order they were first met, with all values that came together under one name.
// Private to api/graphql.

#include <string>
#include <string_view>
#include <vector>

namespace mydr24::graphql {

struct Field;

struct Node {
  bool is_object = false;
  std::string text;  // JSON, unless it is an object
  std::vector<Field> fields;
};

struct Field {
  std::string key;
  bool is_list = false;
  std::vector<Node> values;
};

// The field of that name, added when it is new.
Field& field_of(Node& object, std::string_view key);

void print(std::string& out, const Node& node);

}  // namespace mydr24::graphql
