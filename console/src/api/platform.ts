// What the platform says of itself: objectives, metrics, rules and channels; its trail; who is logged in; its settings.

import { keepPreviousData } from "@tanstack/react-query";
import { instant_text } from "../ui/wall";
import { ask, ask_fhir } from "./client";
import { client } from "./queries";
import { ApiError } from "./error";
import type { Coding, Concept } from "./fhir";
import { useRead } from "./read";

export interface BurnRate {
  limit: number;
  pages: boolean;
  long_window: string;
  short_window: string;
  long: number;
  short: number;
  enough_traffic: boolean;
  fires: boolean;
}
export interface Objective {
  target: number;
  measured: boolean;
  events: number;
  bad: number;
  attained: number;
  budget: number; // events that may be bad in the period
  budget_remaining: number; // share, below 0 when it is overspent
  burn_rates: BurnRate[];
}
export interface Slo {
  name: string;
  display_name: string;
  service: string;
  method: string;
  window: string;
  since: string;
  emergency: boolean;
  objectives: Objective[];
}
export interface Metric {
  name: string;
  unit: string;
  group: string;
  help: string;
  value?: number;
  last_value?: number;
  age_s?: number;
  state: string;
}
export interface Rule {
  state: string;
  value?: number;
  rule: {
    name: string;
    metric: string;
    comparison: "above" | "below" | "at_least" | "at_most";
    limit: number;
    hold_s: number;
    severity: string;
    category: string;
    title: string;
    actions: string[];
    enabled: boolean;
  };
}
export interface Probe {
  name: string;
  medium: string;
  delivered: boolean;
  took_s?: number;
  age_s?: number;
  why?: string;
}
export interface AuditStatus {
  line: number;
  entries: number;
  bytes: number;
  refused: number;
  lag_ms: number;
  last_checkpoint: number;
  checkpoint_at?: string;
  segments: number;
  holds: number;
  verified?: { at: string; good: boolean; last: number };
}
export interface Verification {
  good: boolean;
  lines: number;
  entries: number;
  first: number;
  last: number;
  findings: { problem: string; line: number; file: string; text: string }[];
}
export interface Hold {
  patient: string;
  reason: string;
  by: string;
  at: string;
  until?: string;
}
export interface Glass {
  id: string;
  principal: string;
  name: string;
  roles: string;
  patient?: string;
  reason: string;
  since: string;
  until: string;
  ended: boolean;
  over_budget: boolean;
  reviewed_by?: string;
  reviewed_at?: string;
  verdict?: string;
  review?: string;
}
export interface LoginSession {
  id: string;
  kind: string;
  user?: string;
  client?: string;
  scope?: string;
  address?: string;
  created: string;
  used: string;
  expires: string;
  this: boolean;
}
export interface Setting {
  name: string;
  about: string;
  type: string;
  unit: string;
  low?: number;
  high?: number;
  words?: string[];
  default: string;
  module: string;
  emergency: boolean;
  standard_change: boolean;
  applied: string;
  in_force: { setting: string; version: number; values: Record<string, string>; at?: string; by: string; why: string; change: string };
}
export interface Address {
  kind: string;
  target: string;
  verified: boolean;
  disabled: boolean;
  stopped: boolean;
  verified_at?: string;
  disabled_at?: string;
  disabled_why?: string;
}

export interface PlatformAnswers {
  "GET /api/v1/addresses": { addresses: Address[] };
  "GET /api/v1/audit/holds": { holds: Hold[] };
  "GET /api/v1/audit/status": AuditStatus;
  "POST /api/v1/audit/verify": Verification;
  "GET /api/v1/break-glass": { overrides: Glass[] };
  "POST /api/v1/break-glass/{id}/review": Glass;
  "GET /api/v1/monitor/channels": { channels: Probe[] };
  "GET /api/v1/monitor/rules": { rules: Rule[] };
  "GET /api/v1/monitor/slos": { slos: Slo[] };
  "GET /api/v1/sessions": { sessions: LoginSession[] };
  "GET /api/v1/settings": { settings: Setting[] };
}

const often_ms = 5_000;

export const useSlos = () =>
  useRead({ queryKey: ["monitor", "slos"], queryFn: ({ signal }) => ask("GET /api/v1/monitor/slos", { signal }), refetchInterval: often_ms });
export const useRules = () =>
  useRead({ queryKey: ["monitor", "rules"], queryFn: ({ signal }) => ask("GET /api/v1/monitor/rules", { signal }), refetchInterval: often_ms });
export const useProbes = () =>
  useRead({ queryKey: ["monitor", "channels"], queryFn: ({ signal }) => ask("GET /api/v1/monitor/channels", { signal }), refetchInterval: often_ms });

export interface Course {
  points: [number, number][]; // milliseconds, share of the budget that was left
  bad: number; // events in the time shown
  events: number;
}
// The budget as it went down to what is left now: what was bad after an instant was still there at that instant.
export const useBurnDown = (slo: string, objective: number, budget: number, remaining: number, span_s: number, step_s: number) =>
  useRead({
    queryKey: ["slo-course", slo, objective, span_s],
    queryFn: async ({ signal }) => {
      const end = Math.floor(Date.now() / 1_000 / step_s) * step_s;
      const of = `{slo="${slo}",objective="${objective}"}[${step_s}s]`;
      const range = { start: end - span_s, end, step: step_s };
      const read = async (query: string) => {
        const answer = await ask("GET /api/v1/query_range", { query: { query, ...range }, signal });
        return new Map((answer.data.result[0]?.values ?? []).map(([at, text]) => [at, Number(text)]));
      };
      const [events, good] = await Promise.all([
        read(`sum(increase(mydr24_slo_events_total${of}))`),
        read(`sum(increase(mydr24_slo_good_total${of}))`),
      ]);
      const steps = [...events].map(([at, all]) => ({ at, all, bad: Math.max(0, all - (good.get(at) ?? all)) }));
      return { steps, end };
    },
    refetchInterval: 30_000,
    placeholderData: keepPreviousData,
    select: ({ steps }): Course => {
      let left = remaining;
      const points: [number, number][] = [];
      for (const step of [...steps].reverse()) {
        points.unshift([step.at * 1_000, left]);
        if (budget > 0) left = Math.min(1, left + step.bad / budget);
      }
      return { points, bad: steps.reduce((sum, step) => sum + step.bad, 0), events: steps.reduce((sum, step) => sum + step.all, 0) };
    },
  });

// ---- the trail

export interface AuditEvent {
  resourceType: "AuditEvent";
  id: string;
  type?: Coding;
  subtype?: Coding[];
  action?: string;
  recorded: string;
  outcome?: string;
  outcomeDesc?: string;
  purposeOfEvent?: Concept[];
  agent?: {
    type?: Concept;
    who?: { reference?: string; display?: string; identifier?: { value?: string } };
    altId?: string;
    name?: string;
    requestor?: boolean;
    role?: Concept[];
    policy?: string[];
    network?: { address?: string };
    purposeOfUse?: Concept[];
  }[];
  entity?: {
    what?: { reference?: string; identifier?: { value?: string } };
    type?: Coding;
    role?: Coding;
    name?: string;
    query?: string;
    detail?: { type: string; valueString?: string; valueBase64Binary?: string }[];
  }[];
}
interface Page {
  link?: { relation: string; url: string }[];
  entry?: { resource?: AuditEvent; search?: { mode?: string } }[];
}
// Newest first. `from` and `to` are days of the site; both belong to it.
export interface TrailSearch {
  patient: string;
  who: string;
  action: string;
  outcome: string;
  from: string;
  to: string;
}
export const useTrail = (search: TrailSearch, count: number) =>
  useRead({
    queryKey: ["trail", search, count],
    queryFn: async ({ signal }) => {
      const query = new URLSearchParams({ _count: String(count) });
      if (search.patient) query.set("patient", `Patient/${search.patient}`);
      if (search.who) query.set("altid", search.who.includes("/") ? search.who : `user/${search.who}`);
      if (search.action) query.set("action", search.action);
      if (search.outcome) query.set("outcome", search.outcome);
      if (search.from) query.append("date", `ge${instant_text(`${search.from}T00:00`)}`);
      if (search.to) query.append("date", `lt${instant_text(`${search.to}T24:00`)}`);
      const page = await ask_fhir<Page>(`AuditEvent?${query}`, undefined, { signal });
      const events = (page.entry ?? []).flatMap((each) => (each.resource?.resourceType === "AuditEvent" ? [each.resource] : []));
      return { events, more: (page.link ?? []).some((link) => link.relation === "next") };
    },
    placeholderData: keepPreviousData,
    staleTime: 10_000,
  });

export const useAuditStatus = () =>
  useRead({ queryKey: ["audit", "status"], queryFn: ({ signal }) => ask("GET /api/v1/audit/status", { signal }), refetchInterval: often_ms });
export const useHolds = () => useRead({ queryKey: ["audit", "holds"], queryFn: ({ signal }) => ask("GET /api/v1/audit/holds", { signal }) });
export const useGlasses = (waiting: boolean) =>
  useRead({
    queryKey: ["audit", "glass", waiting],
    queryFn: ({ signal }) => ask("GET /api/v1/break-glass", { query: { waiting: waiting ? "true" : undefined }, signal }),
    refetchInterval: 30_000,
  });
export const read_audit_again = () => client.invalidateQueries({ queryKey: ["audit"] });

// ---- who is logged in; settings

export const useSessions = () =>
  useRead({ queryKey: ["sessions"], queryFn: ({ signal }) => ask("GET /api/v1/sessions", { signal }), refetchInterval: 30_000 });
export const useMe = () => useRead({ queryKey: ["me"], queryFn: ({ signal }) => ask("GET /api/v1/access/me", { signal }) });
export const useSettings = () =>
  useRead({ queryKey: ["settings"], queryFn: ({ signal }) => ask("GET /api/v1/settings", { signal }), refetchInterval: 30_000 });
export const useAddresses = () => useRead({ queryKey: ["addresses"], queryFn: ({ signal }) => ask("GET /api/v1/addresses", { signal }) });

// Where access control is off there is no trail and no session: their routes are not there.
export const is_missing = (error: Error | null) => error instanceof ApiError && error.trouble === "missing";
