// The clocks of an incident: in a row of the list, and as a lane. Each standing has its own shape and word.

import { useSyncExternalStore } from "react";
import type { Incident } from "../../api/incidents";
import { useFormats, useT } from "../../i18n";
import { feed } from "../../live/feed";
import { on_tick } from "../../live/hooks";
import { Time } from "../../ui/basic";
import { Icon, type IconName } from "../../ui/icons";
import { Panel } from "../../ui/states";
import { clock_kinds, duration_text, face_of, look_of_standing, times_of, warnings, type ClockKind, type Face, type Times } from "./clock";

const second = () => Math.floor(feed.now() / 1_000);
const useNow = () => useSyncExternalStore(on_tick, second) * 1_000;

function useSaid(): (face: Face) => string {
  const t = useT();
  return ({ standing, left_ms, taken_ms, time_ms }) => {
    if (standing === "kept" || standing === "missed") return t("incident.took", { time: duration_text(taken_ms, t), limit: duration_text(time_ms, t) });
    return t(left_ms < 0 ? "clock.over" : "clock.left", { time: duration_text(left_ms, t) });
  };
}

export function ClockCell({ times }: { times: Times | undefined }) {
  const t = useT();
  const said = useSaid();
  const now = useNow();
  if (!times) return <>-</>;
  const face = face_of(times, now);
  const look = look_of_standing[face.standing];
  return (
    <span className={`incident-clock ${look}`}>
      <Icon name={look} />
      <span>
        <strong>{t(`incident.clock.${face.standing}`)}</strong>
        <small className="number">{said(face)}</small>
      </span>
    </span>
  );
}

function Lane({ kind, times }: { kind: ClockKind; times: Times }) {
  const t = useT();
  const formats = useFormats();
  const said = useSaid();
  const face = face_of(times, useNow());
  const look = look_of_standing[face.standing];
  // Room beyond the limit, so that being late is seen; what is very late fills it.
  const whole = Math.min(1.4, Math.max(1.12, face.used * 1.05));
  const place = (share: number) => `${Math.min(1, Math.max(0, share) / whole) * 100}%`;
  return (
    <div className={`incident-lane ${look}`}>
      <p className="incident-lane-name">
        <Icon name={look} />
        <span>
          <strong>{t(`incident.${kind}`)}</strong>
          <small>
            {t(`incident.clock.${face.standing}`)}, <span className="number">{said(face)}</span>
          </small>
        </span>
      </p>
      <div className="incident-track" dir="ltr" aria-hidden="true">
        <span className="incident-track-used" style={{ inlineSize: place(face.used) }} />
        {warnings.map((share) => (
          <span key={share} className={share === 1 ? "incident-mark limit" : "incident-mark"} style={{ insetInlineStart: place(share) }}>
            <small>{share === 1 ? duration_text(face.time_ms, t) : formats.percent(share)}</small>
          </span>
        ))}
      </div>
    </div>
  );
}

interface Step {
  name: "opened" | "acknowledged" | "mitigated" | "resolved" | "closed";
  at?: string | undefined;
  by?: string | undefined;
  icon: IconName;
}
const steps_of = (incident: Incident): Step[] => [
  { name: "opened", at: incident.opened_at, by: incident.opened_by, icon: "flag" },
  { name: "acknowledged", at: incident.acknowledged_at, by: incident.acknowledged_by, icon: "check" },
  { name: "mitigated", at: incident.mitigated_at, by: incident.mitigated_by, icon: "check" },
  { name: "resolved", at: incident.resolved_at, by: incident.resolved_by, icon: "check" },
  { name: "closed", at: incident.closed_at, by: incident.closed_by, icon: "check" },
];

// When it came from one state to the next, and how long after it began.
export function Course({ incident }: { incident: Incident }) {
  const t = useT();
  const begin = Date.parse(incident.opened_at);
  return (
    <ol className="incident-course">
      {steps_of(incident).map(({ name, at, by, icon }) => (
        <li key={name} className={at ? "done" : "to-come"}>
          <Icon name={at ? icon : "same"} />
          <span>
            <strong>{t(`incident.kind.${name}`)}</strong>
            {at ? (
              <small>
                <Time at={at} clock />
                {name !== "opened" && (
                  <>
                    {" "}
                    <bdi className="number">+{duration_text(Date.parse(at) - begin, t)}</bdi>
                  </>
                )}{" "}
                <bdi>{by}</bdi>
              </small>
            ) : (
              <small>{t("incident.not_yet")}</small>
            )}
          </span>
        </li>
      ))}
    </ol>
  );
}

export function Clocks({ incident }: { incident: Incident }) {
  const t = useT();
  return (
    <Panel title={t("incident.clocks")} className="wide">
      <div className="incident-lanes">
        {clock_kinds.map((kind) => (
          <Lane key={kind} kind={kind} times={times_of(incident, kind)} />
        ))}
        {incident.paused_at && (
          <p className="field-hint" dir="auto">
            {t("incident.paused_why", { why: incident.paused_reason ?? "" })}
          </p>
        )}
      </div>
      <Course incident={incident} />
    </Panel>
  );
}
