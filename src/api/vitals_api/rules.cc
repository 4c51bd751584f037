// Rule sets: versions, activation, validation, dry run; and what came of alerts.

#include <fmt/format.h>

#include <charconv>

#include "api/vitals_api/vitals_api.h"
#include "base/json/document.h"
#include "base/json/writer.h"
#include "clinical/vitals/outcomes.h"
#include "clinical/vitals/replay.h"

namespace mydr24::vitals_api {
namespace {

constexpr std::size_t small_bytes_max = 16U << 10;
constexpr std::chrono::hours history_default{7 * 24};
constexpr std::chrono::hours history_max{366 * 24};

Result<int> version_of(std::string_view text) {
  int version = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), version);
  if (error != std::errc() || end != text.data() + text.size() || version < 0)
    return fail(Code::not_found, fmt::format("there is no version {} of the rules", text));
  return version;
}

Result<std::string> list(Service& service) {
  std::string text;
  MYDR24_TRY(service.store().read([&](store::Reader& reader) -> Result<> {
    MYDR24_ASSIGN(const auto versions, vitals::RuleBook::list(reader));
    MYDR24_ASSIGN(const auto figures, vitals::RuleBook::figures(reader));
    json::Writer out(text);
    out.begin_object().field("schema", "mydr24.vitals-rule-versions.v1");
    for (const auto& version : versions)
      if (version.in_force) out.field("in_force", version.version);
    out.key("versions").begin_array();
    for (const auto& version : versions) out.raw(vitals::to_json(version));
    out.end_array().key("figures").begin_array();
    for (const auto& each : figures) out.raw(vitals::to_json(each));
    out.end_array().end_object();
    return {};
  }));
  return text;
}

Result<std::string> show(Service& service, std::string_view version_text) {
  MYDR24_ASSIGN(const int version, version_of(version_text));
  std::string text;
  MYDR24_TRY(service.store().read([&](store::Reader& reader) -> Result<> {
    MYDR24_ASSIGN(const auto found, vitals::RuleBook::show(reader, version));
    text = vitals::to_json(found);
    return {};
  }));
  return text;
}

Task<Result<std::string>> add(Service& service, pipeline::Call& call) {
  const auto by = query_value(call, "by", {"by"});
  if (!by) co_return by.error();
  const auto body = co_await take_json(call, vitals::rules_bytes_max);
  if (!body) co_return body.error();
  int version = 0;
  const auto done = co_await write(service, [&](store::Transaction& transaction) -> Result<> {
    MYDR24_ASSIGN(version, vitals::RuleBook::add(transaction, *body, call.in_name_of(*by)));
    return {};
  });
  if (!done) co_return done.error();
  co_return fmt::format("{{\"version\":{}}}", version);
}

Task<Result<std::string>> activate(Service& service, pipeline::Call& call) {
  const auto version = version_of(call.capture(0));
  if (!version) co_return version.error();
  const auto body = co_await take_json(call, small_bytes_max);
  if (!body) co_return body.error();
  const auto document = json::Document::parse_view(*body);
  if (!document) co_return document.error();
  const std::string by = call.in_name_of(document->root()["by"].text());
  const auto done = co_await write(
      service, [&](store::Transaction& transaction) { return vitals::RuleBook::activate(transaction, *version, by); });
  if (!done) co_return done.error();
  co_return fmt::format("{{\"in_force\":{}}}", *version);
}

Task<Result<std::string>> validate(pipeline::Call& call) {
  const auto body = co_await take_json(call, vitals::rules_bytes_max);
  if (!body) co_return body.error();
  const auto set = vitals::parse_rules(*body);
  if (!set) co_return set.error();
  std::string text;
  json::Writer out(text);
  out.begin_object().field("name", set->name).key("rules").begin_array();
  for (const auto& rule : set->rules) out.raw(vitals::to_json(rule));
  out.end_array().end_object();
  co_return text;
}

struct DryRunRequest {
  vitals::RuleSet candidate;
  vitals::DryRunSettings settings;
};

Task<Result<DryRunRequest>> take_dry_run(Service& service, pipeline::Call& call) {
  const auto since_text = query_value(call, "since", {"since", "until"});
  if (!since_text) co_return since_text.error();
  const auto until_text = query_value(call, "until", {"since", "until"});
  if (!until_text) co_return until_text.error();
  const auto until = time_of(*until_text, "until", service.clock.now());
  if (!until) co_return until.error();
  const auto since = time_of(*since_text, "since", *until - history_default);
  if (!since) co_return since.error();
  if (*until - *since > history_max) co_return fail(Code::invalid, "a dry run looks at 366 days at most", "since");
  const auto body = co_await take_json(call, vitals::rules_bytes_max);
  if (!body) co_return body.error();
  auto candidate = vitals::parse_rules(*body);
  if (!candidate) co_return candidate.error();
  co_return DryRunRequest{std::move(*candidate), {.since = *since, .until = *until}};
}

Task<Result<std::string>> dry_run(Service& service, pipeline::Call& call) {
  const auto request = co_await take_dry_run(service, call);
  if (!request) co_return request.error();
  co_return co_await service.workers.run(RequestClass::background, [&]() -> Result<std::string> {
    std::shared_ptr<const vitals::RuleSet> in_force;
    MYDR24_TRY(service.store().read([&](store::Reader& reader) -> Result<> {
      MYDR24_ASSIGN(in_force, service.watch.rules().in_force(reader));
      return {};
    }));
    MYDR24_ASSIGN(const vitals::DryRun run, vitals::dry_run(service.store(), request->candidate, *in_force,
                                                            service.watch.settings(), request->settings));
    return vitals::to_json(run);
  });
}

Result<std::string> outcome(Service& service, std::string_view alert) {
  std::string text;
  MYDR24_TRY(service.store().read([&](store::Reader& reader) -> Result<> {
    MYDR24_ASSIGN(text, vitals::outcome_of(reader, alert));
    return {};
  }));
  return text;
}

Task<Result<std::string>> say(Service& service, pipeline::Call& call) {
  const auto body = co_await take_json(call, small_bytes_max);
  if (!body) co_return body.error();
  const auto document = json::Document::parse_view(*body);
  if (!document) co_return document.error();
  const json::Value root = document->root();
  if (!root["acted"].is_boolean()) co_return fail(Code::invalid, "acted is true or false", "acted");
  const std::string alert(call.capture(0));
  const auto done = co_await write(service, [&](store::Transaction& transaction) {
    return vitals::say_outcome(transaction, alert, root["acted"].is_true(), call.in_name_of(root["by"].text()),
                               root["note"].text());
  });
  if (!done) co_return done.error();
  co_return outcome(service, alert);
}

}  // namespace

void add_rule_routes(pipeline::Router& router, Service& service) {
  using net::Method;
  const auto add_route = [&](Method method, std::string pattern, std::string name, RequestClass request_class,
                             pipeline::Handler handler, admission::Cost cost = admission::Cost::by_method) {
    router.add({method, std::move(pattern), std::move(name), request_class, std::move(handler), cost});
  };
  add_route(Method::get, "/api/v1/vitals/rules", "vitals-rules", RequestClass::routine,
            [&service](pipeline::Call& call) -> Task<> { co_await answer(call, list(service)); });
  add_route(Method::post, "/api/v1/vitals/rules", "vitals-rules-add", RequestClass::routine,
            [&service](pipeline::Call& call) -> Task<> { co_await answer(call, co_await add(service, call), 201); });
  add_route(Method::get, "/api/v1/vitals/rules/{version}", "vitals-rules-version", RequestClass::routine,
            [&service](pipeline::Call& call) -> Task<> { co_await answer(call, show(service, call.capture(0))); });
  add_route(Method::post, "/api/v1/vitals/rules/{version}/activate", "vitals-rules-activate", RequestClass::routine,
            [&service](pipeline::Call& call) -> Task<> { co_await answer(call, co_await activate(service, call)); });
  add_route(
      Method::post, "/api/v1/vitals/rules/validate", "vitals-rules-validate", RequestClass::routine,
      [](pipeline::Call& call) -> Task<> { co_await answer(call, co_await validate(call)); }, admission::Cost::work);
  add_route(
      Method::post, "/api/v1/vitals/dry-run", "vitals-dry-run", RequestClass::background,
      [&service](pipeline::Call& call) -> Task<> { co_await answer(call, co_await dry_run(service, call)); },
      admission::Cost::work);
  add_route(Method::get, "/api/v1/vitals/outcomes/{alert}", "vitals-outcome", RequestClass::routine,
            [&service](pipeline::Call& call) -> Task<> { co_await answer(call, outcome(service, call.capture(0))); });
  add_route(Method::post, "/api/v1/vitals/outcomes/{alert}", "vitals-outcome-say", RequestClass::routine,
            [&service](pipeline::Call& call) -> Task<> { co_await answer(call, co_await say(service, call)); });
}

}  // namespace mydr24::vitals_api
