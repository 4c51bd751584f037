// How early warning scores, severities and people are written, the same on every screen.

import { memo, useCallback, type PointerEvent } from "react";
import type { Alert, Band, IncidentSummary, Severity, Sign, SignName } from "../api/types";
import { initials } from "../api/fhir";
import { useFormats, useT } from "../i18n";
import { usePreferences } from "../preferences";
import { Chip } from "../ui/basic";
import { Icon, type Status } from "../ui/icons";
import { acvpu, sign_units } from "./news2";

export const look_of_band: Record<Band, Status> = { low: "safe", "low-medium": "watch", medium: "urgent", high: "emergency" };
export const look_of_severity: Record<Severity, Status> = { emergency: "emergency", urgent: "urgent", advisory: "info" };
export const look_of_incident: Record<IncidentSummary["severity"], Status> = {
  emergency: "emergency",
  critical: "urgent",
  high: "watch",
  medium: "info",
  low: "neutral",
};

// Who waits before who is seen to; the gravest first, and the patient before the incident that the same emergency is for the
// platform.
const urgency: Record<Severity, number> = { emergency: 0, urgent: 1, advisory: 2 };
const is_seen_to = (alert: Alert) => Number(alert.state !== "open");
const is_of_platform = (alert: Alert) => Number(alert.patient === undefined);
export const by_need = (a: Alert, b: Alert): number =>
  is_seen_to(a) - is_seen_to(b) ||
  urgency[a.severity] - urgency[b.severity] ||
  is_of_platform(a) - is_of_platform(b) ||
  a.raised_at.localeCompare(b.raised_at);

export type Trend = "up" | "down" | "same";

export const Score = memo(function Score({ points, complete, band, trend }: { points: number; complete: boolean; band: Band; trend?: Trend | undefined }) {
  const t = useT();
  const look = look_of_band[band];
  return (
    <span className={`score ${look}`} title={`NEWS2 ${complete ? points : t("news2.at_least", { n: points })}, ${t(`band.${band}`)}`}>
      <Icon name={look} />
      <span className="score-points live-value">
        {complete ? points : `≥${points}`}
      </span>
      <span className="score-band">{t(`band.${band}`)}</span>
      {trend && trend !== "same" && <Icon name={trend} className={`trend ${trend}`} />}
      {trend && trend !== "same" && <span className="visually-hidden">{t(`trend.${trend}`)}</span>}
    </span>
  );
});

export function SeverityChip({ severity, acknowledged }: { severity: Severity; acknowledged?: boolean }) {
  const t = useT();
  return (
    <Chip status={acknowledged ? "info" : look_of_severity[severity]} solid={!acknowledged && severity === "emergency"}>
      {t(acknowledged ? "alert.acknowledged" : `severity.${severity}`)}
    </Chip>
  );
}

export function PersonName({ name, id }: { name: string; id: string }) {
  const { initials: short } = usePreferences();
  return <bdi>{short ? initials(name) || id : name || id}</bdi>;
}

export function useSignText() {
  const t = useT();
  const formats = useFormats();
  return useCallback(
    (name: SignName, value: number): string => {
      if (name === "consciousness") return acvpu[value] ?? String(value);
      if (name === "oxygen") return t(value > 0 ? "sign.on_oxygen" : "sign.on_air");
      return formats.number(value, name === "temperature" ? 1 : 0);
    },
    [t, formats],
  );
}

// A value and the points that it gives: by its ground, and in words for who does not see it.
export const SignValue = memo(function SignValue({ name, sign, unit }: { name: SignName; sign: Sign | undefined; unit?: boolean }) {
  const t = useT();
  const text = useSignText();
  const formats = useFormats();
  if (!sign) return <span className="sign none">-</span>;
  const points = sign.points ?? 0;
  const told = () => t("sign.points", { n: points, time: formats.clock(sign.at) });
  // Hundreds of these change several times a second: what is read on pointing only is written then.
  const point = (event: PointerEvent<HTMLElement>) => (event.currentTarget.title = `${t(`sign.${name}`)}: ${told()}`);
  return (
    <span className={`sign p${points} live-value`} onPointerEnter={point} dir={unit ? "ltr" : undefined}>
      {text(name, sign.value)}
      {unit && sign_units[name] && <small> {sign_units[name]}</small>}
      {points > 0 && <span className="visually-hidden">, {told()}</span>}
    </span>
  );
});

export function age_in_years(birth_date: string | undefined, now: number): number | undefined {
  // A date that is known in part only gives no age: nothing is made up.
  if (!birth_date || !/^\d{4}-\d{2}-\d{2}$/.test(birth_date)) return undefined;
  const born = new Date(`${birth_date}T00:00:00Z`);
  const today = new Date(now);
  const had_birthday =
    today.getUTCMonth() > born.getUTCMonth() || (today.getUTCMonth() === born.getUTCMonth() && today.getUTCDate() >= born.getUTCDate());
  return today.getUTCFullYear() - born.getUTCFullYear() - (had_birthday ? 0 : 1);
}
