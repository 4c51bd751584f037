// The texts behind bodies.h. Element rules: FHIR R4 (hl7.org/fhir/R4); US Core race and ethnicity extensions
// as Synthea puts them on a Patient. People, places and numbers are invented.

#include "app/load/bodies.h"

namespace mydr24::load {

const Body& patient() {
  static const Body body(R"({
    "resourceType": "Patient", ${id}
    "extension": [
      {"url": "http://hl7.org/fhir/us/core/StructureDefinition/us-core-race", "extension": [
        {"url": "ombCategory", "valueCoding": {"system": "urn:oid:2.16.840.1.113883.6.238", "code": "2106-3", "display": "White"}},
        {"url": "text", "valueString": "White"}]},
      {"url": "http://hl7.org/fhir/us/core/StructureDefinition/us-core-ethnicity", "extension": [
        {"url": "ombCategory", "valueCoding": {"system": "urn:oid:2.16.840.1.113883.6.238", "code": "2186-5", "display": "Not Hispanic or Latino"}},
        {"url": "text", "valueString": "Not Hispanic or Latino"}]},
      {"url": "http://hl7.org/fhir/StructureDefinition/patient-mothersMaidenName", "valueString": "Ada Brunner"}],
    "identifier": [
      {"system": "https://example.org/mrn", "value": "MRN-${n}",
       "type": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0203", "code": "MR", "display": "Medical Record Number"}], "text": "Medical Record Number"}},
      {"system": "http://hl7.org/fhir/sid/us-ssn", "value": "999-00-${n}"}],
    "active": true,
    "name": [{"use": "official", "family": "Lindqvist${n}", "given": ["Marit", "Elin"], "prefix": ["Mx."]}],
    "telecom": [{"system": "phone", "value": "555-0142-${n}", "use": "home"}],
    "gender": "${gender}",
    "birthDate": "1961-09-23",
    "address": [{
      "extension": [{"url": "http://hl7.org/fhir/StructureDefinition/geolocation", "extension": [
        {"url": "latitude", "valueDecimal": 42.3601}, {"url": "longitude", "valueDecimal": -71.0942}]}],
      "line": ["${n} Harbour Lane Unit 3"], "city": "Cambridge", "state": "MA", "postalCode": "02139", "country": "US"}],
    "maritalStatus": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v3-MaritalStatus", "code": "M", "display": "Married"}], "text": "Married"},
    "multipleBirthBoolean": false,
    "communication": [{"language": {"coding": [{"system": "urn:ietf:bcp:47", "code": "en-US", "display": "English"}], "text": "English"}}]
  })");
  return body;
}

const Body& location() {
  static const Body body(R"({
    "resourceType": "Location", ${id}
    "identifier": [{"system": "https://example.org/locations", "value": "LOC-${n}"}],
    "status": "active",
    "name": "${name}",
    "description": "Acute medical ward on the second floor of the east wing",
    "mode": "instance",
    "type": [{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v3-RoleCode", "code": "HU", "display": "Hospital unit"}]}],
    "telecom": [{"system": "phone", "value": "555-0177"}],
    "address": {"line": ["12 Infirmary Road"], "city": "Cambridge", "state": "MA", "postalCode": "02139", "country": "US"},
    "physicalType": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/location-physical-type", "code": "wa", "display": "Ward"}]},
    "position": {"longitude": -71.10983, "latitude": 42.37363}
  })");
  return body;
}

const Body& organization() {
  static const Body body(R"({
    "resourceType": "Organization", ${id}
    "identifier": [{"system": "https://example.org/organizations", "value": "ORG-${n}"}],
    "active": true,
    "type": [{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/organization-type", "code": "prov", "display": "Healthcare Provider"}], "text": "Healthcare Provider"}],
    "name": "${name}",
    "alias": ["Charles Bank"],
    "telecom": [{"system": "phone", "value": "555-0178"}, {"system": "email", "value": "desk@example.org"}],
    "address": [{"line": ["12 Infirmary Road"], "city": "Cambridge", "state": "MA", "postalCode": "02139", "country": "US"}],
    "contact": [{"purpose": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/contactentity-type", "code": "ADMIN", "display": "Administrative"}]},
      "name": {"family": "Okafor", "given": ["Ngozi"]}, "telecom": [{"system": "phone", "value": "555-0179"}]}]
  })");
  return body;
}

const Body& practitioner() {
  static const Body body(R"({
    "resourceType": "Practitioner", ${id}
    "identifier": [{"system": "http://hl7.org/fhir/sid/us-npi", "value": "99999${n}"}],
    "active": true,
    "name": [{"use": "official", "family": "Haruna", "given": ["Tadeo"], "prefix": ["Dr."]}],
    "telecom": [{"system": "email", "value": "tadeo.haruna@example.org", "use": "work"}],
    "address": [{"line": ["12 Infirmary Road"], "city": "Cambridge", "state": "MA", "postalCode": "02139", "country": "US"}],
    "gender": "${gender}",
    "qualification": [{"code": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0360", "code": "MD", "display": "Doctor of Medicine"}], "text": "Doctor of Medicine"}}]
  })");
  return body;
}

const Body& encounter() {
  static const Body body(R"({
    "resourceType": "Encounter", ${id}
    "status": "${status}",
    "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "AMB", "display": "ambulatory"},
    "type": [{"coding": [{"system": "http://snomed.info/sct", "code": "185345009", "display": "Encounter for symptom"}], "text": "Encounter for symptom"}],
    "subject": {"reference": "${patient}", "display": "Marit Lindqvist"},
    "participant": [{
      "type": [{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ParticipationType", "code": "PPRF", "display": "primary performer"}], "text": "primary performer"}],
      "period": {"start": "2023-04-11T09:12:44-04:00", "end": "2023-04-11T09:42:44-04:00"},
      "individual": {"reference": "${practitioner}", "display": "Dr. Tadeo Haruna"}}],
    "period": {"start": "2023-04-11T09:12:44-04:00", "end": "2023-04-11T09:42:44-04:00"},
    "reasonCode": [{"coding": [{"system": "http://snomed.info/sct", "code": "36971009", "display": "Sinusitis"}]}],
    "location": [{"location": {"reference": "${location}", "display": "Ward 2 East"}}],
    "serviceProvider": {"reference": "${organization}", "display": "Charles Bank Hospital"}
  })");
  return body;
}

const Body& pain_score() {
  static const Body body(R"({
    "resourceType": "Observation", ${id}
    "status": "final",
    "category": [{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": "vital-signs", "display": "vital-signs"}]}],
    "code": {"coding": [{"system": "http://loinc.org", "code": "72514-3", "display": "Pain severity - 0-10 verbal numeric rating [Score] - Reported"}],
             "text": "Pain severity - 0-10 verbal numeric rating [Score] - Reported"},
    "subject": {"reference": "${patient}"},
    "encounter": {"reference": "${encounter}"},
    "effectiveDateTime": "2023-04-11T09:12:44-04:00",
    "issued": "${issued}",
    "valueQuantity": {"value": 3.05, "unit": "{score}", "system": "http://unitsofmeasure.org", "code": "{score}"}
  })");
  return body;
}

const Body& medication_request() {
  static const Body body(R"({
    "resourceType": "MedicationRequest", ${id}
    "status": "${status}",
    "intent": "order",
    "medicationCodeableConcept": {"coding": [{"system": "http://www.nlm.nih.gov/research/umls/rxnorm", "code": "308192", "display": "Amoxicillin 500 MG Oral Tablet"}], "text": "Amoxicillin 500 MG Oral Tablet"},
    "subject": {"reference": "${patient}"},
    "encounter": {"reference": "${encounter}"},
    "authoredOn": "2023-04-11T09:12:44-04:00",
    "requester": {"reference": "${practitioner}", "display": "Dr. Tadeo Haruna"},
    "dosageInstruction": [{
      "sequence": 1,
      "text": "One tablet three times a day with food",
      "timing": {"repeat": {"frequency": 3, "period": 1, "periodUnit": "d"}},
      "asNeededBoolean": false,
      "doseAndRate": [{"type": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/dose-rate-type", "code": "ordered", "display": "Ordered"}]},
                       "doseQuantity": {"value": 1}}]}]
  })");
  return body;
}

const Body& claim() {
  static const Body body(R"({
    "resourceType": "Claim", ${id}
    "status": "active",
    "type": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/claim-type", "code": "pharmacy"}]},
    "use": "claim",
    "patient": {"reference": "${patient}", "display": "Marit Lindqvist"},
    "billablePeriod": {"start": "2023-04-11T09:12:44-04:00", "end": "2023-04-11T09:42:44-04:00"},
    "created": "${created}",
    "provider": {"reference": "${organization}", "display": "Charles Bank Hospital"},
    "priority": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/processpriority", "code": "normal"}]},
    "prescription": {"reference": "${medication_request}"},
    "insurance": [{"sequence": 1, "focal": true, "coverage": {"display": "Harbour Mutual"}}],
    "item": [{
      "sequence": 1,
      "productOrService": {"coding": [{"system": "http://snomed.info/sct", "code": "185345009", "display": "Encounter for symptom"}], "text": "Encounter for symptom"},
      "encounter": [{"reference": "${encounter}"}]}],
    "total": {"value": 41.20, "currency": "USD"}
  })");
  return body;
}

const Body& explanation_of_benefit() {
  static const Body body(R"({
    "resourceType": "ExplanationOfBenefit", ${id}
    "contained": [
      {"resourceType": "ServiceRequest", "id": "referral", "status": "completed", "intent": "order",
       "subject": {"reference": "${patient}"}, "requester": {"reference": "${practitioner}"}, "performer": [{"reference": "${practitioner}"}]},
      {"resourceType": "Coverage", "id": "coverage", "status": "active", "type": {"text": "Harbour Mutual"},
       "beneficiary": {"reference": "${patient}"}, "payor": [{"display": "Harbour Mutual"}]}],
    "identifier": [{"system": "https://example.org/claims", "value": "C-20230411"}],
    "status": "active",
    "type": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/claim-type", "code": "professional"}]},
    "use": "claim",
    "patient": {"reference": "${patient}"},
    "billablePeriod": {"start": "2023-04-11T09:42:44-04:00", "end": "2024-04-11T09:42:44-04:00"},
    "created": "${created}",
    "insurer": {"display": "Harbour Mutual"},
    "provider": {"reference": "${practitioner}"},
    "referral": {"reference": "#referral"},
    "facility": {"reference": "${location}", "display": "Ward 2 East"},
    "claim": {"reference": "${claim}"},
    "outcome": "complete",
    "careTeam": [{"sequence": 1, "provider": {"reference": "${practitioner}"},
      "role": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/claimcareteamrole", "code": "primary", "display": "Primary Care Practitioner"}]}}],
    "insurance": [{"focal": true, "coverage": {"reference": "#coverage", "display": "Harbour Mutual"}}],
    "item": [{
      "sequence": 1,
      "productOrService": {"coding": [{"system": "http://snomed.info/sct", "code": "185345009", "display": "Encounter for symptom"}], "text": "Encounter for symptom"},
      "servicedPeriod": {"start": "2023-04-11T09:12:44-04:00", "end": "2023-04-11T09:42:44-04:00"},
      "locationCodeableConcept": {"coding": [{"system": "https://www.cms.gov/Medicare/Coding/place-of-service-codes", "code": "21", "display": "Inpatient Hospital"}]},
      "encounter": [{"reference": "${encounter}"}],
      "adjudication": [
        {"category": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/adjudication", "code": "submitted", "display": "Submitted Amount"}]}, "amount": {"value": 129.16, "currency": "USD"}},
        {"category": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/adjudication", "code": "benefit", "display": "Benefit Amount"}]}, "amount": {"value": 103.328, "currency": "USD"}}]}],
    "total": [{"category": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/adjudication", "code": "submitted", "display": "Submitted Amount"}]}, "amount": {"value": 129.16, "currency": "USD"}}],
    "payee": {"party": {"reference": "${organization}"}},
    "payment": {"amount": {"value": 103.328, "currency": "USD"}}
  })");
  return body;
}

const Body& condition() {
  static const Body body(R"({
    "resourceType": "Condition", ${id}
    "clinicalStatus": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/condition-clinical", "code": "active"}]},
    "verificationStatus": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/condition-ver-status", "code": "confirmed"}]},
    "category": [{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/condition-category", "code": "encounter-diagnosis", "display": "Encounter Diagnosis"}]}],
    "code": {"coding": [{"system": "http://snomed.info/sct", "code": "59621000", "display": "Essential hypertension"}], "text": "Essential hypertension"},
    "subject": {"reference": "${patient}"},
    "encounter": {"reference": "${encounter}"},
    "onsetDateTime": "2011-05-28T15:02:17-04:00",
    "recordedDate": "2011-05-28T15:02:17-04:00"
  })");
  return body;
}

const Body& heart_rate() {
  static const Body body(R"({
    "resourceType": "Observation", ${id}
    "status": "final",
    "category": [{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": "vital-signs", "display": "Vital Signs"}]}],
    "code": {"coding": [{"system": "http://loinc.org", "code": "8867-4", "display": "Heart rate"}], "text": "Heart rate"},
    "subject": {"reference": "${patient}"},
    "effectiveDateTime": "${at}",
    "issued": "${at}",
    "valueQuantity": {"value": ${value}, "unit": "beats/minute", "system": "http://unitsofmeasure.org", "code": "/min"}
  })");
  return body;
}

const Body& oxygen_saturation() {
  static const Body body(R"({
    "resourceType": "Observation", ${id}
    "status": "final",
    "category": [{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": "vital-signs", "display": "Vital Signs"}]}],
    "code": {"coding": [
      {"system": "http://loinc.org", "code": "59408-5", "display": "Oxygen saturation in Arterial blood by Pulse oximetry"},
      {"system": "http://loinc.org", "code": "2708-6", "display": "Oxygen saturation in Arterial blood"}], "text": "Oxygen saturation"},
    "subject": {"reference": "${patient}"},
    "effectiveDateTime": "${at}",
    "issued": "${at}",
    "valueQuantity": {"value": ${value}, "unit": "%", "system": "http://unitsofmeasure.org", "code": "%"}
  })");
  return body;
}

const Body& small_encounter() {
  static const Body body(R"({
    "resourceType": "Encounter", ${id}
    "status": "finished",
    "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "IMP", "display": "inpatient encounter"},
    "type": [{"coding": [{"system": "http://snomed.info/sct", "code": "32485007", "display": "Hospital admission"}], "text": "Hospital admission"}],
    "subject": {"reference": "${patient}"},
    "period": {"start": "${at}", "end": "${at}"}
  })");
  return body;
}

}  // namespace mydr24::load
