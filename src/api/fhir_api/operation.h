#pragma once

// What operations share: their parameters, which come as a query string, as a Parameters resource, or as the resource
// itself.
// Source: FHIR R4, operations.html.

#include <optional>
#include <string>
#include <string_view>

#include "api/fhir_api/fhir_api.h"
#include "base/json/document.h"

namespace mydr24::fhir_api {

struct OperationInput {
  net::QueryParameters query;
  std::optional<json::Document> body;  // a Parameters resource, or another resource

  json::Value parameters() const;  // the Parameters resource; missing when the body is none
  // The resource the operation is about: the body itself, or the parameter "resource".
  json::Value resource() const;
  // The first value of that name, of the query or of the Parameters (any primitive value[x]); empty when absent.
  std::string text(std::string_view name) const;
  // Every value of that name, of both.
  std::vector<std::string> texts(std::string_view name) const;
};

// Reads them; nothing when the call has been answered already.
Task<std::optional<OperationInput>> take_input(pipeline::Call& call, std::size_t bytes_max);

// The primitive or complex value of one Parameters.parameter: its value[x], or its resource.
json::Value value_of(json::Value parameter);

void add_everything_routes(pipeline::Router& router, Service& service);
void add_graphql_routes(pipeline::Router& router, Service& service);
void add_last_routes(pipeline::Router& router, Service& service);
void add_meta_routes(pipeline::Router& router, Service& service);
void add_summary_routes(pipeline::Router& router, Service& service);
void add_terminology_routes(pipeline::Router& router, Service& service);
void add_validate_routes(pipeline::Router& router, Service& service);

}  // namespace mydr24::fhir_api
