// Scores: of a patient now or at a time, as JSON and as FHIR; and of a department's crowding.

#include <fmt/format.h>

#include "api/vitals_api/vitals_api.h"
#include "base/core/id.h"
#include "clinical/vitals/crowding.h"
#include "clinical/vitals/fhir_scores.h"
#include "clinical/vitals/replay.h"

namespace mydr24::vitals_api {
namespace {

constexpr std::size_t small_bytes_max = 16U << 10;

Result<vitals::PatientSigns> signs_of(Service& service, std::string_view patient, std::optional<Instant> at) {
  std::optional<vitals::PatientSigns> signs;
  MYDR24_TRY(service.store().read([&](store::Reader& reader) -> Result<> {
    if (at) {
      MYDR24_ASSIGN(signs, vitals::signs_at(reader, patient, *at, service.watch.settings()));
    } else {
      MYDR24_ASSIGN(signs, service.watch.current(reader, patient));
    }
    return {};
  }));
  if (!signs) return fail(Code::not_found, fmt::format("no vital sign of Patient/{} is known", patient));
  return std::move(*signs);
}

Task<Result<std::string>> scores(Service& service, pipeline::Call& call) {
  const auto at_text = query_value(call, "at", {"at"});
  if (!at_text) co_return at_text.error();
  std::optional<Instant> at;
  if (!at_text->empty()) {
    const auto time = time_of(*at_text, "at", Instant{});
    if (!time) co_return time.error();
    at = *time;
  }
  const std::string patient(call.capture(0));
  call.access().note_patient(patient);
  co_return co_await service.workers.run(call.request_class(), [&]() -> Result<std::string> {
    MYDR24_TRY(call.access().check_shown(service.store(), "Patient", patient));
    MYDR24_ASSIGN(const auto signs, signs_of(service, patient, at));
    return vitals::scores_json(signs, service.watch.settings());
  });
}

Result<std::string> early_warning(Service& service, access::Access& access, const std::string& patient,
                                  const std::string& base) {
  if (!is_fhir_id(patient)) return fail(Code::invalid, fmt::format("\"{}\" is no id of a patient", patient));
  access.note_patient(patient);
  MYDR24_TRY(access.check_shown(service.store(), "Patient", patient));
  std::string text;
  MYDR24_TRY(service.store().read([&](store::Reader& reader) -> Result<> {
    MYDR24_ASSIGN(const auto head, reader.current_head("Patient", patient));
    MYDR24_ASSIGN(const auto signs, service.watch.current(reader, patient));
    if (!signs && (!head || head->action == store::Action::remove))
      return fail(Code::not_found, fmt::format("there is no Patient/{}", patient));
    text = vitals::early_warning_bundle(signs.value_or(vitals::PatientSigns()), patient, service.watch.settings(), base,
                                        service.clock.now());
    return {};
  }));
  return text;
}

Task<> send_early_warning(Service& service, pipeline::Call& call) {
  auto bundle = early_warning(service, call.access(), std::string(call.capture(0)), call.fhir_base());
  if (!bundle) {
    co_await call.respond(bundle.error());
    co_return;
  }
  net::Response response{.content_type = std::string(pipeline::fhir_json)};
  response.headers.emplace_back("Cache-Control", "no-store");
  response.body = std::move(*bundle);
  co_await call.respond(std::move(response));
}

Task<Result<std::string>> crowding(pipeline::Call& call) {
  const std::string scale(call.capture(0));
  const auto body = co_await take_json(call, small_bytes_max);
  if (!body) co_return body.error();
  if (scale == "nedocs") {
    const auto inputs = vitals::nedocs_inputs(*body);
    if (!inputs) co_return inputs.error();
    const auto score = vitals::nedocs(*inputs);
    if (!score) co_return score.error();
    co_return vitals::to_json(*score);
  }
  if (scale != "cedocs") co_return fail(Code::not_found, "there are crowding/nedocs and crowding/cedocs");
  const auto inputs = vitals::cedocs_inputs(*body);
  if (!inputs) co_return inputs.error();
  const auto score = vitals::cedocs(*inputs);
  if (!score) co_return score.error();
  co_return vitals::to_json(*score);
}

}  // namespace

void add_score_routes(pipeline::Router& router, Service& service) {
  using net::Method;
  router.add({Method::get, "/api/v1/vitals/{patient}/scores", "vitals-scores", RequestClass::urgent,
              [&service](pipeline::Call& call) -> Task<> { co_await answer(call, co_await scores(service, call)); }});
  router.add({Method::get, "/fhir/Patient/{id}/$early-warning", "$early-warning", RequestClass::urgent,
              [&service](pipeline::Call& call) -> Task<> { co_await send_early_warning(service, call); }});
  router.add({Method::post, "/api/v1/vitals/crowding/{scale}", "vitals-crowding", RequestClass::routine,
              [](pipeline::Call& call) -> Task<> { co_await answer(call, co_await crowding(call)); },
              admission::Cost::work});
}

}  // namespace mydr24::vitals_api
