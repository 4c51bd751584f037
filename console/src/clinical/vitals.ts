// Observations as courses of the seven parameters, by the codes that the server itself reads (clinical/vitals/signs.h).

import { has_code, type Observation } from "../api/fhir";
import type { SignName } from "../api/types";

export type Course = [number, number][]; // milliseconds, value; ascending
export type Courses = Record<SignName, Course>;

const loinc = "http://loinc.org";
const snomed = "http://snomed.info/sct";
const consciousness: Record<string, number> = {
  "248234008": 0,
  "130987000": 1,
  "300202002": 2,
  "450847001": 3,
  "422768004": 4,
};

const simple: [SignName, string[]][] = [
  ["respiration", ["9279-1"]],
  ["pulse", ["8867-4"]],
  ["temperature", ["8310-5"]],
  ["spo2", ["2708-6", "59408-5"]],
  ["systolic", ["8480-6"]],
];

const in_celsius = (value: number, code: string | undefined) => (code === "[degF]" ? ((value - 32) * 5) / 9 : value);

export function courses_of(observations: readonly Observation[]): Courses {
  const found: Courses = { respiration: [], spo2: [], oxygen: [], systolic: [], pulse: [], consciousness: [], temperature: [] };
  for (const each of observations) {
    if (each.status === "entered-in-error" || each.status === "cancelled" || !each.effectiveDateTime) continue;
    const at = Date.parse(each.effectiveDateTime);
    if (!Number.isFinite(at)) continue;
    for (const [name, codes] of simple) {
      const value = each.valueQuantity?.value;
      if (value !== undefined && has_code(each.code, loinc, ...codes)) {
        found[name].push([at, name === "temperature" ? in_celsius(value, each.valueQuantity?.code) : value]);
      }
    }
    for (const part of each.component ?? []) {
      const value = part.valueQuantity?.value;
      if (value === undefined) continue;
      if (has_code(part.code, loinc, "8480-6")) found.systolic.push([at, value]);
      if (has_code(part.code, loinc, "3151-8")) found.oxygen.push([at, value > 0 ? 1 : 0]);
    }
    for (const coding of each.valueCodeableConcept?.coding ?? []) {
      const level = coding.system === snomed && coding.code !== undefined ? consciousness[coding.code] : undefined;
      if (level !== undefined) found.consciousness.push([at, level]);
    }
  }
  for (const course of Object.values(found)) course.sort((a, b) => a[0] - b[0]);
  return found;
}
