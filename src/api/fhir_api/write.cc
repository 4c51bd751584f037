// POST [base]/Type, PUT, PATCH and DELETE [base]/Type/id, and their conditional forms.

#include <fmt/format.h>

#include <algorithm>

#include "api/fhir_api/fhir_api.h"

namespace mydr24::fhir_api {
namespace {

using records::Interaction;
using records::Verb;

// A body from this size on is parsed and checked by a worker, so that the I/O thread goes on serving others.
constexpr std::size_t worker_bytes = 64U << 10;

Result<search::Query> criteria(const Service& service, access::Access& access, const std::string& fhir_base,
                               std::string_view type, std::string_view query) {
  const auto parameters = net::parse_query(query);
  if (!parameters) return fail(Code::invalid, "the search criteria are malformed: check their percent-encoding");
  auto parsed = parse(service, access, type, *parameters, false, fhir_base);
  if (!parsed) {
    const auto& issue = parsed.error().issues.front();
    return fail(Code::invalid, issue.diagnostics, issue.expression);
  }
  if (parsed->conditions.empty()) return fail(Code::stale, "a conditional interaction needs search criteria");
  return std::move(*parsed);
}

// Everything but the body. The path has one capture (type) or two (type and id).
Result<Interaction> describe(const Service& service, pipeline::Call& call, Verb verb, bool has_id) {
  const auto& request = call.request();
  Interaction interaction;
  interaction.verb = verb;
  MYDR24_ASSIGN(interaction.type, known_type(call.capture(0)));
  if (has_id) {
    MYDR24_ASSIGN(interaction.id, known_id(call.capture(1)));
  }
  if (!has_id && verb != Verb::create) {
    MYDR24_ASSIGN(auto query, criteria(service, call.access(), call.fhir_base(), interaction.type, request.query));
    interaction.condition = std::move(query);
  }
  if (const auto if_none_exist = request.header("If-None-Exist"); verb == Verb::create && !if_none_exist.empty()) {
    const auto question = if_none_exist.find('?');
    MYDR24_ASSIGN(auto query,
                  criteria(service, call.access(), call.fhir_base(), interaction.type,
                           question == if_none_exist.npos ? if_none_exist : if_none_exist.substr(question + 1)));
    interaction.condition = std::move(query);
  }
  MYDR24_ASSIGN(interaction.if_match, parse_etag(request.header("If-Match")));
  interaction.if_none_match_any = request.header("If-None-Match") == "*";
  return interaction;
}

Task<> handle_write(Service& service, pipeline::Call& call, Verb verb, bool has_id) {
  const auto& request = call.request();
  if (!co_await acceptable(call)) co_return;
  auto interaction = describe(service, call, verb, has_id);
  if (!interaction) {
    co_await send(call, Answer::of(interaction.error()));
    co_return;
  }
  if (verb != Verb::remove) {
    const bool json_patch =
        verb == Verb::patch && request.header("Content-Type").starts_with("application/json-patch+json");
    const auto bytes_max = service.settings.body_bytes_max;
    auto body = json_patch ? co_await take_body(call, {"application/json-patch+json"}, bytes_max)
                           : co_await take_resource(call, bytes_max);
    if (!body) co_return;
    interaction->text = std::move(*body);
  }
  const bool large = interaction->text.size() >= worker_bytes || call.crowded();
  std::vector<Interaction> interactions;
  interactions.push_back(std::move(*interaction));
  auto effects = co_await records::execute(service.records, call.access(), call.request_class(), interactions,
                                           large ? &service.workers : nullptr);
  if (!effects) {
    co_await send(call, Answer::of(effects.error()));
    co_return;
  }
  co_await until_in_effect(service, call, *effects);
  const auto preference = preferred_return(request.header("Prefer"));
  co_await send(call, answer(effects->front(), preference == Return::unset ? Return::representation : preference));
}

}  // namespace

Task<> until_in_effect(Service& service, pipeline::Call& call, std::span<const records::Effect> effects) {
  auto* const conformance = service.conformance;
  auto* const consents = service.consents;
  store::Sequence last = 0, last_consent = 0;
  for (const auto& effect : effects) {
    using Kind = records::Effect::Kind;
    const bool written = effect.kind == Kind::created || effect.kind == Kind::updated;
    if (written && conformance != nullptr && conformance::Conformance::is_definition(effect.version.type))
      last = std::max(last, effect.version.sequence);
    if ((written || effect.kind == Kind::removed) && consents != nullptr && effect.version.type == "Consent")
      last_consent = std::max(last_consent, effect.version.sequence);
  }
  if (last_consent != 0) {
    co_await service.workers.run(call.request_class(), [consents, last_consent] {
      consents->wait_until_in_effect(last_consent, std::chrono::seconds(1));
      return true;
    });
  }
  if (last == 0) co_return;
  co_await service.workers.run(call.request_class(), [conformance, last] {
    return conformance->wait_until_in_effect(last, std::chrono::seconds(1));
  });
}

void add_write_routes(pipeline::Router& router, Service& service) {
  const auto add = [&](net::Method method, std::string pattern, std::string interaction, Verb verb, bool has_id) {
    router.add({method, std::move(pattern), std::move(interaction), RequestClass::routine,
                [&service, verb, has_id](pipeline::Call& call) -> Task<> {
                  co_await handle_write(service, call, verb, has_id);
                }});
  };
  add(net::Method::post, "/fhir/{type}", "create", Verb::create, false);
  add(net::Method::put, "/fhir/{type}/{id}", "update", Verb::update, true);
  add(net::Method::put, "/fhir/{type}", "conditional-update", Verb::update, false);
  add(net::Method::patch, "/fhir/{type}/{id}", "patch", Verb::patch, true);
  add(net::Method::patch, "/fhir/{type}", "conditional-patch", Verb::patch, false);
  add(net::Method::del, "/fhir/{type}/{id}", "delete", Verb::remove, true);
  add(net::Method::del, "/fhir/{type}", "conditional-delete", Verb::remove, false);
}

}  // namespace mydr24::fhir_api
