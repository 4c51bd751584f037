// The site's wall clock, whatever zone the machine is in: days that are not 24 hours long, hours that come twice or not at all.

import { afterEach, expect, test } from "vitest";
import { current_site, is_elsewhere, set_site } from "../src/site";
import { day_ms, instant_of, instant_text, local_text, midnight, monday, wall_of } from "../src/ui/wall";

afterEach(() => set_site(undefined, undefined));

const berlin = "Europe/Berlin";
const utc = (text: string) => Date.parse(text);

test("without a zone of the site it is the browser's", () => {
  set_site("St. Elsewhere", undefined);
  expect(current_site().zone).toBe(Intl.DateTimeFormat().resolvedOptions().timeZone);
  expect(is_elsewhere()).toBe(false);
  set_site("St. Elsewhere", current_site().zone === "Asia/Kathmandu" ? "UTC" : "Asia/Kathmandu");
  expect(is_elsewhere()).toBe(true);
});

test("a zone shows its own day and hour", () => {
  expect(wall_of(utc("2026-11-29T23:30:15Z"), berlin)).toEqual({ year: 2026, month: 11, day: 30, hour: 0, minute: 30, second: 15 });
  expect(wall_of(utc("2026-11-29T23:30:15Z"), "Asia/Kathmandu")).toMatchObject({ day: 30, hour: 5, minute: 15 });
});

test("what is typed and what is shown are the same instant, on every hour of two days of change", () => {
  set_site("", berlin);
  for (const day of ["2026-03-29", "2026-10-25", "2026-06-01"]) {
    for (let at = utc(`${day}T00:00:00Z`) - day_ms; at < utc(`${day}T00:00:00Z`) + day_ms; at += 900_000) {
      const again = utc(instant_text(local_text(at)));
      // The hour that comes twice is read as the first.
      expect([at, at - 3_600_000]).toContain(again);
      expect(local_text(again)).toBe(local_text(at));
    }
  }
});

test("an hour that comes twice is its first; one that does not come is as long after the change", () => {
  expect(instant_of(utc("2026-10-25T02:30:00Z"), berlin)).toBe(utc("2026-10-25T00:30:00Z"));
  expect(instant_of(utc("2026-03-29T02:30:00Z"), berlin)).toBe(utc("2026-03-29T01:30:00Z"));
  expect(instant_text("")).toBe("");
  expect(instant_text("2026-13-01T00:00")).toBe("");
});

test("days of change are 23 and 25 hours long, and weeks begin on Monday", () => {
  set_site("", berlin);
  const length = (at: string) => (midnight(utc(at), 1) - midnight(utc(at))) / 3_600_000;
  expect(length("2026-03-29T12:00:00Z")).toBe(23);
  expect(length("2026-10-25T12:00:00Z")).toBe(25);
  expect(midnight(utc("2026-11-29T22:59:00Z"))).toBe(utc("2026-11-28T23:00:00Z"));
  expect(midnight(utc("2026-11-29T23:00:00Z"))).toBe(utc("2026-11-29T23:00:00Z"));
  // Sunday evening in Berlin is Monday already in Auckland.
  expect(monday(utc("2026-11-29T21:00:00Z"))).toBe(utc("2026-11-22T23:00:00Z"));
  set_site("", "Pacific/Auckland");
  expect(monday(utc("2026-11-29T21:00:00Z"))).toBe(utc("2026-11-29T11:00:00Z"));
});
