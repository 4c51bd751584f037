// The one way to the server. Who asks is told by the session's cookie, which no script can read: it is HttpOnly and counts for
// pages of this server's own origin only, and a change that another site's page sends is refused (docs/identity.md).

import { ApiError, error_of, type Report } from "./error";
import type { Route, Routes } from "./routes.gen";
import type { Answers } from "./types";

export const fhir_base = "/fhir/R4";
const time_max_ms = 10_000;
// A request this long after the last touch or key was asked for by the page and not by a person: it keeps no session alive.
const attended_ms = 30_000;

let last_input = Date.now();
export const note_input = () => {
  last_input = Date.now();
};
export const is_attended = (now = Date.now()) => now - last_input < attended_ms;

type Listener = () => void;
const on_expired = new Set<Listener>();
export function when_expired(listener: Listener): () => void {
  on_expired.add(listener);
  return () => on_expired.delete(listener);
}
export const tell_expired = () => on_expired.forEach((listener) => listener());

// crypto.randomUUID is not there on a page that came without TLS.
function request_id(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(12));
  return "console-" + Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

// What was refused is not asked for again for a while, whoever asks and however often: each refusal is an entry of the trail.
// Whatever somebody does may change it.
const refused_ms = 60_000;
const refused_max = 200;
const refused = new Map<string, { error: ApiError; until: number }>();
// Of an operation it is the route that is refused; of records it may be what is searched for.
const refusal_key = (path: string) => (path.startsWith(fhir_base) ? path : path.replace(/\?.*/, ""));
function remember_refusal(path: string, error: ApiError) {
  if (refused.size >= refused_max) refused.clear();
  refused.set(refusal_key(path), { error, until: Date.now() + refused_ms });
}

export interface Options {
  body?: unknown;
  signal?: AbortSignal | undefined;
  attended?: boolean; // a person asked for it; otherwise told by the last touch
  type?: string; // of the body
  seen?: string; // the version that a change was decided on: If-Match
}

async function send(method: string, path: string, options: Options): Promise<Response> {
  const known = method === "GET" ? refused.get(refusal_key(path)) : undefined;
  if (known && Date.now() < known.until) throw known.error;
  const report: Report = { request: `${method} ${path}`, id: request_id(), at: new Date().toISOString() };
  const headers: Record<string, string> = { Accept: "application/fhir+json, application/json;q=0.9", "X-Request-Id": report.id };
  const attended = options.attended ?? (method !== "GET" || is_attended());
  if (!attended) headers["X-MyDR24-Unattended"] = "1";
  if (options.seen !== undefined) headers["If-Match"] = `"${options.seen}"`;
  if (options.body !== undefined) headers["Content-Type"] = options.type ?? "application/json";
  const stop = new AbortController();
  const give_up = () => stop.abort();
  options.signal?.addEventListener("abort", give_up);
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    stop.abort();
  }, time_max_ms);
  let answer: Response;
  try {
    const body = options.body === undefined ? null : JSON.stringify(options.body);
    answer = await fetch(path, { method, headers, body, signal: stop.signal, redirect: "error", cache: "no-store" });
  } catch (error) {
    if (options.signal?.aborted) throw error;
    throw new ApiError(late ? "slow" : "offline", 0, late ? "no answer in time" : "the server cannot be reached", report);
  } finally {
    clearTimeout(timer);
    options.signal?.removeEventListener("abort", give_up);
  }
  if (answer.ok) {
    if (method !== "GET") refused.clear();
    return answer;
  }
  const error = await error_of(answer, report);
  if (method === "GET" && error.trouble === "forbidden") remember_refusal(path, error);
  if (error.trouble === "expired") tell_expired();
  throw error;
}

type Query = Record<string, string | number | undefined>;
export function with_query(path: string, query: Query | undefined): string {
  const pairs = Object.entries(query ?? {}).filter(([, value]) => value !== undefined && value !== "");
  if (pairs.length === 0) return path;
  return `${path}?${pairs.map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(String(value))}`).join("&")}`;
}

export function path_of(route: string, params: Record<string, string> = {}): string {
  return route.slice(route.indexOf(" ") + 1).replace(/\{(\w+)\}/g, (_, name: string) => {
    const value = params[name];
    if (!value) throw new Error(`${route} needs ${name}`);
    return encodeURIComponent(value);
  });
}

type Params<R extends Route> = [Routes[R]] extends [never] ? { params?: never } : { params: Record<Routes[R], string> };

export async function ask<R extends keyof Answers & Route>(
  route: R,
  ...[options]: [Routes[R]] extends [never] ? [(Params<R> & Options & { query?: Query })?] : [Params<R> & Options & { query?: Query }]
): Promise<Answers[R]> {
  const method = route.slice(0, route.indexOf(" "));
  const path = with_query(path_of(route, options?.params as Record<string, string> | undefined), options?.query);
  const answer = await send(method, path, options ?? {});
  const text = await answer.text();
  return (text === "" ? undefined : JSON.parse(text)) as Answers[R];
}

// Of a route that not every server has.
export async function send_json<T>(method: string, path: string, options: Options): Promise<T> {
  const answer = await send(method, path, options);
  return (await answer.json()) as T;
}

export async function ask_fhir<T>(path: string, query?: Query, options: Options = {}): Promise<T> {
  const answer = await send("GET", with_query(`${fhir_base}/${path}`, query), options);
  return (await answer.json()) as T;
}
