// Where this console stands, as the server's settings say: the site's name, and the time zone of all that is shown and typed. Without
// one it is the browser's.

import { useSyncExternalStore } from "react";

export interface Site {
  name: string; // empty: not said
  zone: string; // IANA
}

const zone_of_browser = (): string => Intl.DateTimeFormat().resolvedOptions().timeZone;

let site: Site = { name: "", zone: zone_of_browser() };
const listeners = new Set<() => void>();

export const current_site = (): Site => site;
export function set_site(name: string | undefined, zone: string | undefined) {
  const next = { name: name ?? "", zone: zone ?? zone_of_browser() };
  if (next.name === site.name && next.zone === site.zone) return;
  site = next;
  listeners.forEach((listener) => listener());
}

export const useSite = (): Site =>
  useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => site,
  );

// Whether a time on this screen is not what this machine's own clock would show.
export const is_elsewhere = (): boolean => site.zone !== zone_of_browser();
