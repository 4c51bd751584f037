#include "api/monitor_api/monitor_api.h"

#include <fmt/format.h>

#include <charconv>

#include "alerting/notify/signature.h"
#include "api/pipeline/json_body.h"
#include "api/pipeline/query.h"
#include "base/json/document.h"
#include "base/json/writer.h"
#include "operations/slo/slo.h"

namespace mydr24::monitor_api {
namespace {

using net::Method;
using pipeline::Call;

constexpr std::size_t body_bytes_max = std::size_t{2} << 20;
constexpr std::size_t probe_bytes_max = std::size_t{16} << 10;
constexpr std::uint32_t changes_shown = 50;
constexpr int attempts = 3;  // of a change that another one came before

Result<std::optional<std::int64_t>> revision_in(std::string_view digits) {
  if (digits.empty()) return std::optional<std::int64_t>();
  std::int64_t revision = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), revision);
  if (error != std::errc() || end != digits.data() + digits.size() || revision < 0)
    return fail(Code::invalid, "a number", "revision");
  return std::optional(revision);
}

Task<> answer(Call& call, Result<std::string> json) {
  if (json)
    co_await pipeline::send_json(call, 200, std::move(*json));
  else
    co_await call.respond(json.error());
}

Task<> send_text(Call& call, std::string_view type, std::string text) {
  net::Response response;
  response.content_type = type;
  response.headers.emplace_back("Cache-Control", "no-store");
  response.body = std::move(text);
  co_await call.respond(std::move(response));
}

bool has_type(const Call& call, std::string_view wanted) {
  const std::string_view type = call.request().header("Content-Type");
  return type == wanted || (type.starts_with(wanted) && type.substr(wanted.size()).starts_with(';'));
}

Result<json::Document> parse_object(std::string text) {
  auto document = json::Document::parse(std::move(text), {.bytes_max = body_bytes_max, .depth_max = 16});
  if (document && !document->root().is_object()) return fail(Code::invalid, "the body must be a JSON object");
  return document;
}

// Without Content-Type: application/json, which a page of another site cannot send, nothing is read.
Task<Result<json::Document>> read_object(Call& call) {
  if (!has_type(call, "application/json"))
    co_return fail(Code::invalid, "send Content-Type: application/json", "Content-Type");
  auto body = co_await call.exchange().read_body(body_bytes_max);
  if (!body) co_return body.error();
  co_return parse_object(std::move(*body));
}

Task<Result<monitor::Definitions>> try_change(Service& service, Call& call, const monitor::DefinitionsChange& change) {
  auto next = co_await service.workers.run(call.request_class(), [&]() -> Result<monitor::Definitions> {
    monitor::Definitions found;
    MYDR24_TRY(service.store.read([&](store::Reader& reader) -> Result<> {
      MYDR24_ASSIGN(found, monitor::prepare(reader, change));
      return {};
    }));
    return found;
  });
  if (!next) co_return next;
  const auto done = co_await async_call<Result<>>([&](auto finish) {
    service.store.submit(
        RequestClass::urgent, [&](store::Transaction& transaction) { return monitor::put(transaction, *next); },
        std::move(finish));
  });
  if (!done) co_return done.error();
  co_return next;
}

Task<> make_change(Service& service, Call& call, monitor::DefinitionsChange change) {
  auto next = co_await try_change(service, call, change);
  for (int i = 1; i < attempts && !next && next.error().code == Code::conflict && !change.revision; ++i)
    next = co_await try_change(service, call, change);
  if (!next) {
    co_await call.respond(next.error());
    co_return;
  }
  const std::string text = fmt::format(R"({{"revision":{},"rules":{},"objectives":{}}})", next->revision,
                                       next->rules.size(), next->slos.size());
  service.monitor.publish(std::move(*next));
  co_await pipeline::send_json(call, 200, text);
}

Task<> put_rules(Service& service, Call& call) {
  const auto body = co_await read_object(call);
  if (!body) {
    co_await call.respond(body.error());
    co_return;
  }
  const json::Value root = body->root();
  monitor::DefinitionsChange change{.by = call.in_name_of(root["by"].text())};
  auto rules = monitor::rules_of(root["rules"]);
  auto revision = revision_in(root["revision"].text());
  if (!rules || !revision) {
    co_await call.respond(rules ? revision.error() : rules.error());
    co_return;
  }
  change.rules = std::move(*rules);
  change.revision = *revision;
  co_await make_change(service, call, std::move(change));
}

Task<> preview_rules(Service& service, Call& call) {
  const auto body = co_await read_object(call);
  if (!body) {
    co_await call.respond(body.error());
    co_return;
  }
  const auto rules = monitor::rules_of(body->root()["rules"]);
  co_await answer(
      call, rules ? Result<std::string>(service.monitor.preview_json(*rules)) : Result<std::string>(rules.error()));
}

struct Import {
  std::string yaml;
  std::string by;
  std::optional<std::int64_t> revision;
  bool replace = false;
  bool dry_run = false;
};

// YAML with the rest in the query, or all of it in a JSON object.
Task<Result<Import>> read_import(Call& call) {
  const auto query = pipeline::Query::parse(call.request().query, {"by", "revision", "replace", "dry-run"});
  if (!query) co_return query.error();
  const bool is_json = has_type(call, "application/json");
  if (!is_json && !has_type(call, "application/yaml") && !has_type(call, "application/x-yaml"))
    co_return fail(Code::invalid, "send application/yaml, or application/json with the member yaml", "Content-Type");
  auto body = co_await call.exchange().read_body(body_bytes_max);
  if (!body) co_return body.error();
  Import import{.yaml = {},
                .by = query->text("by"),
                .replace = query->text("replace") == "true",
                .dry_run = query->text("dry-run") == "true"};
  std::string revision = query->text("revision");
  if (is_json) {
    const auto document = parse_object(std::move(*body));
    if (!document) co_return document.error();
    const json::Value root = document->root();
    import.yaml = root["yaml"].text();
    if (root["by"].is_string()) import.by = root["by"].text();
    import.replace = import.replace || root["replace"].is_true();
    import.dry_run = import.dry_run || root["dry_run"].is_true();
    if (root["revision"]) revision = root["revision"].text();
  } else {
    import.yaml = std::move(*body);
  }
  const auto parsed = revision_in(revision);
  if (!parsed) co_return parsed.error();
  import.revision = *parsed;
  import.by = call.in_name_of(import.by);
  co_return import;
}

Task<> import_openslo(Service& service, Call& call) {
  auto import = co_await read_import(call);
  if (!import) {
    co_await call.respond(import.error());
    co_return;
  }
  auto documents = co_await service.workers.run(call.request_class(), [&] { return slo::parse_openslo(import->yaml); });
  if (documents && documents->slos.empty()) documents = fail(Code::invalid, "there is no SLO in it", "document");
  if (!documents) {
    co_await call.respond(documents.error());
    co_return;
  }
  if (import->dry_run) {
    co_await pipeline::send_json(call, 200,
                                 fmt::format(R"({{"valid":true,"objectives":{},"others":{}}})", documents->slos.size(),
                                             documents->others.size()));
    co_return;
  }
  monitor::DefinitionsChange change{.revision = import->revision, .by = import->by};
  if (import->replace)
    change.slos = std::move(documents->slos);
  else
    change.put = std::move(documents->slos);
  co_await make_change(service, call, std::move(change));
}

Task<> remove_slo(Service& service, Call& call) {
  const auto query = pipeline::Query::parse(call.request().query, {"by", "revision"});
  if (!query) {
    co_await call.respond(query.error());
    co_return;
  }
  const auto revision = revision_in(query->text("revision"));
  if (!revision) {
    co_await call.respond(revision.error());
    co_return;
  }
  co_await make_change(
      service, call,
      {.remove = {std::string(call.capture(0))}, .revision = *revision, .by = call.in_name_of(query->text("by"))});
}

Task<> export_openslo(Service& service, Call& call) {
  const auto query = pipeline::Query::parse(call.request().query, {"format"});
  if (!query) {
    co_await call.respond(query.error());
    co_return;
  }
  std::string yaml = slo::to_openslo(service.monitor.definitions()->slos);
  if (query->text("format") != "json") {
    co_await send_text(call, "application/yaml", std::move(yaml));
    co_return;
  }
  std::string text;
  json::Writer(text).begin_object().field("yaml", yaml).end_object();
  co_await pipeline::send_json(call, 200, std::move(text));
}

Result<std::string> changes(Service& service) {
  std::string text = R"({"schema":"mydr24.monitor-changes.v1","changes":)";
  MYDR24_TRY(service.store.read([&](store::Reader& reader) -> Result<> {
    MYDR24_ASSIGN(const std::string list, monitor::changes_json(reader, changes_shown));
    text += list;
    return {};
  }));
  return text + "}";
}

// The far end of the loopback channel: takes what this server signed, keeps nothing.
Task<> take_probe(Service& service, Call& call) {
  auto body = co_await call.exchange().read_body(probe_bytes_max);
  if (!body) {
    co_await call.respond(body.error());
    co_return;
  }
  if (service.probe_secret.empty() || !notify::verify_signature(call.request().header("X-MyDR24-Signature"),
                                                                service.probe_secret, service.clock.now(), *body)) {
    co_await call.respond(fail(Code::refused, "it is not signed by this server"));
    co_return;
  }
  ++service.probes_taken;
  co_await pipeline::send_json(call, 200, "{}");
}

void add_slo_routes(pipeline::Router& router, Service& service) {
  router.add({Method::get, "/api/v1/monitor/slos", "monitor-slos", RequestClass::urgent,
              [&service](Call& call) -> Task<> { co_await answer(call, service.monitor.slos_json()); }});
  router.add({Method::get, "/api/v1/monitor/slos/{name}", "monitor-slo", RequestClass::urgent,
              [&service](Call& call) -> Task<> { co_await answer(call, service.monitor.slo_json(call.capture(0))); }});
  router.add({Method::del, "/api/v1/monitor/slos/{name}", "monitor-slo-delete", RequestClass::urgent,
              [&service](Call& call) -> Task<> { co_await remove_slo(service, call); }});
  router.add({Method::get, "/api/v1/monitor/openslo", "monitor-openslo", RequestClass::routine,
              [&service](Call& call) -> Task<> { co_await export_openslo(service, call); }});
  router.add({Method::post, "/api/v1/monitor/openslo", "monitor-openslo-import", RequestClass::urgent,
              [&service](Call& call) -> Task<> { co_await import_openslo(service, call); }});
  router.add({Method::get, "/api/v1/monitor/prometheus-rules", "monitor-prometheus-rules", RequestClass::routine,
              [&service](Call& call) -> Task<> {
                const auto query = pipeline::Query::parse(call.request().query, {"test"});
                if (!query) {
                  co_await call.respond(query.error());
                  co_return;
                }
                const auto definitions = service.monitor.definitions();
                // Of a file of that name beside it.
                co_await send_text(call, "application/yaml",
                                   query->has("test") ? slo::prometheus_tests(definitions->slos, "rules.yml")
                                                      : slo::prometheus_rules(definitions->slos));
              }});
}

}  // namespace

void add_routes(pipeline::Router& router, Service& service) {
  router.add({Method::get, "/api/v1/monitor", "monitor-status", RequestClass::urgent,
              [&service](Call& call) -> Task<> { co_await answer(call, service.monitor.status_json()); }});
  router.add({Method::get, "/api/v1/monitor/channels", "monitor-channels", RequestClass::urgent,
              [&service](Call& call) -> Task<> { co_await answer(call, service.channels_json()); }});
  router.add({Method::get, "/api/v1/monitor/rules", "monitor-rules", RequestClass::urgent,
              [&service](Call& call) -> Task<> { co_await answer(call, service.monitor.rules_json()); }});
  router.add({Method::put, "/api/v1/monitor/rules", "monitor-rules-change", RequestClass::urgent,
              [&service](Call& call) -> Task<> { co_await put_rules(service, call); }});
  router.add({Method::post, "/api/v1/monitor/rules/preview", "monitor-rules-preview", RequestClass::urgent,
              [&service](Call& call) -> Task<> { co_await preview_rules(service, call); }});
  router.add({Method::get, "/api/v1/monitor/changes", "monitor-changes", RequestClass::routine,
              [&service](Call& call) -> Task<> { co_await answer(call, changes(service)); }});
  pipeline::Route probe{Method::post, "/api/v1/monitor/probe", "monitor-probe", RequestClass::urgent,
                        [&service](Call& call) -> Task<> { co_await take_probe(service, call); }};
  probe.unrecorded = true;
  router.add_open(std::move(probe));
  add_slo_routes(router, service);
}

}  // namespace mydr24::monitor_api
