// Spans of time of the calendar: freezes, peak hours on the wall clock of the policy's zone, changes, and what is in whose way.

import { over_states, type Freeze, type Level, type LoadWindow } from "../../api/changes";
import type { ChangeSummary } from "../../api/types";
import { day_ms, instant_of, instant_text, local_text, monday } from "../../ui/wall";

export const hour_ms = 3_600_000;
export interface Span {
  begin: number;
  end: number;
}
export const overlap = (a: Span, b: Span): boolean => a.begin < b.end && b.begin < a.end;

// A week is named by its Monday, a day of the site's calendar; what is no day is the week of now.
export const week_text = (begin: number): string => local_text(begin).slice(0, 10);
export function week_of(text: string, now: number): number {
  const noon = Date.parse(instant_text(`${text}T12:00`));
  return monday(Number.isNaN(noon) ? now : noon);
}

const minutes_of = (text: string) => Number(text.slice(0, 2)) * 60 + Number(text.slice(3, 5));

export interface Peak extends Span {
  window: LoadWindow;
}
export function peaks_of(windows: readonly LoadWindow[], zone: string, range: Span): Peak[] {
  const found: Peak[] = [];
  const first = Math.floor(range.begin / day_ms) * day_ms - day_ms;
  for (let day = first; day < range.end + day_ms; day += day_ms) {
    const weekday = new Date(day).getUTCDay();
    for (const window of windows) {
      if (window.weekdays_only && (weekday === 0 || weekday === 6)) continue;
      const from = minutes_of(window.from);
      const to = minutes_of(window.to);
      // A window may go on after midnight.
      const at = (minutes: number) => instant_of(day + minutes * 60_000, zone);
      const span = { begin: at(from), end: at(to > from ? to : to + 1_440) };
      if (overlap(span, range)) found.push({ ...span, window });
    }
  }
  return found.sort((a, b) => a.begin - b.begin);
}

const shortest_ms = hour_ms / 2;
// When it runs, ran, or may run. Nothing: it has no time.
export function span_of_change(change: ChangeSummary, now: number): Span | undefined {
  const at = (text: string | undefined) => (text === undefined ? undefined : Date.parse(text));
  const started = at(change.started);
  const starts = at(change.starts);
  if (started !== undefined) return { begin: started, end: Math.max(at(change.finished) ?? now, started + shortest_ms) };
  if (over_states.has(change.state)) return undefined;
  if (starts !== undefined) return { begin: starts, end: starts + shortest_ms };
  const begin = at(change.begin);
  const end = at(change.end);
  if (begin === undefined && end === undefined) return undefined;
  return { begin: begin ?? Math.min(now, end! - shortest_ms), end: end ?? begin! + shortest_ms };
}

const levels: readonly Level[] = ["low", "medium", "high", "critical"];
export interface Conflict {
  change: ChangeSummary;
  kind: "freeze" | "peak" | "change";
  with: string;
}
// Emergency changes pass freezes and peak hours. What has started is judged no more.
export function conflicts_of(changes: readonly ChangeSummary[], freezes: readonly Freeze[], peaks: readonly Peak[], now: number): Conflict[] {
  const found: Conflict[] = [];
  const coming = changes.filter((change) => !over_states.has(change.state));
  for (const change of coming) {
    const span = span_of_change(change, now);
    if (!span || change.started) continue;
    if (change.type !== "emergency") {
      // Of a window for starting, what is frozen altogether; of a start, its instant.
      const whole = (other: Span) => (change.starts ? overlap(span, other) : other.begin <= span.begin && other.end >= span.end);
      for (const freeze of freezes) {
        const of_it = freeze.services.length === 0 || freeze.services.some((service) => change.services.includes(service));
        if (of_it && whole({ begin: Date.parse(freeze.begin), end: Date.parse(freeze.end) })) found.push({ change, kind: "freeze", with: freeze.why });
      }
      for (const peak of peaks)
        if (levels.indexOf(change.risk as Level) >= levels.indexOf(peak.window.from_level) && whole(peak)) found.push({ change, kind: "peak", with: peak.window.name });
    }
    for (const other of coming) {
      const its = other.id === change.id ? undefined : span_of_change(other, now);
      if (its && overlap(span, its) && other.services.some((service) => change.services.includes(service))) found.push({ change, kind: "change", with: other.title });
    }
  }
  return found;
}

// Side by side where they overlap: each its lane, and how many lanes there are beside it.
export function lanes(spans: readonly Span[]): { lane: number; of: number }[] {
  const order = spans.map((_, place) => place).sort((a, b) => spans[a]!.begin - spans[b]!.begin);
  const found: { lane: number; of: number }[] = spans.map(() => ({ lane: 0, of: 1 }));
  let group: number[] = [];
  let ends: number[] = [];
  const close = () => {
    for (const place of group) found[place]!.of = ends.length;
    group = [];
    ends = [];
  };
  for (const place of order) {
    const span = spans[place]!;
    if (ends.length > 0 && ends.every((end) => end <= span.begin)) close();
    const free = ends.findIndex((end) => end <= span.begin);
    const lane = free < 0 ? ends.length : free;
    ends[lane] = span.end;
    found[place]!.lane = lane;
    group.push(place);
  }
  close();
  return found;
}
