// The one stream of events of this tab, and with it the answer to "is what I see true now?". It goes on after the last event
// that it saw (Last-Event-ID); when the server no longer knows what came between, everything is read again ("reset").

import { ApiError, error_of } from "../api/error";
import { tell_expired } from "../api/client";
import { EventParser, type ServerEvent } from "./sse";

export const stale_after_ms = 5_000;
export const not_live_after_ms = 30_000;
const wait_min_ms = 1_000;
const wait_max_ms = 10_000;
// The server beats every two seconds: a connection that says nothing for longer is not one.
const silence_max_ms = 12_000;

export type Freshness = "waiting" | "live" | "stale" | "not-live";
export type FeedState = "connecting" | "open" | "refused" | "stopped";

type OnEvent = (event: ServerEvent) => void;

export class Feed {
  private static runs = 0;
  private listeners = new Set<OnEvent>();
  private watchers = new Set<() => void>();
  private last_id = "";
  private heard_at = -1; // performance.now() of the last word of the server, by whatever way
  private stop_now: AbortController | undefined;
  private run_number = 0; // of the loop that may go on; 0: none
  state: FeedState = "stopped";
  // Milliseconds that the server's clock is ahead of this machine's.
  clock_offset = 0;

  constructor(private readonly path = "/api/v1/events") {}

  on_event(listener: OnEvent): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }
  watch(watcher: () => void): () => void {
    this.watchers.add(watcher);
    return () => this.watchers.delete(watcher);
  }

  // The server answered something just now.
  heard(server_time?: string) {
    this.heard_at = performance.now();
    const at = server_time ? Date.parse(server_time) : NaN;
    if (Number.isFinite(at)) this.clock_offset = at - Date.now();
  }
  now(): number {
    return Date.now() + this.clock_offset;
  }
  age_ms(now = performance.now()): number | undefined {
    return this.heard_at < 0 ? undefined : now - this.heard_at;
  }
  freshness(now = performance.now()): Freshness {
    const age = this.age_ms(now);
    if (age === undefined) return "waiting";
    return age > not_live_after_ms ? "not-live" : age > stale_after_ms ? "stale" : "live";
  }

  start() {
    if (this.run_number !== 0) return;
    this.run_number = ++Feed.runs;
    void this.run(this.run_number);
  }
  stop() {
    this.run_number = 0;
    this.stop_now?.abort();
    this.set("stopped");
  }

  private set(state: FeedState) {
    this.state = state;
    this.watchers.forEach((watcher) => watcher());
  }

  private async run(number: number) {
    let wait = wait_min_ms;
    while (this.run_number === number) {
      this.set("connecting");
      const began = performance.now();
      try {
        await this.read_until_it_ends();
      } catch (error) {
        if (this.run_number !== number) return;
        const trouble = error instanceof ApiError ? error.trouble : "offline";
        if (trouble === "expired" || trouble === "forbidden" || trouble === "missing") {
          this.run_number = 0;
          this.set(trouble === "expired" ? "stopped" : "refused");
          if (trouble === "expired") tell_expired();
          return;
        }
      }
      if (this.run_number !== number) return;
      if (performance.now() - began > 5_000) wait = wait_min_ms;
      // Consoles that lost one server together do not come back together.
      await new Promise((done) => setTimeout(done, wait * (0.5 + Math.random())));
      wait = Math.min(wait * 2, wait_max_ms);
    }
  }

  private async read_until_it_ends() {
    const stop = new AbortController();
    this.stop_now = stop;
    const headers: Record<string, string> = { Accept: "text/event-stream", "X-MyDR24-Unattended": "1" };
    if (this.last_id) headers["Last-Event-ID"] = this.last_id;
    let silence = setTimeout(() => stop.abort(), silence_max_ms);
    try {
      const answer = await fetch(this.path, { headers, signal: stop.signal, cache: "no-store" });
      if (!answer.ok || !answer.body) {
        throw await error_of(answer, { request: `GET ${this.path}`, id: "", at: new Date().toISOString() });
      }
      const parser = new EventParser();
      const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
      for (;;) {
        const { value, done } = await reader.read();
        if (done) return;
        clearTimeout(silence);
        silence = setTimeout(() => stop.abort(), silence_max_ms);
        for (const event of parser.push(value)) this.take(event);
      }
    } finally {
      clearTimeout(silence);
      stop.abort();
    }
  }

  private take(event: ServerEvent) {
    if (event.id) this.last_id = event.id;
    let at: string | undefined;
    if (event.kind === "beat" || event.kind === "hello") {
      try {
        at = (JSON.parse(event.data) as { at?: string }).at;
      } catch {
        at = undefined;
      }
      this.heard(at);
      if (this.state !== "open") this.set("open");
      // What came while there was no stream is read anew.
      if (event.kind === "hello") this.listeners.forEach((listener) => listener(event));
      return;
    }
    this.heard();
    this.listeners.forEach((listener) => listener(event));
  }
}

export const feed = new Feed();
