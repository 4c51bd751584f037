// Keys for the whole console: g and a letter goes to a screen, / searches, ? helps. A screen listens to the event "mydr24:key"
// for its own. Space holds the picture while it is pressed. Nothing happens while somebody types, or while a dialog is open.

import { useEffect, useRef } from "react";
import { hold, let_go } from "../live/hold";
import { screens } from "../screens/registry";

interface Actions {
  go: (path: string) => void;
  search: () => void;
  help: () => void;
}

const is_typing = (target: EventTarget | null) =>
  target instanceof HTMLElement && (target.isContentEditable || ["INPUT", "TEXTAREA", "SELECT"].includes(target.tagName));

const chord_ms = 1_200;

export function useKeys(actions: Actions) {
  const chord_until = useRef(0); // outlives the renderings that live data cause between the two keys
  const is_pressed = useRef(false); // Space
  useEffect(() => {
    const pressed = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
      if (is_typing(event.target)) {
        if (event.key === "Escape") (event.target as HTMLElement).blur();
        return;
      }
      if (document.querySelector("dialog[open]")) return;
      // On a link or a button Enter is theirs.
      if (event.key === "Enter" && event.target instanceof Element && event.target.closest("a, button, summary")) return;
      // On a button or a link Space is theirs.
      if (event.key === " " && (event.target === document.body || event.target === document.getElementById("content"))) {
        event.preventDefault();
        is_pressed.current = true;
        hold();
        return;
      }
      const now = performance.now();
      if (now < chord_until.current) {
        chord_until.current = 0;
        const screen = screens.find((each) => each.key === event.key);
        if (screen) {
          event.preventDefault();
          actions.go(screen.path);
        }
        return;
      }
      // Who goes through rows has left the button that was pressed before: Enter is the row's then.
      if (event.key === "j" || event.key === "k") document.getElementById("content")?.focus({ preventScroll: true });
      if (event.key === "g") chord_until.current = now + chord_ms;
      else if (event.key === "/") {
        event.preventDefault();
        actions.search();
      } else if (event.key === "?") actions.help();
      else window.dispatchEvent(new CustomEvent("mydr24:key", { detail: event.key }));
    };
    const released = (event: KeyboardEvent) => {
      if (event.key !== " " || !is_pressed.current) return;
      is_pressed.current = false;
      let_go();
    };
    window.addEventListener("keydown", pressed);
    window.addEventListener("keyup", released);
    return () => {
      window.removeEventListener("keydown", pressed);
      window.removeEventListener("keyup", released);
    };
  });
}

export function useScreenKeys(keys: Record<string, () => void>) {
  useEffect(() => {
    const pressed = (event: Event) => keys[(event as CustomEvent<string>).detail]?.();
    window.addEventListener("mydr24:key", pressed);
    return () => window.removeEventListener("mydr24:key", pressed);
  });
}
