// The public status page: nobody is asked who they are.

#include "api/incident_api/detail/exchange.h"
#include "operations/incidents/status_page.h"

namespace mydr24::incident_api {
namespace {

Task<> respond(Service& service, pipeline::Call& call, bool as_atom) {
  std::string text;
  const auto done = co_await service.workers.run(RequestClass::routine, [&] {
    return service.store.read([&](store::Reader& reader) -> Result<> {
      const Instant now = service.clock.now();
      MYDR24_ASSIGN(const auto page, incidents::status_page(reader, *service.book.setups().active(), now));
      text = as_atom ? incidents::to_atom(page, now, call.base_url()) : incidents::to_json(page, now);
      return {};
    });
  });
  if (!done) {
    co_await call.respond(done.error());
    co_return;
  }
  net::Response response{.status = 200,
                         .content_type = as_atom ? "application/atom+xml; charset=utf-8" : "application/json"};
  response.headers.emplace_back("Cache-Control", "public, max-age=15");
  response.body = std::move(text);
  co_await call.respond(std::move(response));
}

}  // namespace

void add_status_routes(pipeline::Router& router, Service& service) {
  router.add_open({net::Method::get, "/status.json", "status-page", RequestClass::routine,
                   [&service](pipeline::Call& call) -> Task<> { co_await respond(service, call, false); },
                   admission::Cost::by_method, "State of public services and the course of incidents"});
  router.add_open({net::Method::get, "/status.atom", "status-feed", RequestClass::routine,
                   [&service](pipeline::Call& call) -> Task<> { co_await respond(service, call, true); },
                   admission::Cost::by_method, "The same as an Atom feed"});
}

}  // namespace mydr24::incident_api
