// Groups of label alerts as causes: one for each set of labels that they are grouped by, whoever is told of it. And matchers.

import type { AlertGroup, LabelAlert, Labels, Matcher } from "../../api/alerting";
import type { Severity } from "../../api/types";

export const storm_alerts = 20; // of one cause: its alerts are a number then

const urgent_words = new Set(["urgent", "critical", "error", "high"]);
// As the server reads the label (docs/alerting.md).
export function severity_of(labels: Labels): Severity {
  const word = labels["severity"] ?? "";
  return word === "emergency" ? "emergency" : urgent_words.has(word) ? "urgent" : "advisory";
}
const order: readonly Severity[] = ["emergency", "urgent", "advisory"];
const rank = (labels: Labels) => order.indexOf(severity_of(labels));

export interface Cause {
  key: string;
  labels: Labels;
  title: string;
  receivers: string[];
  alerts: LabelAlert[]; // most severe first, then newest
  severity: Severity; // of the worst that is told about, of the worst when none is
  first: string;
  last: string;
  silenced: number;
  inhibited: number;
  silences: string[]; // their ids
  emergencies: number;
  summary?: string; // where all of them say the same
  runbook?: string;
}

export const is_held = (alert: LabelAlert) => alert.status.state === "suppressed";

// Whoever sends an alert writes its annotations: only an address of the web becomes a link.
function web_address(text: string | undefined): string | undefined {
  return text && /^https?:\/\//i.test(text) ? text : undefined;
}
const runbook_of = (alert: LabelAlert) => web_address(alert.annotations["runbook_url"]) ?? web_address(alert.annotations["runbook"]);

export const summary_of = (alert: LabelAlert): string | undefined => alert.annotations["summary"] ?? alert.annotations["description"];

export const labels_text = (labels: Labels): string =>
  Object.entries(labels)
    .map(([name, value]) => `${name}=${value}`)
    .join(", ");

const title_of = (labels: Labels, alerts: readonly LabelAlert[]): string =>
  labels["alertname"] ?? (Object.keys(labels).length > 0 ? labels_text(labels) : [...new Set(alerts.map((alert) => alert.labels["alertname"] ?? ""))].slice(0, 3).join(", "));

function cause_of(key: string, groups: readonly AlertGroup[]): Cause {
  const found = new Map(groups.flatMap((group) => group.alerts).map((alert) => [alert.fingerprint, alert]));
  const alerts = [...found.values()].sort((a, b) => rank(a.labels) - rank(b.labels) || b.startsAt.localeCompare(a.startsAt));
  const starts = alerts.map((alert) => alert.startsAt).sort();
  const worst = alerts.find((alert) => !is_held(alert)) ?? alerts[0];
  const labels = groups[0]!.labels;
  const cause: Cause = {
    key,
    labels,
    title: title_of(labels, alerts),
    receivers: [...new Set(groups.map((group) => group.receiver.name))],
    alerts,
    severity: severity_of(worst?.labels ?? {}),
    first: starts[0] ?? "",
    last: starts.at(-1) ?? "",
    silenced: alerts.filter((alert) => alert.status.silencedBy.length > 0).length,
    inhibited: alerts.filter((alert) => alert.status.inhibitedBy.length > 0).length,
    silences: [...new Set(alerts.flatMap((alert) => alert.status.silencedBy))],
    emergencies: alerts.filter((alert) => severity_of(alert.labels) === "emergency").length,
  };
  const runbook = alerts.map(runbook_of).find((each) => each !== undefined);
  if (runbook) cause.runbook = runbook;
  const summary = alerts[0] && summary_of(alerts[0]);
  if (summary && alerts.every((alert) => summary_of(alert) === summary)) cause.summary = summary;
  return cause;
}

export const told_of = (cause: Cause) => cause.alerts.filter((alert) => !is_held(alert)).length;

// What somebody is told of first, the most severe first, then the newest.
export function causes_of(groups: readonly AlertGroup[]): Cause[] {
  const by_labels = new Map<string, AlertGroup[]>();
  for (const group of groups) {
    const key = JSON.stringify(Object.entries(group.labels).sort());
    by_labels.set(key, [...(by_labels.get(key) ?? []), group]);
  }
  const causes = [...by_labels].map(([key, same]) => cause_of(key, same));
  const is_silent = (cause: Cause) => Number(told_of(cause) === 0);
  return causes.sort((a, b) => is_silent(a) - is_silent(b) || order.indexOf(a.severity) - order.indexOf(b.severity) || b.last.localeCompare(a.last));
}

// ---- matchers
export type Op = "=" | "!=" | "=~" | "!~";
export const ops: readonly Op[] = ["=", "!=", "=~", "!~"];
export interface Draft {
  name: string;
  op: Op;
  value: string;
}

export const matcher_of = ({ name, op, value }: Draft): Matcher => ({ name: name.trim(), value, isRegex: op.endsWith("~"), isEqual: op.startsWith("=") });
export const op_of = ({ isRegex, isEqual }: Matcher): Op => (isEqual ? (isRegex ? "=~" : "=") : isRegex ? "!~" : "!=");
export const matcher_text = (matcher: Matcher): string => `${matcher.name}${op_of(matcher)}${JSON.stringify(matcher.value)}`;

// Those that are written to their end, and can be asked about.
export const complete = (drafts: readonly Draft[]): Matcher[] => drafts.filter((draft) => draft.name.trim() !== "" && draft.value !== "").map(matcher_of);

export const asks_for_emergencies = (matchers: readonly Matcher[]) => matchers.some((each) => each.name === "severity" && each.isEqual && !each.isRegex && each.value === "emergency");

// In an address: [["alertname","=","DiskFull"]]. What is not that is nothing.
export const to_param = (drafts: readonly Draft[]): string => JSON.stringify(drafts.map(({ name, op, value }) => [name, op, value]));
export function from_param(text: string): Draft[] {
  let read: unknown;
  try {
    read = JSON.parse(text);
  } catch {
    return [];
  }
  if (!Array.isArray(read)) return [];
  return read.flatMap((entry: unknown): Draft[] => {
    if (!Array.isArray(entry)) return [];
    const [name, op_text, value] = entry as unknown[];
    const op = ops.find((each) => each === op_text);
    return typeof name === "string" && typeof value === "string" && op ? [{ name, op, value }] : [];
  });
}

export const empty_draft: Draft = { name: "alertname", op: "=", value: "" };
// What silences this cause, but for its emergencies.
export function drafts_of(cause: Cause): Draft[] {
  const labels = Object.keys(cause.labels).length > 0 ? cause.labels : { alertname: cause.alerts[0]?.labels["alertname"] ?? "" };
  return Object.entries(labels).map(([name, value]) => ({ name, op: "=", value }));
}
