// Holding the picture (WCAG 2.2, 2.2.2): what screens show stands still until it is let go. What the frame says (the verdict, open
// emergencies, their call and their sound) never does.

import { createContext, useContext, useSyncExternalStore } from "react";
import { feed } from "./feed";

let since: number | undefined; // by the server's clock
const listeners = new Set<() => void>();
function set(next: number | undefined) {
  if ((next === undefined) === (since === undefined)) return;
  since = next;
  listeners.forEach((listener) => listener());
}
export const hold = () => set(feed.now());
export const let_go = () => set(undefined);

export const useHeldSince = (): number | undefined =>
  useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => since,
  );

// True around what can be held.
export const CanBeHeld = createContext(false);
export function useIsHeld(): boolean {
  const is_held = useHeldSince() !== undefined;
  return useContext(CanBeHeld) && is_held;
}
