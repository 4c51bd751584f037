#include "api/graphql/detail/answer.h"

#include <algorithm>
#include <utility>

#include "base/json/writer.h"

namespace mydr24::graphql {

Field& field_of(Node& object, std::string_view key) {
  const auto known = std::ranges::find(object.fields, key, &Field::key);
  return known != object.fields.end() ? *known : object.fields.emplace_back(std::string(key));
}

void print(std::string& out, const Node& node) {
  if (!node.is_object) {
    out += node.text;
    return;
  }
  out += '{';
  for (const Field& field : node.fields) {
    if (out.back() != '{') out += ',';
    json::append_quoted(out, field.key);
    out += ':';
    if (field.is_list || field.values.size() > 1) {
      char before = '[';
      for (const Node& value : field.values) {
        out += std::exchange(before, ',');
        print(out, value);
      }
      out += field.values.empty() ? "[]" : "]";
    } else if (field.values.empty()) {
      out += "null";
    } else {
      print(out, field.values.front());
    }
  }
  out += '}';
}

}  // namespace mydr24::graphql
