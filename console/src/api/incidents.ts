// Incidents: one of them, its timeline, and the setup that they are judged by.

import { useQueries } from "@tanstack/react-query";
import { ask, ask_fhir } from "./client";
import type { Bundle } from "./fhir";
import { client } from "./queries";
import type { IncidentSummary } from "./types";
import { useRead } from "./read";

export type Severity = IncidentSummary["severity"];
export const severities: readonly Severity[] = ["emergency", "critical", "high", "medium", "low"];
export const role_names = ["commander", "communications", "scribe", "clinical-coordinator", "privacy-officer"] as const;
export type RoleName = (typeof role_names)[number];

export interface Match {
  rule: string;
  severity: Severity;
  terms?: string[];
}
export interface Classification extends Match {
  breach?: boolean;
  alternatives?: Match[];
}
export interface Countdown {
  time_s: number;
  start: string;
  due: string;
  stopped?: string;
  told: number;
  breached: boolean;
}
export interface Task {
  text: string;
  runbook?: string;
  owner?: string;
  done_by?: string;
  done_at?: string;
}
export interface Action {
  text: string;
  owner?: string;
  due?: string;
  done_by?: string;
  done_at?: string;
  overdue?: boolean;
}
export interface Review {
  opened: string;
  due: string;
  owner?: string;
  summary?: string;
  impact?: string;
  root_cause?: string;
  actions: Action[];
  overdue?: boolean;
  closed?: string;
  closed_by?: string;
}
export interface Impact {
  patients: number;
  patients_of_alerts: number;
  services: string[];
  wards: { ward: string; patients: number }[];
}
export interface Incident {
  id: string;
  severity: Severity;
  state: IncidentSummary["state"];
  title: string;
  text?: string;
  status?: string;
  service?: string;
  source: string;
  classified: Partial<Classification> & { severity: Severity };
  severity_by?: string;
  opened_at: string;
  opened_by: string;
  acknowledged_at?: string;
  acknowledged_by?: string;
  mitigated_at?: string;
  mitigated_by?: string;
  resolved_at?: string;
  resolved_by?: string;
  resolution?: string;
  closed_at?: string;
  closed_by?: string;
  clocks: { response: Countdown; resolution: Countdown };
  paused_at?: string;
  paused_reason?: string;
  escalated?: boolean;
  team?: string;
  policy?: string;
  page?: string; // the alert by which its people are called
  breach?: boolean;
  told_outside?: boolean;
  alert_count: number;
  patient_count: number;
  alerts?: string[];
  links?: string[];
  roles: Partial<Record<RoleName, string>>;
  tasks?: Task[];
  publications?: { at: string; text: string }[];
  duplicates?: { id: string }[];
  merged_into?: string;
  review?: Review;
  entries: number;
  impact?: Impact; // of the one that was read, not of what an action answers
}
export interface Entry {
  n: number;
  at: string;
  kind: string;
  by?: string;
  text?: string;
  data?: { alert?: string; severity?: string; count?: number; page?: boolean; change?: string; clock?: "response" | "resolution"; percent?: number; rule?: string };
}
export interface Criteria {
  severity: Severity;
  description: string;
  examples?: string[];
  response_s: number;
  resolution_s: number;
  team: string;
}
export interface Service {
  name: string;
  title?: string;
  depends_on?: string[];
  wards?: string[];
  public?: boolean;
}
export interface Setup {
  version: number;
  setup: { severities: Criteria[]; services?: Service[] };
}

type Act = "ack" | "mitigate" | "resolve" | "close" | "pause" | "resume" | "severity" | "merge" | "notes" | "roles" | "tasks" | "links" | "publish" | "review" | "review/actions" | "review/close";
export type ActRoute = `POST /api/v1/incidents/{id}/${Act}`;

export type IncidentAnswers = { [R in ActRoute]: Incident } & {
  "GET /api/v1/incidents": { incidents: IncidentSummary[]; next?: string };
  "POST /api/v1/incidents": Incident;
  "GET /api/v1/incidents/{id}": Incident;
  "GET /api/v1/incidents/{id}/patients": { patients: string[] };
  "GET /api/v1/incidents/{id}/timeline": { id: string; entries: number; timeline: { entry: Entry; hash: string }[] };
  "GET /api/v1/incidents/{id}/verify": { entries: number; whole: boolean; problems: string[] };
  "POST /api/v1/incidents/{id}/tasks/{place}/done": Incident;
  "POST /api/v1/incidents/{id}/review/actions/{place}": Incident;
  "GET /api/v1/incident-setup": Setup;
  "POST /api/v1/incident-classify": Classification;
};

// What is below "incidents" is read again with every event of an incident.
const key_of = (id: string) => ["incidents", "one", id];

export const useIncident = (id: string) =>
  useRead({ queryKey: key_of(id), queryFn: ({ signal }) => ask("GET /api/v1/incidents/{id}", { params: { id }, signal }), refetchInterval: 5_000 });

const page_of_timeline = 500;
// Entries after number `from`. They never change: what was read before is kept, and only what is newer is read.
export const useTimeline = (id: string, from: number) => {
  const queryKey = ["incidents", "timeline", id, from];
  return useRead({
    queryKey,
    queryFn: async ({ signal }) => {
      const found = [...(client.getQueryData<Entry[]>(queryKey) ?? [])];
      for (;;) {
        const after = found.at(-1)?.n ?? from;
        const { timeline } = await ask("GET /api/v1/incidents/{id}/timeline", { params: { id }, query: { after }, signal });
        found.push(...timeline.map((row) => row.entry));
        if (timeline.length < page_of_timeline) return found;
      }
    },
    refetchInterval: 5_000,
    structuralSharing: false,
  });
};

export const useSetup = () =>
  useRead({ queryKey: ["incident-setup"], queryFn: ({ signal }) => ask("GET /api/v1/incident-setup", { signal }), staleTime: 60_000 });

export const useClassification = (facts: { title: string; text: string; status: string; service: string }) =>
  useRead({
    queryKey: ["incident-classify", facts],
    queryFn: ({ signal }) => ask("POST /api/v1/incident-classify", { body: facts, signal }),
    enabled: facts.title.trim() !== "",
  });

export const useLinkedAlerts = (ids: readonly string[]) =>
  useQueries({
    queries: ids.map((id) => ({
      queryKey: ["alert", id],
      queryFn: ({ signal }: { signal: AbortSignal }) => ask("GET /api/v1/alerts/{id}", { params: { id }, signal }),
    })),
  });

// Names of Locations by their ids; what may not be read has none.
export const useWardNames = (wards: readonly string[]) =>
  useRead({
    queryKey: ["wards", wards],
    queryFn: async ({ signal }) => {
      const bundle = await ask_fhir<Bundle<{ resourceType: string; id: string; name?: string }>>("Location", { _id: wards.join(","), _elements: "name" }, { signal });
      return new Map((bundle.entry ?? []).map(({ resource }) => [resource?.id ?? "", resource?.name ?? ""]));
    },
    enabled: wards.length > 0,
    staleTime: 60_000,
  });

// Itself, then what depends on it, as the server counts it.
export function reach_of(services: readonly Service[], name: string): string[] {
  const found = [name];
  for (const each of found) {
    for (const service of services) if (service.depends_on?.includes(each) && !found.includes(service.name)) found.push(service.name);
  }
  return found;
}

export const act = (name: Act, id: string, body: object) => ask(`POST /api/v1/incidents/{id}/${name}` as ActRoute, { params: { id }, body });

// An action answers the incident without its impact.
export function keep(incident: Incident) {
  client.setQueryData<Incident>(key_of(incident.id), (before) => ({ ...incident, ...(before?.impact ? { impact: before.impact } : {}) }));
  void client.invalidateQueries({ queryKey: ["incidents"] });
}

