// POST [base]/$validate, [base]/Type/$validate and [base]/Type/id/$validate; GET for a resource that is stored. The
// answer is 200 with an OperationOutcome whatever it says: only a request that cannot be carried out is an error.
// Source: FHIR R4, resource-operation-validate.html.

#include <fmt/format.h>

#include <algorithm>

#include "api/fhir_api/operation.h"
#include "fhir/model/validate.h"

namespace mydr24::fhir_api {
namespace {

constexpr std::size_t issues_max = 1'000;

Answer outcome(std::span<const model::Issue> issues) {
  Answer answer;
  answer.is_outcome = true;
  answer.body = model::operation_outcome(issues);
  return answer;
}

Answer validate(const Service& service, access::Access& access, const OperationInput& input, const std::string& type,
                const std::string& id) {
  const auto definitions = service.records.definitions();
  const auto mode = input.text("mode");
  if (!mode.empty() && mode != "create" && mode != "update" && mode != "delete" && mode != "profile") {
    return Answer::of(
        fail(Code::invalid, fmt::format("mode is \"{}\"; it is create, update, delete or profile", mode), "mode"));
  }
  json::Document stored;
  auto resource = input.resource();
  if (!resource && !id.empty()) {
    std::optional<store::Version> version;
    const auto done = access.read(service.store(), [&](store::Reader& reader) -> Result<> {
      MYDR24_ASSIGN(version, reader.current(type, id));
      return {};
    });
    if (!done) return Answer::of(done.error());
    if (!version || version->body.empty()) {
      return Answer::of(fail(Code::not_found, fmt::format("{}/{} does not exist", type, id)));
    }
    auto document = json::Document::parse(records::render(*version));
    if (!document) return Answer::of(document.error());
    stored = std::move(*document);
    resource = stored.root();
    if (mode == "delete") return outcome({});
  }
  if (!resource) {
    return Answer::of(fail(Code::invalid,
                           "there is nothing to validate: send the resource, or Parameters with the parameter resource",
                           "resource"));
  }
  std::vector<model::Issue> issues;
  const auto own_type = resource["resourceType"].text();
  if (!type.empty() && own_type != type) {
    issues.push_back({model::Severity::error, "invalid",
                      fmt::format("resourceType is \"{}\", but the request is for {}", own_type, type),
                      "resourceType"});
  }
  if (mode == "update" && !id.empty() && resource["id"].text() != id) {
    issues.push_back({model::Severity::error, "value",
                      fmt::format("the id is \"{}\", but the request is for {}", resource["id"].text(), id),
                      fmt::format("{}.id", own_type)});
  }
  std::vector<model::Issue> found;
  if (definitions->validator != nullptr) {
    validation::Request request;
    request.profiles = input.texts("profile");
    request.now = service.clock.now();
    request.issues_max = issues_max;
    request.warnings = true;
    // The base definition of a type says nothing that is not checked of every resource of that type.
    std::erase(request.profiles, fmt::format("http://hl7.org/fhir/StructureDefinition/{}", own_type));
    for (const auto& profile : request.profiles) {
      if (definitions->validator->has_profile(profile)) continue;
      return Answer::of(fail(Code::not_found, fmt::format("the profile {} is not known here", profile), "profile"));
    }
    found = definitions->validator->validate(resource, request);
  } else {
    found = model::validate(resource, {.issues_max = issues_max});
  }
  issues.insert(issues.end(), std::make_move_iterator(found.begin()), std::make_move_iterator(found.end()));
  return outcome(issues);
}

Task<> handle(Service& service, pipeline::Call& call, std::size_t captures) {
  if (!co_await acceptable(call)) co_return;
  std::string type, id;
  if (captures > 0) {
    auto known = known_type(call.capture(0));
    if (!known) {
      co_await send(call, Answer::of(known.error()));
      co_return;
    }
    type = std::move(*known);
  }
  if (captures > 1) id = call.capture(1);
  auto input = co_await take_input(call, service.settings.body_bytes_max);
  if (!input) co_return;
  auto answer = co_await service.workers.run(call.request_class(),
                                             [&] { return validate(service, call.access(), *input, type, id); });
  co_await send(call, std::move(answer));
}

}  // namespace

void add_validate_routes(pipeline::Router& router, Service& service) {
  const auto add = [&](net::Method method, std::string pattern, std::size_t captures) {
    router.add({method, std::move(pattern), "$validate", RequestClass::routine,
                [&service, captures](pipeline::Call& call) -> Task<> { co_await handle(service, call, captures); }});
  };
  add(net::Method::post, "/fhir/$validate", 0);
  add(net::Method::post, "/fhir/{type}/$validate", 1);
  add(net::Method::post, "/fhir/{type}/{id}/$validate", 2);
  add(net::Method::get, "/fhir/{type}/{id}/$validate", 2);
}

}  // namespace mydr24::fhir_api
