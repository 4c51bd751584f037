// The terminology operations on [base]/ValueSet, [base]/CodeSystem and [base]/ConceptMap: their HTTP face.

#include <fmt/format.h>

#include <array>

#include "api/fhir_api/operation.h"
#include "api/terminology_api/operations.h"

namespace mydr24::fhir_api {
namespace {

// The text of the resource whose operation is asked for; empty on the level of the type.
Result<std::string> instance_of(const Service& service, access::Access& access, const std::string& type,
                                const std::string& id) {
  if (id.empty()) return std::string();
  std::optional<store::Version> version;
  MYDR24_TRY(access.read(service.store(), [&](store::Reader& reader) -> Result<> {
    MYDR24_ASSIGN(version, reader.current(type, id));
    return {};
  }));
  if (!version) return fail(Code::not_found, fmt::format("{}/{} does not exist", type, id));
  if (version->body.empty()) return fail(Code::gone, fmt::format("{}/{} was deleted", type, id));
  return records::render(*version);
}

Answer run(const Service& service, access::Access& access, const OperationInput& input, const std::string& type,
           const std::string& id, const std::string& operation) {
  const auto definitions = service.records.definitions();
  if (definitions->terminology == nullptr) {
    return Answer::of(fail(Code::unsupported, "this server has no terminology"));
  }
  const auto text = instance_of(service, access, type, id);
  if (!text) return Answer::of(text.error());
  json::Document document;
  if (!text->empty()) {
    auto parsed = json::Document::parse_view(*text);
    if (!parsed) return Answer::of(parsed.error());
    document = std::move(*parsed);
  }
  auto query = input.query;
  std::erase_if(query,
                [](const auto& parameter) { return parameter.first == "_format" || parameter.first == "_pretty"; });
  auto result = terminology_api::run(*definitions->terminology, {.type = type,
                                                                 .operation = operation,
                                                                 .instance = document.root(),
                                                                 .query = query,
                                                                 .parameters = input.parameters(),
                                                                 .now = service.clock.now()});
  if (!result) return Answer::of(result.error());
  Answer answer;
  answer.body = std::move(*result);
  return answer;
}

Task<> handle(Service& service, pipeline::Call& call, std::string type, std::string operation, bool on_instance) {
  if (!co_await acceptable(call)) co_return;
  auto input = co_await take_input(call, service.settings.body_bytes_max);
  if (!input) co_return;
  const std::string id(on_instance ? call.capture(0) : std::string_view());
  auto answer = co_await service.workers.run(call.request_class(),
                                             [&] { return run(service, call.access(), *input, type, id, operation); });
  co_await send(call, std::move(answer));
}

}  // namespace

void add_terminology_routes(pipeline::Router& router, Service& service) {
  constexpr std::array types{"ValueSet", "CodeSystem", "ConceptMap"};
  constexpr std::array operations{"$expand", "$validate-code", "$lookup", "$subsumes", "$translate"};
  for (const std::string type : types) {
    for (const std::string operation : operations) {
      for (const bool on_instance : {false, true}) {
        if (!terminology_api::has_operation(type, operation, on_instance)) continue;
        for (const auto method : {net::Method::get, net::Method::post}) {
          router.add({method, fmt::format("/fhir/{}/{}{}", type, on_instance ? "{id}/" : "", operation), operation,
                      RequestClass::routine, [&service, type, operation, on_instance](pipeline::Call& call) -> Task<> {
                        co_await handle(service, call, type, operation, on_instance);
                      }});
        }
      }
    }
  }
}

}  // namespace mydr24::fhir_api
