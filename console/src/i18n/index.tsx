// Texts in the reader's language (ICU MessageFormat, one catalog a language, all complete: scripts/catalogs.mjs). Dates and
// numbers are Gregorian with Latin digits whatever the language says by default: a clinical time must not be read wrongly.

import { useCallback, useEffect, useMemo, useState, type ReactNode } from "react";
import { IntlProvider, useIntl } from "react-intl";
import { usePreferences } from "../preferences";
import { useSite } from "../site";
import type en from "./en.json";

export type MessageId = keyof typeof en;
export type Language = "en" | "de" | "fr" | "es" | "ar";
type Catalog = Record<string, string>;

export const languages: Record<Language, string> = {
  en: "English",
  de: "Deutsch",
  fr: "Français",
  es: "Español",
  ar: "العربية",
};
export const is_language = (text: string): text is Language => text in languages;
export const direction_of = (language: Language) => (language === "ar" ? "rtl" : "ltr");

// "en" writes 08 Mar 2026 and 24 hours, as hospitals do.
export const locale_of = (language: Language) => `${language === "en" ? "en-GB" : language}-u-ca-gregory-nu-latn`;

const loaders: Record<Language, () => Promise<{ default: Catalog }>> = {
  en: () => import("./en.json"),
  de: () => import("./de.json"),
  fr: () => import("./fr.json"),
  es: () => import("./es.json"),
  ar: () => import("./ar.json"),
};

export function Texts({ children }: { children: ReactNode }) {
  const { language } = usePreferences();
  const { zone } = useSite();
  const [loaded, set_loaded] = useState<{ language: Language; messages: Catalog }>();
  useEffect(() => {
    let gone = false;
    loaders[language]().then(
      (catalog) => {
        if (!gone) set_loaded({ language, messages: catalog.default });
      },
      async () => {
        const catalog = await loaders.en();
        if (!gone) set_loaded({ language: "en", messages: catalog.default });
      },
    );
    return () => {
      gone = true;
    };
  }, [language]);
  useEffect(() => {
    if (!loaded) return;
    document.documentElement.lang = loaded.language;
    document.documentElement.dir = direction_of(loaded.language);
  }, [loaded]);
  if (!loaded) return null;
  return (
    <IntlProvider locale={locale_of(loaded.language)} timeZone={zone} messages={loaded.messages} onError={() => undefined}>
      {children}
    </IntlProvider>
  );
}

export type Values = Record<string, string | number>;
export type Translate = (id: MessageId, values?: Values) => string;

export function useT(): Translate {
  const intl = useIntl();
  return useCallback((id: MessageId, values?: Values) => intl.formatMessage({ id }, values), [intl]);
}

export interface Formats {
  number: (value: number, digits?: number) => string;
  percent: (share: number) => string;
  clock: (at: string | number) => string; // 14:03:22
  time: (at: string | number) => string; // 08 Mar 2026, 14:03
  utc: (at: string | number) => string;
  duration_ms: (ms: number) => string;
  age: (seconds: number) => string;
}

export function useFormats(): Formats {
  const intl = useIntl();
  const t = useT();
  return useMemo(
    () => ({
      number: (value, digits = 0) => intl.formatNumber(value, { maximumFractionDigits: digits, minimumFractionDigits: digits }),
      percent: (share) => intl.formatNumber(share, { style: "percent", maximumFractionDigits: share > 0 && share < 0.1 ? 1 : 0 }),
      clock: (at) => intl.formatTime(at, { hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false }),
      time: (at) =>
        intl.formatDate(at, { day: "2-digit", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit", hour12: false }),
      utc: (at) => `${new Date(at).toISOString().slice(0, 19).replace("T", " ")} UTC`,
      duration_ms: (ms) =>
        ms < 1_000
          ? t("unit.ms", { n: intl.formatNumber(ms, { maximumFractionDigits: ms < 10 ? 1 : 0 }) })
          : t("unit.s", { n: intl.formatNumber(ms / 1_000, { maximumFractionDigits: ms < 10_000 ? 1 : 0 }) }),
      age: (seconds) => {
        const s = Math.max(0, Math.round(seconds));
        if (s < 90) return t("age.s", { n: s });
        if (s < 5_400) return t("age.min", { n: Math.round(s / 60) });
        if (s < 172_800) return t("age.h", { n: Math.round(s / 3_600) });
        return t("age.d", { n: Math.round(s / 86_400) });
      },
    }),
    [intl, t],
  );
}
