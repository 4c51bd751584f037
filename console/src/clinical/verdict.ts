// Is care safe right now? One verdict from what the server says. No data is a verdict of its own: silence is never "safe".

import type { Alert, IncidentSummary, Monitor, Status } from "../api/types";
import type { MessageId, Values } from "../i18n";
import type { Freshness } from "../live/feed";
import type { Status as Look } from "../ui/icons";

export interface Verdict {
  look: Look;
  text: MessageId;
  more: MessageId;
  values?: Values;
  to?: string; // where the worst cause is
}

export interface Known {
  freshness: Freshness;
  alerts: readonly Alert[] | undefined;
  status: Status | undefined;
  monitor: Monitor | undefined; // undefined: not known, or not for this role
  incidents: readonly IncidentSummary[] | undefined;
}

export const is_waiting = (alert: Alert) => alert.state === "open";
const of_patient = (alert: Alert) => alert.severity === "emergency" && is_waiting(alert) && alert.patient !== undefined;

// Nobody knows yet that its harm has ended.
const is_grave = ({ severity, state }: IncidentSummary) =>
  (severity === "emergency" || severity === "critical") && (state === "open" || state === "acknowledged");

type Found = Omit<Verdict, "more"> & { more?: MessageId };

function find({ freshness, alerts, status, monitor, incidents }: Known): Found {
  if (freshness === "waiting") return { look: "neutral", text: "verdict.waiting" };
  if (freshness === "not-live") return { look: "emergency", text: "verdict.unknown", more: "hero.unknown" };
  if (status && status.alerts.unrecorded > 0) {
    return { look: "emergency", text: "verdict.unrecorded", values: { n: status.alerts.unrecorded } };
  }
  const patients = new Set((alerts ?? []).filter(of_patient).map((alert) => alert.patient));
  if (patients.size > 0) return { look: "emergency", text: "verdict.patients", values: { n: patients.size }, to: "/board" };
  const emergencies = (alerts ?? []).filter((alert) => alert.severity === "emergency" && is_waiting(alert));
  if (emergencies.length > 0) {
    return { look: "emergency", text: "verdict.emergencies", values: { n: emergencies.length }, to: "/alerts?severity=emergency" };
  }
  const finding = monitor?.verdict === "critical" ? monitor.findings[0] : undefined;
  if (finding) return { look: "emergency", text: "verdict.at_risk", values: { what: finding.title }, to: "/alerts" };
  if (!alerts) return { look: "neutral", text: "verdict.not_told" };
  const urgent = alerts.filter((alert) => alert.severity === "urgent" && is_waiting(alert)).length;
  if (urgent > 0) return { look: "urgent", text: "verdict.urgent", values: { n: urgent }, to: "/alerts?severity=urgent" };
  const grave = (incidents ?? []).filter(is_grave).length;
  if (grave > 0) return { look: "watch", text: "verdict.incidents", more: "hero.incidents", values: { n: grave }, to: "/incidents" };
  const late = (incidents ?? []).filter((incident) => incident.breached).length;
  if (late > 0) return { look: "watch", text: "verdict.late_incidents", values: { n: late }, to: "/incidents" };
  const findings = monitor?.findings.length ?? 0;
  if (findings > 0) return { look: "watch", text: "verdict.findings", values: { n: findings } };
  // Who is not told of the platform is not told that all is well with it.
  return monitor ? { look: "safe", text: "verdict.safe" } : { look: "safe", text: "waiting.none", more: "hero.not_told" };
}

export function judge(known: Known): Verdict {
  const found = find(known);
  return { more: `hero.${found.look}`, ...found };
}
