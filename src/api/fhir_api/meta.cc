// GET [base]/Type/id/$meta: profiles, tags and security labels of one resource.
// Source: FHIR R4, resource-operation-meta.html.

#include <fmt/format.h>

#include "api/fhir_api/operation.h"
#include "base/json/writer.h"

namespace mydr24::fhir_api {
namespace {

Answer meta(const Service& service, const std::string& type, const std::string& id) {
  std::optional<store::Version> version;
  const auto done = service.store().read([&](store::Reader& reader) -> Result<> {
    MYDR24_ASSIGN(version, reader.current(type, id));
    return {};
  });
  if (!done) return Answer::of(done.error());
  if (!version) return Answer::of(fail(Code::not_found, fmt::format("{}/{} does not exist", type, id)));
  if (version->body.empty()) return Answer::of(fail(Code::gone, fmt::format("{}/{} was deleted", type, id)));
  const auto text = records::render(*version);
  const auto document = json::Document::parse_view(text);
  if (!document) return Answer::of(document.error());
  Answer answer;
  json::Writer(answer.body)
      .begin_object()
      .field("resourceType", "Parameters")
      .key("parameter")
      .begin_array()
      .begin_object()
      .field("name", "return")
      .key("valueMeta")
      .raw(document->root()["meta"].raw())
      .end_object()
      .end_array()
      .end_object();
  return answer;
}

Task<> handle(Service& service, pipeline::Call& call) {
  if (!co_await acceptable(call)) co_return;
  const auto type = known_type(call.capture(0));
  const auto id = known_id(call.capture(1));
  if (!type || !id) {
    co_await send(call, Answer::of(!type ? type.error() : id.error()));
    co_return;
  }
  co_await send(call, meta(service, *type, *id));
}

}  // namespace

void add_meta_routes(pipeline::Router& router, Service& service) {
  router.add({net::Method::get, "/fhir/{type}/{id}/$meta", "$meta", RequestClass::routine,
              [&service](pipeline::Call& call) -> Task<> { co_await handle(service, call); }});
}

}  // namespace mydr24::fhir_api
