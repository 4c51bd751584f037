#include "app/surge/request_maker.h"

#include <fmt/format.h>

#include "base/core/date_time.h"
#include "base/core/request_class.h"
#include "base/json/writer.h"

namespace mydr24::surge {
namespace {

// Spreads the seed: neighbouring seeds would begin alike.
std::uint64_t spread(std::uint64_t seed) { return (seed + 1) * 0x9e3779b97f4a7c15U; }

std::vector<double> weights(const std::vector<Share>& mix) {
  std::vector<double> out;
  for (const Share& share : mix) out.push_back(share.weight);
  return out;
}

}  // namespace

RequestMaker::RequestMaker(const LoadSpec& spec, const Clock& clock)
    : spec_(spec),
      clock_(clock),
      random_(spread(spec.seed)),
      bundles_(spread(spec.seed) % 1'000'000'000),
      bundle_(load::linked_transaction(bundle_linked, "2023-04-11T09:12:44.000-04:00")) {
  const auto shares = weights(spec.mix);
  share_ = std::discrete_distribution<std::size_t>(shares.begin(), shares.end());
  headers_ = spec.headers;
  // Bulk work says of itself that it can wait.
  if (spec.name == to_string(RequestClass::background)) headers_ += "X-MyDR24-Class: background\r\n";
  load::append_request(work_, "POST", fmt::format("/bench/work?ms={}", spec.work_ms), {}, headers_);
}

Ask RequestMaker::next() {
  Ask ask;
  ask.kind = spec_.mix[spec_.mix.size() == 1 ? 0 : share_(random_)].kind;
  const auto patients = static_cast<std::uint32_t>(spec_.patients);
  ask.patient = ask.kind == Kind::alarm ? alarms_++ % patients : static_cast<std::uint32_t>(random_() % patients);
  return ask;
}

std::string RequestMaker::patient(const Ask& ask) const {
  return fmt::format("{}-{}", spec_.patient_prefix, ask.patient);
}

std::string RequestMaker::alarm_patient(const Ask& ask) const {
  return spec_.alarm_prefix.empty() ? patient(ask) : fmt::format("{}-{}", spec_.alarm_prefix, ask.patient);
}

// Warnings of machines, as a monitoring server sends them.
void RequestMaker::append_alerts() {
  json::Writer writer(body_);
  writer.begin_array();
  const std::string at = format_instant(clock_.now());
  for (std::size_t i = 0; i < alerts_a_post; ++i) {
    writer.begin_object().key("labels").begin_object().field("alertname", "DiskFillsUp").field("severity", "warning");
    writer.field("instance", fmt::format("node-{}-{}", spec_.seed, ++posted_alerts_)).end_object();
    writer.key("annotations").begin_object().field("summary", "less than a tenth is free").end_object();
    writer.field("startsAt", at).end_object();
  }
  writer.end_array();
}

void RequestMaker::write(const Ask& ask, std::string& out) {
  const auto post = [&](std::string_view target) { load::append_request(out, "POST", target, body_, headers_); };
  const auto get = [&](const std::string& target) { load::append_request(out, "GET", target, {}, headers_); };
  body_.clear();
  switch (ask.kind) {
    case Kind::work:
      out += work_;
      return;
    case Kind::alarm:
      load::oxygen_saturation().append(
          body_, {{"patient", "Patient/" + alarm_patient(ask)}, {"value", "78"}, {"at", format_instant(clock_.now())}});
      return post("/fhir/R4/Observation");
    case Kind::vital:
      load::heart_rate().append(
          body_, {{"patient", "Patient/" + patient(ask)}, {"value", "71"}, {"at", format_instant(clock_.now())}});
      return post("/fhir/R4/Observation");
    case Kind::summary:
      return get("/fhir/R4/Patient/" + patient(ask) + "/$summary");
    case Kind::board:
      return get("/api/v1/alerts?state=open&count=20");
    case Kind::read:
      return get("/fhir/R4/Patient/" + patient(ask));
    case Kind::search:
      return get("/fhir/R4/Observation?patient=Patient/" + patient(ask) + "&_sort=-date&_count=10");
    case Kind::history:
      return get("/fhir/R4/Patient/" + patient(ask) + "/_history");
    case Kind::encounter:
      load::small_encounter().append(body_,
                                     {{"patient", "Patient/" + patient(ask)}, {"at", format_instant(clock_.now())}});
      return post("/fhir/R4/Encounter");
    case Kind::admit:
      load::patient().append(
          body_, {{"id", load::id_member(patient(ask))}, {"n", fmt::format("{}", ask.patient)}, {"gender", "female"}});
      return load::append_request(out, "PUT", "/fhir/R4/Patient/" + patient(ask), body_, headers_);
    case Kind::bundle:
      bundle_.append(body_, {{"n", fmt::format("{}", ++bundles_)}});
      return post("/fhir/R4/");
    case Kind::alerts:
      append_alerts();
      return load::append_request(out, "POST", "/api/v2/alerts", body_,
                                  "Content-Type: application/json\r\n" + spec_.headers);
  }
}

}  // namespace mydr24::surge
