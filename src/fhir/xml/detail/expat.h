#pragma once

// What reading and writing share of libexpat: a parser that frees itself, and the names it hands out. Private to
// fhir/xml. Source: expat.h.

#include <expat.h>

#include <memory>
#include <string_view>

namespace mydr24::xml {

inline constexpr std::string_view fhir_namespace = "http://hl7.org/fhir";
inline constexpr std::string_view xhtml_namespace = "http://www.w3.org/1999/xhtml";
inline constexpr std::string_view xml_namespace = "http://www.w3.org/XML/1998/namespace";
inline constexpr std::string_view schema_instance_namespace = "http://www.w3.org/2001/XMLSchema-instance";

struct FreeParser {
  void operator()(XML_Parser parser) const { XML_ParserFree(parser); }
};
using Parser = std::unique_ptr<XML_ParserStruct, FreeParser>;

inline constexpr char separator = '|';

// Whatever encoding the text declares, it is read as UTF-8, the only one that FHIR allows.
inline Parser make_parser() {
  Parser parser(XML_ParserCreateNS("UTF-8", separator));
  XML_SetReturnNSTriplet(parser.get(), 1);
  return parser;
}

// A name as libexpat gives it: "local", "uri|local" or "uri|local|prefix".
struct Name {
  std::string_view uri;
  std::string_view local;
  std::string_view prefix;
};

inline Name split(std::string_view name) {
  // A URI may hold the separator, the other two cannot; they hold no colon and no slash either.
  const auto last = name.rfind(separator);
  if (last == std::string_view::npos) return {{}, name, {}};
  const std::string_view front = name.substr(0, last), back = name.substr(last + 1);
  for (const auto uri : {fhir_namespace, xhtml_namespace, xml_namespace, schema_instance_namespace}) {
    if (front == uri) return {uri, back, {}};
    if (front.size() > uri.size() && front[uri.size()] == separator && front.starts_with(uri)) {
      return {uri, front.substr(uri.size() + 1), back};
    }
  }
  return {front, back, {}};
}

}  // namespace mydr24::xml
