// What clocks on the wall show, in the site's time zone if none is named: days, weeks, and what a person types.

import { current_site } from "../site";

export interface Wall {
  year: number;
  month: number; // 1 to 12
  day: number;
  hour: number;
  minute: number;
  second: number;
}

const readers = new Map<string, Intl.DateTimeFormat>();
function reader_of(zone: string): Intl.DateTimeFormat {
  let reader = readers.get(zone);
  if (!reader) {
    const numeric = "numeric" as const;
    reader = new Intl.DateTimeFormat("en-US-u-ca-gregory-nu-latn", {
      timeZone: zone,
      hourCycle: "h23",
      year: numeric,
      month: numeric,
      day: numeric,
      hour: numeric,
      minute: numeric,
      second: numeric,
    });
    readers.set(zone, reader);
  }
  return reader;
}

export function wall_of(at: number, zone = current_site().zone): Wall {
  const wall: Wall = { year: 0, month: 0, day: 0, hour: 0, minute: 0, second: 0 };
  for (const { type, value } of reader_of(zone).formatToParts(at)) if (type in wall) wall[type as keyof Wall] = Number(value);
  return wall;
}

const as_utc = (wall: Wall): number => Date.UTC(wall.year, wall.month - 1, wall.day, wall.hour, wall.minute, wall.second);
// Milliseconds that the zone's clocks are ahead of UTC at an instant.
const ahead = (at: number, zone: string): number => as_utc(wall_of(at, zone)) - Math.floor(at / 1_000) * 1_000;

export const day_ms = 86_400_000;

// The instant at which the zone's clocks show it; `wall` in milliseconds as if they were UTC. Where clocks go back the first of the two;
// where they go forward over it, as long after the change as it is after the gap's begin. base/zone's `instant` on the server is the same
// but in the gap, which nobody agrees a time in.
export function instant_of(wall: number, zone = current_site().zone): number {
  const before = wall - ahead(wall - day_ms, zone);
  const after = wall - ahead(wall + day_ms, zone);
  const shown = [Math.min(before, after), Math.max(before, after)].find((at) => at + ahead(at, zone) === wall);
  return shown ?? before;
}

// That day's midnight, days later. Days are 23 or 25 hours long where clocks change.
export function midnight(at: number, days = 0, zone = current_site().zone): number {
  const { year, month, day } = wall_of(at, zone);
  return instant_of(Date.UTC(year, month - 1, day + days), zone);
}
// Monday of that week.
export function monday(at: number): number {
  const { year, month, day } = wall_of(at);
  return midnight(at, -((new Date(Date.UTC(year, month - 1, day)).getUTCDay() + 6) % 7));
}
export const day_of_month = (at: number): number => wall_of(at).day;

const two = (n: number) => String(n).padStart(2, "0");
// What <input type="datetime-local"> holds.
export function local_text(at: number): string {
  const wall = wall_of(at);
  return `${String(wall.year).padStart(4, "0")}-${two(wall.month)}-${two(wall.day)}T${two(wall.hour)}:${two(wall.minute)}`;
}
// As UTC; empty: it is no time.
export function instant_text(local: string): string {
  const wall = Date.parse(`${local}Z`);
  return Number.isNaN(wall) ? "" : new Date(instant_of(wall)).toISOString();
}
