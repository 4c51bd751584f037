#include "api/fhir_api/presentation.h"

#include <algorithm>

#include "base/json/document.h"
#include "base/json/writer.h"
#include "fhir/model/definitions.h"

namespace mydr24::fhir_api {
namespace {

using search::Summary;

// "_birthDate" belongs to "birthDate".
std::string_view element_name(std::string_view key) { return key.starts_with('_') ? key.substr(1) : key; }

void write_meta(json::Writer& out, json::Value meta) {
  out.key("meta").begin_object();
  for (const auto member : meta) {
    if (member.key() != "tag") out.key(member.key()).raw(member.raw());
  }
  out.key("tag").begin_array();
  for (const auto tag : meta["tag"]) out.raw(tag.raw());
  out.begin_object()
      .field("system", "http://terminology.hl7.org/CodeSystem/v3-ObservationValue")
      .field("code", "SUBSETTED")
      .end_object();
  out.end_array().end_object();
}

void write_summary(json::Writer& out, json::Value value, const model::Type* type) {
  if (value.is_array()) {
    out.begin_array();
    for (const auto item : value) write_summary(out, item, type);
    out.end_array();
  } else if (value.is_object() && type != nullptr && !type->elements.empty()) {
    out.begin_object();
    for (const auto member : value) {
      const auto* element = type->find(element_name(member.key()));
      if (element == nullptr || !element->summary) continue;
      out.key(member.key());
      write_summary(out, member, member.key().starts_with('_') ? nullptr : element->type);
    }
    out.end_object();
  } else {
    out.raw(value.raw());
  }
}

bool is_asked_for(const search::Query& query, std::string_view type, std::string_view name) {
  return std::ranges::any_of(query.elements, [&](std::string_view wanted) {
    if (wanted.starts_with(type) && wanted.substr(type.size()).starts_with('.')) wanted.remove_prefix(type.size() + 1);
    return wanted.substr(0, wanted.find('.')) == name;
  });
}

bool is_kept(const search::Query& query, const model::Type& type, const model::Element& element) {
  const auto name = element.choice.empty() ? element.name : element.choice;
  if (element.min > 0 || name == "id") return true;
  if (!query.elements.empty()) {
    return is_asked_for(query, type.name, name) || is_asked_for(query, type.name, element.name);
  }
  if (query.summary == Summary::text) return name == "text";
  if (query.summary == Summary::data) return name != "text";
  return element.summary;
}

}  // namespace

bool is_part(const search::Query& query) {
  return !query.elements.empty() || query.summary == Summary::yes || query.summary == Summary::text ||
         query.summary == Summary::data;
}

std::string part_of(std::string_view resource, const search::Query& query) {
  const auto document = json::Document::parse_view(resource);
  if (!document) return std::string(resource);
  const auto root = document->root();
  const auto* type = model::find_resource(root["resourceType"].text());
  if (type == nullptr) return std::string(resource);
  std::string text;
  json::Writer out(text);
  const bool summary = query.elements.empty() && query.summary == Summary::yes;
  out.begin_object().field("resourceType", type->name);
  for (const auto member : root) {
    if (member.key() == "resourceType") continue;
    if (member.key() == "meta") {
      write_meta(out, member);
      continue;
    }
    const auto* element = type->find(element_name(member.key()));
    if (element == nullptr || !is_kept(query, *type, *element)) continue;
    out.key(member.key());
    if (summary) {
      write_summary(out, member, member.key().starts_with('_') ? nullptr : element->type);
    } else {
      out.raw(member.raw());
    }
  }
  if (!root["meta"]) write_meta(out, {});
  out.end_object();
  return text;
}

}  // namespace mydr24::fhir_api
