import { useEffect, useRef, useSyncExternalStore } from "react";
import { feed, type Freshness } from "./feed";

// One timer for all that shows how long ago something was; nothing renders for it.
const tickers = new Set<() => void>();
let timer: ReturnType<typeof setInterval> | undefined;
export function on_tick(tick: () => void): () => void {
  tickers.add(tick);
  timer ??= setInterval(() => tickers.forEach((each) => each()), 500);
  return () => {
    tickers.delete(tick);
    if (tickers.size === 0 && timer !== undefined) {
      clearInterval(timer);
      timer = undefined;
    }
  };
}

// Renders only when it changes, not twice a second.
export function useFreshness(): Freshness {
  return useSyncExternalStore(on_tick, () => feed.freshness());
}

// The time by the server's clock, in steps: what uses it renders once a step.
export function useNow(step_ms: number): number {
  return useSyncExternalStore(on_tick, () => Math.floor(feed.now() / step_ms)) * step_ms;
}

// A text that changes with time, written past React.
export function useTicking(text: () => string) {
  const element = useRef<HTMLElement>(null);
  const latest = useRef(text);
  latest.current = text;
  useEffect(() => {
    const write = () => {
      const next = latest.current();
      if (element.current && element.current.textContent !== next) element.current.textContent = next;
    };
    write();
    return on_tick(write);
  }, []);
  return element;
}
