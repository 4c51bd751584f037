// The roles of a hospital as it comes. Labels: HL7 v3 Confidentiality (restricted, very restricted) and the sensitivity
// categories of v3-ActCode that health law in many places protects beyond the rest of a record: HIV, psychiatry,
// substance use, sexual and reproductive health, domestic violence.

#include "guard/access/policy.h"

namespace mydr24::access {

std::string_view default_policy_text() {
  return R"json({
  "sensitive": [
    "http://terminology.hl7.org/CodeSystem/v3-Confidentiality|R",
    "http://terminology.hl7.org/CodeSystem/v3-Confidentiality|V",
    "http://terminology.hl7.org/CodeSystem/v3-ActCode|ETH",
    "http://terminology.hl7.org/CodeSystem/v3-ActCode|HIV",
    "http://terminology.hl7.org/CodeSystem/v3-ActCode|PSY",
    "http://terminology.hl7.org/CodeSystem/v3-ActCode|SDV",
    "http://terminology.hl7.org/CodeSystem/v3-ActCode|SEX",
    "http://terminology.hl7.org/CodeSystem/v3-ActCode|STD",
    "http://terminology.hl7.org/CodeSystem/v3-ActCode|SUD"
  ],
  "roles": {
    "administrator": {
      "text": "Users, applications and settings; no record of a patient",
      "purpose": "HSYSADMIN",
      "privileged": true,
      "fhir": [
        { "types": ["Organization", "Location", "Practitioner", "PractitionerRole", "HealthcareService", "Endpoint",
                    "CodeSystem", "ValueSet", "ConceptMap", "NamingSystem", "StructureDefinition", "SearchParameter",
                    "OperationDefinition", "CapabilityStatement", "ImplementationGuide"], "permissions": "cruds" }
      ],
      "operations": ["access-*", "account-*", "status", "am-status", "am-reload", "oncall-who", "oncall-plan", "change-list",
                     "change-show", "change-approve", "change-reject", "change-calendar", "change-policy",
                     "change-figures", "setting-*", "monitor-status", "monitor-slos", "monitor-slo"]
    },
    "platform-engineer": {
      "text": "Runs the platform: capacity, feeds, alerts about machines; no record of a patient",
      "purpose": "HSYSADMIN",
      "privileged": true,
      "fhir": [
        { "types": ["Organization", "Location", "Endpoint", "Subscription", "CodeSystem", "ValueSet", "ConceptMap",
                    "StructureDefinition", "SearchParameter"], "permissions": "rs" }
      ],
      "operations": ["access-tenant", "status", "am-*", "silence-*", "webhook-event",
                     "generic-event", "pagerduty-event", "oncall-*", "addresses", "address-*", "incidents",
                     "incident", "incident-open", "incident-work-*", "incident-setup*", "incident-classify",
                     "incident-correction*", "change-*", "setting-*", "series-*", "remote-write", "monitor-*"]
    },
    "on-call-engineer": {
      "text": "Is woken for the platform and mends it; no record of a patient",
      "purpose": "HSYSADMIN",
      "operations": ["status", "am-*", "silence-*", "oncall-*",
                     "addresses", "address-*", "incidents", "incident", "incident-open", "incident-work-*",
                     "incident-setup", "incident-setup-version*", "incident-classify", "change-*", "setting-*",
                     "series-*", "monitor-*"]
    },
    "operations-lead": {
      "text": "Clinical operations: is care safe now, who is on duty, what is overdue",
      "purpose": "HOPERAT",
      "fhir": [
        { "types": ["Encounter", "Location", "Organization", "Practitioner", "PractitionerRole", "HealthcareService",
                    "Schedule", "Slot", "Appointment", "Flag", "Task", "MeasureReport"], "permissions": "rs" }
      ],
      "operations": ["status", "events", "alerts", "alert", "alert-*", "actionability", "vitals-board",
                     "vitals-crowding", "vitals-rules*", "vitals-dry-run", "oncall-*", "am-alerts", "am-groups",
                     "am-silence*", "am-post-silence", "am-expire-silence", "am-receivers", "am-status", "silence-*",
                     "incident*", "change-list", "change-show", "change-approve", "change-reject", "change-calendar",
                     "change-policy", "change-figures", "setting-*", "series-*", "monitor-*"]
    },
    "nurse": {
      "text": "Cares for patients: reads their records, records signs, answers alerts",
      "purpose": "TREAT",
      "fhir": [
        { "types": ["*"], "not_types": ["AuditEvent"], "permissions": "rs" },
        { "types": ["Observation", "Communication", "Task", "Flag", "CareTeam", "CarePlan", "Condition",
                    "AllergyIntolerance", "Procedure", "MedicationAdministration", "MedicationStatement",
                    "Immunization", "QuestionnaireResponse", "DocumentReference", "Encounter", "Appointment",
                    "DeviceUseStatement", "NutritionOrder", "ServiceRequest", "Specimen"], "permissions": "cu" },
        { "types": ["Patient", "RelatedPerson"], "permissions": "cu" }
      ],
      "operations": ["break-glass", "break-glass-end", "status", "events", "alerts", "alert", "alert-ack", "alert-escalate",
                     "alert-resolve", "vitals-board", "vitals-patient", "vitals-scores", "vitals-monitor*", "vitals-limit*",
                     "vitals-rules", "vitals-outcome*", "vitals-crowding", "oncall-who", "oncall-shifts", "oncall-swap", "addresses",
                     "address-*", "incidents", "incident", "incident-open", "incident-work-note"],
      "break_glass": [ { "types": ["*"], "not_types": ["AuditEvent"], "permissions": "rs" } ]
    },
    "emergency-clinician": {
      "text": "Physicians and advanced practitioners: the whole record, sensitive parts for treatment",
      "purpose": "TREAT",
      "labels": [
        "http://terminology.hl7.org/CodeSystem/v3-Confidentiality|R",
        "http://terminology.hl7.org/CodeSystem/v3-ActCode|HIV",
        "http://terminology.hl7.org/CodeSystem/v3-ActCode|STD",
        "http://terminology.hl7.org/CodeSystem/v3-ActCode|ETH",
        "http://terminology.hl7.org/CodeSystem/v3-ActCode|SUD"
      ],
      "fhir": [
        { "types": ["*"], "not_types": ["AuditEvent"], "permissions": "rs" },
        { "types": ["*"], "not_types": ["AuditEvent", "Organization", "Location", "Practitioner", "PractitionerRole",
                    "CodeSystem", "ValueSet", "ConceptMap", "NamingSystem", "StructureDefinition", "SearchParameter",
                    "OperationDefinition", "CapabilityStatement", "ImplementationGuide"], "permissions": "cu" }
      ],
      "operations": ["break-glass", "break-glass-end", "status", "events", "alerts", "alert", "alert-*", "actionability",
                     "vitals-board", "vitals-patient", "vitals-scores", "vitals-monitor*", "vitals-limit*", "vitals-rules",
                     "vitals-dry-run", "vitals-outcome*", "vitals-crowding", "oncall-who", "oncall-shifts",
                     "oncall-swap", "oncall-test-page", "addresses",
                     "address-*", "incidents", "incident", "incident-open", "incident-work-*",
                     "incident-patients", "change-list", "change-show", "change-approve", "change-reject",
                     "change-calendar", "change-policy", "change-figures", "setting-*"],
      "break_glass": [ { "types": ["*"], "not_types": ["AuditEvent"], "permissions": "rs" } ]
    },
    "compliance-officer": {
      "text": "Privacy and compliance: who saw what and why; reviews emergency overrides",
      "purpose": "HCOMPL",
      "privileged": true,
      "fhir": [
        { "types": ["AuditEvent", "Provenance", "Consent", "Organization", "Practitioner", "PractitionerRole"],
          "permissions": "rs" }
      ],
      "operations": ["access-*", "break-glass-list", "break-glass-review", "status", "audit-*", "rights-*", "breach-*",
                     "processing-record", "incidents", "incident", "incident-patients", "incident-work-note",
                     "incident-work-timeline", "incident-work-verify", "change-list", "change-show",
                     "change-approve", "change-reject", "change-calendar", "change-policy", "change-figures",
                     "setting-*"]
    },
    "change-manager": {
      "text": "Plans and approves changes; no record of a patient",
      "purpose": "HOPERAT",
      "operations": ["status", "oncall-who", "oncall-shifts", "oncall-coverage", "incidents", "incident",
                     "change-*", "setting-*", "monitor-status", "monitor-slos", "monitor-slo"]
    },
    "booking-desk": {
      "text": "Books appointments: who and when, not why",
      "purpose": "HOPERAT",
      "fhir": [
        { "types": ["Patient", "RelatedPerson", "Practitioner", "PractitionerRole", "Organization", "Location",
                    "HealthcareService", "Schedule", "Slot", "Appointment", "AppointmentResponse", "Coverage"],
          "permissions": "rs" },
        { "types": ["Patient", "RelatedPerson", "Appointment", "AppointmentResponse", "Slot", "Coverage"],
          "permissions": "cu" }
      ],
      "operations": []
    },
    "patient": {
      "text": "The person whom the record is about",
      "purpose": "PATRQT",
      "labels": ["*"],
      "fhir": [
        { "types": ["*"], "permissions": "rs", "compartment": "own" },
        { "types": ["Appointment", "AppointmentResponse", "QuestionnaireResponse", "Communication"],
          "permissions": "c", "compartment": "own" },
        { "types": ["Practitioner", "PractitionerRole", "Organization", "Location", "HealthcareService", "Schedule",
                    "Slot", "Medication", "Questionnaire", "CodeSystem", "ValueSet", "StructureDefinition"],
          "permissions": "rs" }
      ],
      "operations": ["audit-disclosures", "rights-export"]
    },
    "service": {
      "text": "Another system that acts for itself: bounded by the scopes of its token",
      "purpose": "HOPERAT",
      "purposes": ["TREAT", "HPAYMT", "PUBHLTH"],
      "fhir": [ { "types": ["*"], "not_types": ["AuditEvent"], "permissions": "cruds" } ],
      "labels": ["*"]
    },
    "device-feed": {
      "text": "Monitors and gateways that deliver vital signs",
      "purpose": "TREAT",
      "fhir": [
        { "types": ["Observation", "Device", "DeviceMetric"], "permissions": "cu" },
        { "types": ["Patient", "Device", "DeviceMetric", "Location", "Encounter"], "permissions": "r" }
      ],
      "operations": ["vitals-stream", "oncall-heartbeat"]
    },
    "monitoring-feed": {
      "text": "Prometheus and other monitors that deliver alerts",
      "purpose": "HSYSADMIN",
      "operations": ["am-post-alerts", "am-alerts", "am-status", "webhook-event", "generic-event", "pagerduty-event",
                     "oncall-heartbeat", "series-*", "remote-write"]
    }
  }
})json";
}

}  // namespace mydr24::access
