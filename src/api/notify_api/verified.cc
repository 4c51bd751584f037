#include "api/notify_api/verified.h"

#include "base/json/document.h"
#include "base/json/writer.h"

namespace mydr24::notify_api {
namespace {

bool is_meant(json::Value method, const notify::Address& address) {
  return method["kind"].text() == to_string(address.kind) && method["target"].text() == address.target &&
         !method["verified"].is_true();
}

void write_verified(json::Writer& out, json::Value method) {
  out.begin_object();
  for (const json::Value member : method)
    if (member.key() != "verified") out.key(member.key()).raw(member.raw());
  out.field("verified", true).end_object();
}

}  // namespace

std::optional<std::string> with_verified(std::string_view document, const notify::Address& address) {
  const auto parsed = json::Document::parse_view(document);
  if (!parsed) return std::nullopt;
  bool is_changed = false;
  std::string text;
  json::Writer out(text);
  out.begin_object();
  for (const json::Value member : parsed->root()) {
    out.key(member.key());
    if (member.key() != "methods" || !member.is_array()) {
      out.raw(member.raw());
      continue;
    }
    out.begin_array();
    for (const json::Value method : member) {
      if (is_meant(method, address)) {
        is_changed = true;
        write_verified(out, method);
      } else {
        out.raw(method.raw());
      }
    }
    out.end_array();
  }
  out.end_object();
  if (!is_changed) return std::nullopt;
  return text;
}

}  // namespace mydr24::notify_api
