// The parts of FHIR R4 resources that the console shows.

export interface Coding {
  system?: string;
  code?: string;
  display?: string;
}
export interface Concept {
  coding?: Coding[];
  text?: string;
}
export interface Quantity {
  value?: number;
  unit?: string;
  code?: string;
}
export interface HumanName {
  use?: string;
  text?: string;
  family?: string;
  given?: string[];
}
export interface Patient {
  resourceType: "Patient";
  id: string;
  active?: boolean;
  name?: HumanName[];
  gender?: string;
  birthDate?: string;
  deceasedBoolean?: boolean;
  deceasedDateTime?: string;
  identifier?: { system?: string; value?: string; type?: Concept }[];
  communication?: { language?: Concept; preferred?: boolean }[];
  link?: { type: string; other: { reference?: string } }[];
  meta?: { security?: Coding[] };
}
export interface Observation {
  resourceType: "Observation";
  id: string;
  status: string;
  code: Concept;
  effectiveDateTime?: string;
  valueQuantity?: Quantity;
  valueCodeableConcept?: Concept;
  component?: { code: Concept; valueQuantity?: Quantity }[];
}
export interface AllergyIntolerance {
  resourceType: "AllergyIntolerance";
  id: string;
  code?: Concept;
  criticality?: string;
  clinicalStatus?: Concept;
  reaction?: { manifestation?: Concept[] }[];
}
export interface Condition {
  resourceType: "Condition";
  id: string;
  code?: Concept;
  clinicalStatus?: Concept;
  onsetDateTime?: string;
}
export interface MedicationRequest {
  resourceType: "MedicationRequest";
  id: string;
  status: string;
  medicationCodeableConcept?: Concept;
  medicationReference?: { display?: string };
  dosageInstruction?: { text?: string }[];
}
export interface Flag {
  resourceType: "Flag";
  id: string;
  status: string;
  code: Concept;
}
export interface Encounter {
  resourceType: "Encounter";
  id: string;
  status: string;
  class?: Coding;
  type?: Concept[];
  period?: { start?: string; end?: string };
  location?: { location: { display?: string; reference?: string } }[];
}
export interface Bundle<T> {
  resourceType: "Bundle";
  total?: number;
  entry?: { resource?: T; search?: { mode?: string } }[];
  link?: { relation: string; url: string }[];
}

export const resources = <T extends { resourceType: string }>(bundle: Bundle<T> | undefined, type: string): T[] =>
  (bundle?.entry ?? []).flatMap((entry) => (entry.resource?.resourceType === type ? [entry.resource] : []));

// The name as it was recorded: HumanName.text when there is one. Never "first" and "last".
export function name_of(patient: { name?: HumanName[] }): string {
  const name = patient.name?.find((each) => each.use === "official") ?? patient.name?.[0];
  if (!name) return "";
  return name.text ?? [...(name.given ?? []), name.family].filter(Boolean).join(" ");
}

export const text_of = (concept: Concept | undefined): string =>
  concept?.text ?? concept?.coding?.find((coding) => coding.display)?.display ?? concept?.coding?.[0]?.code ?? "";

export const has_code = (concept: Concept, system: string, ...codes: string[]): boolean =>
  (concept.coding ?? []).some((coding) => coding.system === system && coding.code !== undefined && codes.includes(coding.code));

export function initials(name: string): string {
  return name
    .split(/\s+/)
    .filter(Boolean)
    .map((part) => [...part][0] ?? "")
    .slice(0, 3)
    .join("");
}
