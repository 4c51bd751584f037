// The on-call plan: who is called, who is on duty when, what is not covered.

import { keepPreviousData, useQueries } from "@tanstack/react-query";
import { ask } from "./client";
import { client } from "./queries";
import { useRead } from "./read";

export interface Method {
  kind: string;
  target?: string;
  verified?: boolean;
}
export interface Leave {
  begin: string;
  end: string;
  deputy?: string;
}
export interface Contact {
  name: string;
  role?: string;
  zone?: string;
  availability?: string;
  backup?: string;
  known_as?: string[];
  methods?: Method[];
  leave?: Leave[];
}
export interface Layer {
  name?: string;
  members: string[];
}
export interface Schedule {
  name: string;
  zone?: string;
  layers?: Layer[];
}
export interface PolicyStep {
  targets: string[];
  delay_s: number;
}
export interface Policy {
  name: string;
  people_min?: number;
  steps: PolicyStep[];
}
export interface Override {
  id: string;
  schedule: string;
  begin: string;
  end: string;
  add?: string;
  remove?: string;
  by?: string;
  reason?: string;
}
export interface CalendarFeed {
  id: string;
  schedule?: string;
  contact?: string;
  disabled?: boolean;
}
export interface Monitor {
  name: string;
  timeout_s: number;
  severity?: string;
  policy?: string;
  muted_until?: string;
}
export interface Plan {
  revision: number;
  parts: Record<string, unknown>;
}
export interface Step {
  step: number;
  after_s: number;
  people: { contact: string; instead_of?: string }[];
}
export interface Shift {
  who: string;
  begin: string;
  end: string;
  cut_begin?: boolean;
  cut_end?: boolean;
}
export interface Gap {
  policy: string;
  step: number;
  begin: string;
  end: string;
  needed: number;
  people: string[];
}
export interface Coverage {
  from: string;
  to: string;
  covered: boolean;
  gaps: Gap[];
  cut?: boolean;
}

export interface OnCallAnswers {
  "GET /api/v1/oncall/plan": Plan;
  "GET /api/v1/oncall/who": { at: string; policy?: string; steps?: Step[]; schedule?: string; people?: string[] };
  "GET /api/v1/oncall/shifts": { schedule: string; shifts: Shift[] };
  "GET /api/v1/oncall/coverage": Coverage;
  "GET /api/v1/oncall/parts/{kind}": Plan;
  "PUT /api/v1/oncall/parts/{kind}/{name}": { revision: number };
  "DELETE /api/v1/oncall/parts/{kind}/{name}": { revision: number };
  "POST /api/v1/oncall/swap": { revision: number; overrides: string[] };
  "POST /api/v1/oncall/test-page": { id: string };
}

// Parts of a kind, by name. What has an id instead of a name gets it from its key.
export function parts_of<T>(plan: Plan, kind: string): T[] {
  const begin = `${kind}/`;
  return Object.entries(plan.parts)
    .filter(([key]) => key.startsWith(begin))
    .map(([key, part]) => ({ id: key.slice(begin.length), name: key.slice(begin.length), ...(part as object) }) as T);
}

const often_ms = 15_000;

export const usePlan = () =>
  useRead({ queryKey: ["oncall", "plan"], queryFn: ({ signal }) => ask("GET /api/v1/oncall/plan", { signal }), refetchInterval: often_ms });

export const useWho = (policy: string) =>
  useRead({
    queryKey: ["oncall", "who", policy],
    queryFn: ({ signal }) => ask("GET /api/v1/oncall/who", { query: { policy }, signal }),
    refetchInterval: often_ms,
  });

const shifts_query = (schedule: string, from: number, to: number, layer?: number) => ({
  queryKey: ["oncall", "shifts", schedule, from, to, layer ?? "all"],
  queryFn: ({ signal }: { signal: AbortSignal }) =>
    ask("GET /api/v1/oncall/shifts", {
      query: { schedule, from: new Date(from).toISOString(), to: new Date(to).toISOString(), layer },
      signal,
    }),
  refetchInterval: often_ms,
  placeholderData: keepPreviousData,
  enabled: schedule !== "",
});
export const useShifts = (schedule: string, from: number, to: number) => useRead(shifts_query(schedule, from, to));
export const useLayers = (schedule: string, layers: number, from: number, to: number) =>
  useQueries({ queries: Array.from({ length: layers }, (_, layer) => shifts_query(schedule, from, to, layer)) });

export const useCoverage = (days: number) =>
  useRead({
    queryKey: ["oncall", "coverage", days],
    queryFn: ({ signal }) => ask("GET /api/v1/oncall/coverage", { query: { days }, signal }),
    refetchInterval: 60_000,
  });

export const read_plan_again = () => client.invalidateQueries({ queryKey: ["oncall"] });

// Long enough that nobody guesses it: it is all that a calendar's address asks for.
export function random_name(bytes = 8): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(bytes)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
