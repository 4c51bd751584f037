#include "api/rights_api/rights_api.h"

namespace mydr24::rights_api {

constexpr std::size_t body_bytes_max = 64U << 10;

Task<> send_json(pipeline::Call& call, int status, std::string body) {
  net::Response response{.status = status, .content_type = "application/json"};
  response.headers.emplace_back("Cache-Control", "no-store");
  response.body = std::move(body);
  co_await call.respond(std::move(response));
}

Task<Result<json::Document>> take_object(pipeline::Call& call) {
  auto body = co_await call.exchange().read_body(body_bytes_max);
  if (!body) co_return body.error();
  auto document =
      json::Document::parse(std::move(*body), {.bytes_max = body_bytes_max, .depth_max = 8, .values_max = 100});
  if (!document) co_return document.error();
  if (!document->root().is_object()) co_return fail(Code::invalid, "send a JSON object");
  co_return std::move(*document);
}

void add_routes(pipeline::Router& router, Service& service) {
  add_export_routes(router, service);
  add_erasure_routes(router, service);
  add_breach_routes(router, service);
  router.add({net::Method::get, "/api/v1/compliance/processing-record", "processing-record", RequestClass::routine,
              [&service](pipeline::Call& call) -> Task<> {
                auto record = co_await service.trail.fhir.workers.run(call.request_class(),
                                                                      [&] { return service.processing_record(); });
                if (!record) {
                  co_await call.respond(record.error());
                } else {
                  co_await send_json(call, 200, std::move(*record));
                }
              },
              admission::Cost::by_method, "The record of processing activities (GDPR 30)"});
}

}  // namespace mydr24::rights_api
