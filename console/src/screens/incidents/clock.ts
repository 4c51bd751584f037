// What is left of the times of an incident, and how that stands.

import type { Countdown, Incident } from "../../api/incidents";
import type { IncidentSummary } from "../../api/types";
import type { Translate } from "../../i18n";
import type { Status } from "../../ui/icons";

export type ClockKind = "response" | "resolution";
export const clock_kinds: readonly ClockKind[] = ["response", "resolution"];
export const warnings = [0.5, 0.8, 1] as const; // shares of the time at which the server warns

// running: less than half is gone. half, most: the first and the second warning. late: the third. paused: it stands still. kept
// and missed: it was stopped, in time or not.
export type Standing = "running" | "half" | "most" | "late" | "paused" | "kept" | "missed";

export interface Times {
  time_s: number;
  due: string;
  stopped?: string | undefined;
  paused_at?: string | undefined;
}
export interface Face {
  standing: Standing;
  used: number; // share of the time, above 1 when it is late
  left_ms: number;
  taken_ms: number;
  time_ms: number;
}

// `due` has been moved by pauses that are over: what is counted back from it is time that ran.
export function face_of(times: Times, now: number): Face {
  const time_ms = times.time_s * 1_000;
  const at = times.stopped ? Date.parse(times.stopped) : times.paused_at ? Date.parse(times.paused_at) : now;
  const left_ms = Date.parse(times.due) - at;
  const used = time_ms > 0 ? 1 - left_ms / time_ms : Number(left_ms <= 0);
  return { standing: standing_of(times, used), used, left_ms, taken_ms: time_ms - left_ms, time_ms };
}

function standing_of(times: Times, used: number): Standing {
  const [half, most, all] = warnings;
  if (times.stopped) return used > all ? "missed" : "kept";
  if (used >= all) return "late";
  if (times.paused_at) return "paused";
  return used >= most ? "most" : used >= half ? "half" : "running";
}

export const look_of_standing: Record<Standing, Status> = {
  running: "info",
  half: "watch",
  most: "urgent",
  late: "emergency",
  paused: "neutral",
  kept: "safe",
  missed: "urgent",
};

// Undefined: the row was written by a version that did not say.
export function times_of_row(row: IncidentSummary, kind: ClockKind): Times | undefined {
  const time_s = kind === "response" ? row.response_s : row.resolution_s;
  if (time_s === undefined) return undefined;
  if (kind === "response") return { time_s, due: row.response_due, stopped: row.response_stopped };
  return { time_s, due: row.resolution_due, stopped: row.resolution_stopped, paused_at: row.paused_at };
}

export function times_of(incident: Incident, kind: ClockKind): Times {
  const clock: Countdown = incident.clocks[kind];
  return { ...clock, paused_at: kind === "resolution" ? incident.paused_at : undefined };
}

const two = (n: number) => String(n).padStart(2, "0");
// 2:05 min, 3 h 20 min, 2 d 4 h, in the reader's words; whole also in a sentence that is written the other way.
export function duration_text(ms: number, t: Translate): string {
  const s = Math.round(Math.abs(ms) / 1_000);
  const part = (unit: "d" | "h" | "min", n: string | number) => t(`change.length_${unit}`, { n });
  const parts =
    s < 3_600
      ? [part("min", `${Math.floor(s / 60)}:${two(s % 60)}`)]
      : s < 172_800
        ? [part("h", Math.floor(s / 3_600)), part("min", two(Math.floor((s % 3_600) / 60)))]
        : [part("d", Math.floor(s / 86_400)), part("h", Math.floor((s % 86_400) / 3_600))];
  return `\u2068${parts.join(" ")}\u2069`;
}
