#include "clinical/vitals/sample.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <vector>

#include "base/core/date_time.h"
#include "base/core/id.h"
#include "base/crypto/digest.h"
#include "base/json/document.h"
#include "base/json/writer.h"

namespace mydr24::vitals {
namespace {

constexpr std::string_view loinc = "http://loinc.org";
constexpr std::string_view snomed = "http://snomed.info/sct";
constexpr std::size_t id_bytes_max = 64;
constexpr std::size_t device_bytes_max = 200;

struct Coding {
  std::string_view code;
  std::string_view display;
};

struct Measure {
  std::string_view member;
  Coding coding;
  std::string_view unit;  // UCUM
};

// Displays are those of LOINC.
constexpr std::array measures{
    Measure{"respiration", {"9279-1", "Respiratory rate"}, "/min"},
    Measure{"spo2", {"2708-6", "Oxygen saturation in Arterial blood"}, "%"},
    Measure{"oxygen_l_min", {"3151-8", "Inhaled oxygen flow rate"}, "L/min"},
    Measure{"systolic", {"8480-6", "Systolic blood pressure"}, "mm[Hg]"},
    Measure{"diastolic", {"8462-4", "Diastolic blood pressure"}, "mm[Hg]"},
    Measure{"pulse", {"8867-4", "Heart rate"}, "/min"},
    Measure{"pulse_oximetry", {"8889-8", "Heart rate by Pulse oximetry"}, "/min"},
    Measure{"temperature", {"8310-5", "Body temperature"}, "Cel"},
    Measure{"gcs", {"9269-2", "Glasgow coma score total"}, "{score}"},
    Measure{"gcs_eyes", {"9267-6", "Glasgow coma score eye opening"}, "{score}"},
    Measure{"gcs_verbal", {"9270-0", "Glasgow coma score verbal"}, "{score}"},
    Measure{"gcs_motor", {"9268-4", "Glasgow coma score motor"}, "{score}"},
};
constexpr Coding panel{"85353-1", "Vital signs, weight, height, head circumference, oxygen saturation and BMI panel"};
constexpr Coding acvpu_code{"1104441000000107", "ACVPU (Alert Confusion Voice Pain Unresponsive) scale score"};
// In the order of ACVPU.
constexpr std::array letters{Coding{"248234008", "Mentally alert"}, Coding{"130987000", "Acute confusion"},
                             Coding{"300202002", "Responds to voice"}, Coding{"450847001", "Responds to pain"},
                             Coding{"422768004", "Unresponsive"}};

Error wrong(std::string_view member, std::string text) {
  return fail(Code::invalid, fmt::format("{}: {}", member, text), std::string(member));
}

void write_coding(json::Writer& writer, std::string_view system, const Coding& coding) {
  writer.begin_object()
      .field("system", system)
      .field("code", coding.code)
      .field("display", coding.display)
      .end_object();
}

struct Read {
  std::string id;
  std::string at;
  std::string patient;
  std::string device;
  std::vector<std::pair<const Measure*, std::string>> values;  // as written
  std::size_t letter = letters.size();
};

Result<> read_member(json::Value member, Read& read) {
  const std::string_view key = member.key();
  if (const auto measure = std::ranges::find(measures, key, &Measure::member); measure != measures.end()) {
    if (!member.is_number()) return wrong(key, "is a number, without its unit");
    read.values.emplace_back(&*measure, member.text());
    return {};
  }
  if (!member.is_string()) return wrong(key, "is a string, or not a member of a sample");
  const std::string_view text = member.text();
  if (key == "patient") {
    if (!is_fhir_id(text)) return wrong(key, "is the FHIR id of a patient: 1 to 64 of A-Z a-z 0-9 - .");
    read.patient = text;
  } else if (key == "at") {
    const auto time = parse_date_time(text);
    if (!time || !time->has_zone) return wrong(key, "is a time with its zone, as 2026-01-05T08:00:00Z");
    read.at = text;
  } else if (key == "id") {
    if (text.empty() || text.size() > id_bytes_max) return wrong(key, fmt::format("has 1 to {} bytes", id_bytes_max));
    read.id = text;
  } else if (key == "device") {
    if (text.size() > device_bytes_max) return wrong(key, fmt::format("has at most {} bytes", device_bytes_max));
    read.device = text;
  } else if (key == "acvpu") {
    constexpr std::string_view order = "ACVPU";
    if (text.size() != 1 || !order.contains(text[0])) return wrong(key, "is one of A, C, V, P, U");
    read.letter = order.find(text[0]);
  } else {
    return wrong(key, "is not a member of a sample");
  }
  return {};
}

// The same text gives the same id. Not a secret: the key only separates these ids from others.
std::string id_of(std::string_view patient, std::string_view named) {
  constexpr std::size_t digits = 40;
  return crypto::hmac_sha256_hex("mydr24.vitals-sample", fmt::format("{}\n{}", patient, named)).substr(0, digits);
}

void write_value(json::Writer& writer, const Measure& measure, std::string_view number) {
  writer.key("valueQuantity")
      .begin_object()
      .key("value")
      .raw(number)
      .field("unit", measure.unit)
      .field("system", "http://unitsofmeasure.org")
      .field("code", measure.unit)
      .end_object();
}

// code, and the value under it.
void write_measure(json::Writer& writer, const Measure& measure, std::string_view number) {
  writer.key("code").begin_object().key("coding").begin_array();
  if (measure.member == "spo2")
    write_coding(writer, loinc, {"59408-5", "Oxygen saturation in Arterial blood by Pulse oximetry"});
  write_coding(writer, loinc, measure.coding);
  writer.end_array().end_object();
  write_value(writer, measure, number);
}

void write_letter(json::Writer& writer, std::size_t letter) {
  writer.key("code").begin_object().key("coding").begin_array();
  write_coding(writer, snomed, acvpu_code);
  writer.end_array().end_object().key("valueCodeableConcept").begin_object().key("coding").begin_array();
  write_coding(writer, snomed, letters[letter]);
  writer.end_array().end_object();
}

std::string write_observation(const Read& read, std::string_view id) {
  const bool has_letter = read.letter < letters.size();
  std::string out;
  json::Writer writer(out);
  writer.begin_object().field("resourceType", "Observation").field("id", id).field("status", "final");
  writer.key("category").begin_array().begin_object().key("coding").begin_array();
  write_coding(writer, "http://terminology.hl7.org/CodeSystem/observation-category", {"vital-signs", "Vital Signs"});
  writer.end_array().end_object().end_array();
  writer.key("subject").begin_object().field("reference", "Patient/" + read.patient).end_object();
  writer.field("effectiveDateTime", read.at);
  if (!read.device.empty()) writer.key("device").begin_object().field("display", read.device).end_object();
  if (read.values.size() == 1 && !has_letter) {
    write_measure(writer, *read.values[0].first, read.values[0].second);
  } else if (read.values.empty()) {
    write_letter(writer, read.letter);
  } else {
    writer.key("code").begin_object().key("coding").begin_array();
    write_coding(writer, loinc, panel);
    writer.end_array().end_object().key("component").begin_array();
    for (const auto& [measure, number] : read.values) {
      writer.begin_object();
      write_measure(writer, *measure, number);
      writer.end_object();
    }
    if (has_letter) {
      writer.begin_object();
      write_letter(writer, read.letter);
      writer.end_object();
    }
    writer.end_array();
  }
  writer.end_object();
  return out;
}

Result<Sample> take_observation(std::string_view text, json::Value root, const SampleContext& context) {
  if (root["resourceType"].text() != "Observation") return wrong("resourceType", "only Observations are taken here");
  std::string_view id = root["id"].text();
  if (!id.empty() && !is_fhir_id(id)) return wrong("id", "is no FHIR id");
  if (!id.empty()) return Sample{std::string(id), std::string(text)};
  const bool timed = root["effectiveDateTime"].exists() || root["effectiveInstant"].exists();
  if (context.needs_identity && !timed) return wrong("id", "it may come twice: give it an id or a time");
  return Sample{timed ? id_of(root["subject"]["reference"].text(), text) : make_uuid7(context.now), std::string(text)};
}

}  // namespace

Result<Sample> observation_of(std::string_view text, const SampleContext& context) {
  if (text.size() > sample_bytes_max)
    return fail(Code::too_large, fmt::format("a sample has at most {} bytes", sample_bytes_max));
  MYDR24_ASSIGN(const json::Document document, json::Document::parse_view(text));
  const json::Value root = document.root();
  if (!root.is_object()) return fail(Code::invalid, "a sample is a JSON object");
  if (root["resourceType"].exists()) return take_observation(text, root, context);

  Read read;
  for (const json::Value member : root) MYDR24_TRY(read_member(member, read));
  if (read.patient.empty()) read.patient = context.patient;
  if (!is_fhir_id(read.patient)) return wrong("patient", "which patient? a sample names one");
  if (read.values.empty() && read.letter == letters.size())
    return fail(Code::invalid, "the sample holds no vital sign");
  for (std::size_t i = 0; i < read.values.size(); ++i)
    for (std::size_t j = 0; j < i; ++j)
      if (read.values[i].first == read.values[j].first) return wrong(read.values[i].first->member, "is there twice");
  const bool timed = !read.at.empty();
  if (context.needs_identity && read.id.empty() && !timed)
    return wrong("at", "it may come twice: give it an id or a time");
  if (!timed) read.at = format_instant(context.now);
  const std::string id = !read.id.empty() ? id_of(read.patient, read.id)
                         : timed          ? id_of(read.patient, text)
                                          : make_uuid7(context.now);
  return Sample{id, write_observation(read, id), !timed && !read.id.empty()};
}

}  // namespace mydr24::vitals
