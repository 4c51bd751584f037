import { expect, test } from "vitest";
import { reach_of } from "../src/api/incidents";
import { duration_text, face_of, times_of_row } from "../src/screens/incidents/clock";
import { groups_of, is_by_person, severity_of } from "../src/screens/incidents/facts";
import type { IncidentSummary } from "../src/api/types";
import type { Translate } from "../src/i18n";
import ar from "../src/i18n/ar.json";
import en from "../src/i18n/en.json";
import fr from "../src/i18n/fr.json";

// Of messages without plurals.
const translate =
  (catalog: Record<string, string>): Translate =>
  (id, values = {}) =>
    Object.entries(values).reduce((text, [name, value]) => text.replace(`{${name}}`, String(value)), catalog[id] ?? id);

const begin = Date.parse("2026-03-08T14:00:00Z");
const at = (s: number) => new Date(begin + s * 1_000).toISOString();
const of_180 = { time_s: 180, due: at(180) };

test.each([
  [0, "running"],
  [89, "running"],
  [90, "half"],
  [143, "half"],
  [144, "most"],
  [179, "most"],
  [180, "late"],
  [400, "late"],
])("a clock of 180 s is after %i s: %s", (s, standing) => {
  expect(face_of(of_180, begin + s * 1_000).standing).toBe(standing);
});

test("a clock that was stopped is kept or missed, whatever the time is now", () => {
  const now = begin + 9_000_000;
  expect(face_of({ ...of_180, stopped: at(92) }, now)).toMatchObject({ standing: "kept", taken_ms: 92_000, time_ms: 180_000 });
  expect(face_of({ ...of_180, stopped: at(180) }, now).standing).toBe("kept");
  expect(face_of({ ...of_180, stopped: at(181) }, now)).toMatchObject({ standing: "missed", taken_ms: 181_000 });
});

test("a clock that is paused stands still; a pause that is over does not count", () => {
  const paused = face_of({ time_s: 3_600, due: at(3_600), paused_at: at(600) }, begin + 9_000_000);
  expect(paused.standing).toBe("paused");
  expect(paused.left_ms).toBe(3_000_000);
  // Paused for 1,000 s: its end was moved.
  const after = face_of({ time_s: 3_600, due: at(4_600) }, begin + 2_000_000);
  expect(after.taken_ms).toBe(1_000_000);
  expect(face_of({ time_s: 3_600, due: at(3_600), paused_at: at(3_700) }, begin).standing).toBe("late");
});

test("a row that says nothing of its times has none", () => {
  const row = { response_due: at(180), resolution_due: at(3_600) } as IncidentSummary;
  expect(times_of_row(row, "response")).toBeUndefined();
  expect(times_of_row({ ...row, response_s: 180, paused_at: at(1) }, "response")).toEqual({ time_s: 180, due: at(180), stopped: undefined });
  expect(times_of_row({ ...row, resolution_s: 3_600, paused_at: at(1) }, "resolution")).toMatchObject({ paused_at: at(1) });
});

test.each([
  [0, "0:00 min"],
  [125_000, "2:05 min"],
  [-30_000, "0:30 min"],
  [3_600_000, "1 h 00 min"],
  [12_300_000, "3 h 25 min"],
  [432_000_000, "5 d 0 h"],
])("%i ms are %s", (ms, text) => {
  expect(duration_text(ms, translate(en))).toBe(`\u2068${text}\u2069`);
});

test("units are the reader's", () => {
  expect(duration_text(432_000_000, translate(fr))).toContain("5 j 0 h");
  expect(duration_text(125_000, translate(ar))).toContain("2:05 د");
});

test("the rules may be asked for more, never for less", () => {
  const rule = { severity: "critical", rule: "Database Failure" } as const;
  expect(severity_of("", rule)).toBe("critical");
  expect(severity_of("low", rule)).toBe("critical");
  expect(severity_of("emergency", rule)).toBe("emergency");
  // Where none matches, what was asked for holds.
  expect(severity_of("low", { severity: "high", rule: "" })).toBe("low");
  expect(severity_of("", { severity: "high", rule: "" })).toBe("high");
  expect(severity_of("", undefined)).toBeUndefined();
});

test("an incident of a service touches what depends on it, each once", () => {
  const services = [{ name: "a" }, { name: "b", depends_on: ["a"] }, { name: "c", depends_on: ["a", "b"] }, { name: "d" }];
  expect(reach_of(services, "a")).toEqual(["a", "b", "c"]);
  expect(reach_of(services, "d")).toEqual(["d"]);
  expect(reach_of(services, "unknown")).toEqual(["unknown"]);
});

test("tasks stand under their runbooks and keep their places; what people added is last", () => {
  const groups = groups_of([{ text: "own" }, { text: "1", runbook: "R" }, { text: "2", runbook: "R" }, { text: "1", runbook: "S" }]);
  expect(groups.map((group) => group.runbook)).toEqual(["R", "S", ""]);
  expect(groups.map((group) => group.tasks.map((task) => task.place))).toEqual([[1, 2], [3], [0]]);
});

test("what the platform saw is not what a person wrote, even where it names one", () => {
  const entry = (kind: string, by?: string) => ({ n: 1, at: at(0), kind, ...(by ? { by } : {}) });
  expect(is_by_person(entry("note", "bob"), { source: "person" })).toBe(true);
  expect(is_by_person(entry("opened", "ann"), { source: "person" })).toBe(true);
  expect(is_by_person(entry("opened", "monitor"), { source: "monitor" })).toBe(false);
  expect(is_by_person(entry("acknowledged", "bob"), { source: "monitor" })).toBe(true);
  expect(is_by_person(entry("alert.acknowledged", "bob"), { source: "person" })).toBe(false);
  expect(is_by_person(entry("change.started", "ann"), { source: "person" })).toBe(false);
  expect(is_by_person(entry("clock"), { source: "person" })).toBe(false);
});
