#include "api/fhir_api/meta_edit.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <vector>

#include "base/json/writer.h"

namespace mydr24::fhir_api {
namespace {

constexpr auto lists = std::to_array<std::string_view>({"profile", "security", "tag"});

bool is_same(json::Value a, json::Value b) {
  if (a.is_string() || b.is_string()) return a.is_string() && b.is_string() && a.text() == b.text();
  return a["system"].text() == b["system"].text() && a["code"].text() == b["code"].text();
}

bool holds(json::Value list, json::Value item) {
  return std::ranges::any_of(list, [&](json::Value one) { return is_same(one, item); });
}

std::vector<std::string> edited(json::Value there, json::Value by, MetaEdit edit) {
  std::vector<std::string> items;
  for (const auto item : there) {
    if (edit == MetaEdit::add || !holds(by, item)) items.push_back(json::compact(item));
  }
  if (edit == MetaEdit::add) {
    for (const auto item : by) {
      if (holds(there, item)) continue;
      auto text = json::compact(item);
      if (std::ranges::find(items, text) == items.end()) items.push_back(std::move(text));
    }
  }
  return items;
}

void write_meta(json::Writer& out, json::Value meta, json::Value by, MetaEdit edit) {
  const auto write_list = [&](std::string_view name) {
    const auto items = edited(meta[name], by[name], edit);
    if (items.empty()) return;
    out.key(name).begin_array();
    for (const auto& item : items) out.raw(item);
    out.end_array();
  };
  out.begin_object();
  for (const auto member : meta) {
    if (std::ranges::find(lists, member.key()) == lists.end()) {
      out.key(member.key()).raw(member.raw());
    } else {
      write_list(member.key());
    }
  }
  for (const auto name : lists) {
    if (!meta[name]) write_list(name);
  }
  out.end_object();
}

}  // namespace

std::string with_edited_meta(json::Value resource, json::Value by, MetaEdit edit) {
  std::string text;
  json::Writer out(text);
  out.begin_object();
  // In its place, so that what changes nothing is no new version.
  for (const auto member : resource) {
    out.key(member.key());
    if (member.key() == "meta") {
      write_meta(out, member, by, edit);
    } else {
      out.raw(member.raw());
    }
  }
  if (!resource["meta"]) {
    out.key("meta");
    write_meta(out, {}, by, edit);
  }
  out.end_object();
  return text;
}

}  // namespace mydr24::fhir_api
