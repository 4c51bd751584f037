// Groups of label alerts as causes, and matchers in an address.

import { expect, test } from "vitest";
import type { AlertGroup, LabelAlert } from "../src/api/alerting";
import { asks_for_emergencies, causes_of, complete, drafts_of, from_param, matcher_text, severity_of, to_param, told_of } from "../src/screens/alerts/causes";

const alert = (fingerprint: string, labels: Record<string, string>, more: Partial<LabelAlert> = {}): LabelAlert => ({
  fingerprint,
  labels,
  annotations: {},
  startsAt: "2026-03-08T10:00:00Z",
  endsAt: "2026-03-08T11:00:00Z",
  updatedAt: "2026-03-08T10:00:00Z",
  receivers: [],
  status: { state: "active", silencedBy: [], inhibitedBy: [] },
  ...more,
});
const group = (receiver: string, labels: Record<string, string>, alerts: LabelAlert[]): AlertGroup => ({ receiver: { name: receiver }, labels, alerts });
const silenced: LabelAlert["status"] = { state: "suppressed", silencedBy: ["s"], inhibitedBy: [] };

test("one cause is one entry, whoever is told of it, and its alerts are counted once", () => {
  const disk = alert("1", { alertname: "Disk", severity: "warning" });
  const later = alert("2", { alertname: "Disk", severity: "critical" }, { startsAt: "2026-03-08T10:05:00Z" });
  const [cause, ...others] = causes_of([group("mail", { alertname: "Disk" }, [disk, later]), group("people", { alertname: "Disk" }, [later])]);
  expect(others).toEqual([]);
  expect(cause?.receivers).toEqual(["mail", "people"]);
  expect(cause?.alerts.map((each) => each.fingerprint)).toEqual(["2", "1"]);
  expect([cause?.severity, cause?.first, cause?.last]).toEqual(["urgent", disk.startsAt, later.startsAt]);
});

test("the most severe cause comes first, and what nobody is told of last", () => {
  const causes = causes_of([
    group("a", { alertname: "Held" }, [alert("1", { severity: "critical" }, { status: silenced })]),
    group("a", { alertname: "Info" }, [alert("2", {})]),
    group("a", { alertname: "Worst" }, [alert("3", { severity: "emergency" })]),
  ]);
  expect(causes.map((cause) => cause.title)).toEqual(["Worst", "Info", "Held"]);
  expect(causes.map(told_of)).toEqual([1, 1, 0]);
});

test("only an address of the web is a runbook", () => {
  const with_runbook = (runbook_url: string) => causes_of([group("a", {}, [alert("1", { alertname: "X" }, { annotations: { runbook_url } })])])[0]?.runbook;
  expect(with_runbook("https://wiki/x")).toBe("https://wiki/x");
  expect(with_runbook("javascript:alert(1)")).toBeUndefined();
});

test("a severity is read as the server reads it", () => {
  expect(["emergency", "urgent", "critical", "error", "high", "warning"].map((severity) => severity_of({ severity }))).toEqual(["emergency", "urgent", "urgent", "urgent", "urgent", "advisory"]);
});

test("matchers go into an address and come back; what is none is left out", () => {
  const drafts = [{ name: "a=b", op: "=~", value: 'x"\n,y' }] as const;
  expect(from_param(to_param(drafts))).toEqual(drafts);
  for (const text of ["", "{}", "[", "[1]", '[["a","==","b"]]', '[["a","="]]']) expect(from_param(text)).toEqual([]);
});

test("a matcher is asked about when it is complete, and one for emergencies is known", () => {
  const [matcher, ...none] = complete([{ name: "severity", op: "=", value: "emergency" }, { name: "x", op: "!~", value: "" }]);
  expect(none).toEqual([]);
  expect(matcher && matcher_text(matcher)).toBe('severity="emergency"');
  expect(asks_for_emergencies(complete([{ name: "severity", op: "=", value: "emergency" }]))).toBe(true);
  expect(asks_for_emergencies(complete([{ name: "severity", op: "!=", value: "emergency" }]))).toBe(false);
});

test("what silences a cause without labels of its own is the name of its alerts", () => {
  const [cause] = causes_of([group("a", {}, [alert("1", { alertname: "Disk" })])]);
  expect(cause && drafts_of(cause)).toEqual([{ name: "alertname", op: "=", value: "Disk" }]);
});
