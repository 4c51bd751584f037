// Live settings with their history, addresses of people, and what comes in by which way.

import { feed } from "../live/feed";
import { ask } from "./client";
import type { Setting } from "./platform";
import { client } from "./queries";
import { useRead } from "./read";

export type SettingVersion = Setting["in_force"];
export interface SettingHistory {
  setting: Setting;
  history: SettingVersion[];
}

export interface SettingsAnswers {
  "GET /api/v1/settings/{name}": SettingHistory;
  "POST /api/v1/addresses/verify": { sent: boolean; valid_until: string };
  "POST /api/v1/addresses/confirm": { verified: boolean };
  "POST /api/v1/addresses/disable": { disabled: boolean };
  "POST /api/v1/addresses/enable": { disabled: boolean };
}

export const useSettingHistory = (name: string) =>
  useRead({
    queryKey: ["settings", "history", name],
    queryFn: ({ signal }) => ask("GET /api/v1/settings/{name}", { params: { name }, signal }),
    enabled: name !== "",
  });

export const read_addresses_again = () => client.invalidateQueries({ queryKey: ["addresses"] });

// ---- feeds

export interface Feed {
  id: string;
  received: number; // in the span
  faulty: number;
  course: [number, number][]; // milliseconds, received in a step
  last_at?: number; // the end of the last step in which something came
  connected?: boolean; // of a feed that the server keeps open itself
}

export const feed_span_s = 6 * 3_600; // as long as samples are kept as they came (series.raw_hours)
const feed_step_s = 300;

// Routes by which others send; the name of the feed is in the catalogs.
const ways: Record<string, readonly string[]> = {
  fhir: ["create", "update", "conditional-update", "patch", "transaction"],
  stream: ["vitals-stream"],
  alertmanager: ["am-post-alerts", "webhook-event"],
  generic: ["generic-event"],
  pagerduty: ["pagerduty-event", "pagerduty-webhook"],
  metrics: ["remote-write"],
  heartbeats: ["oncall-heartbeat"],
  answers: ["twilio-sms", "twilio-voice", "twilio-status", "slack-action", "ack-link"],
};

type Row = { metric: Record<string, string>; values: [number, string][] };
function feed_of(id: string, all: readonly Row[], faulty: readonly Row[]): Feed {
  const steps = new Map<number, number>();
  for (const row of all) for (const [at, text] of row.values) steps.set(at, (steps.get(at) ?? 0) + Number(text));
  const course = [...steps].sort(([a], [b]) => a - b).map(([at, n]): [number, number] => [at * 1_000, n]);
  const sum = (rows: readonly Row[]) => Math.round(rows.reduce((total, row) => total + row.values.reduce((part, [, text]) => part + Number(text), 0), 0));
  const last = course.findLast(([, n]) => n >= 0.5);
  return { id, received: sum(all), faulty: sum(faulty), course, ...(last ? { last_at: last[0] } : {}) };
}

export const useFeeds = () =>
  useRead({
    queryKey: ["feeds"],
    queryFn: async ({ signal }) => {
      const end = Math.floor(feed.now() / 1_000 / feed_step_s) * feed_step_s + feed_step_s;
      const range = { start: end - feed_span_s, end, step: feed_step_s };
      const rows = async (query: string) => (await ask("GET /api/v1/query_range", { query: { query, ...range }, signal })).data.result;
      const names = Object.values(ways).flat().join("|");
      const increase = (metric: string) => `increase(${metric}[${feed_step_s}s])`;
      const [requests, vitals, mqtt, mqtt_wrong, connected] = await Promise.all([
        rows(`sum by (route, status) (${increase(`mydr24_http_requests_total{route=~"${names}"}`)})`),
        rows(increase("mydr24_vitals_observations_total")),
        rows(increase("mydr24_vitals_mqtt_received_total")),
        rows(increase("mydr24_vitals_mqtt_rejected_total")),
        ask("GET /api/v1/query", { query: { query: "mydr24_vitals_mqtt_connected" }, signal }),
      ]);
      const by_route = Object.entries(ways).map(([id, routes]) => {
        const mine = requests.filter((row) => routes.includes(row.metric["route"] ?? ""));
        return feed_of(id, mine, mine.filter((row) => /^[45]/.test(row.metric["status"] ?? "")));
      });
      const broker = connected.data.result[0]?.value[1];
      const feeds = [feed_of("vitals", vitals, []), ...by_route];
      if (broker !== undefined) feeds.splice(1, 0, { ...feed_of("mqtt", mqtt, mqtt_wrong), connected: Number(broker) === 1 });
      return { feeds, has_mqtt: broker !== undefined };
    },
    refetchInterval: 15_000,
  });
