// What a person chose on this device: theme, language, privacy, sound. Nothing of a record is kept here.

import { useSyncExternalStore } from "react";
import type { Language } from "./i18n";

export type Theme = "dark" | "light" | "contrast";
export const themes: readonly Theme[] = ["dark", "light", "contrast"];

export interface Preferences {
  theme: Theme;
  language: Language;
  initials: boolean; // patients by their initials
  sound: boolean; // emergencies are heard here
}

const key = "mydr24.preferences";
const known: readonly Language[] = ["en", "de", "fr", "es", "ar"];

function language_of_browser(): Language {
  for (const tag of navigator.languages) {
    const found = known.find((each) => tag.toLowerCase().split("-")[0] === each);
    if (found) return found;
  }
  return "en";
}

function theme_of_browser(): Theme {
  return matchMedia("(prefers-contrast: more)").matches ? "contrast" : "dark";
}

function read(): Preferences {
  let kept: Partial<Preferences> = {};
  try {
    kept = JSON.parse(localStorage.getItem(key) ?? "{}") as Partial<Preferences>;
  } catch {
    kept = {};
  }
  const asked = new URLSearchParams(location.search);
  const theme = [asked.get("theme"), kept.theme].find((each): each is Theme => themes.includes(each as Theme));
  const language = [asked.get("lang"), kept.language].find((each): each is Language => known.includes(each as Language));
  return {
    theme: theme ?? theme_of_browser(),
    language: language ?? language_of_browser(),
    initials: kept.initials === true,
    sound: kept.sound === true,
  };
}

let preferences = read();
// The server's own pages (login, invitations) are in the same language: there is no script on them that could ask.
const language_cookie = "mydr24-language";
const show = () => {
  document.documentElement.dataset["theme"] = preferences.theme;
  document.cookie = `${language_cookie}=${preferences.language}; Path=/; SameSite=Lax; Max-Age=31536000`;
};
show();

const listeners = new Set<() => void>();
export function prefer(change: Partial<Preferences>) {
  preferences = { ...preferences, ...change };
  try {
    localStorage.setItem(key, JSON.stringify(preferences));
  } catch {
    // Without storage it holds until the page is left.
  }
  show();
  listeners.forEach((listener) => listener());
}

export const usePreferences = (): Preferences =>
  useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => preferences,
  );
