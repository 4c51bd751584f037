#include <charconv>

#include "api/incident_api/detail/exchange.h"
#include "base/json/writer.h"

namespace mydr24::incident_api {

void add_routes(pipeline::Router& router, Service& service) {
  add_incident_routes(router, service);
  add_work_routes(router, service);
  add_setup_routes(router, service);
  add_status_routes(router, service);
}

void add(pipeline::Router& router, Service& service, net::Method method, std::string pattern, std::string name,
         RequestClass request_class, Handler handler, std::string summary) {
  router.add({method, std::move(pattern), std::move(name), request_class,
              [&service, handler](pipeline::Call& call) -> Task<> { co_await handler(service, call); },
              admission::Cost::by_method, std::move(summary)});
}

std::string text_of(json::Value object, std::string_view member) {
  return object[member].is_string() ? std::string(object[member].text()) : std::string();
}

std::optional<std::string> given_text(json::Value object, std::string_view member) {
  if (!object[member].is_string()) return std::nullopt;
  return std::string(object[member].text());
}

Result<std::size_t> number_of(std::string_view text, std::string_view where) {
  std::size_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || text.empty())
    return fail(Code::invalid, "a number from 0 is needed", std::string(where));
  return number;
}

std::string shown(const incidents::Incident& incident) {
  incidents::Incident without = incident;
  without.patients.clear();
  if (!incident.patients.empty()) without.cause.clear();  // it names the patient
  std::string text = incidents::to_json(without);
  text.pop_back();
  text += ",\"patient_count\":" + std::to_string(incident.patients.size()) + "}";
  return text;
}

Task<Result<json::Document>> take_body(pipeline::Call& call, std::size_t bytes_max) {
  auto body = co_await call.exchange().read_body(bytes_max);
  if (!body) co_return body.error();
  if (body->empty()) *body = "{}";
  auto document = json::Document::parse(std::move(*body), {.bytes_max = bytes_max, .depth_max = 16});
  if (!document) co_return document.error();
  if (!document->root().is_object()) co_return fail(Code::invalid, "send a JSON object");
  co_return std::move(*document);
}

Task<> answer(Service& service, pipeline::Call& call, std::function<Result<std::string>(store::Reader&)> read) {
  std::string text;
  const auto done = co_await service.workers.run(call.request_class(), [&] {
    return service.store.read([&](store::Reader& reader) -> Result<> {
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

Task<> change(Service& service, pipeline::Call& call, Step step) {
  const auto body = co_await take_body(call);
  if (!body) {
    co_await call.respond(body.error());
    co_return;
  }
  const std::string by = call.in_name_of(text_of(body->root(), "by"));
  incidents::Incident incident;
  const auto done = co_await in_transaction(service, [&](store::Transaction& transaction) -> Result<> {
    MYDR24_ASSIGN(incident, step(transaction, call.capture(0), body->root(), by));
    return {};
  });
  if (!done) {
    co_await call.respond(done.error());
  } else {
    co_await pipeline::send_json(call, 200, shown(incident));
  }
}

}  // namespace mydr24::incident_api
