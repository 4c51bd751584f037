import { expect, test } from "vitest";
import type { Change, LogEntry, Member, Run } from "../src/api/changes";
import { places_of, slots_of, waits_for } from "../src/screens/changes/people";
import { field_of, line_of, no_words, plan_of, read_text, text_of } from "../src/screens/changes/plan";
import { rollout_of } from "../src/screens/changes/stages";
import { conflicts_of, lanes, peaks_of, span_of_change, week_of, week_text } from "../src/screens/changes/week";
import type { ChangeSummary } from "../src/api/types";
import { set_site } from "../src/site";
import { midnight, monday } from "../src/ui/wall";

const plan = {
  title: "Days",
  description: "why",
  service: "alerting",
  checks: [{ kind: "http" as const, url: "/x" }],
  implementation: [
    { kind: "set" as const, setting: "a.b", value: 1, scope: "ward/A" },
    { kind: "watch" as const, count: 3, checks: [{ kind: "metric" as const, metric: "m", at_most: 1 }] },
    { kind: "set" as const, setting: "a.b", value: 1 },
  ],
};
const change_with = (state: Change["state"], run?: Partial<Run>): Change =>
  ({
    id: "c",
    state,
    plan,
    ...(run ? { run: { phase: "before", step: 0, begun: false, measurements: [], undo: [], because: "", ends_as: "failed", abort: "", log: [], ...run } } : {}),
  }) as unknown as Change;
const entry = (phase: LogEntry["phase"], step: number, ok = true): LogEntry => ({ at: "2026-05-12T02:00:00Z", phase, step, name: "n", ok, text: "" });
const states = (change: Change, held = false) => rollout_of(change, held).stages.map((stage) => stage.state);

test("a rollout says of each stage how far it is", () => {
  expect(states(change_with("approved"))).toEqual(["waits", "waits", "waits", "waits", "waits"]);
  expect(states(change_with("running", { phase: "before" }))).toEqual(["runs", "waits", "waits", "waits", "waits"]);
  const log = [entry("before", 0), entry("steps", 0)];
  expect(states(change_with("running", { phase: "steps", step: 1, begun: true, log }))).toEqual(["done", "done", "runs", "waits", "waits"]);
  expect(states(change_with("running", { phase: "steps", step: 1, log }), true)).toEqual(["done", "done", "held", "waits", "waits"]);
  expect(states(change_with("paused", { phase: "steps", step: 1, begun: true, log }))).toEqual(["done", "done", "paused", "waits", "waits"]);
  const all = [...log, entry("steps", 1), entry("steps", 2), entry("after", 0)];
  expect(states(change_with("successful", { phase: "after", log: all }))).toEqual(["done", "done", "done", "done", "done"]);
});

test("what failed is told apart from what was taken back and what was never reached", () => {
  const log = [entry("before", 0), entry("steps", 0), entry("steps", 1, false)];
  const undo = [{ setting: "a.b", version: 1, made: 2 }];
  expect(states(change_with("rolling_back", { phase: "way_back", undo, log }))).toEqual(["done", "done", "failed", "skipped", "skipped"]);
  const back = change_with("failed", { phase: "verify_way_back", because: "m: 3", log });
  expect(states(back)).toEqual(["done", "undone", "failed", "skipped", "skipped"]);
  expect(rollout_of(back, false).way_back).toMatchObject({ state: "done", because: "m: 3" });
  const after = [entry("before", 0), entry("steps", 0), entry("steps", 1), entry("steps", 2), entry("after", 0, false)];
  expect(states(change_with("validation_failed", { phase: "verify_way_back", log: after }))).toEqual(["done", "undone", "done", "undone", "failed"]);
  expect(states(change_with("validation_failed", { phase: "before", log: [entry("before", 0, false)] }))).toEqual(["failed", "skipped", "skipped", "skipped", "skipped"]);
  const taken = [...after.slice(0, 4), entry("after", 0)];
  expect(states(change_with("rolled_back", { phase: "verify_way_back", log: taken }))).toEqual(["done", "undone", "done", "undone", "done"]);
});

test("what was scaled is taken back as settings are", () => {
  const change = change_with("failed", { phase: "verify_way_back", log: [entry("before", 0), entry("steps", 0), entry("after", 0, false)] });
  change.plan = { ...plan, implementation: [{ kind: "scale", scale: "pods", to: 4 }] };
  const [, scaled] = rollout_of(change, false).stages;
  expect(scaled).toMatchObject({ kind: "scale", name: "scale pods", state: "undone" });
});

const members: Member[] = [
  { name: "both", role: "", authorities: ["technical", "clinical"] },
  { name: "technician", role: "", authorities: ["technical"] },
  { name: "guard", role: "", authorities: ["security"] },
];

test("each member fills one place, and gives it up for another where that fills more", () => {
  const filled = (approvers: string[]) => slots_of([["technical"], ["clinical"]], approvers, members).map((slot) => slot.by);
  expect(filled(["both"])).toEqual(["both", undefined]);
  expect(filled(["both", "technician"])).toEqual(["technician", "both"]);
  expect(slots_of([["technical"], []], ["guard"], members).map((slot) => slot.by)).toEqual([undefined, "guard"]);
});

const line = (some: Partial<ChangeSummary>): ChangeSummary => ({
  id: "1",
  title: "One",
  state: "proposed",
  type: "normal",
  service: "alerting",
  services: ["alerting"],
  risk: "high",
  score: 50,
  requested_by: "user/ann",
  proposed: "2026-05-12T02:00:00Z",
  review_overdue: false,
  approvals_open: ["technical", "clinical or executive"],
  approved_by: [],
  ...some,
});

test("of two places of one name one may be filled", () => {
  const places = places_of({ approvals_needed: ["technical", "technical", "clinical"], approvals_open: ["technical"] });
  expect(places.map(({ is_open }) => is_open)).toEqual([true, false, false]);
});

test("a change waits for those alone whose approval brings it further", () => {
  expect(waits_for(line({}), "technician", members)).toBe(true);
  expect(waits_for(line({}), "guard", members)).toBe(false);
  expect(waits_for(line({ approvals_open: ["any member"] }), "guard", members)).toBe(true);
  expect(waits_for(line({ approved_by: ["technician"] }), "technician", members)).toBe(false);
  expect(waits_for(line({ requested_by: "user/technician" }), "technician", members)).toBe(false);
  expect(waits_for(line({ state: "approved" }), "technician", members)).toBe(false);
});

test("hours of high load are those of the policy's zone, also where clocks change", () => {
  const window = { name: "morning", from: "08:00", to: "10:00", weekdays_only: true, from_level: "high" as const, load: 1 };
  const days = (from: string, to: string) => peaks_of([window], "Europe/Paris", { begin: Date.parse(from), end: Date.parse(to) }).map((peak) => new Date(peak.begin).toISOString());
  // Clocks go back on Sunday, 25 October 2026; on Saturday and Sunday there is no window.
  expect(days("2026-10-23T00:00:00Z", "2026-10-27T00:00:00Z")).toEqual(["2026-10-23T06:00:00.000Z", "2026-10-26T07:00:00.000Z"]);
  const night = peaks_of([{ ...window, from: "22:00", to: "02:00" }], "UTC", { begin: Date.parse("2026-10-23T00:30:00Z"), end: Date.parse("2026-10-23T01:00:00Z") });
  expect(night.map((peak) => [new Date(peak.begin).toISOString(), new Date(peak.end).toISOString()])).toEqual([["2026-10-22T22:00:00.000Z", "2026-10-23T02:00:00.000Z"]]);
});

test("the week in the address is the one that is shown, east and west of Greenwich", () => {
  for (const zone of ["America/Los_Angeles", "UTC", "Asia/Kolkata", "Pacific/Auckland"]) {
    set_site(undefined, zone);
    const begin = monday(Date.parse("2026-12-09T12:00:00Z"));
    for (const weeks of [-1, 0, 1]) {
      const to = midnight(begin, 7 * weeks);
      expect(week_of(week_text(to), begin), zone).toBe(to);
    }
    expect(week_of("soon", begin + 1)).toBe(begin);
  }
  set_site(undefined, undefined);
});

test("what is in the way of a change is named", () => {
  const now = Date.parse("2026-05-12T02:00:00Z");
  const planned = line({ id: "1", state: "approved", starts: "2026-05-12T08:30:00Z" });
  const other = line({ id: "2", title: "Two", state: "proposed", begin: "2026-05-12T08:00:00Z", end: "2026-05-12T12:00:00Z" });
  const peak = { begin: Date.parse("2026-05-12T08:00:00Z"), end: Date.parse("2026-05-12T10:00:00Z"), window: { name: "morning", from: "08:00", to: "10:00", weekdays_only: true, from_level: "high" as const, load: 1 } };
  const freeze = { id: "f", why: "audit", by: "", begin: "2026-05-12T00:00:00Z", end: "2026-05-13T00:00:00Z", services: ["alerting"] };
  const of = (change: ChangeSummary, beside: ChangeSummary[] = []) => conflicts_of([change, ...beside], [freeze], [peak], now).filter((each) => each.change.id === change.id).map((each) => each.kind);
  expect(of(planned, [other])).toEqual(["freeze", "peak", "change"]);
  expect(of({ ...planned, services: ["store"] }, [other])).toEqual(["peak"]);
  expect(of({ ...planned, risk: "medium" })).toEqual(["freeze"]);
  expect(of({ ...planned, type: "emergency" })).toEqual([]);
  // A window that is longer than the hours of high load leaves time to start.
  expect(of(other)).toEqual(["freeze"]);
  expect(span_of_change(line({}), now)).toBeUndefined();
});

test("what overlaps stands side by side", () => {
  const spans = [{ begin: 0, end: 2 }, { begin: 1, end: 3 }, { begin: 4, end: 5 }];
  expect(lanes(spans)).toEqual([{ lane: 0, of: 2 }, { lane: 1, of: 2 }, { lane: 0, of: 1 }]);
});

const words = { ...no_words, setting: "alerting.clear_days", value: "40", title: "Days", description: "why", metric: { on: true, metric: "m", side: "at_most" as const, limit: "3" }, watch_min: "1" };
const setting = { name: "alerting.clear_days", type: "integer", default: "0" } as never;

test("the form makes a plan, and what the server says of it comes back to the field", () => {
  const made = plan_of(words, setting);
  expect(made.implementation).toEqual([
    { kind: "set", setting: "alerting.clear_days", value: 40 },
    { kind: "watch", every_s: 10, count: 6, checks: [{ kind: "metric", metric: "m", at_most: 3 }] },
  ]);
  expect(made.checks[0]).toEqual({ kind: "setting", setting: "alerting.clear_days", is: "40", when: "after" });
  expect(plan_of({ ...words, value: "" }, setting).checks[0]).toMatchObject({ is: "0" });
  const checks = (limit: string) => plan_of({ ...words, metric: { ...words.metric, limit } }, setting).checks.at(-1);
  expect(checks("")).toEqual({ kind: "metric", metric: "m" });
  expect(checks("1,5")).toMatchObject({ at_most: "1,5" });
  const watch = (watch_min: string) => plan_of({ ...words, watch_min }, setting).implementation.slice(1).map((step) => step.count);
  expect([watch(""), watch("0"), watch("0.01"), watch("five")]).toEqual([[], [], [1], ["five"]]);
  expect(plan_of({ ...words, scope: " ward/A " }, setting).implementation[0]).toMatchObject({ scope: "ward/A" });
  expect(plan_of({ ...words, value: " a b " }, { ...(setting as object), type: "text" } as never).implementation[0]).toMatchObject({ value: "a b" });
  // What is no number is sent as it was typed: the server says so.
  expect(plan_of({ ...words, value: "many" }, setting).implementation[0]).toMatchObject({ value: "many" });
  expect(["title", "implementation[0]", "implementation[0].scope", "checks[2].at_most", "test.evidence", "by"].map(field_of)).toEqual(["title", "value", "scope", "check", "evidence", ""]);
});

test("a member of a plan is found on its line, in YAML and in JSON", () => {
  const text = text_of(plan_of(words, setting));
  const read = read_text(text);
  expect(read.plan).toEqual(plan_of(words, setting));
  expect(text.split("\n")[line_of(read, "implementation[0].value")! - 1]).toContain("value: 40");
  expect(text.split("\n")[line_of(read, "implementation[1].checks[0].metric")! - 1]).toContain("metric: m");
  // What is missing: the nearest that is there.
  expect(text.split("\n")[line_of(read, "implementation[0].scope")! - 1]).toContain("kind: set");
  const json = read_text('{"title": "x",\n "implementation": [\n  {"kind": "set",\n   "value": 1}]}');
  expect(line_of(json, "implementation[0].value")).toBe(4);
  expect(read_text("title: [1,\n").fault?.line).toBeGreaterThan(0);
  expect(read_text("- a").fault).toBeDefined();
  expect(read_text("a: &x [1]\nb: *x").fault).toBeDefined();
});
