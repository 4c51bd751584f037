// Alerts with labels, as the Alertmanager v2 API shows them: groups and silences; what rules are worth; overrides of emergencies.

import { keepPreviousData } from "@tanstack/react-query";
import { ask } from "./client";
import { client, silence_keys } from "./queries";
import { useRead } from "./read";

export type Labels = Record<string, string>;

export interface LabelAlert {
  fingerprint: string;
  labels: Labels;
  annotations: Labels;
  startsAt: string;
  endsAt: string;
  updatedAt: string;
  generatorURL?: string;
  receivers: { name: string }[];
  status: { state: "active" | "suppressed"; silencedBy: string[]; inhibitedBy: string[] };
}
export interface AlertGroup {
  labels: Labels;
  receiver: { name: string };
  alerts: LabelAlert[];
}
export interface Matcher {
  name: string;
  value: string;
  isRegex: boolean;
  isEqual: boolean;
}
export interface Silence {
  id: string;
  matchers: Matcher[];
  startsAt: string;
  endsAt: string;
  updatedAt: string;
  createdBy: string;
  comment: string;
  approvedBy?: string;
  recurrence?: unknown[];
  status: { state: "pending" | "active" | "expired" };
}
// Waits for a second person. Its silence says who proposed it, and when.
export interface SilenceProposal {
  id: string;
  until: string; // then it ends by itself
  silence: Omit<Silence, "status">;
  declined_by?: string; // it waits no longer: who proposed it reads why
  reason?: string;
}
export interface SilencePreview {
  firing: number; // now, emergencies included
  last_30_days: number;
  urgent: number; // of the last 30 days
  emergencies_not_muted: number; // of those firing
  needs_second_person: boolean;
  why: string;
  names: string[]; // at most 20
}
export interface RuleRecord {
  rule: string;
  fired: number;
  acknowledged: number;
  led_to_action: number;
  auto_resolved: number; // and nobody had acknowledged
  questionable: boolean;
}
export interface EmergencyOverride {
  id: string;
  cause: string;
  reason: string;
  minutes: number;
  requested_by: string;
  requested_at: string;
  confirmed_by?: string;
  until?: string; // in force until then
}

export interface AlertingAnswers {
  "GET /api/v2/alerts/groups": AlertGroup[];
  "GET /api/v2/silences": Silence[];
  "POST /api/v2/silences": { silenceID: string };
  "DELETE /api/v2/silence/{id}": void;
  "POST /api/v1/silences/preview": SilencePreview;
  "GET /api/v1/silences/proposals": { proposals: SilenceProposal[] };
  "POST /api/v1/silences/proposals": SilenceProposal;
  "POST /api/v1/silences/proposals/{id}/approve": { silenceID: string };
  "POST /api/v1/silences/proposals/{id}/decline": void;
  "DELETE /api/v1/silences/proposals/{id}": void;
  "GET /api/v1/alerts/actionability": { days: number; rules: RuleRecord[] };
  "GET /api/v1/alert-overrides": { overrides: EmergencyOverride[] };
  "POST /api/v1/alert-overrides": EmergencyOverride;
  "POST /api/v1/alert-overrides/{id}/confirm": EmergencyOverride;
  "DELETE /api/v1/alert-overrides/{id}": object;
}

export const useAlertGroups = (enabled = true) =>
  useRead({
    queryKey: ["alert-groups"],
    queryFn: ({ signal }) => ask("GET /api/v2/alerts/groups", { signal }),
    refetchInterval: 5_000,
    enabled,
  });

export const useSilences = () =>
  useRead({ queryKey: ["silences"], queryFn: ({ signal }) => ask("GET /api/v2/silences", { signal }), refetchInterval: 5_000 });

export const useSilenceProposals = (enabled = true) =>
  useRead({
    queryKey: ["silence-proposals"],
    queryFn: ({ signal }) => ask("GET /api/v1/silences/proposals", { signal }),
    refetchInterval: 5_000,
    enabled,
  });

export function read_silences_again() {
  for (const key of silence_keys) void client.invalidateQueries({ queryKey: [key] });
}

// Nothing is asked while there is no matcher to ask about. Its times are made when it is asked: the length is what is previewed.
export const useSilencePreview = (matchers: readonly Matcher[], length_ms: number) =>
  useRead({
    queryKey: ["silence-preview", matchers, length_ms],
    queryFn: ({ signal }) => {
      const now = Date.now();
      const body = { matchers, startsAt: new Date(now).toISOString(), endsAt: new Date(now + length_ms).toISOString(), createdBy: "", comment: "" };
      return ask("POST /api/v1/silences/preview", { body, signal });
    },
    placeholderData: keepPreviousData,
    refetchInterval: ({ state }) => (state.error ? false : 10_000),
    retry: false,
    enabled: matchers.length > 0 && length_ms > 0,
  });

export const useActionability = (days: number) =>
  useRead({
    queryKey: ["actionability", days],
    queryFn: ({ signal }) => ask("GET /api/v1/alerts/actionability", { query: { days }, signal }),
    placeholderData: keepPreviousData,
  });

export const useOverrides = () =>
  useRead({
    queryKey: ["alert-overrides"],
    queryFn: ({ signal }) => ask("GET /api/v1/alert-overrides", { signal }),
    refetchInterval: 5_000,
  });
