// The demo's own routes: only `mydr24 demo` has them, so they are not in the table of a server's routes (routes.gen.ts).

import { send_json } from "./client";
import { useStatus } from "./queries";
import { useRead } from "./read";

export const scenes = ["worsens", "called", "treated", "resolved", "proposed", "approved", "changed", "looked_after", "calm"] as const;
export type Scene = (typeof scenes)[number];

export interface Page {
  id: string;
  at: string;
  alert: string;
  contact: string;
  severity: string;
  title: string;
}

export interface DrillClass {
  class: string;
  offered: number;
  served: number;
  refused: number;
  failed: number;
  p99_ms: number;
}

export interface Demo {
  at: string;
  pace: number;
  story?: { scene: Scene; since: string; round: number; patient?: string; change?: string };
  pages: Page[];
  drill: {
    phase: "none" | "preparing" | "running" | "settling" | "over";
    scenario?: string;
    multiplier?: number;
    seconds?: number;
    begun_at?: string;
    ends_at?: string;
    problem?: string;
    classes?: DrillClass[];
  };
  scenarios: { name: string; multiplier: number }[];
}

export const useIsDemo = () => useStatus().data?.demo === true;

export const useDemo = () =>
  useRead({
    queryKey: ["demo"],
    queryFn: ({ signal }) => send_json<Demo>("GET", "/api/v1/demo", { signal }),
    refetchInterval: 1_000,
  });

export const begin_drill = (scenario: string, seconds: number) => send_json<Demo>("POST", "/api/v1/demo/scenarios", { body: { scenario, seconds } });
export const end_drill = () => send_json<Demo>("DELETE", "/api/v1/demo/scenarios", {});
