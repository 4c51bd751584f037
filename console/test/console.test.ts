import { expect, test } from "vitest";
import { path_of, with_query } from "../src/api/client";
import { ApiError, detail_of } from "../src/api/error";
import { initials, name_of } from "../src/api/fhir";
import type { Alert, Monitor, Status, IncidentSummary } from "../src/api/types";
import { grain, news2_bands, points_of, sign_names, spo2_scale_2_on_oxygen } from "../src/clinical/news2";
import { courses_since, forget_scores, note_scores, trend_of } from "../src/clinical/trend";
import { judge, type Known } from "../src/clinical/verdict";
import { courses_of } from "../src/clinical/vitals";
import { Feed } from "../src/live/feed";
import { EventParser } from "../src/live/sse";

test("events come out whole, however they are cut into pieces", () => {
  const stream = 'retry: 1000\r\nid: 7\nevent: alert.raised\ndata: {"a":1}\ndata: 2\n\n: a comment\n\nevent: beat\ndata: {}\n\ndata: plain\n\n';
  const expected = [
    { kind: "alert.raised", id: "7", data: '{"a":1}\n2' },
    { kind: "beat", id: "7", data: "{}" },
    { kind: "message", id: "7", data: "plain" },
  ];
  for (let size = 1; size <= stream.length; size++) {
    const parser = new EventParser();
    const found = [];
    for (let at = 0; at < stream.length; at += size) found.push(...parser.push(stream.slice(at, at + size)));
    expect(found).toEqual(expected);
  }
});

test("an event that is not finished is not told", () => {
  expect(new EventParser().push("event: beat\ndata: {}\n")).toEqual([]);
});

test("what is shown is live, then stale, then not live", () => {
  const feed = new Feed();
  const now = performance.now();
  expect(feed.freshness(now)).toBe("waiting");
  feed.heard();
  expect(feed.freshness(performance.now())).toBe("live");
  expect(feed.freshness(performance.now() + 5_100)).toBe("stale");
  expect(feed.freshness(performance.now() + 30_100)).toBe("not-live");
});

test("ages are by the server's clock", () => {
  const feed = new Feed();
  feed.heard(new Date(Date.now() + 3_600_000).toISOString());
  expect(Math.abs(feed.now() - Date.now() - 3_600_000)).toBeLessThan(100);
});

test("the words of an error are found in every form that the server has", () => {
  expect(detail_of({ type: "about:blank", title: "conflict", status: 409, detail: "already" })).toBe("already");
  expect(detail_of({ resourceType: "OperationOutcome", issue: [{ diagnostics: "one" }, { details: { text: "two" } }] })).toBe("one two");
  expect(detail_of({ error: "invalid_token", error_description: "log in" })).toBe("log in");
  expect(detail_of({ status: "error", errorType: "bad_data", error: "parse error" })).toBe("parse error");
  expect(detail_of("silence not found")).toBe("silence not found");
  expect(detail_of({ code: 602, message: "alerts in body is required" })).toBe("alerts in body is required");
  expect(detail_of(null)).toBe("");
});

test("only what may pass by itself is tried again", () => {
  const of = (trouble: ConstructorParameters<typeof ApiError>[0]) => new ApiError(trouble, 0, "", { request: "GET /", id: "1", at: "" }).can_retry;
  expect((["offline", "slow", "busy", "server"] as const).every(of)).toBe(true);
  expect((["expired", "forbidden", "missing", "conflict", "invalid"] as const).some(of)).toBe(false);
});

test("names in a path are encoded, and none is left out", () => {
  expect(path_of("GET /api/v1/alerts/{id}", { id: "a/b c" })).toBe("/api/v1/alerts/a%2Fb%20c");
  expect(() => path_of("GET /api/v1/alerts/{id}", {})).toThrow();
  expect(with_query("/x", { a: "1 2", b: undefined, c: "" })).toBe("/x?a=1%202");
});

test("a name is shown as it was recorded", () => {
  expect(name_of({ name: [{ text: "Sukarno" }] })).toBe("Sukarno");
  expect(name_of({ name: [{ use: "nickname", text: "Bo" }, { use: "official", given: ["María", "José"], family: "Núñez Peña" }] })).toBe("María José Núñez Peña");
  expect(name_of({})).toBe("");
  expect(initials("María José Núñez Peña")).toBe("MJN");
  expect(initials("𠮷野 家")).toBe("𠮷家");
});

// Royal College of Physicians, National Early Warning Score (NEWS) 2, 2017, chart 1.
test.each([
  ["respiration", { 8: 3, 9: 1, 11: 1, 12: 0, 20: 0, 21: 2, 24: 2, 25: 3 }],
  ["spo2", { 91: 3, 92: 2, 93: 2, 94: 1, 95: 1, 96: 0 }],
  ["oxygen", { 0: 0, 1: 2 }],
  ["systolic", { 90: 3, 91: 2, 100: 2, 101: 1, 110: 1, 111: 0, 219: 0, 220: 3 }],
  ["pulse", { 40: 3, 41: 1, 50: 1, 51: 0, 90: 0, 91: 1, 110: 1, 111: 2, 130: 2, 131: 3 }],
  ["consciousness", { 0: 0, 1: 3, 4: 3 }],
  ["temperature", { "35.0": 3, 35.1: 1, "36.0": 1, 36.1: 0, "38.0": 0, 38.1: 1, "39.0": 1, 39.1: 2 }],
] as const)("the bands of %s are those of the chart", (name, points) => {
  for (const [value, expected] of Object.entries(points)) expect([value, points_of(news2_bands[name], Number(value), grain[name])]).toEqual([value, expected]);
});

test("bands leave no gap, and scale 2 counts too much oxygen", () => {
  for (const name of sign_names) {
    const bands = news2_bands[name];
    for (let i = 1; i < bands.length; i++) expect(bands[i]!.low - bands[i - 1]!.high).toBeCloseTo(grain[name], 5);
  }
  for (const [value, expected] of [[83, 3], [84, 2], [86, 1], [88, 0], [92, 0], [93, 1], [95, 2], [97, 3]] as const) {
    expect(points_of(spo2_scale_2_on_oxygen, value, 1)).toBe(expected);
  }
});

const loinc = "http://loinc.org";
test("observations become courses by their codes, in one unit", () => {
  const at = "2026-03-08T10:00:00Z";
  const courses = courses_of([
    { resourceType: "Observation", id: "2", status: "final", effectiveDateTime: "2026-03-08T11:00:00Z", code: { coding: [{ system: loinc, code: "9279-1" }] }, valueQuantity: { value: 20 } },
    { resourceType: "Observation", id: "1", status: "final", effectiveDateTime: at, code: { coding: [{ system: loinc, code: "9279-1" }] }, valueQuantity: { value: 14 } },
    { resourceType: "Observation", id: "3", status: "entered-in-error", effectiveDateTime: at, code: { coding: [{ system: loinc, code: "9279-1" }] }, valueQuantity: { value: 99 } },
    { resourceType: "Observation", id: "4", status: "final", effectiveDateTime: at, code: { coding: [{ system: loinc, code: "8310-5" }] }, valueQuantity: { value: 98.6, code: "[degF]" } },
    { resourceType: "Observation", id: "5", status: "final", effectiveDateTime: at, code: {}, component: [{ code: { coding: [{ system: loinc, code: "8480-6" }] }, valueQuantity: { value: 120 } }, { code: { coding: [{ system: loinc, code: "3151-8" }] }, valueQuantity: { value: 2 } }] },
    { resourceType: "Observation", id: "6", status: "final", effectiveDateTime: at, code: {}, valueCodeableConcept: { coding: [{ system: "http://snomed.info/sct", code: "300202002" }] } },
  ]);
  expect(courses.respiration.map(([, value]) => value)).toEqual([14, 20]);
  expect(courses.temperature[0]![1]).toBeCloseTo(37, 5);
  expect(courses.systolic[0]![1]).toBe(120);
  expect(courses.oxygen[0]![1]).toBe(1);
  expect(courses.consciousness[0]![1]).toBe(2);
});

test("a score that rises is shown to rise", () => {
  forget_scores();
  const patient = (points: number) => [{ id: "p", name: "", birthDate: "", gender: "", place: "", at: "", points, complete: true, band: "low" as const }];
  note_scores(patient(2), 0);
  expect(trend_of("p", 0)).toBeUndefined();
  note_scores(patient(5), 120_000);
  expect(trend_of("p", 120_000)).toBe("up");
  note_scores(patient(1), 240_000);
  expect(trend_of("p", 240_000)).toBe("down");
});

test("a level course is two points and grows in steps; what is older than a quarter of an hour goes", () => {
  forget_scores();
  const patient = (points: number) => [{ id: "p", points } as Parameters<typeof note_scores>[0][number]];
  note_scores(patient(3), 0);
  for (let at = 250; at <= 60_000; at += 250) note_scores(patient(3), at);
  expect(courses_since("p")).toEqual([[0, 3], [60_000, 3]]);
  const before = courses_since("p");
  note_scores(patient(3), 61_000);
  expect(courses_since("p")).toBe(before);
  note_scores(patient(9), 61_250);
  expect(courses_since("p").at(-1)).toEqual([61_250, 9]);
  for (let minute = 2; minute <= 40; ++minute) note_scores(patient(minute % 2), minute * 60_000);
  expect(courses_since("p")[0]![0]).toBe(24 * 60_000);
  expect(courses_since("stranger")).toEqual([]);
});

const alert = (members: Partial<Alert>): Alert => ({ id: "1", source: "vitals", cause: "", severity: "emergency", state: "open", title: "", raised_at: "", step: 0, round: 1, calls: 1, ...members });
const status = { alerts: { unrecorded: 0 } } as Status;
const well: Known = { freshness: "live", alerts: [], status, monitor: { at: "", verdict: "ok", findings: [], metrics: [] }, incidents: [] };
const finding = { cause: "c", severity: "high", category: "", title: "Slow", reason: "" };

test.each([
  ["nothing wrong", {}, "verdict.safe"],
  ["nothing known yet", { freshness: "waiting" }, "verdict.waiting"],
  ["no data is not safe", { freshness: "not-live" }, "verdict.unknown"],
  ["a role that is not told of alerts", { alerts: undefined }, "verdict.not_told"],
  ["a role that is not told of the platform", { monitor: undefined }, "waiting.none"],
  ["a patient", { alerts: [alert({ patient: "Patient/1" }), alert({ patient: "Patient/1" })] }, "verdict.patients"],
  ["an emergency of no patient", { alerts: [alert({})] }, "verdict.emergencies"],
  ["one who is seen to", { alerts: [alert({ patient: "Patient/1", state: "acknowledged" })] }, "verdict.safe"],
  ["urgent", { alerts: [alert({ severity: "urgent" })] }, "verdict.urgent"],
  ["not written down", { status: { alerts: { unrecorded: 1 } } as Status }, "verdict.unrecorded"],
  ["the platform", { monitor: { at: "", verdict: "critical", findings: [finding] } as Monitor }, "verdict.at_risk"],
  ["a grave incident", { incidents: [{ severity: "critical", state: "acknowledged", breached: true } as IncidentSummary] }, "verdict.incidents"],
  ["one that is mitigated", { incidents: [{ severity: "emergency", state: "mitigated", breached: false } as IncidentSummary] }, "verdict.safe"],
  ["a warning", { monitor: { at: "", verdict: "degraded", findings: [finding] } as Monitor }, "verdict.findings"],
] as [string, Partial<Known>, string][])("the verdict on %s", (_, change, text) => {
  expect(judge({ ...well, ...change }).text).toBe(text);
});

test("two alerts of one patient are one patient who needs help", () => {
  expect(judge({ ...well, alerts: [alert({ patient: "Patient/1" }), alert({ patient: "Patient/1" })] }).values).toEqual({ n: 1 });
});
