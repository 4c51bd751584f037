#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

#include "base/core/date_time.h"
#include "base/core/id.h"
#include "base/core/markup.h"
#include "base/json/writer.h"
#include "clinical/summary/summary.h"

namespace mydr24::summary {
namespace {

// Which resources make a section. `only` and `none_of` are values of the status element; of several observations of one
// code the newest counts.
struct Part {
  std::string_view type;
  std::string_view category;               // of Observation
  std::span<const std::string_view> only;  // empty: any
  bool newest_of_each_code = false;
};
struct Section {
  std::string_view code;  // LOINC
  std::string_view title;
  bool required = false;  // by the IPS: told to be empty when it is
  std::span<const Part> parts;
};

constexpr auto open_conditions = std::to_array<std::string_view>({"active", "recurrence", "relapse", ""});
constexpr auto past_conditions = std::to_array<std::string_view>({"inactive", "remission", "resolved"});
constexpr auto active_allergies = std::to_array<std::string_view>({"active", ""});
constexpr auto taken = std::to_array<std::string_view>({"active", "on-hold", "unknown", "intended"});
constexpr auto done = std::to_array<std::string_view>({"completed", "in-progress"});
constexpr auto results = std::to_array<std::string_view>({"final", "amended", "corrected", "preliminary"});

constexpr auto allergies = std::to_array<Part>({{"AllergyIntolerance", "", active_allergies}});
constexpr auto medications =
    std::to_array<Part>({{"MedicationStatement", "", taken}, {"MedicationRequest", "", taken}});
constexpr auto problems = std::to_array<Part>({{"Condition", "", open_conditions}});
constexpr auto past = std::to_array<Part>({{"Condition", "", past_conditions}});
constexpr auto immunizations = std::to_array<Part>({{"Immunization", "", done}});
constexpr auto procedures = std::to_array<Part>({{"Procedure", "", done}});
constexpr auto devices = std::to_array<Part>({{"DeviceUseStatement", "", {}}});
constexpr auto laboratory = std::to_array<Part>({{"Observation", "laboratory", results, true}});
constexpr auto vital_signs = std::to_array<Part>({{"Observation", "vital-signs", results, true}});
constexpr auto social = std::to_array<Part>({{"Observation", "social-history", results, true}});

constexpr auto sections = std::to_array<Section>({
    {"48765-2", "Allergies and intolerances", true, allergies},
    {"10160-0", "Medications", true, medications},
    {"11450-4", "Problems", true, problems},
    {"11369-6", "Immunizations", false, immunizations},
    {"47519-4", "Procedures", false, procedures},
    {"46264-8", "Medical devices", false, devices},
    {"30954-2", "Results", false, laboratory},
    {"8716-3", "Vital signs", false, vital_signs},
    {"11348-0", "Past illnesses", false, past},
    {"29762-2", "Social history", false, social},
});

std::string_view status_of(json::Value resource) {
  if (const auto clinical = resource["clinicalStatus"]) return clinical["coding"].at(0)["code"].text();
  return resource["status"].text();
}

bool is_in_error(json::Value resource) {
  return resource["status"].text() == "entered-in-error" ||
         resource["verificationStatus"]["coding"].at(0)["code"].text() == "entered-in-error";
}

bool fits(const Part& part, json::Value resource) {
  if (is_in_error(resource)) return false;
  if (!part.only.empty() && std::ranges::find(part.only, status_of(resource)) == part.only.end()) return false;
  if (part.category.empty()) return true;
  for (const auto category : resource["category"]) {
    for (const auto coding : category["coding"]) {
      if (coding["code"].text() == part.category) return true;
    }
  }
  return false;
}

// What a person calls it.
std::string_view words_of(json::Value concept_value) {
  if (const auto text = concept_value["text"].text(); !text.empty()) return text;
  for (const auto coding : concept_value["coding"]) {
    if (const auto display = coding["display"].text(); !display.empty()) return display;
  }
  return concept_value["coding"].at(0)["code"].text();
}

std::string_view name_of(json::Value resource) {
  for (const auto* element : {"code", "medicationCodeableConcept", "vaccineCode"}) {
    if (const auto words = words_of(resource[element]); !words.empty()) return words;
  }
  for (const auto* element : {"medicationReference", "device"}) {
    if (const auto display = resource[element]["display"].text(); !display.empty()) return display;
  }
  return resource["resourceType"].text();
}

void write_narrative(json::Writer& out, std::string_view inner) {
  out.key("text").begin_object().field("status", "generated");
  out.field("div", fmt::format("<div xmlns=\"http://www.w3.org/1999/xhtml\">{}</div>", inner)).end_object();
}

void write_code(json::Writer& out, std::string_view key, std::string_view system, std::string_view code,
                std::string_view display) {
  out.key(key).begin_object().key("coding").begin_array().begin_object();
  out.field("system", system).field("code", code).field("display", display);
  out.end_object().end_array().end_object();
}

class Builder {
 public:
  Builder(store::Reader& reader, std::string_view patient, const std::string& fhir_base, Instant now)
      : reader_(reader), patient_(patient), fhir_base_(fhir_base), now_(now) {}

  Result<std::string> run() {
    MYDR24_ASSIGN(const auto patient, reader_.current("Patient", patient_));
    if (!patient) return fail(Code::not_found, fmt::format("Patient/{} does not exist", patient_));
    if (patient->action == store::Action::remove) {
      return fail(Code::gone, fmt::format("Patient/{} was deleted", patient_));
    }
    add_entry(*patient);
    std::string written;
    json::Writer out(written);
    out.begin_array();
    for (const auto& section : sections) MYDR24_TRY(write_section(out, section));
    out.end_array();
    return document(written);
  }

 private:
  void add_entry(const store::Version& version) {
    if (!seen_.insert(version.type + "/" + version.id).second) return;
    entries_ += fmt::format(",{{\"fullUrl\":\"{}/{}/{}\",\"resource\":", fhir_base_, version.type, version.id);
    records::append_rendered(entries_, version);
    entries_ += '}';
  }

  Result<std::vector<store::Version>> find(const Part& part) {
    std::vector<store::Version> found;
    search::Query query;
    query.type = part.type;
    query.count = 500;
    const auto* parameter = search::find_parameter(part.type, "patient");
    if (parameter == nullptr) parameter = search::find_parameter(part.type, "subject");
    if (parameter == nullptr) return found;
    search::Condition condition;
    condition.parameter = parameter;
    condition.any_of.push_back({.value = fmt::format("Patient/{}", patient_)});
    query.conditions.push_back(std::move(condition));
    if (part.newest_of_each_code) {
      if (const auto* date = search::find_parameter(part.type, "date")) query.sort.push_back({date, true});
    }
    std::set<std::string> codes;
    do {
      MYDR24_ASSIGN(auto page, reader_.search(query));
      for (auto& match : page.matches) {
        MYDR24_ASSIGN(const auto document, json::Document::parse_view(match.body));
        if (!fits(part, document.root())) continue;
        if (part.newest_of_each_code && !codes.insert(std::string(name_of(document.root()))).second) continue;
        found.push_back(std::move(match));
        if (found.size() == section_max) return found;
      }
      query.cursor = page.next_cursor;
    } while (!query.cursor.empty());
    return found;
  }

  Result<> write_section(json::Writer& out, const Section& section) {
    std::vector<store::Version> found;
    for (const auto& part : section.parts) {
      MYDR24_ASSIGN(auto more, find(part));
      std::ranges::move(more, std::back_inserter(found));
    }
    if (found.empty() && !section.required) return {};
    out.begin_object().field("title", section.title);
    write_code(out, "code", "http://loinc.org", section.code, section.title);
    std::string list;
    for (const auto& version : found) {
      MYDR24_ASSIGN(const auto document, json::Document::parse_view(version.body));
      list += fmt::format("<li>{}</li>", escape_markup(name_of(document.root())));
    }
    write_narrative(out,
                    found.empty() ? std::string("<p>No information available.</p>") : fmt::format("<ul>{}</ul>", list));
    if (found.empty()) {
      write_code(out, "emptyReason", "http://terminology.hl7.org/CodeSystem/list-empty-reason", "unavailable",
                 "Unavailable");
    } else {
      out.key("entry").begin_array();
      for (const auto& version : found) {
        out.begin_object()
            .field("reference", fmt::format("{}/{}/{}", fhir_base_, version.type, version.id))
            .end_object();
        add_entry(version);
      }
      out.end_array();
    }
    out.end_object();
    return {};
  }

  std::string document(const std::string& written_sections) {
    const auto composition = make_uuid7(now_), device = make_uuid7(now_), bundle = make_uuid7(now_);
    const auto time = format_instant(now_);
    std::string text;
    json::Writer out(text);
    out.begin_object().field("resourceType", "Bundle").field("id", bundle);
    out.key("meta").begin_object().key("profile").begin_array();
    out.string("http://hl7.org/fhir/uv/ips/StructureDefinition/Bundle-uv-ips").end_array().end_object();
    out.key("identifier").begin_object().field("system", "urn:ietf:rfc:3986").field("value", "urn:uuid:" + bundle);
    out.end_object().field("type", "document").field("timestamp", time);
    out.key("entry").begin_array();
    out.begin_object().field("fullUrl", "urn:uuid:" + composition).key("resource").begin_object();
    out.field("resourceType", "Composition").field("id", composition);
    write_narrative(out, "<p>International Patient Summary</p>");
    out.field("status", "final");
    write_code(out, "type", "http://loinc.org", "60591-5", "Patient summary Document");
    out.key("subject").begin_object().field("reference", fmt::format("{}/Patient/{}", fhir_base_, patient_));
    out.end_object().field("date", time);
    out.key("author").begin_array().begin_object().field("reference", "urn:uuid:" + device).end_object().end_array();
    out.field("title", "International Patient Summary");
    out.key("section").raw(written_sections).end_object().end_object();
    out.begin_object().field("fullUrl", "urn:uuid:" + device).key("resource").begin_object();
    out.field("resourceType", "Device").field("id", device);
    out.key("deviceName").begin_array().begin_object();
    out.field("name", "MyDR24").field("type", "manufacturer-name").end_object().end_array();
    out.end_object().end_object();
    // Each of the entries brings its own comma.
    text += entries_;
    text += "]}";
    return text;
  }

  store::Reader& reader_;
  std::string_view patient_;
  const std::string& fhir_base_;
  Instant now_;
  std::string entries_;
  std::set<std::string> seen_;
};

}  // namespace

Result<std::string> build(store::Reader& reader, std::string_view patient, const std::string& fhir_base, Instant now) {
  return Builder(reader, patient, fhir_base, now).run();
}

}  // namespace mydr24::summary
