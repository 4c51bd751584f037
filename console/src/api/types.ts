// What the server answers on the routes that the console asks. The router's table (routes.gen.ts) says which routes there are:
// a name here that is not one of them does not compile.

import type { AccessAnswers } from "./access";
import type { AlertingAnswers } from "./alerting";
import type { ChangeAnswers } from "./changes";
import type { IncidentAnswers } from "./incidents";
import type { OnCallAnswers } from "./oncall";
import type { Metric, PlatformAnswers } from "./platform";
import type { Route } from "./routes.gen";
import type { SettingsAnswers } from "./settings";

export type Severity = "emergency" | "urgent" | "advisory";

export interface Alert {
  id: string;
  source: string;
  cause: string;
  severity: Severity;
  state: "open" | "acknowledged" | "resolved";
  patient?: string;
  title: string;
  reason?: string;
  values?: unknown;
  raised_at: string;
  changed_at?: string;
  policy?: string;
  step: number;
  round: number;
  calls: number;
  next_due?: string;
  held_until?: string;
  acknowledged_by?: string;
  acknowledged_at?: string;
  acknowledged_note?: string;
  ack_expires?: string;
  resolved_at?: string;
  resolved_why?: string;
}

export interface AlertList {
  alerts: Alert[];
  next?: string;
}

export interface Delivery {
  id: string;
  round: number;
  step: number;
  contact: string;
  medium: string;
  state: string;
  attempts: number;
  called_at?: string;
  sent_at?: string;
  text?: string;
}

export interface AlertDetail {
  alert: Alert;
  deliveries: Delivery[];
  history: { sequence: number; at: string; kind: string; payload: Record<string, unknown> }[];
}

export type SignName =
  | "respiration"
  | "spo2"
  | "oxygen"
  | "systolic"
  | "pulse"
  | "consciousness"
  | "temperature";

export interface Sign {
  value: number;
  at: string;
  points?: number;
}

export type Band = "low" | "low-medium" | "medium" | "high";

export interface BoardPatient {
  id: string;
  name: string;
  birthDate: string;
  gender: string;
  place: string;
  at: string;
  points: number;
  complete: boolean;
  band: Band;
  alert?: string;
  signs?: Partial<Record<SignName, Sign>>;
  qsofa?: number;
  spo2_scale?: 2; // a clinician decided so; otherwise 1
  monitored?: boolean;
  finding?: string;
}

export interface Board {
  at: string;
  patients: BoardPatient[];
  more?: boolean;
}

export interface PatientSigns {
  at?: string;
  signs: Partial<Record<string, Sign>>;
  score?: {
    parts: Partial<Record<SignName, number | null>>;
    total?: number;
    band?: Band;
    partial?: number;
    band_at_least?: Band;
    missing?: string[];
  };
  not_scored?: string;
  alert?: string;
  limits?: { signal: string; low?: number; high?: number; reason?: string; by?: string; spo2_scale?: number }[];
}

// Milliseconds; of the last hour. Without any event only the limit and the count.
export interface Clock {
  limit_ms: number;
  count: number;
  p50_ms?: number;
  p99_ms?: number;
  max_ms?: number;
  late: number;
}

export interface Status {
  at: string;
  demo: boolean;
  escalate_after_s: number;
  alerts: { unrecorded: number; delivered: number; waiting: number; escalated: number };
  clocks?: { deliver: Clock; escalate: Clock; acknowledge: Clock };
  store: { writes: number; commits: number; commit_ms_last: number; bytes_on_disk: number };
}

export interface IncidentSummary {
  id: string;
  severity: "emergency" | "critical" | "high" | "medium" | "low";
  state: "open" | "acknowledged" | "mitigated" | "resolved" | "closed";
  title: string;
  service?: string;
  opened_at: string;
  acknowledged_at?: string;
  acknowledged_by?: string;
  mitigated_at?: string;
  resolved_at?: string;
  // Without them it was written by an earlier version, and what is left of its times is not known.
  response_s?: number;
  resolution_s?: number;
  response_due: string;
  resolution_due: string;
  response_stopped?: string;
  resolution_stopped?: string;
  paused_at?: string;
  breached: boolean;
  alert_count: number;
  patient_count?: number;
  commander?: string;
  merged_into?: string;
  review_due?: string;
  review_overdue?: boolean;
}

export interface ChangeSummary {
  id: string;
  title: string;
  state: string;
  type: string;
  service: string;
  services: string[];
  risk: string;
  score: number;
  requested_by: string;
  proposed: string;
  begin?: string; // of its window
  end?: string;
  starts?: string; // by itself
  started?: string;
  finished?: string;
  approvals_open?: string[]; // while it is proposed
  approved_by?: string[];
  review_overdue: boolean;
}

export interface Monitor {
  at: string;
  verdict: "ok" | "degraded" | "critical";
  findings: { cause: string; severity: string; category: string; title: string; reason: string }[];
  metrics: Metric[];
}

export interface Me {
  kind: string;
  id: string;
  name?: string;
  roles: string[];
  fhirUser?: string;
  permissions: Record<string, string>; // letters of "cruds" by resource type
  operations: string[];
  overrides: { id: string; patient: string; until: string }[];
}

// The HTTP API of Prometheus.
export interface Vector {
  data: { result: { metric: Record<string, string>; value: [number, string] }[] };
}
export interface Matrix {
  data: { result: { metric: Record<string, string>; values: [number, string][] }[] };
}

export interface Answers extends AccessAnswers, AlertingAnswers, ChangeAnswers, IncidentAnswers, OnCallAnswers, PlatformAnswers, SettingsAnswers {
  "GET /api/v1/access/me": Me;
  "GET /api/v1/alerts": AlertList;
  "GET /api/v1/alerts/{id}": AlertDetail;
  "POST /api/v1/alerts/{id}/ack": Alert;
  "POST /api/v1/alerts/{id}/escalate": Alert;
  "POST /api/v1/alerts/{id}/resolve": Alert;
  "POST /api/v1/break-glass": { id: string; until: string };
  "GET /api/v1/config": { access: "on" | "off"; logged_in?: boolean; demo: boolean; version: string; site?: string; zone?: string };
  "GET /api/v1/monitor": Monitor;
  "GET /api/v1/query": Vector;
  "GET /api/v1/query_range": Matrix;
  "GET /api/v1/status": Status;
  "GET /api/v1/vitals": Board;
  "GET /api/v1/vitals/{patient}": PatientSigns;
}

// Every name above is a route of the server.
type Unserved = Exclude<keyof Answers, Route>;
const all_are_served: [Unserved] extends [never] ? true : Unserved = true;
void all_are_served;
