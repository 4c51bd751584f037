// The admin listener: /livez /readyz /healthz /metrics, GET /explain?search=SEARCH and POST /backup?to=PATH.

#include <fmt/format.h>

#include <algorithm>

#include "api/desk_api/desk_api.h"
#include "base/json/writer.h"
#include "base/net/uri.h"

namespace mydr24::desk_api {
namespace {

Task<> respond(pipeline::Call& call, int status, std::string body, std::string content_type = "application/json") {
  net::Response response{.status = status, .content_type = std::move(content_type)};
  response.headers.emplace_back("Cache-Control", "no-store");
  response.body = std::move(body);
  co_await call.respond(std::move(response));
}

std::string state_of(bool ready, const std::vector<Check>& checks) {
  std::string text;
  json::Writer out(text);
  out.begin_object().field("status", ready ? "ok" : "unavailable").key("checks").begin_object();
  for (const auto& check : checks) out.field(check.name, check.text);
  out.end_object().end_object();
  return text;
}

Task<> respond_ready(Health& health, pipeline::Call& call) {
  auto checks = health.checks();
  const bool draining = health.draining();
  checks.push_back({"accepting", !draining, draining ? "draining" : "ok"});
  const bool ready = std::ranges::all_of(checks, &Check::ok);
  co_await respond(call, ready ? 200 : 503, state_of(ready, checks));
}

Task<> make_backup(Health& health, pipeline::Call& call) {
  // A page that is open in a browser on this machine can send a POST to it: browsers then say where the page is from.
  if (!call.request().header("Origin").empty()) {
    co_await call.respond(fail(Code::refused, "a backup is not made for a web page"));
    co_return;
  }
  const auto parameters = net::parse_query(call.request().query);
  if (!parameters || parameters->size() != 1 || parameters->front().first != "to" ||
      parameters->front().second.empty()) {
    co_await call.respond(fail(Code::invalid, "POST /backup?to=PATH: the path of the file to write", "to"));
    co_return;
  }
  const auto to = parameters->front().second;
  const auto done = co_await health.workers.run(RequestClass::background, [&] { return health.backup(to); });
  if (!done) {
    co_await call.respond(done.error());
    co_return;
  }
  std::string text;
  json::Writer(text).begin_object().field("backup", to).end_object();
  co_await respond(call, 200, std::move(text));
}

Task<> explain(Health& health, pipeline::Call& call) {
  const auto parameters = net::parse_query(call.request().query);
  if (!parameters || parameters->size() != 1 || parameters->front().first != "search") {
    co_await call.respond(
        fail(Code::invalid, "GET /explain?search=SEARCH: a search such as Patient?name=x, percent-encoded", "search"));
    co_return;
  }
  const auto search = parameters->front().second;
  auto text = co_await health.workers.run(RequestClass::routine, [&] { return health.explain(search); });
  if (!text) {
    co_await call.respond(text.error());
    co_return;
  }
  co_await respond(call, 200, std::move(*text), "text/plain; charset=utf-8");
}

}  // namespace

void add_admin_routes(pipeline::Router& router, Health& health) {
  router.add({net::Method::get, "/livez", "livez", RequestClass::emergency,
              [](pipeline::Call& call) -> Task<> { co_await respond(call, 200, "{\"status\":\"ok\"}"); }});
  for (const auto* path : {"/readyz", "/healthz"}) {
    router.add({net::Method::get, path, path + 1, RequestClass::emergency,
                [&health](pipeline::Call& call) -> Task<> { co_await respond_ready(health, call); }});
  }
  router.add({net::Method::get, "/metrics", "metrics", RequestClass::urgent, [&health](pipeline::Call& call) -> Task<> {
                co_await respond(call, 200, health.metrics.expose(), std::string(telemetry::Metrics::content_type));
              }});
  router.add({net::Method::get, "/explain", "explain", RequestClass::routine,
              [&health](pipeline::Call& call) -> Task<> { co_await explain(health, call); }});
  router.add({net::Method::post, "/backup", "backup", RequestClass::background,
              [&health](pipeline::Call& call) -> Task<> { co_await make_backup(health, call); }});
}

}  // namespace mydr24::desk_api
