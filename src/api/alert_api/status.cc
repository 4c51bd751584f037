// GET /api/v2/status and /api/v2/receivers, /-/healthy, /-/ready, POST /-/reload; GET /api/v1/alerts/actionability and POST
// /api/v1/alerts/{id}/resolve.

#include <fmt/format.h>

#include <charconv>

#include "alerting/groups/actionability.h"
#include "api/alert_api/alert_api.h"
#include "api/alert_api/detail/answers.h"
#include "base/core/date_time.h"
#include "base/json/writer.h"

namespace mydr24::alert_api {
namespace {

using groups::State;

constexpr std::size_t resolve_bytes_max = 16U << 10;

Task<Answer> status(Service& service) {
  const routing::ConfigPtr config =
      co_await service.groups.ask([](const State& state, Instant) { return state.config(); });
  Answer answer;
  json::Writer writer(answer.body);
  writer.begin_object().key("cluster").begin_object().key("peers").begin_array().end_array();
  writer.field("status", "disabled").end_object().key("config").begin_object();
  writer.field("original", std::string_view(config->shown)).end_object();
  writer.field("uptime", format_instant(service.groups.started_at())).key("versionInfo").begin_object();
  // amtool compares the version with its own; the protocol is that of 0.25.
  writer.field("branch", "MyDR24")
      .field("buildDate", "")
      .field("buildUser", "")
      .field("goVersion", "")
      .field("revision", std::string_view(service.version))
      .field("version", "0.25.0")
      .end_object()
      .end_object();
  co_return answer;
}

Task<Answer> receivers(Service& service) {
  const routing::ConfigPtr config =
      co_await service.groups.ask([](const State& state, Instant) { return state.config(); });
  Answer answer;
  json::Writer writer(answer.body);
  writer.begin_array();
  for (const auto& receiver : config->receivers)
    writer.begin_object().field("name", std::string_view(receiver.name)).end_object();
  writer.end_array();
  co_return answer;
}

Task<> say_ok(pipeline::Call& call) {
  net::Response response{.status = 200, .content_type = "text/plain; charset=utf-8"};
  response.body = "OK";
  co_await call.respond(std::move(response));
}

// Reads the file on a worker: it may be slow, and it is parsed.
Task<> reload(Service& service, pipeline::Call& call) {
  auto config = co_await service.workers.run(RequestClass::urgent, [&] { return service.load_config(); });
  if (config) {
    co_await service.groups.reload(std::move(*config));
    co_await call.respond(net::Response{.status = 200});
    co_return;
  }
  net::Response response{.status = 500, .content_type = "text/plain; charset=utf-8"};
  response.body = fmt::format("failed to reload config: {}: {}\n", config.error().where, config.error().text);
  co_await call.respond(std::move(response));
}

Task<Answer> actionability(Service& service, pipeline::Call& call) {
  int days = 30;
  if (const auto given = query_values(call, "days"); !given.empty()) {
    const std::string& text = given.front();
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), days);
    if (error != std::errc() || end != text.data() + text.size() || days < 1 || days > 366)
      co_return failed(fail(Code::invalid, "days is 1 to 366"));
  }
  const Instant since = service.clock.now() - std::chrono::days(days);
  const auto rules = co_await service.workers.run(
      RequestClass::routine, [&service, since]() -> Result<std::vector<groups::RuleRecord>> {
        std::vector<groups::RuleRecord> all;
        MYDR24_TRY(service.store.read([&](store::Reader& reader) -> Result<> {
          MYDR24_ASSIGN(all, groups::actionability(reader, since));
          return {};
        }));
        return all;
      });
  if (!rules) co_return failed(rules.error());
  Answer answer;
  json::Writer writer(answer.body);
  writer.begin_object().field("schema", "mydr24.actionability.v1").field("days", days).key("rules").begin_array();
  for (const groups::RuleRecord& rule : *rules)
    writer.begin_object()
        .field("rule", std::string_view(rule.rule))
        .field("fired", rule.fired)
        .field("acknowledged", rule.acknowledged)
        .field("led_to_action", rule.acted)
        .field("auto_resolved", rule.auto_resolved)
        .field("questionable", rule.is_questionable())
        .end_object();
  writer.end_array().end_object();
  co_return answer;
}

Task<Answer> resolve(Service& service, pipeline::Call& call) {
  if (!is_json(call)) co_return wrong_type(call);
  const auto body = co_await call.exchange().read_body(resolve_bytes_max);
  if (!body) co_return failed(body.error());
  const auto document = json::Document::parse_view(*body);
  if (!document) co_return failed(document.error());
  const std::string by = call.in_name_of(document->root()["by"].text());
  const std::string why(document->root()["why"].text());
  if (by.empty() || by.size() > 200 || why.size() > 2000)
    co_return failed(fail(Code::invalid, "who resolves it, and why? {\"by\": \"name\", \"why\": \"text\"}"));
  const std::string id(call.capture(0));
  Answer answer;
  const auto done = co_await async_call<Result<>>([&](auto finish) {
    service.store.submit(
        RequestClass::emergency,
        [&](store::Transaction& transaction) -> Result<> {
          MYDR24_ASSIGN(
              const auto alert,
              service.book.resolve(transaction, id, fmt::format("by {}{}{}", by, why.empty() ? "" : ": ", why), by));
          answer.body = alerts::to_json(alert);
          return {};
        },
        std::move(finish));
  });
  co_return done ? answer : failed(done.error());
}

}  // namespace

void add_status_routes(pipeline::Router& router, Service& service) {
  const std::string& prefix = service.prefix;
  router.add({net::Method::get, prefix + "/api/v2/status", "am-status", RequestClass::urgent,
              [&service](pipeline::Call& call) -> Task<> { co_await send(call, co_await status(service)); }});
  router.add({net::Method::get, prefix + "/api/v2/receivers", "am-receivers", RequestClass::urgent,
              [&service](pipeline::Call& call) -> Task<> { co_await send(call, co_await receivers(service)); }});
  router.add_open({net::Method::get, prefix + "/-/healthy", "am-healthy", RequestClass::urgent, say_ok});
  router.add_open({net::Method::get, prefix + "/-/ready", "am-ready", RequestClass::urgent, say_ok});
  router.add({net::Method::post, prefix + "/-/reload", "am-reload", RequestClass::urgent,
              [&service](pipeline::Call& call) -> Task<> { co_await reload(service, call); }});
}

void add_desk_routes(pipeline::Router& router, Service& service) {
  router.add(
      {net::Method::get, "/api/v1/alerts/actionability", "actionability", RequestClass::routine,
       [&service](pipeline::Call& call) -> Task<> { co_await send(call, co_await actionability(service, call)); }});
  router.add({net::Method::post, "/api/v1/alerts/{id}/resolve", "alert-resolve", RequestClass::emergency,
              [&service](pipeline::Call& call) -> Task<> { co_await send(call, co_await resolve(service, call)); }});
}

}  // namespace mydr24::alert_api
