// What is around changes: the calendar, the policy, the figures, the settings.

#include <fmt/format.h>

#include "api/change_api/detail/exchange.h"
#include "api/pipeline/query.h"
#include "base/core/date_time.h"
#include "base/json/writer.h"
#include "operations/changes/figures.h"

namespace mydr24::change_api {

void add_routes(pipeline::Router& router, Desk& desk) {
  add_change_routes(router, desk);
  add_calendar_routes(router, desk);
}

Task<Result<json::Document>> read_body(pipeline::Call& call) {
  const std::string_view type = call.request().header("Content-Type");
  if (type != "application/json" && !type.starts_with("application/json;"))
    co_return fail(Code::invalid, "send Content-Type: application/json", "Content-Type");
  auto body = co_await call.exchange().read_body(changes::plan_bytes_max);
  if (!body) co_return body.error();
  auto document = json::Document::parse(std::move(*body), {.bytes_max = changes::plan_bytes_max, .depth_max = 16});
  if (document && !document->root().is_object()) co_return fail(Code::invalid, "the body must be a JSON object");
  co_return document;
}

std::string text_of(json::Value object, std::string_view member) {
  return object[member].is_string() ? std::string(object[member].text()) : std::string();
}

std::string acting(pipeline::Call& call, std::string_view said) {
  const auto& who = call.access().principal();
  if (!who.is_known() || who.kind == access::PrincipalKind::system) return std::string(said);
  return std::string(changes::login_of(who.id));
}

namespace {

using net::Method;

constexpr std::uint32_t history_max = 100;
constexpr auto figures_span = std::chrono::days(30);

Result<std::string> calendar(const Desk& desk, store::Reader& reader) {
  const auto now = desk.clock.now();
  MYDR24_ASSIGN(const auto freezes, desk.book.freezes(reader, now));
  MYDR24_ASSIGN(const auto frozen, desk.book.frozen(reader));
  MYDR24_ASSIGN(const auto all, desk.book.open(reader));
  std::string text;
  json::Writer out(text);
  out.begin_object().field("at", format_instant(now)).key("freezes").begin_array();
  for (const auto& freeze : freezes) out.raw(changes::to_json(freeze));
  out.end_array().key("frozen_services").begin_array();
  for (const auto& each : frozen) {
    out.begin_object().field("service", each.service).field("why", each.why).field("by", each.by);
    out.field("at", format_instant(each.at)).end_object();
  }
  const auto* window = desk.book.policy().window_at(now);
  out.end_array().field("load", window == nullptr ? "usual" : std::string_view(window->name));
  out.key("changes").begin_array();
  for (const auto& change : all) {
    out.begin_object().field("id", change.id).field("title", change.plan.title);
    out.field("state", changes::to_string(change.state)).field("service", change.plan.service);
    if (change.starts) out.field("starts", format_instant(*change.starts));
    if (change.plan.begin) out.field("begin", format_instant(*change.plan.begin));
    if (change.plan.end) out.field("end", format_instant(*change.plan.end));
    out.end_object();
  }
  out.end_array().end_object();
  return text;
}

// {"begin", "end", "why", "services"?, "by"}
Task<> add_freeze(Desk& desk, pipeline::Call& call) {
  const auto body = co_await read_body(call);
  if (!body) {
    co_await call.respond(body.error());
    co_return;
  }
  const auto root = body->root();
  const auto begin = parse_date_time(text_of(root, "begin")), end = parse_date_time(text_of(root, "end"));
  if (!begin || !end) {
    co_await call.respond(fail(Code::invalid, "write times as 2026-05-10T08:00:00Z", begin ? "end" : "begin"));
    co_return;
  }
  changes::Freeze freeze{
      .why = text_of(root, "why"), .by = acting(call, text_of(root, "by")), .begin = begin->low, .end = end->low};
  for (const auto service : root["services"]) freeze.services.emplace(service.text());
  co_await answer_write(
      desk, call,
      [&](store::Transaction& transaction) -> Result<std::string> {
        MYDR24_ASSIGN(const auto added, desk.book.add_freeze(transaction, freeze));
        return changes::to_json(added);
      },
      201);
}

// {"why", "by"}
Task<> unfreeze(Desk& desk, pipeline::Call& call) {
  const auto body = co_await read_body(call);
  if (!body) {
    co_await call.respond(body.error());
    co_return;
  }
  const auto by = acting(call, text_of(body->root(), "by"));
  co_await answer_write(desk, call, [&](store::Transaction& transaction) -> Result<std::string> {
    MYDR24_TRY(desk.book.unfreeze(transaction, call.capture(0), text_of(body->root(), "why"), by));
    return std::string("{}");
  });
}

Result<std::string> figures(const Desk& desk, store::Reader& reader, std::string_view text) {
  MYDR24_ASSIGN(const auto query, pipeline::Query::parse(text, {"since", "until"}));
  MYDR24_ASSIGN(const auto until, query.instant("until", desk.clock.now()));
  MYDR24_ASSIGN(const auto from, query.instant("since", until - figures_span));
  if (from >= until) return fail(Code::invalid, "is not before until", "since");
  MYDR24_ASSIGN(const auto found, changes::figures(reader, from, until));
  return fmt::format(R"({{"since":"{}","until":"{}","services":{}}})", format_instant(from), format_instant(until),
                     changes::to_json(found));
}

void write(json::Writer& out, const live_settings::Registry& settings, const live_settings::Definition& definition,
           const live_settings::Version& version) {
  out.begin_object().field("name", definition.name).field("about", definition.about);
  out.field("type", to_string(definition.type)).field("unit", definition.unit);
  if (definition.type == live_settings::Type::integer || definition.type == live_settings::Type::number)
    out.field("low", definition.low).field("high", definition.high);
  if (!definition.words.empty()) {
    out.key("words").begin_array();
    for (const auto& word : definition.words) out.string(word);
    out.end_array();
  }
  out.field("default", definition.standard).field("module", definition.module);
  out.field("emergency", definition.emergency).field("standard_change", definition.routine);
  // What the store keeps is the same for every server; else it is what this one has applied.
  const auto all = version.values.find(live_settings::everywhere);
  out.field("applied", !definition.within            ? settings.value(definition.name)
                       : all == version.values.end() ? definition.standard
                                                     : all->second);
  out.key("in_force").raw(to_json(version)).end_object();
}

Result<std::string> settings(const Desk& desk, store::Reader& reader) {
  const auto& all = desk.book.settings();
  std::string text;
  json::Writer out(text);
  out.begin_object().field("schema", "mydr24.live-settings.v1").key("settings").begin_array();
  for (const auto& [name, definition] : all.definitions()) {
    MYDR24_ASSIGN(const auto version, all.current(reader, name));
    write(out, all, definition, version);
  }
  out.end_array().end_object();
  return text;
}

Result<std::string> setting(const Desk& desk, store::Reader& reader, std::string_view name) {
  const auto& all = desk.book.settings();
  MYDR24_ASSIGN(const auto version, all.current(reader, name));
  MYDR24_ASSIGN(const auto history, all.history(reader, name, history_max));
  std::string text;
  json::Writer out(text);
  out.begin_object().key("setting");
  write(out, all, all.definitions().find(name)->second, version);
  out.key("history").begin_array();
  for (const auto& past : history) out.raw(to_json(past));
  out.end_array().end_object();
  return text;
}

}  // namespace

void add_calendar_routes(pipeline::Router& router, Desk& desk) {
  const auto look = [&](const char* pattern, const char* name, const char* summary,
                        std::function<Result<std::string>(store::Reader&, pipeline::Call&)> what) {
    router.add({Method::get, pattern, name, RequestClass::routine,
                [&desk, what = std::move(what)](pipeline::Call& call) -> Task<> {
                  co_await answer_read(desk, call, [&](store::Reader& reader) { return what(reader, call); });
                },
                admission::Cost::by_method, summary});
  };
  look("/api/v1/change-calendar", "change-calendar", "Freezes, frozen services, and changes to come",
       [&desk](store::Reader& reader, pipeline::Call&) { return calendar(desk, reader); });
  look("/api/v1/change-policy", "change-policy", "The board, what approvals are needed, load windows",
       [&desk](store::Reader&, pipeline::Call&) -> Result<std::string> { return to_json(desk.book.policy()); });
  look("/api/v1/change-figures", "change-figures", "How often, how fast and how well changes are made, by service",
       [&desk](store::Reader& reader, pipeline::Call& call) { return figures(desk, reader, call.request().query); });
  look("/api/v1/settings", "setting-list", "Settings that change while the server runs, with what is in force",
       [&desk](store::Reader& reader, pipeline::Call&) { return settings(desk, reader); });
  look("/api/v1/settings/{name}", "setting-show", "One of them with every version there was",
       [&desk](store::Reader& reader, pipeline::Call& call) { return setting(desk, reader, call.capture(0)); });
  router.add({Method::post, "/api/v1/change-freezes", "change-freeze-add", RequestClass::urgent,
              [&desk](pipeline::Call& call) -> Task<> { co_await add_freeze(desk, call); }, admission::Cost::by_method,
              "Nothing but emergencies is changed for a time"});
  router.add({Method::del, "/api/v1/change-freezes/{id}", "change-freeze-end", RequestClass::urgent,
              [&desk](pipeline::Call& call) -> Task<> {
                co_await answer_write(desk, call, [&](store::Transaction& transaction) -> Result<std::string> {
                  MYDR24_TRY(desk.book.end_freeze(transaction, call.capture(0)));
                  return std::string("{}");
                });
              },
              admission::Cost::by_method, "Ends a freeze"});
  router.add({Method::post, "/api/v1/change-services/{service}/unfreeze", "change-unfreeze", RequestClass::urgent,
              [&desk](pipeline::Call& call) -> Task<> { co_await unfreeze(desk, call); }, admission::Cost::by_method,
              "Lets a service be changed again after a way back had failed"});
}

}  // namespace mydr24::change_api
