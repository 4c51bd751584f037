import { expect, test } from "vitest";
import { entries_of_encounters, entries_of_flags, entries_of_observations, newest_first, next_of, value_of, type DatedObservation } from "../src/screens/timeline/entries";

const vital = (id: string, at: string, name: string, value: number, unit: string): DatedObservation => ({
  resourceType: "Observation",
  id,
  status: "final",
  category: [{ coding: [{ code: "vital-signs" }] }],
  code: { text: name },
  effectiveDateTime: at,
  valueQuantity: { value, unit },
});

test("vital signs of a quarter of an hour are one entry with the span of each sign", () => {
  const [newer, older, ...others] = newest_first(
    entries_of_observations([
      vital("a", "2026-03-08T10:01:00Z", "Heart rate", 82, "/min"),
      vital("b", "2026-03-08T10:14:59Z", "Heart rate", 96, "/min"),
      vital("c", "2026-03-08T10:05:00Z", "SpO2", 94, "%"),
      vital("d", "2026-03-08T10:15:00Z", "Heart rate", 70, "/min"),
    ]),
  );
  expect(others).toEqual([]);
  expect(newer?.reference).toBe("Observation/d");
  expect(older).toMatchObject({ kind: "vitals", count: 3, reference: "Observation/b", at: Date.parse("2026-03-08T10:14:59Z"), until: Date.parse("2026-03-08T10:01:00Z") });
  expect(older?.readings).toEqual([
    { name: "Heart rate", unit: "/min", low: 82, high: 96 },
    { name: "SpO2", unit: "%", low: 94, high: 94 },
  ]);
});

test("results of one moment are one entry; what was entered in error is none", () => {
  const lab = (id: string, name: string, value: number, status = "final"): DatedObservation => ({
    resourceType: "Observation",
    id,
    status,
    code: { text: name },
    effectiveDateTime: "2026-03-08T09:00:00Z",
    valueQuantity: { value, unit: "mmol/L" },
  });
  const entries = entries_of_observations([lab("a", "Potassium", 4.1), lab("b", "Sodium", 139), lab("c", "Lactate", 9, "entered-in-error")]);
  expect(entries).toHaveLength(1);
  expect(entries[0]).toMatchObject({ kind: "result", title: "Potassium, Sodium", detail: "Potassium 4.1 mmol/L; Sodium 139 mmol/L" });
});

test("a value is shown whatever its kind, with its components", () => {
  const base = { resourceType: "Observation" as const, id: "x", status: "final", code: { text: "x" } };
  expect(value_of({ ...base, valueString: "clear" })).toBe("clear");
  expect(value_of({ ...base, valueInteger: 0 })).toBe("0");
  expect(value_of({ ...base, valueBoolean: false })).toBe("false");
  expect(value_of({ ...base, component: [{ code: { text: "Systolic" }, valueQuantity: { value: 120, unit: "mmHg" } }] })).toBe("Systolic 120 mmHg");
  expect(value_of(base)).toBe("");
});

test("encounters and alerts keep their end; what has no time is left out", () => {
  expect(entries_of_encounters([{ resourceType: "Encounter", id: "e", status: "finished" }])).toEqual([]);
  const [encounter] = entries_of_encounters([
    { resourceType: "Encounter", id: "e", status: "finished", class: { display: "inpatient encounter" }, period: { start: "2026-03-08T08:00:00Z", end: "2026-03-09T08:00:00Z" } },
  ]);
  expect(encounter).toMatchObject({ title: "inpatient encounter", until: Date.parse("2026-03-09T08:00:00Z"), status: "finished" });
  const [flag] = entries_of_flags([{ resourceType: "Flag", id: "f", status: "active", code: { text: "Score: high (NEWS2 9: respiration 25 (3), spo2 91 (3))" }, period: { start: "2026-03-08T08:00:00Z" } }]);
  expect(flag?.until).toBeUndefined();
  expect(flag).toMatchObject({ title: "Score: high", detail: "NEWS2 9: respiration 25 (3), spo2 91 (3)" });
  expect(entries_of_flags([{ resourceType: "Flag", id: "f", status: "active", code: { text: "Falls" }, period: { start: "2026-03-08T08:00:00Z" } }])[0]).toMatchObject({ title: "Falls", detail: "" });
});

test("the next page is the one that the server names", () => {
  const page = (link?: { relation: string; url: string }[]) => ({ resourceType: "Bundle" as const, ...(link ? { link } : {}) });
  expect(next_of(page())).toBeUndefined();
  expect(next_of(page([{ relation: "self", url: "http://inside/fhir/R4/Observation?patient=1" }]))).toBeUndefined();
  expect(next_of(page([{ relation: "next", url: "http://inside/fhir/R4/Observation?patient=1&_cursor=a%2Bb" }]))).toBe("?patient=1&_cursor=a%2Bb");
});
