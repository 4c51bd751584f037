// GET [base]/Type?... and POST [base]/Type/_search.

#include <fmt/format.h>

#include "api/fhir_api/bundle_writer.h"
#include "api/fhir_api/fhir_api.h"

namespace mydr24::fhir_api {
namespace {

constexpr std::size_t form_bytes_max = 256U << 10;

std::string page_link(const search::Query& query, const std::string& fhir_base, std::string_view cursor) {
  auto url = fmt::format("{}/{}", fhir_base, query.type);
  char separator = '?';
  for (const auto& [name, value] : query.processed) {
    url += separator;
    url += net::percent_encode(name);
    url += '=';
    url += net::percent_encode(value);
    separator = '&';
  }
  if (!cursor.empty()) url += fmt::format("{}_cursor={}", separator, net::percent_encode(cursor));
  return url;
}

Task<> handle_search(Service& service, pipeline::Call& call, net::QueryParameters parameters) {
  const auto type = known_type(call.capture(0));
  if (!type) {
    co_await call.respond(type.error());
    co_return;
  }
  const bool lenient = prefers_lenient(call.request().header("Prefer"));
  auto answer = co_await service.workers.run(call.request_class(), [&] {
    return search(service.store(), *type, parameters, lenient, call.fhir_base(), service.clock.now());
  });
  co_await send(call, std::move(answer));
}

Task<> handle_get(Service& service, pipeline::Call& call) {
  auto parameters = net::parse_query(call.request().query);
  if (!parameters) {
    co_await call.respond(fail(Code::invalid, "the query string is malformed: check its percent-encoding"));
    co_return;
  }
  if (wants_ndjson(call.request())) {
    co_await stream_search(service, call, std::move(*parameters));
    co_return;
  }
  if (const auto acceptable = check_accept(call.request()); !acceptable) {
    co_await refuse(call, acceptable.error(), 406);
    co_return;
  }
  co_await handle_search(service, call, std::move(*parameters));
}

Task<> handle_post(Service& service, pipeline::Call& call) {
  const auto& request = call.request();
  if (const auto acceptable = check_accept(request); !acceptable) {
    co_await refuse(call, acceptable.error(), 406);
    co_return;
  }
  auto parameters = net::parse_query(request.query);
  if (request.has_body) {
    if (const auto typed = check_content_type(request, {"application/x-www-form-urlencoded"}); !typed) {
      co_await refuse(call, typed.error(), 415);
      co_return;
    }
    const auto body = co_await call.exchange().read_body(form_bytes_max);
    if (!body) {
      co_await refuse_body(call, body.error());
      co_return;
    }
    auto form = net::parse_query(*body);
    if (parameters && form) {
      parameters->insert(parameters->end(), std::make_move_iterator(form->begin()),
                         std::make_move_iterator(form->end()));
    } else {
      parameters.reset();
    }
  }
  if (!parameters) {
    co_await call.respond(fail(Code::invalid, "the search parameters are malformed: check their percent-encoding"));
    co_return;
  }
  co_await handle_search(service, call, std::move(*parameters));
}

}  // namespace

Answer search(store::Store& store, std::string_view type, const net::QueryParameters& parameters, bool lenient,
              const std::string& fhir_base, Instant now) {
  std::vector<model::Issue> ignored;
  const auto query = search::parse_query(type, parameters, lenient, &ignored);
  if (!query) {
    Answer refused;
    refused.status = 400;
    refused.is_outcome = true;
    refused.body = model::operation_outcome(query.error().issues);
    return refused;
  }
  store::SearchPage page;
  const auto done = store.read([&](store::Reader& reader) -> Result<> {
    MYDR24_ASSIGN(page, reader.search(*query));
    return {};
  });
  if (!done) return Answer::of(done.error());

  BundleWriter bundle("searchset", now, fhir_base);
  if (page.total) bundle.total(*page.total);
  bundle.link("self", page_link(*query, fhir_base, query->cursor));
  if (!page.next_cursor.empty()) bundle.link("next", page_link(*query, fhir_base, page.next_cursor));
  for (const auto& match : page.matches) bundle.match(match);
  if (!ignored.empty()) bundle.issues(model::operation_outcome(ignored));
  Answer answer;
  answer.body = bundle.finish();
  return answer;
}

void add_search_routes(pipeline::Router& router, Service& service) {
  router.add({net::Method::get, "/fhir/{type}", "search-type", RequestClass::routine,
              [&service](pipeline::Call& call) -> Task<> { co_await handle_get(service, call); }});
  router.add({net::Method::post, "/fhir/{type}/_search", "search-type", RequestClass::routine,
              [&service](pipeline::Call& call) -> Task<> { co_await handle_post(service, call); }});
}

}  // namespace mydr24::fhir_api
