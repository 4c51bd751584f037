// The course of each patient's score since this page was opened, in memory only: whether it rises or falls.

import type { BoardPatient } from "../api/types";
import type { Trend } from "./parts";

const kept_ms = 15 * 60_000;
const points_max = 120;
const patients_max = 500;

type Course = [number, number][];
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
    if (last[1] === points && course.length > 1 && course.at(-2)![1] === points) last[0] = now;
    else course.push([now, points]);
    while (course.length > points_max || (course.length > 2 && course[1]![0] < now - kept_ms)) course.shift();
  }
}

export const courses_since = (id: string): Course => courses.get(id)?.slice() ?? [];

export function trend_of(id: string, now = Date.now()): Trend | undefined {
  const course = courses.get(id);
  const last = course?.at(-1);
  if (!course || !last || course.length < 2) return undefined;
  const before = course.findLast(([at]) => at <= now - 60_000) ?? course[0]!;
  return last[1] > before[1] ? "up" : last[1] < before[1] ? "down" : "same";
}

export const forget_scores = () => courses.clear();
