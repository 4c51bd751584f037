// Changes of the platform: what is proposed, who approves it, how far its run has come.

import { keepPreviousData } from "@tanstack/react-query";
import { ask } from "./client";
import { client } from "./queries";
import type { ChangeSummary } from "./types";
import { useRead } from "./read";

export type ChangeState =
  | "proposed"
  | "approved"
  | "running"
  | "paused"
  | "rolling_back"
  | "successful"
  | "failed"
  | "validation_failed"
  | "aborted"
  | "rolled_back"
  | "rollback_failed"
  | "rejected"
  | "withdrawn";
export type Level = "low" | "medium" | "high" | "critical";
export type Authority = "technical" | "clinical" | "security" | "compliance" | "executive" | "emergency";
export type Phase = "before" | "steps" | "after" | "way_back" | "verify_way_back";

export interface Check {
  kind: "http" | "fhir" | "metric" | "burn" | "setting";
  name?: string;
  url?: string;
  method?: string;
  search?: string;
  metric?: string;
  slo?: string;
  setting?: string;
  scope?: string;
  at_least?: number;
  at_most?: number;
  is?: string;
  status?: number[];
  contains?: string;
  when?: "before" | "after" | "both";
}
export interface Step {
  kind: "set" | "command" | "webhook" | "scale" | "wait" | "verify" | "watch" | "judge";
  name?: string;
  setting?: string;
  scope?: string;
  value?: string | number | boolean | null;
  command?: string;
  scale?: string; // the name of what the policy lets be scaled
  to?: number;
  url?: string;
  seconds?: number;
  checks?: Check[];
  every_s?: number;
  count?: number;
  metric?: string;
}
export interface Plan {
  title: string;
  description: string;
  type?: "standard" | "normal" | "emergency";
  kind?: string;
  service: string;
  services?: string[];
  risk?: Level;
  impact?: { downtime_minutes?: number; emergency_services?: boolean; patient_data_access?: boolean; data_migration?: boolean; wards?: string[] };
  test?: { passed?: boolean; evidence?: string };
  irreversible?: boolean;
  rollback_plan?: string;
  window?: { begin?: string; end?: string };
  checks: Check[];
  implementation: Step[];
  rollback?: Step[];
}
export interface LogEntry {
  at: string;
  phase: Phase;
  step: number;
  name: string;
  ok: boolean;
  text: string;
}
export interface Run {
  phase: Phase;
  step: number;
  begun: boolean;
  until_us?: number;
  measurements: ("success" | "failure" | "inconclusive" | "error")[];
  undo: { setting?: string; version?: number; made?: number; scale?: string; number?: number }[];
  because: string;
  ends_as: ChangeState;
  abort: string;
  log: LogEntry[];
}
export interface Approval {
  member: string;
  digest: string;
  at: string;
}
export interface Factor {
  name: string;
  weight: number;
  value: number;
  text: string;
}
export interface Change {
  id: string;
  title: string;
  state: ChangeState;
  type: "standard" | "normal" | "emergency";
  kind: string;
  service: string;
  requested_by: string;
  digest: string;
  risk: { score: number; level: Level; reason: string; factors: Factor[] };
  proposed: string;
  edited: string;
  approved?: string;
  starts?: string;
  started?: string;
  failed_at?: string;
  succeeded?: string;
  finished?: string;
  reviewed?: string;
  started_by: string;
  review: string;
  reviewed_by: string;
  reason: string;
  review_overdue: boolean;
  not_started: string;
  approvals: Approval[];
  rehearsals: { at: string; by: string; evidence: string; digest: string; rolled_back: boolean }[];
  run?: Run;
  plan: Plan;
}
export interface ShownChange {
  change: Change;
  approval: string; // the requirement: a level, or "emergency"
  approvals_needed: string[];
  approvals_open: string[];
  obstacles: string[];
  held?: string; // why a running change begins no further step
}

export interface Freeze {
  id: string;
  why: string;
  by: string;
  begin: string;
  end: string;
  services: string[];
}
export interface FrozenService {
  service: string;
  why: string;
  by: string;
  at: string;
}
export interface ChangeCalendar {
  at: string;
  freezes: Freeze[];
  frozen_services: FrozenService[];
  load: string;
}
export interface LoadWindow {
  name: string;
  from: string; // 08:00, on the wall clock of the policy's zone
  to: string;
  weekdays_only: boolean;
  from_level: Level;
  load: number;
}
export interface Member {
  name: string;
  role: string;
  authorities: Authority[];
}
export interface ChangePolicy {
  zone: string;
  members: Member[];
  requirements: Record<string, Authority[][]>;
  load_windows: LoadWindow[];
  freezes: { id: string }[];
  rollback_hours: number;
}
export interface Spread {
  count: number;
  median_s: number;
  p90_s: number;
}
export interface ServiceFigures {
  service: string; // "": all of them
  finished: number;
  per_day: number;
  failed: number;
  unplanned: number;
  failure_rate: number;
  rework_rate: number;
  lead: Spread;
  recovery: Spread;
}

export const change_actions = ["approve", "reject", "withdraw", "rehearsal", "schedule", "start", "abort", "resume", "rollback", "review"] as const;
export type ChangeAction = (typeof change_actions)[number];

export type ChangeAnswers = {
  "GET /api/v1/changes": { changes: ChangeSummary[] };
  "GET /api/v1/changes/{id}": ShownChange;
  "POST /api/v1/changes": ShownChange;
  "PUT /api/v1/changes/{id}": ShownChange;
  "GET /api/v1/change-calendar": ChangeCalendar;
  "GET /api/v1/change-policy": ChangePolicy;
  "GET /api/v1/change-figures": { since: string; until: string; services: ServiceFigures[] };
  "POST /api/v1/change-freezes": Freeze;
  "DELETE /api/v1/change-freezes/{id}": object;
  "POST /api/v1/change-services/{service}/unfreeze": object;
} & Record<`POST /api/v1/changes/{id}/${ChangeAction}`, ShownChange>;

const often_ms = 5_000;
const running_ms = 2_000;

export const active_states: ReadonlySet<string> = new Set<ChangeState>(["running", "paused", "rolling_back"]);
export const over_states: ReadonlySet<string> = new Set<ChangeState>([
  "successful",
  "failed",
  "validation_failed",
  "aborted",
  "rolled_back",
  "rollback_failed",
  "rejected",
  "withdrawn",
]);

// Events say when something became of it; the measurements of a watch and the obstacles to a start have none.
export const useChange = (id: string) =>
  useRead({
    queryKey: ["change", id],
    queryFn: ({ signal }) => ask("GET /api/v1/changes/{id}", { params: { id }, signal }),
    refetchInterval: ({ state }) => (active_states.has(state.data?.change.state ?? "") ? running_ms : often_ms),
    enabled: id !== "",
  });

export const useCalendar = () =>
  useRead({ queryKey: ["change-calendar"], queryFn: ({ signal }) => ask("GET /api/v1/change-calendar", { signal }), refetchInterval: often_ms });
export const usePolicy = () =>
  useRead({ queryKey: ["change-policy"], queryFn: ({ signal }) => ask("GET /api/v1/change-policy", { signal }), staleTime: 60_000 });

export const figures_days = 30;
export const useFigures = () =>
  useRead({ queryKey: ["change-figures"], queryFn: ({ signal }) => ask("GET /api/v1/change-figures", { signal }), refetchInterval: 60_000 });

export const read_changes_again = () =>
  Promise.all(["changes", "change", "change-calendar", "change-figures"].map((key) => client.invalidateQueries({ queryKey: [key] })));

// The course of a metric that checks know, milliseconds and value: of the monitor, or one of the server's own counters.
export const useCourse = (metric: string, from: number, to: number, step_s: number) =>
  useRead({
    queryKey: ["change-course", metric, from, to],
    queryFn: async ({ signal }): Promise<[number, number][]> => {
      const range = { start: Math.floor(from / 1_000), end: Math.floor(to / 1_000), step: step_s };
      const read = await ask("GET /api/v1/query_range", { query: { query: `max(mydr24_monitor_${metric} or mydr24_${metric})`, ...range }, signal });
      return (read.data.result[0]?.values ?? []).map(([at, text]) => [at * 1_000, Number(text)]);
    },
    placeholderData: keepPreviousData,
    staleTime: 10_000,
  });
