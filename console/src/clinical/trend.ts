// The course of each patient's score since this page was opened, in memory only: whether it rises or falls.

import type { BoardPatient } from "../api/types";
import type { Trend } from "./parts";

const kept_ms = 15 * 60_000;
const grain_ms = 5_000; // a course that stays level grows in steps: what draws it has nothing new in between
const points_max = 120;
const patients_max = 500;

type Course = readonly (readonly [number, number])[]; // never changed, but replaced
const courses = new Map<string, Course>();

export function note_scores(patients: readonly BoardPatient[], now = Date.now()) {
  for (const { id, points } of patients) {
    const course = courses.get(id);
    if (!course) {
      if (courses.size < patients_max) courses.set(id, [[now, points]]);
      continue;
    }
    // The last point says until when it held.
    const last = course.at(-1)!;
    if (last[1] === points && now - last[0] < grain_ms) continue;
    const holds = last[1] === points && course.length > 1 && course.at(-2)![1] === points;
    const next = [...(holds ? course.slice(0, -1) : course), [now, points] as const];
    let gone = Math.max(0, next.length - points_max);
    while (gone < next.length - 2 && next[gone + 1]![0] < now - kept_ms) ++gone;
    courses.set(id, next.slice(gone));
  }
}

const none: Course = [];
export const courses_since = (id: string): Course => courses.get(id) ?? none;

export function trend_of(id: string, now = Date.now()): Trend | undefined {
  const course = courses.get(id);
  const last = course?.at(-1);
  if (!course || !last || course.length < 2) return undefined;
  const before = course.findLast(([at]) => at <= now - 60_000) ?? course[0]!;
  return last[1] > before[1] ? "up" : last[1] < before[1] ? "down" : "same";
}

export const forget_scores = () => courses.clear();
