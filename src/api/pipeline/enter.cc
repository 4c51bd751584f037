// From a seat to the handler: who asks, and whether they may at all.

#include <fmt/format.h>

#include "api/pipeline/pipeline.h"

namespace mydr24::pipeline {
namespace {

// Whom the pipeline does not know: sees nothing.
const std::shared_ptr<const access::Caller>& nobody() {
  static const auto caller = [] {
    auto made = std::make_shared<access::Caller>();
    made->sight = access::Sight::of(std::make_shared<const access::Policy>(), made->principal).value();
    return std::shared_ptr<const access::Caller>(std::move(made));
  }();
  return caller;
}

}  // namespace

Pipeline::Entrance Pipeline::enter(const net::Request& request, const Match& match) const {
  Entrance entrance;
  entrance.decision.allowed = true;
  if (settings_.gatekeeper == nullptr) return entrance;
  // Whoever it is, when that can be told; else null.
  const auto known_caller = [&]() -> std::shared_ptr<const access::Caller> {
    auto caller = settings_.gatekeeper->authenticate(request);
    return caller && (*caller)->principal.is_known() ? std::move(*caller) : nullptr;
  };
  if (match.route == nullptr) {
    // Who says who they are and tries what is not there is on record; what anybody else tries there is only counted.
    entrance.caller = known_caller();
    if (entrance.caller) entrance.decision.rule = "nothing is served there";
    return entrance;
  }
  if (match.route->open) {
    // What anybody may send is on record all the same: logins, tokens, answers by signed links.
    if (request.method != net::Method::get && request.method != net::Method::head &&
        request.method != net::Method::options) {
      entrance.caller = known_caller();
      if (!entrance.caller) entrance.caller = nobody();
    }
    return entrance;
  }
  auto caller = settings_.gatekeeper->authenticate(request);
  if (!caller) {
    entrance.decision = {.allowed = false, .unknown = true, .rule = "what was shown is not valid"};
    entrance.caller = nobody();
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

bool Call::is_still_allowed() const {
  return standing_.entrance == nullptr || standing_.entrance->enter(exchange_.request(), match_).decision.allowed;
}

Task<> Pipeline::turn_away(Call& call, const Entrance& entrance) const {
  // RFC 6750, section 3.
  if (!entrance.decision.unknown) {
    co_await call.respond(fail(Code::refused, fmt::format("not allowed: {}", entrance.decision.rule)));
    co_return;
  }
  if (entrance.refused && entrance.refused->code != Code::refused) {
    // It could not be found out.
    co_await call.respond(*entrance.refused);
  } else if (entrance.refused) {
    co_await call.respond_unknown(*entrance.refused, R"(Bearer realm="MyDR24", error="invalid_token")");
  } else {
    co_await call.respond_unknown(
        fail(Code::refused, "log in: this needs a bearer token, or a session of the console (/login)"),
        R"(Bearer realm="MyDR24")");
  }
}

}  // namespace mydr24::pipeline
