// Spans of time of a schedule.

import type { Gap, Override, Shift } from "../../api/oncall";

export const hour_ms = 3_600_000;

export interface Span {
  begin: number;
  end: number;
}
export const span_of = (from: { begin: string; end: string }): Span => ({ begin: Date.parse(from.begin), end: Date.parse(from.end) });
const overlaps = (a: Span, b: Span) => a.begin < b.end && b.begin < a.end;

// When nobody is on duty.
export function uncovered(shifts: readonly Span[], range: Span): Span[] {
  const found: Span[] = [];
  let until = range.begin;
  for (const shift of [...shifts].sort((a, b) => a.begin - b.begin)) {
    if (shift.begin > until) found.push({ begin: until, end: Math.min(shift.begin, range.end) });
    until = Math.max(until, shift.end);
  }
  if (until < range.end) found.push({ begin: until, end: range.end });
  return found.filter((span) => span.end > span.begin);
}

export const override_of = (shift: Shift, overrides: readonly Override[]): Override | undefined =>
  overrides.find((each) => each.add === shift.who && overlaps(span_of(each), span_of(shift)));

// The fewest lanes in which no two of these overlap; one number for each.
export function lanes(spans: readonly Span[]): number[] {
  const ends: number[] = [];
  const order = spans.map((_, place) => place).sort((a, b) => spans[a]!.begin - spans[b]!.begin);
  const found: number[] = [];
  for (const place of order) {
    const span = spans[place]!;
    const free = ends.findIndex((end) => end <= span.begin);
    const lane = free < 0 ? ends.length : free;
    ends[lane] = span.end;
    found[place] = lane;
  }
  return found;
}

export interface Hole {
  policy: string;
  step: number;
  needed: number;
  spans: Gap[];
  whole: boolean; // the whole time that was looked at
}
// Gaps by step: one that lasts is one thing to mend, however often it is cut by hand-overs.
export function holes_of(gaps: readonly Gap[], range: Span): Hole[] {
  const found = new Map<string, Hole>();
  for (const gap of gaps) {
    const key = `${gap.policy}/${gap.step}`;
    const hole = found.get(key) ?? { policy: gap.policy, step: gap.step, needed: gap.needed, spans: [], whole: false };
    hole.spans.push(gap);
    found.set(key, hole);
  }
  for (const hole of found.values()) hole.whole = uncovered(hole.spans.map(span_of), range).length === 0;
  return [...found.values()];
}
