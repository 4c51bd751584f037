#include "api/pipeline/json_body.h"

namespace mydr24::pipeline {

Task<> send_json(Call& call, int status, std::string body) {
  net::Response response{.status = status, .content_type = "application/json"};
  response.headers.emplace_back("Cache-Control", "no-store");
  response.body = std::move(body);
  co_await call.respond(std::move(response));
}

Task<Result<json::Document>> take_object(Call& call, std::size_t bytes_max) {
  auto body = co_await call.exchange().read_body(bytes_max);
  if (!body) co_return body.error();
  auto document = json::Document::parse(std::move(*body), {.bytes_max = bytes_max, .depth_max = 8, .values_max = 100});
  if (!document) co_return document.error();
  if (!document->root().is_object()) co_return fail(Code::invalid, "send a JSON object");
  co_return std::move(*document);
}

}  // namespace mydr24::pipeline
