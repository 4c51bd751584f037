// A display on the wall: ?kiosk=1 has no navigation, and &rotate=30 shows one screen after the other, each so many seconds; &screens=
// says which (their ids, with commas). While an emergency waits for an answer the board stays.

import { useEffect } from "react";
import { useSearch, useLocation } from "wouter";
import { useOpenAlerts } from "../api/queries";
import { useScreens } from "../screens/permitted";
import type { ScreenId } from "../screens/registry";

const rotate_min_s = 5;
const rotate_max_s = 3_600;
const by_default: readonly ScreenId[] = ["overview", "board", "incidents", "oncall"];
// These stay when the screen changes.
const kept = ["kiosk", "rotate", "screens", "theme", "lang"];

export interface Kiosk {
  rotate_s: number; // 0: it stays where it is
  screens: readonly string[];
  query: string; // of the next screen
}
export function read_kiosk(search: string): Kiosk | undefined {
  const asked = new URLSearchParams(search);
  if (asked.get("kiosk") !== "1") return undefined;
  const seconds = Number(asked.get("rotate") ?? 0);
  const screens = (asked.get("screens") ?? "").split(",").filter((id) => id !== "");
  const query = new URLSearchParams([...asked].filter(([name]) => kept.includes(name)));
  return {
    rotate_s: seconds > 0 ? Math.min(rotate_max_s, Math.max(rotate_min_s, seconds)) : 0,
    screens: screens.length > 0 ? screens : by_default,
    query: `?${query.toString()}`,
  };
}

export function useKiosk(): boolean {
  const search = useSearch();
  const [path, go] = useLocation();
  const offered = useScreens();
  const { data } = useOpenAlerts();
  const kiosk = read_kiosk(search);
  const waits = data?.alerts.some((alert) => alert.severity === "emergency" && alert.state === "open") ?? false;
  const paths = kiosk?.screens.flatMap((id) => offered.find((screen) => screen.id === id && screen.group)?.path ?? []) ?? [];
  const next = kiosk === undefined || kiosk.rotate_s === 0 ? undefined : waits ? "/board" : paths[(paths.indexOf(path) + 1) % paths.length];
  const query = kiosk?.query ?? "";
  const seconds = kiosk?.rotate_s ?? 0;
  useEffect(() => {
    if (next === undefined || next === path) return;
    const timer = setTimeout(() => go(`${next}${query}`, { replace: true }), waits ? 0 : seconds * 1_000);
    return () => clearTimeout(timer);
  }, [next, path, query, seconds, waits, go]);
  return kiosk !== undefined;
}
