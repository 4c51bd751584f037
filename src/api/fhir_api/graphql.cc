// GET or POST [base]/$graphql and [base]/Type/id/$graphql.
// Source: FHIR R4, graphql.html; GraphQL over HTTP for the form of the body.

#include "api/graphql/graphql.h"

#include <fmt/format.h>

#include "api/fhir_api/operation.h"

namespace mydr24::fhir_api {
namespace {

constexpr std::size_t query_bytes_max = 256U << 10;

class StoreData final : public graphql::Data {
 public:
  StoreData(const Service& service, access::Access& access, store::Reader& reader, const std::string& fhir_base)
      : service_(service), access_(access), reader_(reader), fhir_base_(fhir_base) {}

  Result<std::optional<std::string>> read(std::string_view type, std::string_view id) override {
    MYDR24_ASSIGN(const auto version, reader_.current(type, id));
    if (!version || version->body.empty()) return std::optional<std::string>();
    return std::optional(records::render(*version));
  }

  Result<graphql::Page> search(std::string_view type, std::span<const graphql::SearchParameter> parameters) override {
    net::QueryParameters decoded;
    for (const auto& parameter : parameters) decoded.emplace_back(parameter.name, parameter.value);
    const auto query = parse(service_, access_, type, decoded, false, fhir_base_);
    if (!query) {
      const auto& issue = query.error().issues.front();
      return fail(Code::invalid, issue.diagnostics, issue.expression);
    }
    MYDR24_ASSIGN(const auto found, reader_.search(*query));
    graphql::Page page;
    for (const auto& match : found.matches) page.matches.push_back({.resource = records::render(match), .score = {}});
    if (found.total) page.total = static_cast<std::size_t>(*found.total);
    page.next = found.next_cursor;
    return page;
  }

 private:
  const Service& service_;
  access::Access& access_;
  store::Reader& reader_;
  const std::string& fhir_base_;
};

struct Asked {
  std::string document;
  std::string operation;
  json::Document variables;
};

Result<Asked> read_request(const net::Request& request, std::string body) {
  Asked asked;
  if (request.method == net::Method::get) {
    const auto parameters = net::parse_query(request.query);
    if (!parameters) return fail(Code::invalid, "the query string is malformed: check its percent-encoding");
    std::string variables;
    for (const auto& [name, value] : *parameters) {
      if (name == "query") asked.document = value;
      if (name == "operationName") asked.operation = value;
      if (name == "variables") variables = value;
    }
    if (!variables.empty()) {
      MYDR24_ASSIGN(asked.variables, json::Document::parse(std::move(variables)));
    }
  } else if (request.header("Content-Type").starts_with("application/graphql")) {
    asked.document = std::move(body);
  } else {
    MYDR24_ASSIGN(asked.variables, json::Document::parse(std::move(body)));
    asked.document = asked.variables.root()["query"].text();
    asked.operation = asked.variables.root()["operationName"].text();
  }
  if (asked.document.empty()) return fail(Code::invalid, "there is no GraphQL document: give \"query\"", "query");
  return asked;
}

Answer run(const Service& service, access::Access& access, const Asked& asked, bool wrapped, const std::string& type,
           const std::string& id, const std::string& fhir_base, const std::atomic<bool>& cancelled) {
  Answer answer;
  const auto done = access.read(
      service.store(),
      [&](store::Reader& reader) -> Result<> {
        StoreData data(service, access, reader, fhir_base);
        json::Document resource;
        if (!type.empty()) {
          MYDR24_ASSIGN(auto text, data.read(type, id));
          if (!text) return fail(Code::not_found, fmt::format("{}/{} does not exist", type, id));
          MYDR24_ASSIGN(resource, json::Document::parse(std::move(*text)));
        }
        const auto variables = wrapped ? asked.variables.root()["variables"] : asked.variables.root();
        MYDR24_ASSIGN(answer.body, graphql::execute({.document = asked.document,
                                                     .variables = variables.is_object() ? variables : json::Value(),
                                                     .operation = asked.operation,
                                                     .resource = resource.root(),
                                                     .now = service.clock.now()},
                                                    data));
        return {};
      },
      {.time_max = service.settings.search_time_max, .cancelled = &cancelled}, 0);
  return done ? answer : Answer::of(done.error());
}

Task<> handle(Service& service, pipeline::Call& call, bool on_instance) {
  const auto& request = call.request();
  std::string type, id;
  if (on_instance) {
    auto known = known_type(call.capture(0));
    if (!known) {
      co_await send(call, Answer::of(known.error()));
      co_return;
    }
    type = std::move(*known);
    id = call.capture(1);
  }
  std::string body;
  if (request.method == net::Method::post) {
    auto taken = co_await take_body(call, {"application/json", "application/graphql"}, query_bytes_max);
    if (!taken) co_return;
    body = std::move(*taken);
  }
  const bool wrapped =
      request.method == net::Method::post && !request.header("Content-Type").starts_with("application/graphql");
  const auto asked = read_request(request, std::move(body));
  if (!asked) {
    co_await send(call, Answer::of(asked.error()));
    co_return;
  }
  const auto base = call.fhir_base();
  auto answer = co_await run_watched(service, call, [&](const std::atomic<bool>& cancelled) {
    return run(service, call.access(), *asked, wrapped, type, id, base, cancelled);
  });
  if (answer.is_outcome) {
    co_await send(call, std::move(answer));
    co_return;
  }
  net::Response response;
  response.content_type = "application/json; charset=utf-8";
  response.body = std::move(answer.body);
  co_await call.respond(std::move(response));
}

}  // namespace

void add_graphql_routes(pipeline::Router& router, Service& service) {
  for (const auto method : {net::Method::get, net::Method::post}) {
    router.add({method, "/fhir/$graphql", "$graphql", RequestClass::routine,
                [&service](pipeline::Call& call) -> Task<> { co_await handle(service, call, false); }});
    router.add({method, "/fhir/{type}/{id}/$graphql", "$graphql", RequestClass::routine,
                [&service](pipeline::Call& call) -> Task<> { co_await handle(service, call, true); }});
  }
}

}  // namespace mydr24::fhir_api
