// From a seat to the handler: who asks, and whether they may at all.

#include <fmt/format.h>

#include "api/pipeline/pipeline.h"

namespace mydr24::pipeline {
namespace {

// The resource type that a FHIR path names; empty for the whole system.
std::string_view type_of(const Match& match) {
  constexpr std::string_view base = "/fhir/";
  const std::string_view pattern = match.route->pattern;
  if (!pattern.starts_with(base)) return {};
  const auto segment = pattern.substr(base.size(), pattern.find('/', base.size()) - base.size());
  if (segment == "{type}") return match.captures[0];
  return segment.starts_with('$') || segment.starts_with('_') ? std::string_view() : segment;
}

}  // namespace

Pipeline::Entrance Pipeline::enter(const net::Request& request, const Match& match) const {
  Entrance entrance;
  entrance.decision.allowed = true;
  if (settings_.gatekeeper == nullptr || match.route == nullptr || match.route->open) return entrance;
  auto caller = settings_.gatekeeper->authenticate(request);
  if (!caller) {
    entrance.decision = {.allowed = false, .unknown = true, .rule = "what was shown is not valid"};
    entrance.refused = std::move(caller).error();
    return entrance;
  }
  entrance.caller = std::move(*caller);
  entrance.decision =
      match.route->pattern.starts_with("/fhir")
          ? access::decide_fhir(*entrance.caller, match.route->interaction, type_of(match))
          : access::decide_operation(*settings_.gatekeeper->policy(), *entrance.caller, match.route->interaction);
  return entrance;
}

Task<> Pipeline::turn_away(Call& call, const Entrance& entrance) const {
  // RFC 6750, section 3.
  if (!entrance.decision.unknown) {
    co_await call.respond(fail(Code::refused, fmt::format("not allowed: {}", entrance.decision.rule)));
    co_return;
  }
  if (entrance.refused) {
    co_await call.respond_unknown(*entrance.refused, R"(Bearer realm="MyDR24", error="invalid_token")");
  } else {
    co_await call.respond_unknown(
        fail(Code::refused, "log in: this needs a bearer token, or a session of the console (/login)"),
        R"(Bearer realm="MyDR24")");
  }
}

}  // namespace mydr24::pipeline
