// What the console says by itself. One polite region for what somebody did, one assertive region for new emergencies and for
// nothing else.

import { useEffect, useMemo, useRef, useState, useSyncExternalStore } from "react";
import { useOpenAlerts } from "../api/queries";
import { useT } from "../i18n";
import { useSound } from "../live/sound";
import { prefer, usePreferences } from "../preferences";
import { IconButton } from "./basic";
import { Icon, type Status } from "./icons";

interface Notice {
  id: number;
  status: Status;
  text: string;
}
let notices: readonly Notice[] = [];
let next = 1;
const listeners = new Set<() => void>();
const set = (changed: readonly Notice[]) => {
  notices = changed;
  listeners.forEach((listener) => listener());
};
const shown_ms = 8_000;
export function say(status: Status, text: string) {
  const notice = { id: next++, status, text };
  set([...notices.slice(-2), notice]);
  setTimeout(() => set(notices.filter((each) => each.id !== notice.id)), shown_ms);
}

export function Notices() {
  const shown = useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => notices,
  );
  return (
    <div className="notices" role="status" aria-live="polite">
      {shown.map((notice) => (
        <p key={notice.id} className={`notice ${notice.status}`}>
          <Icon name={notice.status} />
          <span>{notice.text}</span>
        </p>
      ))}
    </div>
  );
}

// Nobody has answered these.
function useWaitingEmergencies() {
  const { data } = useOpenAlerts();
  return useMemo(() => data?.alerts.filter((alert) => alert.severity === "emergency" && alert.state === "open"), [data]);
}

export function EmergencyCall() {
  const t = useT();
  const open = useWaitingEmergencies();
  const seen = useRef<Set<string> | undefined>(undefined);
  const [text, set_text] = useState("");
  useEffect(() => {
    if (!open) return;
    const fresh = open.filter((alert) => !seen.current?.has(alert.id));
    // What was there when the console was opened is on the screen; it is not called out.
    if (seen.current && fresh[0]) set_text(t("announce.emergency", { n: fresh.length, title: fresh[0].title }));
    seen.current = new Set(open.map((alert) => alert.id));
  }, [open, t]);
  return (
    <div className="visually-hidden" role="alert" aria-live="assertive">
      {text}
    </div>
  );
}

export function SoundSwitch() {
  const t = useT();
  const { sound } = usePreferences();
  const open = useWaitingEmergencies();
  const ids = useMemo(() => open?.map((alert) => alert.id) ?? [], [open]);
  const is_ready = useSound(sound, ids);
  return (
    <IconButton
      icon={sound ? "sound" : "sound-off"}
      className={`button icon-only${sound && !is_ready ? " urgent" : ""}`}
      label={t(!sound ? "sound.off" : is_ready ? "sound.on" : "sound.waits")}
      aria-pressed={sound}
      onClick={() => prefer({ sound: !sound })}
    />
  );
}
