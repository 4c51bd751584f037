// What is read from the server, each under a key of its own, how often, and which events say that it changed. Events say that
// something is new; what is shown is always read.

import { keepPreviousData, MutationCache, QueryClient } from "@tanstack/react-query";
import { feed } from "../live/feed";
import { let_go } from "../live/hold";
import { ask, ask_fhir } from "./client";
import { ApiError } from "./error";
import type { Bundle, Observation, Patient } from "./fhir";
import { useRead } from "./read";
export type { Read } from "./read";

export const client = new QueryClient({
  mutationCache: new MutationCache({ onSuccess: let_go }), // who acts sees what became of it
  defaultOptions: {
    queries: {
      networkMode: "always",
      staleTime: 1_000,
      gcTime: 5 * 60_000,
      retry: (count, error) => count < 2 && error instanceof ApiError && error.can_retry,
      retryDelay: (count) => 300 * 2 ** count,
    },
    mutations: { networkMode: "always", retry: false },
  },
});

// Several events of one moment are one reading, and a reading goes on to its end: in a storm of events something is shown. Four
// times a second is as often as anybody reads.
const gather_ms = 50;
const gap_ms = 250;
const after = (ms: number) => new Promise((done) => setTimeout(done, ms));
const reading = new Map<string, boolean>(); // key; true: something came since it is being read
async function read_again(key: string) {
  if (reading.has(key)) {
    reading.set(key, true);
    return;
  }
  reading.set(key, false);
  await after(gather_ms);
  do {
    reading.set(key, false);
    await Promise.all([client.invalidateQueries({ queryKey: [key] }), after(gap_ms)]);
  } while (reading.get(key));
  reading.delete(key);
}

// What a silence changes.
export const silence_keys = ["silences", "silence-proposals", "alert-groups"] as const;

export function follow_feed(): () => void {
  return feed.on_event((event) => {
    if (event.kind === "reset" || event.kind === "hello") {
      void client.invalidateQueries();
    } else if (event.kind.startsWith("alert.")) {
      void read_again("alerts");
      void read_again("alert");
      if (event.kind !== "alert.call" && event.kind !== "alert.delivered") void read_again("board");
    } else if (event.kind.startsWith("incident.")) {
      void read_again("incidents");
    } else if (event.kind.startsWith("silence.")) {
      for (const key of silence_keys) void read_again(key);
    } else if (event.kind.startsWith("change.")) {
      for (const key of ["changes", "change", "change-calendar", "settings"]) void read_again(key);
    }
  });
}

// While the stream says when something is new, what it says so of is read less often by itself.
const unless_told =
  (ms: number, told_ms: number) =>
  () =>
    feed.state === "open" ? told_ms : ms;

const heard = <T extends object>(answer: T): T => {
  feed.heard((answer as { at?: string }).at);
  return answer;
};

export const useStatus = () =>
  useRead({
    queryKey: ["status"],
    queryFn: async ({ signal }) => heard(await ask("GET /api/v1/status", { signal })),
    refetchInterval: unless_told(2_000, 5_000),
  });

export const alerts_max = 500;
export const useOpenAlerts = () =>
  useRead({
    queryKey: ["alerts", "open"],
    queryFn: async ({ signal }) => {
      const answer = await ask("GET /api/v1/alerts", { query: { state: "open", count: alerts_max }, signal });
      feed.heard();
      return answer;
    },
    refetchInterval: unless_told(5_000, 15_000),
  });

export const useResolvedAlerts = (count: number, enabled: boolean) =>
  useRead({
    queryKey: ["alerts", "resolved", count],
    queryFn: ({ signal }) => ask("GET /api/v1/alerts", { query: { state: "resolved", count }, signal }),
    placeholderData: keepPreviousData,
    enabled,
  });

export const useAlert = (id: string) =>
  useRead({
    queryKey: ["alert", id],
    queryFn: ({ signal }) => ask("GET /api/v1/alerts/{id}", { params: { id }, signal }),
    enabled: id !== "",
  });

export const useBoard = (every_ms: number) =>
  useRead({
    queryKey: ["board"],
    queryFn: async ({ signal }) => heard(await ask("GET /api/v1/vitals", { signal })),
    refetchInterval: every_ms,
  });

export const useIncidents = (state: "open" | "over" = "open", count = 50) =>
  useRead({
    queryKey: ["incidents", state, count],
    queryFn: ({ signal }) => ask("GET /api/v1/incidents", { query: { state, count }, signal }),
    refetchInterval: unless_told(10_000, 30_000),
    placeholderData: keepPreviousData,
  });

export const useChanges = (limit = 50) =>
  useRead({
    queryKey: ["changes", limit],
    queryFn: ({ signal }) => ask("GET /api/v1/changes", { query: { limit }, signal }),
    refetchInterval: 5_000,
  });

export const useMonitor = () =>
  useRead({
    queryKey: ["monitor"],
    queryFn: ({ signal }) => ask("GET /api/v1/monitor", { signal }),
    refetchInterval: 5_000,
  });

export const classes = ["emergency", "urgent", "routine", "background"] as const;
export type RequestClass = (typeof classes)[number];
export interface ClassFigures {
  admitted: [number, number][]; // seconds, requests a second
  rate?: number;
  shed?: number; // share of those that came, 0 to 1
  wait_p99_s?: number;
}

const number_of = (text: string | undefined) => {
  const value = Number(text);
  return text !== undefined && Number.isFinite(value) ? value : undefined;
};

const window_s = 15 * 60;
const step_s = 15;

async function read_classes(signal: AbortSignal): Promise<Record<RequestClass, ClassFigures>> {
  const end = Math.floor(Date.now() / 1000 / step_s) * step_s;
  const query = (text: string) => ask("GET /api/v1/query", { query: { query: text }, signal });
  const admitted = "sum by (class) (rate(mydr24_admission_admitted_total[1m]))";
  const [history, refused, waits] = await Promise.all([
    ask("GET /api/v1/query_range", { query: { query: admitted, start: end - window_s, end, step: step_s }, signal }),
    query("sum by (class) (rate(mydr24_admission_refused_total[1m]))"),
    query("histogram_quantile(0.99, sum by (class, le) (rate(mydr24_admission_queue_seconds_bucket[5m])))"),
  ]);
  const of = (answer: { data: { result: { metric: Record<string, string>; value: [number, string] }[] } }, name: string) =>
    number_of(answer.data.result.find((row) => row.metric["class"] === name)?.value[1]);
  const figures = (name: RequestClass): ClassFigures => {
    const row = history.data.result.find((each) => each.metric["class"] === name);
    const points = (row?.values ?? []).map(([at, text]): [number, number] => [at, Number(text)]);
    const rate = points.at(-1)?.[1];
    const turned_away = of(refused, name);
    const wait = of(waits, name);
    const made: ClassFigures = { admitted: points };
    if (rate !== undefined) made.rate = rate;
    if (rate !== undefined && turned_away !== undefined) made.shed = rate + turned_away > 0 ? turned_away / (rate + turned_away) : 0;
    if (wait !== undefined) made.wait_p99_s = wait;
    return made;
  };
  return {
    emergency: figures("emergency"),
    urgent: figures("urgent"),
    routine: figures("routine"),
    background: figures("background"),
  };
}

export const useClasses = () =>
  useRead({ queryKey: ["classes"], queryFn: ({ signal }) => read_classes(signal), refetchInterval: 5_000 });

export const usePatient = (id: string) =>
  useRead({
    queryKey: ["patient", id],
    queryFn: ({ signal }) => ask_fhir<Patient>(`Patient/${encodeURIComponent(id)}`, undefined, { signal }),
  });

export const usePatientSigns = (id: string) =>
  useRead({
    queryKey: ["board", "patient", id],
    queryFn: async ({ signal }) => {
      const answer = await ask("GET /api/v1/vitals/{patient}", { params: { patient: id }, signal });
      feed.heard();
      return answer;
    },
    refetchInterval: 2_000,
    retry: false,
  });

export const useRecords = <T extends { resourceType: string }>(type: string, id: string, query: Record<string, string>) =>
  useRead({
    queryKey: ["records", type, id, query],
    queryFn: ({ signal }) => ask_fhir<Bundle<T>>(type, { patient: id, _count: 100, ...query }, { signal }),
    staleTime: 30_000,
  });

// The vital signs of the last hours: all of them once, then what is newer.
const observations_max = 1_000;
// `every_ms`: false: what came before now only.
export function useVitalHistory(id: string, hours: number, every_ms: number | false) {
  return useRead({
    queryKey: ["vital-history", id, hours],
    queryFn: async ({ signal }) => {
      const key = ["vital-history", id, hours];
      const before = client.getQueryData<Observation[]>(key) ?? [];
      const begin = new Date(feed.now() - hours * 3_600_000).toISOString();
      const newest = before.reduce((latest, each) => ((each.effectiveDateTime ?? "") > latest ? each.effectiveDateTime! : latest), begin);
      const bundle = await ask_fhir<Bundle<Observation>>(
        "Observation",
        {
          patient: id,
          category: "vital-signs",
          date: `ge${newest}`,
          _sort: "-date",
          _count: observations_max,
          _elements: "code,effectiveDateTime,valueQuantity,valueCodeableConcept,component,status",
        },
        { signal },
      );
      const found = new Map(before.filter((each) => (each.effectiveDateTime ?? "") >= begin).map((each) => [each.id, each]));
      for (const entry of bundle.entry ?? []) if (entry.resource) found.set(entry.resource.id, entry.resource);
      return [...found.values()];
    },
    refetchInterval: every_ms,
    staleTime: every_ms === false ? Infinity : 0,
    gcTime: every_ms === false ? 0 : 5 * 60_000,
    structuralSharing: false,
  });
}
