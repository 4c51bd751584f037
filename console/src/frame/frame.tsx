// What is around every screen: where one may go, whether care is safe, whether what is shown is true now.

import { useEffect, useRef, useState, type ReactNode } from "react";
import { Link, useLocation } from "wouter";
import { ask } from "../api/client";
import { useMonitor, useIncidents, useOpenAlerts, useStatus } from "../api/queries";
import { useSession } from "../api/session";
import { judge, type Verdict } from "../clinical/verdict";
import { is_language, languages, useFormats, useT, type MessageId } from "../i18n";
import { feed } from "../live/feed";
import { hold, let_go, useHeldSince } from "../live/hold";
import { useFreshness, useTicking } from "../live/hooks";
import { prefer, themes, usePreferences, type Theme } from "../preferences";
import { useMay, useScreens } from "../screens/permitted";
import { groups, screens, type Screen } from "../screens/registry";
import { useSite } from "../site";
import { Button, Dialog, IconButton, Select } from "../ui/basic";
import { Icon } from "../ui/icons";
import { EmergencyCall, Notices, SoundSwitch } from "../ui/notices";
import { useKeys } from "./keys";
import { useKiosk } from "./kiosk";

export function useVerdict(): Verdict {
  const freshness = useFreshness();
  const alerts = useOpenAlerts();
  const status = useStatus();
  const monitor = useMonitor();
  const incidents = useIncidents();
  return judge({
    freshness,
    alerts: alerts.data?.alerts,
    status: status.data,
    monitor: monitor.data,
    incidents: incidents.data?.incidents,
  });
}

function current_screen(path: string): Screen | undefined {
  const exact = screens.find((screen) => screen.path === path);
  if (exact) return exact;
  const first = `/${path.split("/")[1] ?? ""}`;
  return screens.find((screen) => screen.path === first && first !== "/");
}

function Navigation({ onGo }: { onGo: () => void }) {
  const t = useT();
  const [path] = useLocation();
  const here = current_screen(path)?.id;
  const open = useScreens();
  const nav = useRef<HTMLElement>(null);
  // On a phone the entries are a row that scrolls sideways.
  useEffect(() => {
    // A promise in newer browsers: an effect must not give it back.
    void nav.current?.querySelector("[aria-current]")?.scrollIntoView({ block: "nearest", inline: "nearest" });
  }, [here]);
  return (
    <nav ref={nav} className="nav" aria-label={t("nav.label")} id="navigation">
      {groups.map((group) => {
        const inside = open.filter((screen) => screen.group === group);
        if (inside.length === 0) return null;
        return (
          <div key={group} className="nav-group">
            <h2>{t(`nav.${group}`)}</h2>
            <ul>
              {inside.map((screen) => (
                <li key={screen.id}>
                  <Link href={screen.path} onClick={onGo} title={t(`screen.${screen.id}` as MessageId)} aria-current={here === screen.id ? "page" : undefined}>
                    {screen.icon && <Icon name={screen.icon} />}
                    <span>{t(`screen.${screen.id}` as MessageId)}</span>
                    {screen.key && <kbd>g {screen.key}</kbd>}
                  </Link>
                </li>
              ))}
            </ul>
          </div>
        );
      })}
    </nav>
  );
}

// The time by the server's clock, where the site is.
function WallClock() {
  const formats = useFormats();
  const { zone } = useSite();
  const element = useTicking(() => {
    const now = feed.now();
    if (element.current) element.current.title = `${zone}, ${formats.utc(now)}`;
    return formats.clock(now);
  });
  return <span ref={element} className="wall-clock number" />;
}

function LiveClock() {
  const t = useT();
  const formats = useFormats();
  const freshness = useFreshness();
  const held = useHeldSince() !== undefined;
  useEffect(() => {
    document.documentElement.dataset["fresh"] = freshness;
  }, [freshness]);
  const text = useTicking(() => {
    const age = feed.age_ms();
    if (age === undefined) return t("live.waiting");
    return t(freshness === "live" ? "live.age" : "live.stale", { n: formats.number(Math.ceil(age / 1_000)) });
  });
  return (
    <p className={`live ${freshness}`}>
      <span className="live-dot" aria-hidden="true" />
      <span>
        <WallClock />
        <span ref={text} />
      </span>
      <IconButton icon={held ? "play" : "pause"} label={t(held ? "hold.let_go" : "hold.hold")} aria-pressed={held} onClick={held ? let_go : hold} />
    </p>
  );
}

function Held() {
  const t = useT();
  const formats = useFormats();
  const since = useHeldSince();
  if (since === undefined) return null;
  return (
    <div className="held" role="status">
      <Icon name="pause" />
      <span>{t("hold.since", { time: formats.clock(since) })}</span>
      <Button icon="play" onClick={let_go}>
        {t("hold.let_go")}
      </Button>
    </div>
  );
}

function NotLive() {
  const t = useT();
  const formats = useFormats();
  const freshness = useFreshness();
  if (freshness !== "not-live") return null;
  const since = feed.now() - (feed.age_ms() ?? 0);
  return (
    <div className="not-live" role="alert">
      <Icon name="emergency" />
      <strong>{t("live.not_live")}</strong>
      <span>{t("live.not_live_since", { time: formats.clock(since) })}</span>
    </div>
  );
}

// Incidents and changes are found by their id, everything else is a patient's. What a person may not see is not asked for.
async function place_of(text: string, may: ReturnType<typeof useMay>): Promise<string> {
  const otherwise = `/patients?q=${encodeURIComponent(text)}`;
  if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text)) return otherwise;
  const id = text.toLowerCase();
  const is_there = (reading: Promise<unknown>) => reading.then(() => true, () => false);
  if (may("incident") && (await is_there(ask("GET /api/v1/incidents/{id}", { params: { id } })))) return `/incidents/${id}`;
  if (may("change-show") && (await is_there(ask("GET /api/v1/changes/{id}", { params: { id } })))) return `/changes/${id}`;
  return otherwise;
}

function Search() {
  const t = useT();
  const [, go] = useLocation();
  const may = useMay();
  const input = useRef<HTMLInputElement>(null);
  return (
    <form
      className="search"
      role="search"
      onSubmit={(event) => {
        event.preventDefault();
        const text = input.current?.value.trim() ?? "";
        if (text) void place_of(text, may).then((place) => go(place));
      }}
    >
      <Icon name="search" />
      <input ref={input} id="search" type="search" aria-label={t("search.label")} placeholder={t("search.label")} maxLength={100} autoComplete="off" />
      <kbd>/</kbd>
    </form>
  );
}

function Settings() {
  const t = useT();
  const preferences = usePreferences();
  return (
    <div className="settings">
      <SoundSwitch />
      <IconButton
        icon={preferences.initials ? "eye-off" : "eye"}
        label={t(preferences.initials ? "privacy.off" : "privacy.on")}
        aria-pressed={preferences.initials}
        onClick={() => prefer({ initials: !preferences.initials })}
      />
      <Select label={t("theme.label")} value={preferences.theme} onChange={(event) => prefer({ theme: event.target.value as Theme })}>
        {themes.map((theme) => (
          <option key={theme} value={theme}>
            {t(`theme.${theme}`)}
          </option>
        ))}
      </Select>
      <Select
        label={t("language.label")}
        value={preferences.language}
        onChange={(event) => is_language(event.target.value) && prefer({ language: event.target.value })}
      >
        {Object.entries(languages).map(([code, name]) => (
          <option key={code} value={code} lang={code}>
            {name}
          </option>
        ))}
      </Select>
    </div>
  );
}

function Who() {
  const t = useT();
  const session = useSession();
  const status = useStatus();
  if (session.state !== "in") return status.data?.demo ? <p className="who demo">{t("demo.tag")}</p> : <p className="who">{t("access.off")}</p>;
  return (
    <p className="who">
      <span>
        <strong>{session.me.name ?? session.me.id}</strong>
        <small>{session.me.roles.join(", ")}</small>
      </span>
      <a className="button icon-only" href="/logout" aria-label={t("action.logout")} title={t("action.logout")}>
        <Icon name="out" />
      </a>
    </p>
  );
}

function VerdictPill() {
  const t = useT();
  const verdict = useVerdict();
  const inside = (
    <>
      <Icon name={verdict.look} />
      <span>{t(verdict.text, verdict.values)}</span>
    </>
  );
  const name = `pill ${verdict.look}`;
  return verdict.to ? (
    <Link href={verdict.to} className={name}>
      {inside}
    </Link>
  ) : (
    <p className={name}>{inside}</p>
  );
}

function OpenEmergencies() {
  const t = useT();
  const { data } = useOpenAlerts();
  // The incident that an emergency became calls people as well: that is the same one.
  const open = (data?.alerts ?? []).filter((alert) => alert.severity === "emergency" && alert.state === "open" && alert.source !== "incidents").length;
  if (!data) return null;
  return (
    <Link href="/board" className={open > 0 ? "count emergency" : "count"}>
      <Icon name={open > 0 ? "emergency" : "safe"} />
      <span className="number" aria-hidden="true">
        {open}
      </span>
      <span className="visually-hidden">{t("emergencies.open", { n: open })}</span>
    </Link>
  );
}

function Keys({ open, onClose }: { open: boolean; onClose: () => void }) {
  const t = useT();
  const screens_open = useScreens();
  const rows: [string, string][] = [
    ...screens_open.flatMap((screen): [string, string][] => (screen.key ? [[`g ${screen.key}`, t(`screen.${screen.id}` as MessageId)]] : [])),
    ["/", t("search.label")],
    ["a", t("keys.ack")],
    ["j  k", t("keys.move")],
    ["Enter", t("keys.open")],
    ["t", t("keys.table")],
    ["u", t("incident.update_key")],
    [t("hold.space"), t("hold.key")],
    ["?", t("keys.title")],
    ["Esc", t("action.close")],
  ];
  return (
    <Dialog open={open} onClose={onClose} title={t("keys.title")}>
      <dl className="keys">
        {rows.map(([key, what]) => (
          <div key={key}>
            <dt>
              <kbd>{key}</kbd>
            </dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
      <p className="field-hint">{t("safety.note")}</p>
      <p className="field-hint">
        <a href={licences_path} target="_blank" rel="noopener">
          {t("licences.link")}
        </a>
      </p>
    </Dialog>
  );
}

export function Frame({ children }: { children: ReactNode }) {
  const t = useT();
  const [path, go] = useLocation();
  const [menu, set_menu] = useState(false);
  const [help, set_help] = useState(false);
  const content = useRef<HTMLElement>(null);
  const first = useRef(true);
  useKeys({
    go,
    search: () => document.getElementById("search")?.focus(),
    help: () => set_help(true),
  });
  const screen = current_screen(path);
  const title = screen ? t(`screen.${screen.id}` as MessageId) : "MyDR24";
  useEffect(() => {
    document.title = `${title} - MyDR24`;
    // A new screen is announced by its heading; the first one leaves the focus alone.
    if (first.current) first.current = false;
    else content.current?.focus({ preventScroll: true });
  }, [title, path]);
  const kiosk = useKiosk();
  const site = useSite();
  return (
    <div className={`frame${menu ? " menu-open" : ""}${kiosk ? " kiosk" : ""}`}>
      <a className="skip" href="#content">
        {t("nav.skip")}
      </a>
      <header className="top">
        <div className="brand">
          <IconButton icon="menu" label={t("nav.menu")} className="button icon-only menu-button" aria-expanded={menu} aria-controls="navigation" onClick={() => set_menu(!menu)} />
          <Link href="/" aria-label={site.name ? `MyDR24 ${site.name}` : "MyDR24"}>
            <Icon name="pulse" />
            <span>
              MyDR24{" "}
              {site.name && <small dir="auto">{site.name}</small>}
            </span>
          </Link>
        </div>
        <VerdictPill />
        <OpenEmergencies />
        <LiveClock />
        <Search />
        <Settings />
        <Who />
      </header>
      <div className="bands">
        <NotLive />
        <Held />
      </div>
      <Navigation onGo={() => set_menu(false)} />
      <main id="content" ref={content} tabIndex={-1}>
        {children}
      </main>
      <Notices />
      <EmergencyCall />
      <Keys open={help} onClose={() => set_help(false)} />
    </div>
  );
}
