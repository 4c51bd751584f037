#include <fmt/format.h>

#include "api/pipeline/json_body.h"
#include "api/rights_api/rights_api.h"
#include "base/json/writer.h"

namespace mydr24::rights_api {
namespace {

constexpr std::uint32_t list_max = 1'000;

template <class Step>
Task<> change(Service& service, pipeline::Call& call, int status, Step step) {
  breach::Breach breach;
  const auto done = co_await async_call<Result<>>([&](auto finish) {
    service.trail.fhir.store().submit(
        RequestClass::routine,
        [&](store::Transaction& transaction) -> Result<> {
          MYDR24_ASSIGN(breach, step(transaction));
          return {};
        },
        std::move(finish));
  });
  if (!done) {
    co_await call.respond(done.error());
  } else {
    co_await pipeline::send_json(call, status, breach::to_json(breach));
  }
}

Task<> open(Service& service, pipeline::Call& call) {
  const auto document = co_await pipeline::take_object(call, body_bytes_max);
  if (!document) {
    co_await call.respond(document.error());
    co_return;
  }
  const auto breach = breach::breach_of(document->root(), service.trail.clock.now());
  if (!breach) {
    co_await call.respond(breach.error());
    co_return;
  }
  const auto affected = co_await service.trail.fhir.workers.run(
      RequestClass::routine, [&] { return breach::find_affected(service.trail.log.trail(), breach->accesses); });
  if (!affected) {
    co_await call.respond(affected.error());
    co_return;
  }
  co_await change(service, call, 201, [&](store::Transaction& transaction) {
    return service.breaches.open(transaction, *breach, *affected, call.access().principal().id);
  });
}

Task<> tell(Service& service, pipeline::Call& call) {
  const auto document = co_await pipeline::take_object(call, body_bytes_max);
  if (!document) {
    co_await call.respond(document.error());
    co_return;
  }
  const auto who = breach::parse_notice(document->root()["who"].text());
  if (!who) {
    co_await call.respond(fail(Code::invalid, "is authority or people", "who"));
    co_return;
  }
  co_await change(service, call, 200, [&](store::Transaction& transaction) {
    return service.breaches.tell(transaction, call.capture(0), *who, document->root()["reason"].text(),
                                 call.access().principal().id);
  });
}

Task<> close(Service& service, pipeline::Call& call) {
  const auto document = co_await pipeline::take_object(call, body_bytes_max);
  if (!document) {
    co_await call.respond(document.error());
    co_return;
  }
  co_await change(service, call, 200, [&](store::Transaction& transaction) {
    return service.breaches.close(transaction, call.capture(0), document->root()["outcome"].text(),
                                  call.access().principal().id);
  });
}

template <class Read>
Task<> answer(Service& service, pipeline::Call& call, Read read) {
  std::string text;
  const auto done = co_await service.trail.fhir.workers.run(call.request_class(), [&] {
    return service.trail.fhir.store().read([&](store::Reader& reader) -> Result<> {
      MYDR24_ASSIGN(text, read(reader));
      return {};
    });
  });
  if (!done) {
    co_await call.respond(done.error());
  } else {
    co_await pipeline::send_json(call, 200, std::move(text));
  }
}

Task<> list(Service& service, pipeline::Call& call) {
  co_await answer(service, call, [&](store::Reader& reader) -> Result<std::string> {
    MYDR24_ASSIGN(const auto breaches, service.breaches.list(reader, list_max));
    std::string text;
    json::Writer out(text);
    out.begin_object().key("breaches").begin_array();
    for (const auto& each : breaches) out.raw(breach::to_json(each));
    out.end_array().end_object();
    return text;
  });
}

Task<> read(Service& service, pipeline::Call& call) {
  co_await answer(service, call, [&](store::Reader& reader) -> Result<std::string> {
    MYDR24_ASSIGN(const auto breach, service.breaches.find(reader, call.capture(0)));
    return breach::to_json(breach);
  });
}

Task<> people(Service& service, pipeline::Call& call) {
  call.access().note_incomplete();
  co_await answer(service, call, [&](store::Reader& reader) -> Result<std::string> {
    MYDR24_ASSIGN(const auto patients, service.breaches.people(reader, call.capture(0)));
    std::string text;
    json::Writer out(text);
    out.begin_object().key("patients").begin_array();
    for (const auto& patient : patients) out.string(patient);
    out.end_array().end_object();
    return text;
  });
}

}  // namespace

void add_breach_routes(pipeline::Router& router, Service& service) {
  using net::Method;
  const auto add = [&](Method method, std::string pattern, std::string name,
                       Task<> (*handler)(Service&, pipeline::Call&), std::string summary) {
    router.add({method, std::move(pattern), std::move(name), RequestClass::routine,
                [&service, handler](pipeline::Call& call) -> Task<> { co_await handler(service, call); },
                admission::Cost::by_method, std::move(summary)});
  };
  add(Method::post, "/api/v1/breaches", "breach-open", open, "Document a breach of personal data; its clocks begin");
  add(Method::get, "/api/v1/breaches", "breach-list", list, "Every breach there was, newest first");
  add(Method::get, "/api/v1/breaches/{id}", "breach-read", read, "One breach, with what GDPR 33(3) asks for");
  add(Method::get, "/api/v1/breaches/{id}/people", "breach-people", people, "Whose data it touched, by the audit");
  add(Method::post, "/api/v1/breaches/{id}/told", "breach-told", tell, "The authority, or the people, were told");
  add(Method::post, "/api/v1/breaches/{id}/close", "breach-close", close, "Close a breach");
}

}  // namespace mydr24::rights_api
