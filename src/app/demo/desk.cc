#include "app/demo/desk.h"

#include <fmt/format.h>

#include "base/json/writer.h"

namespace mydr24::demo {
namespace {

Code code_of(int status) {
  switch (status) {
    case 404:
      return Code::not_found;
    case 409:
    case 412:
      return Code::conflict;
    case 429:
    case 503:
      return Code::busy;
    default:
      return Code::invalid;
  }
}

}  // namespace

Result<json::Document> Desk::get(const std::string& path) { return read(http_.get(path), path); }

Result<json::Document> Desk::post(const std::string& path, std::string_view body) {
  return read(http_.send("POST", path, body, "Content-Type: application/json\r\n"), path);
}

Result<json::Document> Desk::read(const Result<load::Reply>& reply, const std::string& path) {
  if (!reply) return reply.error();
  if (reply->status >= 400)
    return fail(code_of(reply->status), fmt::format("{} {}", reply->status, reply->body.substr(0, 500)), path);
  return json::Document::parse(reply->body.empty() ? "{}" : reply->body);
}

std::string body_by(std::string_view by, std::string_view name, std::string_view text) {
  std::string body;
  json::Writer writer(body);
  writer.begin_object().field("by", by);
  if (!name.empty()) writer.field(name, text);
  writer.end_object();
  return body;
}

}  // namespace mydr24::demo
