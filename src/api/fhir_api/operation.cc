#include "api/fhir_api/operation.h"

namespace mydr24::fhir_api {

json::Value value_of(json::Value parameter) {
  for (const auto member : parameter) {
    if (member.key().starts_with("value") || member.key() == "resource") return member;
  }
  return {};
}

json::Value OperationInput::parameters() const {
  if (!body || body->root()["resourceType"].text() != "Parameters") return {};
  return body->root();
}

json::Value OperationInput::resource() const {
  if (!body) return {};
  const auto wrapped = parameters();
  if (!wrapped) return body->root();
  for (const auto parameter : wrapped["parameter"]) {
    if (parameter["name"].text() == "resource") return parameter["resource"];
  }
  return {};
}

std::vector<std::string> OperationInput::texts(std::string_view name) const {
  std::vector<std::string> values;
  for (const auto& [key, value] : query) {
    if (key == name) values.push_back(value);
  }
  for (const auto parameter : parameters()["parameter"]) {
    if (parameter["name"].text() == name) values.emplace_back(value_of(parameter).text());
  }
  return values;
}

std::string OperationInput::text(std::string_view name) const {
  const auto values = texts(name);
  return values.empty() ? std::string() : values.front();
}

Task<std::optional<OperationInput>> take_input(pipeline::Call& call, std::size_t bytes_max) {
  OperationInput input;
  auto parameters = net::parse_query(call.request().query);
  if (!parameters) {
    co_await send(call, Answer::of(fail(Code::invalid, "the query string is malformed: check its percent-encoding")));
    co_return std::nullopt;
  }
  input.query = std::move(*parameters);
  if (!call.request().has_body) co_return input;
  auto text = co_await take_resource(call, bytes_max);
  if (!text) co_return std::nullopt;
  auto document = json::Document::parse(std::move(*text));
  if (!document) {
    co_await send(call, Answer::of(document.error()));
    co_return std::nullopt;
  }
  input.body = std::move(*document);
  co_return input;
}

void add_operation_routes(pipeline::Router& router, Service& service) {
  add_everything_routes(router, service);
  add_graphql_routes(router, service);
  add_last_routes(router, service);
  add_meta_routes(router, service);
  if (service.summaries != nullptr) add_summary_routes(router, service);
  add_terminology_routes(router, service);
  add_validate_routes(router, service);
}

}  // namespace mydr24::fhir_api
