#include "fhir/model/generator/profiles.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "base/json/writer.h"

namespace mydr24::generator {
namespace {

constexpr auto of_definition = std::to_array<std::string_view>(
    {"resourceType", "url", "version", "name", "kind", "abstract", "type", "baseDefinition", "derivation"});
// mapping, comment, requirements and the like are for readers.
constexpr auto of_element = std::to_array<std::string_view>(
    {"id", "path", "sliceName", "min", "max", "slicing", "contentReference", "type", "maxLength", "isModifier"});

// R4 says that it stands on ElementDefinition.type.code; its own definitions have it on ElementDefinition.type.
constexpr std::string_view used_elsewhere = "http://hl7.org/fhir/StructureDefinition/structuredefinition-fhir-type";

template <class Names>
void copy(json::Writer& out, json::Value from, const Names& names) {
  for (const auto name : names) {
    if (const auto value = from[name]; value.exists()) out.key(name).raw(json::compact(value));
  }
}

void write_element(json::Writer& out, json::Value element) {
  out.begin_object();
  copy(out, element, of_element);
  for (const auto member : element) {
    if (member.key().starts_with("fixed") || member.key().starts_with("pattern")) {
      out.key(member.key()).raw(json::compact(member));
    }
  }
  if (const auto binding = element["binding"]; binding.exists()) {
    out.key("binding").begin_object();
    copy(out, binding, std::to_array<std::string_view>({"strength", "valueSet"}));
    out.end_object();
  }
  if (const auto constraints = element["constraint"]; constraints.exists()) {
    out.key("constraint").begin_array();
    for (const auto one : constraints) {
      out.begin_object();
      copy(out, one, std::to_array<std::string_view>({"key", "severity", "human", "expression", "source"}));
      out.end_object();
    }
    out.end_array();
  }
  out.end_object();
}

void write_definition(json::Writer& out, json::Value definition) {
  out.begin_object();
  copy(out, definition, of_definition);
  if (const auto contexts = definition["context"]; contexts.exists() && definition["url"].text() != used_elsewhere) {
    out.key("context").begin_array();
    for (const auto one : contexts) {
      out.begin_object();
      copy(out, one, std::to_array<std::string_view>({"type", "expression"}));
      out.end_object();
    }
    out.end_array();
  }
  out.key("differential").begin_object().key("element").begin_array();
  for (const auto element : definition["differential"]["element"]) write_element(out, element);
  out.end_array().end_object().end_object();
}

}  // namespace

std::string profiles_source(std::initializer_list<const json::Document*> bundles) {
  std::string text;
  json::Writer out(text);
  out.begin_array();
  for (const auto* bundle : bundles) {
    for (const auto entry : bundle->root()["entry"]) {
      const auto definition = entry["resource"];
      if (definition["resourceType"].text() == "StructureDefinition" &&
          definition["url"].text().starts_with("http://hl7.org/fhir/StructureDefinition/")) {
        write_definition(out, definition);
      }
    }
  }
  out.end_array();

  // One literal, in pieces that compilers accept one by one; the whole is longer than the standard asks them to.
  constexpr std::size_t piece_bytes = 8'000;
  std::string source =
      "#pragma GCC diagnostic ignored \"-Woverlength-strings\"\n"
      "namespace mydr24::model::tables {\nstd::string_view profiles() {\n  return ";
  for (std::size_t at = 0; at < text.size(); at += piece_bytes) {
    source += fmt::format("R\"~~({})~~\"\n", std::string_view(text).substr(at, piece_bytes));
  }
  return source + ";\n}\n}\n";
}

}  // namespace mydr24::generator
