#pragma once

// Writes a Parameters resource.

#include <string>
#include <string_view>

#include "base/json/writer.h"
#include "fhir/terminology/terminology.h"

namespace mydr24::terminology_api {

class Output {
 public:
  Output() : writer_(text_) {
    writer_.begin_object().field("resourceType", "Parameters").key("parameter").begin_array();
  }

  // `type` is the end of value[x] as it is written: "String", "Code", "Boolean".
  Output& add(std::string_view name, std::string_view type, std::string_view value);
  Output& add(std::string_view name, bool value);
  Output& add(std::string_view name, const terminology::Coding& coding);
  // A parameter that has parts: what is added until end() are its parts.
  Output& begin(std::string_view name);
  Output& end();
  std::string finish();

 private:
  std::string text_;
  json::Writer writer_;
};

// Writes a Coding without what is empty, as an object.
void write_coding(json::Writer& writer, const terminology::Coding& coding);

}  // namespace mydr24::terminology_api
