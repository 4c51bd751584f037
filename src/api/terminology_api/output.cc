#include "api/terminology_api/output.h"

#include <utility>

namespace mydr24::terminology_api {

void write_coding(json::Writer& writer, const terminology::Coding& coding) {
  writer.begin_object();
  const std::pair<std::string_view, const std::string&> members[] = {
      {"system", coding.system}, {"version", coding.version}, {"code", coding.code}, {"display", coding.display}};
  for (const auto& [name, value] : members) {
    if (!value.empty()) writer.field(name, value);
  }
  writer.end_object();
}

Output& Output::add(std::string_view name, std::string_view type, std::string_view value) {
  // Booleans, integers and decimals are written without quotes, exactly as they were read.
  const bool is_bare = type == "Boolean" || type == "Integer" || type == "Decimal";
  const std::string key = "value" + std::string(type);
  writer_.begin_object().field("name", name).key(key);
  if (is_bare) {
    writer_.raw(value);
  } else {
    writer_.string(value);
  }
  writer_.end_object();
  return *this;
}

Output& Output::add(std::string_view name, bool value) { return add(name, "Boolean", value ? "true" : "false"); }

Output& Output::add(std::string_view name, const terminology::Coding& coding) {
  writer_.begin_object().field("name", name).key("valueCoding");
  write_coding(writer_, coding);
  writer_.end_object();
  return *this;
}

Output& Output::begin(std::string_view name) {
  writer_.begin_object().field("name", name).key("part").begin_array();
  return *this;
}

Output& Output::end() {
  writer_.end_array().end_object();
  return *this;
}

std::string Output::finish() {
  writer_.end_array().end_object();
  return std::move(text_);
}

}  // namespace mydr24::terminology_api
