// Who is at the console. With access control off nobody is asked: then who acts says a name, which is kept on this device.

import { useSyncExternalStore } from "react";
import { set_site } from "../site";
import { ask, is_attended, when_expired } from "./client";
import { ApiError } from "./error";
import type { Me } from "./types";

export type Session =
  | { state: "unknown" }
  | { state: "unreachable"; error: ApiError }
  | { state: "open" } // access control is off
  | { state: "in"; me: Me }
  | { state: "expired"; me: Me };

let session: Session = { state: "unknown" };
const listeners = new Set<() => void>();
function set(next: Session) {
  session = next;
  listeners.forEach((listener) => listener());
}

export const current_session = () => session;
export function useSession(): Session {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => session,
  );
}

export const login_path = (to: string) => `/login?to=${encodeURIComponent(to)}`;

// Where a login in a window of its own ends: it tells this one, which goes on with all that was typed.
export const signed_in_path = "/signed-in";
const channel = typeof BroadcastChannel === "undefined" ? undefined : new BroadcastChannel("mydr24.session");
export const tell_signed_in = () => channel?.postMessage("signed-in");

async function look(): Promise<Session> {
  try {
    const { access, logged_in, site, zone } = await ask("GET /api/v1/config", { attended: false });
    set_site(site, zone);
    if (access === "off") return { state: "open" };
    if (!logged_in) return { state: "unknown" };
    return { state: "in", me: await ask("GET /api/v1/access/me", { attended: false }) };
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    if (error.trouble === "expired") return { state: "unknown" };
    return { state: "unreachable", error };
  }
}

export async function begin_session(): Promise<void> {
  set({ state: "unknown" });
  const found = await look();
  if (found.state === "unknown") {
    location.assign(login_path(location.pathname + location.search));
    return;
  }
  set(found);
}

// Somebody logged in again. Another person must not go on with what the first one saw.
async function go_on(): Promise<void> {
  const before = session;
  if (before.state !== "expired") return;
  const found = await look();
  if (found.state !== "in") return;
  if (found.me.id !== before.me.id) {
    location.assign("/");
    return;
  }
  set(found);
}

const keep_alive_ms = 60_000;

export function watch_session(): () => void {
  const stop = when_expired(() => {
    if (session.state === "in") set({ state: "expired", me: session.me });
  });
  const told = () => void go_on();
  channel?.addEventListener("message", told);
  window.addEventListener("focus", told);
  // Who reads and scrolls asks for nothing, and is there all the same.
  const timer = setInterval(() => {
    if (session.state === "in" && is_attended()) ask("GET /api/v1/access/me", { attended: true }).catch(() => undefined);
  }, keep_alive_ms);
  return () => {
    stop();
    channel?.removeEventListener("message", told);
    window.removeEventListener("focus", told);
    clearInterval(timer);
  };
}

const name_key = "mydr24.who";
export function acting_name(): string {
  if (session.state === "in" || session.state === "expired") return session.me.name ?? session.me.id;
  return localStorage.getItem(name_key) ?? "";
}
export const keep_name = (name: string) => localStorage.setItem(name_key, name);
