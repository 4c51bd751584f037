#pragma once

// What metrics and traces in OTLP have in common: fields of protobuf, attributes, resource and scope, both ways. Private to
// operations/series.

#include <string>
#include <string_view>

#include "base/json/writer.h"
#include "operations/series/detail/bytes.h"
#include "operations/series/otlp.h"

namespace mydr24::series {

inline void put_message(std::string& out, unsigned field, std::string_view message) {
  put_varint(out, field << 3U | 2U);
  put_text(out, message);
}
inline void put_fixed(std::string& out, unsigned field, std::uint64_t value) {
  put_varint(out, field << 3U | 1U);
  put_fixed64(out, value);
}
inline void put_number(std::string& out, unsigned field, std::uint64_t value) {
  put_varint(out, field << 3U);
  put_varint(out, value);
}

inline std::string attribute(std::string_view key, std::string_view value) {
  std::string text;
  put_message(text, 1, value);
  std::string out;
  put_message(out, 1, key);
  put_message(out, 2, text);
  return out;
}
inline std::string attribute(std::string_view key, std::int64_t value) {
  std::string number;
  put_number(number, 3, static_cast<std::uint64_t>(value));
  std::string out;
  put_message(out, 1, key);
  put_message(out, 2, number);
  return out;
}

// The message that holds all: field 1 of the request, of a resource and of its one scope, whose `items` are field 2.
inline std::string with_resource(const Resource& resource, std::string_view items) {
  std::string about;
  put_message(about, 1, attribute("service.name", resource.service));
  put_message(about, 1, attribute("service.version", resource.version));
  put_message(about, 1, attribute("service.instance.id", resource.instance));
  std::string scope;
  put_message(scope, 1, resource.service);
  put_message(scope, 2, resource.version);
  std::string of_scope;
  put_message(of_scope, 1, scope);
  of_scope += items;
  std::string of_resource;
  put_message(of_resource, 1, about);
  put_message(of_resource, 2, of_scope);
  std::string out;
  put_message(out, 1, of_resource);
  return out;
}

inline void write_attribute(json::Writer& writer, std::string_view key, std::string_view value) {
  writer.begin_object()
      .field("key", key)
      .key("value")
      .begin_object()
      .field("stringValue", value)
      .end_object()
      .end_object();
}
// A 64-bit number is a text in the JSON mapping.
inline void write_attribute(json::Writer& writer, std::string_view key, std::int64_t value) {
  writer.begin_object()
      .field("key", key)
      .key("value")
      .begin_object()
      .field("intValue", std::string_view(std::to_string(value)))
      .end_object()
      .end_object();
}
inline void write_time(json::Writer& writer, std::string_view name, std::uint64_t time) {
  writer.field(name, std::string_view(std::to_string(time)));
}

// The same message in JSON: the names of its three lists; `items` writes the members of the innermost.
template <class Items>
void write_with_resource(json::Writer& writer, const Resource& resource, std::string_view resource_list,
                         std::string_view scope_list, std::string_view item_list, const Items& items) {
  writer.begin_object().key(resource_list).begin_array().begin_object();
  writer.key("resource").begin_object().key("attributes").begin_array();
  write_attribute(writer, "service.name", std::string_view(resource.service));
  write_attribute(writer, "service.version", std::string_view(resource.version));
  write_attribute(writer, "service.instance.id", std::string_view(resource.instance));
  writer.end_array().end_object().key(scope_list).begin_array().begin_object();
  writer.key("scope").begin_object().field("name", std::string_view(resource.service));
  writer.field("version", std::string_view(resource.version)).end_object().key(item_list).begin_array();
  items();
  writer.end_array().end_object().end_array().end_object().end_array().end_object();
}

}  // namespace mydr24::series
