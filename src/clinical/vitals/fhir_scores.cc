#include "clinical/vitals/fhir_scores.h"

#include <fmt/format.h>

#include <functional>
#include <set>

#include "base/core/date_time.h"
#include "base/json/writer.h"

namespace mydr24::vitals {
namespace {

constexpr std::string_view loinc = "http://loinc.org";
constexpr std::string_view snomed = "http://snomed.info/sct";
constexpr std::string_view own = "https://mydr24.org/fhir/CodeSystem/vitals";

struct Code {
  std::string_view system;
  std::string_view code;
  std::string_view display;
};

constexpr Code news2_code{snomed, "1104051000000101", "NEWS2 (National Early Warning Score 2) total score"};
// In the order of Parameter; SpO2 by its scale.
constexpr std::array<Code, parameter_count> part_codes{
    {{snomed, "1104301000000104", "NEWS2 respiration rate score"},
     {snomed, "1104311000000102", "NEWS2 oxygen saturation scale 1 score"},
     {snomed, "1104331000000105", "NEWS2 air or oxygen score"},
     {snomed, "1104341000000101", "NEWS2 systolic blood pressure score"},
     {snomed, "1104351000000103", "NEWS2 pulse score"},
     {snomed, "1104361000000100", "NEWS2 consciousness score"},
     {snomed, "1104371000000107", "NEWS2 temperature score"}}};
constexpr Code scale_2_code{snomed, "1104321000000108", "NEWS2 oxygen saturation scale 2 score"};
constexpr Code lower_bound_code{own, "news2-lower-bound", "NEWS2 of the signs that are known"};
constexpr Code qsofa_code{own, "qsofa", "Quick SOFA score"};
constexpr Code sirs_code{own, "sirs", "SIRS criteria met"};
constexpr Code coma_code{loinc, "9269-2", "Glasgow coma score total"};

void write_code(json::Writer& writer, const Code& code) {
  writer.key("code").begin_object().key("coding").begin_array().begin_object();
  writer.field("system", code.system).field("code", code.code).field("display", code.display);
  writer.end_object().end_array().end_object();
}

void write_points(json::Writer& writer, int points) {
  writer.key("valueQuantity").begin_object().field("value", points).field("unit", "{score}");
  writer.field("system", "http://unitsofmeasure.org").field("code", "{score}").end_object();
}

void write_absent(json::Writer& writer) {
  writer.key("dataAbsentReason").begin_object().key("coding").begin_array().begin_object();
  writer.field("system", "http://terminology.hl7.org/CodeSystem/data-absent-reason").field("code", "unknown");
  writer.end_object().end_array().end_object();
}

void write_component(json::Writer& writer, const Code& code, std::optional<int> points) {
  writer.begin_object();
  write_code(writer, code);
  if (points)
    write_points(writer, *points);
  else
    write_absent(writer);
  writer.end_object();
}

// One bundle in the making.
class Bundle {
 public:
  Bundle(std::string_view patient_id, std::string_view fhir_base, Instant at, Instant now)
      : patient_id_(patient_id), fhir_base_(fhir_base), at_(format_instant(at)), writer_(out_) {
    writer_.begin_object().field("resourceType", "Bundle").field("type", "collection");
    writer_.field("timestamp", format_instant(now)).key("entry").begin_array();
  }

  // `body` writes value, components and derivedFrom.
  void add(std::string_view name, const Code& code, const std::function<void(json::Writer&)>& body) {
    const std::string id = fmt::format("{}-{}", name, patient_id_).substr(0, 64);
    writer_.begin_object().field("fullUrl", fmt::format("{}/Observation/{}", fhir_base_, id)).key("resource");
    writer_.begin_object().field("resourceType", "Observation").field("id", id).field("status", "final");
    writer_.key("category").begin_array().begin_object().key("coding").begin_array().begin_object();
    writer_.field("system", "http://terminology.hl7.org/CodeSystem/observation-category").field("code", "survey");
    writer_.end_object().end_array().end_object().end_array();
    write_code(writer_, code);
    writer_.key("subject").begin_object().field("reference", fmt::format("Patient/{}", patient_id_)).end_object();
    writer_.field("effectiveDateTime", at_);
    body(writer_);
    writer_.end_object().end_object();
  }

  std::string finish() {
    writer_.end_array().end_object();
    // An empty list is no FHIR.
    constexpr std::string_view no_entry = ",\"entry\":[]";
    if (const auto at = out_.find(no_entry); at != out_.npos) out_.erase(at, no_entry.size());
    return std::move(out_);
  }

 private:
  std::string_view patient_id_;
  std::string_view fhir_base_;
  std::string at_;
  std::string out_;
  json::Writer writer_;
};

void write_sources(json::Writer& writer, const PatientSigns& signs, const Score& score) {
  std::set<std::string_view> ids;
  for (std::size_t i = 0; i < parameter_count; ++i)
    if (score.parts[i].state == PartState::scored && !signs.held[i].empty())
      ids.insert(signs.held[i].front().observation);
  if (ids.empty()) return;
  writer.key("derivedFrom").begin_array();
  for (const std::string_view id : ids)
    writer.begin_object().field("reference", fmt::format("Observation/{}", id)).end_object();
  writer.end_array();
}

void write_news2(json::Writer& writer, const PatientSigns& signs, const WatchSettings& settings) {
  const Score& score = *signs.score;
  if (score.total)
    write_points(writer, *score.total);
  else
    write_absent(writer);
  writer.key("interpretation").begin_array().begin_object();
  writer.field("text", fmt::format("{}{}", score.total ? "" : "at least ", to_string(score.band)))
      .end_object()
      .end_array();
  const bool scale_2 = is_on_scale_2(signs, *signs.at, settings);
  writer.key("component").begin_array();
  for (std::size_t i = 0; i < parameter_count; ++i) {
    const Part& part = score.parts[i];
    const bool is_spo2 = static_cast<Parameter>(i) == Parameter::spo2;
    write_component(writer, is_spo2 && scale_2 ? scale_2_code : part_codes[i],
                    part.state == PartState::scored ? std::optional(part.points) : std::nullopt);
  }
  if (!score.total) write_component(writer, lower_bound_code, score.partial);
  writer.end_array();
  write_sources(writer, signs, score);
}

template <std::size_t size>
void write_criteria(json::Writer& writer, const Criteria<size>& score,
                    const std::array<std::string_view, size>& names) {
  write_points(writer, score.points());
  writer.key("component").begin_array();
  for (std::size_t i = 0; i < size; ++i)
    write_component(writer, {own, names[i], names[i]},
                    score.parts[i] == Criterion::unknown ? std::nullopt
                                                         : std::optional(score.parts[i] == Criterion::present ? 1 : 0));
  writer.end_array();
}

}  // namespace

std::string early_warning_bundle(const PatientSigns& signs, std::string_view patient_id, const WatchSettings& settings,
                                 std::string_view fhir_base, Instant now) {
  Bundle bundle(patient_id, fhir_base, signs.at.value_or(now), now);
  if (signs.score) bundle.add("news2", news2_code, [&](json::Writer& writer) { write_news2(writer, signs, settings); });
  if (const auto score = quick_sofa_of(signs, settings))
    bundle.add("qsofa", qsofa_code, [&](json::Writer& writer) { write_criteria(writer, *score, quick_sofa_parts); });
  if (const auto score = sirs_of(signs, settings))
    bundle.add("sirs", sirs_code, [&](json::Writer& writer) { write_criteria(writer, *score, sirs_parts); });
  if (const auto score = coma_score_of(signs, settings))
    bundle.add("gcs", coma_code, [&](json::Writer& writer) { write_points(writer, *score); });
  return bundle.finish();
}

std::string scores_json(const PatientSigns& signs, const WatchSettings& settings) {
  std::string out;
  json::Writer writer(out);
  writer.begin_object();
  if (signs.at) writer.field("at", format_instant(*signs.at));
  if (!signs.not_scored.empty()) writer.field("not_scored", signs.not_scored);
  if (signs.score) {
    const Response response = response_to(*signs.score);
    writer.key("news2").raw(to_json(*signs.score)).key("response").begin_object();
    writer.field("monitoring", response.monitoring).field("action", response.action);
    if (response.assess_within_min > 0) writer.field("assess_within_min", response.assess_within_min);
    writer.end_object();
  }
  if (const auto score = quick_sofa_of(signs, settings)) writer.key("qsofa").raw(to_json(*score));
  if (const auto score = sirs_of(signs, settings)) writer.key("sirs").raw(to_json(*score));
  if (const auto score = coma_score_of(signs, settings)) writer.field("coma_score", *score);
  writer.end_object();
  return out;
}

}  // namespace mydr24::vitals
