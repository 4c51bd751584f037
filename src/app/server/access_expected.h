#pragma once

// What the roles of the default policy may, once more: written by hand from what they are for, not read from the policy. For
// tests.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace mydr24::server {

using Types = std::set<std::string>;

// A valid resource of each kind about the patient `p`, with "ID" for its id.
inline const std::map<std::string, std::string>& bodies() {
  static const std::map<std::string, std::string> all{
      {"Patient", R"("gender":"female")"},
      {"Observation", R"("status":"final","code":{"text":"x"},"subject":{"reference":"Patient/P"})"},
      {"Encounter",
       R"("status":"finished","class":{"system":"http://terminology.hl7.org/CodeSystem/v3-ActCode","code":"AMB"},"subject":{"reference":"Patient/P"})"},
      {"Condition",
       R"("clinicalStatus":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/condition-clinical","code":"active"}]},"subject":{"reference":"Patient/P"})"},
      {"MedicationRequest",
       R"("status":"active","intent":"order","medicationCodeableConcept":{"text":"x"},"subject":{"reference":"Patient/P"})"},
      {"AllergyIntolerance",
       R"("clinicalStatus":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical","code":"active"}]},"patient":{"reference":"Patient/P"})"},
      {"DocumentReference",
       R"("status":"current","subject":{"reference":"Patient/P"},"content":[{"attachment":{"title":"x"}}])"},
      {"Consent",
       R"("status":"inactive","scope":{"text":"x"},"category":[{"text":"x"}],"patient":{"reference":"Patient/P"},"policyRule":{"text":"x"})"},
      {"AuditEvent",
       R"("type":{"system":"http://dicom.nema.org/resources/ontology/DCM","code":"110112"},"recorded":"2024-01-01T00:00:00Z","agent":[{"who":{"reference":"Patient/P"},"requestor":true}],"source":{"observer":{"display":"x"}})"},
      {"Practitioner", R"("active":true)"},
      {"Organization", R"("name":"x")"},
      {"Location", R"("name":"x")"},
      {"HealthcareService", R"("name":"x")"},
      {"Schedule", R"("actor":[{"reference":"Location/1"}])"},
      {"Slot",
       R"("schedule":{"reference":"Schedule/1"},"status":"free","start":"2024-01-01T00:00:00Z","end":"2024-01-01T01:00:00Z")"},
      {"Appointment",
       R"("status":"proposed","participant":[{"actor":{"reference":"Patient/P"},"status":"needs-action"}])"},
      {"Coverage", R"("status":"active","beneficiary":{"reference":"Patient/P"},"payor":[{"reference":"Patient/P"}])"},
      {"Flag", R"("status":"active","code":{"text":"x"},"subject":{"reference":"Patient/P"})"},
      {"Task", R"("status":"requested","intent":"order","for":{"reference":"Patient/P"})"},
      {"ValueSet", R"("status":"active","url":"http://example.org/ID")"},
      {"Endpoint",
       R"("status":"active","connectionType":{"system":"http://terminology.hl7.org/CodeSystem/endpoint-connection-type","code":"hl7-fhir-rest"},"payloadType":[{"text":"x"}],"address":"http://example.org")"},
      {"MeasureReport",
       R"("status":"complete","type":"summary","measure":"http://example.org/m","period":{"start":"2024-01-01"})"},
      {"Device", R"("patient":{"reference":"Patient/P"})"},
      {"Communication", R"("status":"completed","subject":{"reference":"Patient/P"})"},
      {"QuestionnaireResponse", R"("status":"completed","subject":{"reference":"Patient/P"})"},
      {"RelatedPerson", R"("patient":{"reference":"Patient/P"})"},
      {"Procedure", R"("status":"completed","subject":{"reference":"Patient/P"})"},
      {"Immunization",
       R"("status":"completed","vaccineCode":{"text":"x"},"patient":{"reference":"Patient/P"},"occurrenceDateTime":"2024-01-01")"},
      {"ServiceRequest", R"("status":"active","intent":"order","subject":{"reference":"Patient/P"})"},
      {"DiagnosticReport", R"("status":"final","code":{"text":"x"},"subject":{"reference":"Patient/P"})"},
      {"Basic", R"("code":{"text":"x"},"subject":{"reference":"Patient/P"})"},
      {"Binary", R"("contentType":"text/plain")"},
  };
  return all;
}

inline std::string body(const std::string& type, std::string_view id, std::string_view patient) {
  auto members = bodies().at(type);
  const auto put = [&](std::string_view name, std::string_view value) {
    for (auto at = members.find(name); at != members.npos; at = members.find(name, at + value.size()))
      members.replace(at, name.size(), value);
  };
  put("Patient/P\"", fmt::format("Patient/{}\"", patient));
  put("ID", id);
  return fmt::format(R"({{"resourceType":"{}",{}{}}})", type, id.empty() ? "" : fmt::format(R"("id":"{}",)", id),
                     members);
}

// The letters of "cruds" that a role may on a type: of every patient's resources.
inline std::string expected(const std::string& role, const std::string& type) {
  const auto in = [&](const Types& types) { return types.contains(type); };
  if (role == "administrator")
    return in({"Organization", "Location", "Practitioner", "HealthcareService", "Endpoint", "ValueSet"}) ? "cruds" : "";
  if (role == "platform-engineer") return in({"Organization", "Location", "Endpoint", "ValueSet"}) ? "rs" : "";
  if (role == "on-call-engineer" || role == "change-manager" || role == "monitoring-feed") return "";
  if (role == "operations-lead") {
    return in({"Encounter", "Location", "Organization", "Practitioner", "HealthcareService", "Schedule", "Slot",
               "Appointment", "Flag", "Task", "MeasureReport"})
               ? "rs"
               : "";
  }
  if (role == "nurse") {
    if (type == "AuditEvent") return "";
    return in({"Observation", "Communication", "Task", "Flag", "Condition", "AllergyIntolerance", "Procedure",
               "Immunization", "QuestionnaireResponse", "DocumentReference", "Encounter", "Appointment",
               "ServiceRequest", "Patient", "RelatedPerson"})
               ? "crus"
               : "rs";
  }
  if (role == "emergency-clinician") {
    if (type == "AuditEvent") return "";
    return in({"Organization", "Location", "Practitioner", "ValueSet"}) ? "rs" : "crus";
  }
  if (role == "compliance-officer") return in({"AuditEvent", "Consent", "Organization", "Practitioner"}) ? "rs" : "";
  if (role == "booking-desk") {
    if (in({"Patient", "RelatedPerson", "Appointment", "Slot", "Coverage"})) return "crus";
    return in({"Practitioner", "Organization", "Location", "HealthcareService", "Schedule"}) ? "rs" : "";
  }
  if (role == "device-feed") {
    if (type == "Observation") return "cu";
    if (type == "Device") return "cru";
    return in({"Patient", "Location", "Encounter"}) ? "r" : "";
  }
  ADD_FAILURE() << "nothing is expected of " << role;
  return "";
}

inline const std::vector<std::string>& roles_of_the_table() {
  static const std::vector<std::string> roles{
      "administrator", "platform-engineer",   "on-call-engineer",   "operations-lead",
      "nurse",         "emergency-clinician", "compliance-officer", "change-manager",
      "booking-desk",  "device-feed",         "monitoring-feed"};
  return roles;
}

}  // namespace mydr24::server
