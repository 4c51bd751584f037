// Element rules: FHIR R4 (hl7.org/fhir/R4). People and places are invented.

#include "load/population_bodies.h"

namespace mydr24::load {

const Body& population_practitioner() {
  static const Body body(R"({
    "resourceType": "Practitioner", "id": "${id}",
    "identifier": [{"system": "http://hl7.org/fhir/sid/us-npi", "value": "99999${n}"}],
    "active": true,
    "name": [{"use": "official", "family": "${family}", "given": ["${given}"], "prefix": ["Dr."]}],
    "telecom": [{"system": "email", "value": "d${n}@example.org", "use": "work"}],
    "address": [{"line": ["12 Infirmary Road"], "city": "Cambridge", "state": "MA", "postalCode": "02139", "country": "US"}],
    "gender": "${gender}"
  })");
  return body;
}

const Body& population_patient() {
  static const Body body(R"({
    "resourceType": "Patient", "id": "${id}",
    "text": {"status": "generated", "div": "<div xmlns=\"http://www.w3.org/1999/xhtml\">Made-up record of ${given} ${family}, ${gender}, born ${birth}, of ${city}</div>"},
    "extension": [
      {"url": "http://hl7.org/fhir/us/core/StructureDefinition/us-core-race", "extension": [
        {"url": "ombCategory", "valueCoding": {"system": "urn:oid:2.16.840.1.113883.6.238", "code": "2106-3", "display": "White"}},
        {"url": "text", "valueString": "White"}]},
      {"url": "http://hl7.org/fhir/us/core/StructureDefinition/us-core-ethnicity", "extension": [
        {"url": "ombCategory", "valueCoding": {"system": "urn:oid:2.16.840.1.113883.6.238", "code": "2186-5", "display": "Not Hispanic or Latino"}},
        {"url": "text", "valueString": "Not Hispanic or Latino"}]}],
    "identifier": [
      {"system": "https://example.org/mrn", "value": "MRN-${n}",
       "type": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0203", "code": "MR", "display": "Medical Record Number"}], "text": "Medical Record Number"}},
      {"system": "http://hl7.org/fhir/sid/us-ssn", "value": "999-${n}"}],
    "active": true,
    "name": [{"use": "official", "family": "${family}", "given": ["${given}", "${second}"], "prefix": ["${prefix}"]}],
    "telecom": [{"system": "phone", "value": "555-${n}", "use": "home"}],
    "gender": "${gender}",
    "birthDate": "${birth}",
    "address": [{"line": ["${house} Harbour Lane"], "city": "${city}", "state": "MA", "postalCode": "${zip}", "country": "US"}],
    "maritalStatus": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v3-MaritalStatus", "code": "${married}"}]},
    "multipleBirthBoolean": false,
    "communication": [{"language": {"coding": [{"system": "urn:ietf:bcp:47", "code": "en-US", "display": "English"}], "text": "English"}}],
    "generalPractitioner": [{"reference": "${practitioner}"}],
    "managingOrganization": {"reference": "${organization}"}
  })");
  return body;
}

const Body& population_encounter() {
  static const Body body(R"({
    "resourceType": "Encounter", "id": "${id}",
    "identifier": [{"use": "official", "system": "https://example.org/encounters", "value": "${id}"}],
    "status": "finished",
    "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "${class}", "display": "${class_display}"},
    "type": [{"coding": [{"system": "http://snomed.info/sct", "code": "${type}", "display": "${type_display}"}], "text": "${type_display}"}],
    "subject": {"reference": "${patient}", "display": "${patient_name}"},
    "participant": [{
      "type": [{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ParticipationType", "code": "PPRF", "display": "primary performer"}], "text": "primary performer"}],
      "period": {"start": "${start}", "end": "${end}"},
      "individual": {"reference": "${practitioner}", "display": "${practitioner_name}"}}],
    "period": {"start": "${start}", "end": "${end}"},
    "location": [{"location": {"reference": "${location}", "display": "${city} Ward"}}],
    "serviceProvider": {"reference": "${organization}", "display": "${city} Hospital"}
  })");
  return body;
}

const Body& population_observation() {
  static const Body body(R"({
    "resourceType": "Observation", "id": "${id}",
    "status": "final",
    "category": [{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": "${category}", "display": "${category}"}]}],
    "code": {"coding": [{"system": "http://loinc.org", "code": "${code}", "display": "${display}"}], "text": "${display}"},
    "subject": {"reference": "${patient}", "display": "${patient_name}"},
    "encounter": {"reference": "${encounter}"},
    "effectiveDateTime": "${time}",
    "issued": "${time}",
    "performer": [{"reference": "${practitioner}"}],
    "valueQuantity": {"value": ${value}, "unit": "${unit}", "system": "http://unitsofmeasure.org", "code": "${ucum}"}
  })");
  return body;
}

const Body& population_blood_pressure() {
  static const Body body(R"({
    "resourceType": "Observation", "id": "${id}",
    "status": "final",
    "category": [{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": "vital-signs", "display": "vital-signs"}]}],
    "code": {"coding": [{"system": "http://loinc.org", "code": "85354-9", "display": "Blood pressure panel with all children optional"}],
             "text": "Blood pressure panel with all children optional"},
    "subject": {"reference": "${patient}", "display": "${patient_name}"},
    "encounter": {"reference": "${encounter}"},
    "effectiveDateTime": "${time}",
    "issued": "${time}",
    "component": [
      {"code": {"coding": [{"system": "http://loinc.org", "code": "8462-4", "display": "Diastolic Blood Pressure"}], "text": "Diastolic Blood Pressure"},
       "valueQuantity": {"value": ${diastolic}, "unit": "mmHg", "system": "http://unitsofmeasure.org", "code": "mm[Hg]"}},
      {"code": {"coding": [{"system": "http://loinc.org", "code": "8480-6", "display": "Systolic Blood Pressure"}], "text": "Systolic Blood Pressure"},
       "valueQuantity": {"value": ${systolic}, "unit": "mmHg", "system": "http://unitsofmeasure.org", "code": "mm[Hg]"}}]
  })");
  return body;
}

const Body& population_condition() {
  static const Body body(R"({
    "resourceType": "Condition", "id": "${id}",
    "text": {"status": "generated", "div": "<div xmlns=\"http://www.w3.org/1999/xhtml\">${display} of ${patient_name}, ${status}</div>"},
    "clinicalStatus": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/condition-clinical", "code": "${status}"}]},
    "verificationStatus": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/condition-ver-status", "code": "confirmed"}]},
    "category": [{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/condition-category", "code": "encounter-diagnosis", "display": "Encounter Diagnosis"}]}],
    "code": {"coding": [{"system": "http://snomed.info/sct", "code": "${code}", "display": "${display}"}], "text": "${display}"},
    "subject": {"reference": "${patient}", "display": "${patient_name}"},
    "encounter": {"reference": "${encounter}"},
    "onsetDateTime": "${time}", ${abatement}
    "recordedDate": "${time}"
  })");
  return body;
}

const Body& population_procedure() {
  static const Body body(R"({
    "resourceType": "Procedure", "id": "${id}",
    "status": "completed",
    "code": {"coding": [{"system": "http://snomed.info/sct", "code": "${code}", "display": "${display}"}], "text": "${display}"},
    "subject": {"reference": "${patient}", "display": "${patient_name}"},
    "encounter": {"reference": "${encounter}"},
    "performedPeriod": {"start": "${time}", "end": "${time}"},
    "performer": [{"actor": {"reference": "${practitioner}"}}]
  })");
  return body;
}

const Body& population_medication_request() {
  static const Body body(R"({
    "resourceType": "MedicationRequest", "id": "${id}",
    "status": "${status}",
    "intent": "order",
    "category": [{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/medicationrequest-category", "code": "community", "display": "Community"}], "text": "Community"}],
    "medicationCodeableConcept": {"coding": [{"system": "http://www.nlm.nih.gov/research/umls/rxnorm", "code": "${code}", "display": "${display}"}], "text": "${display}"},
    "subject": {"reference": "${patient}", "display": "${patient_name}"},
    "encounter": {"reference": "${encounter}"},
    "authoredOn": "${time}",
    "requester": {"reference": "${practitioner}", "display": "${practitioner_name}"},
    "dosageInstruction": [{"sequence": 1, "text": "Take one daily", "asNeededBoolean": false,
      "timing": {"repeat": {"frequency": 1, "period": 1, "periodUnit": "d"}},
      "doseAndRate": [{"type": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/dose-rate-type", "code": "ordered", "display": "Ordered"}]},
        "doseQuantity": {"value": 1}}]}]
  })");
  return body;
}

}  // namespace mydr24::load
