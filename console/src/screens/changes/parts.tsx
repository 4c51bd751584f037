// What several screens of changes show: who is at it, the risk of a change, an emergency that holds all others.

import { Link } from "wouter";
import type { Authority, Change as ChangeData, Factor } from "../../api/changes";
import { useIncidents } from "../../api/queries";
import { acting_name, useSession } from "../../api/session";
import { look_of_risk } from "../../clinical/lines";
import { useFormats, useT, type MessageId } from "../../i18n";
import { Chip } from "../../ui/basic";
import { Icon } from "../../ui/icons";
import { login_of } from "./people";

// In whose name approvals are given: who is logged in; with access control off the name kept on this device.
export function useLogin(): string {
  const session = useSession();
  return session.state === "in" || session.state === "expired" ? login_of(session.me.id) : acting_name();
}

// "executive or emergency", as the server names a place, in the reader's language.
export function useSlotWords(): (slot: string) => string {
  const t = useT();
  return (slot) =>
    slot === "any member"
      ? t("change.any_member")
      : slot
          .split(" or ")
          .map((each) => t(`change.authority.${each as Authority}`))
          .join(` ${t("change.or")} `);
}

// Only emergency changes start, and what runs begins no further step.
export function OpenEmergency() {
  const t = useT();
  const { data } = useIncidents();
  const open = (data?.incidents ?? []).filter((incident) => incident.severity === "emergency");
  if (open.length === 0) return null;
  return (
    <div className="banner urgent">
      <Icon name="urgent" />
      <span className="line-text">
        <strong>{t("change.emergency_open", { n: open.length })}</strong>
        <small dir="auto">{open.map((incident) => incident.title).join(", ")}</small>
      </span>
      <Link className="button" href="/incidents">
        {t("screen.incidents")}
      </Link>
    </div>
  );
}

function Factors({ factors }: { factors: readonly Factor[] }) {
  const t = useT();
  const formats = useFormats();
  const sorted = [...factors].sort((a, b) => b.weight * b.value - a.weight * a.value);
  return (
    <div className="scroll" tabIndex={0} role="region" aria-label={t("change.risk_title")}>
      <table className="factors">
        <thead>
          <tr>
            <th scope="col">{t("change.factor")}</th>
            <th scope="col">{t("change.made_from")}</th>
            <th scope="col">{t("change.counts")}</th>
          </tr>
        </thead>
        <tbody>
          {sorted.map((factor) => (
            <tr key={factor.name} className={factor.value > 0 ? "" : "quiet"}>
              <th scope="row">{t(`change.factor.${factor.name.replace(/ /g, "_")}` as MessageId)}</th>
              <td lang="en" dir="auto">
                {factor.text}
              </td>
              <td className="number">
                <span className="factor-bar" aria-hidden="true">
                  <span style={{ inlineSize: `${Math.round(factor.weight * factor.value * 100)}%` }} />
                </span>
                {t("change.counts_of", { n: formats.number(factor.weight * factor.value * 100, 0), most: formats.number(factor.weight * 100) })}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

export function RiskView({ change }: { change: ChangeData }) {
  const t = useT();
  const formats = useFormats();
  const { risk } = change;
  const look = look_of_risk[risk.level] ?? "neutral";
  return (
    <div className="risk">
      <p className="risk-head">
        <span className="risk-score number">{formats.number(risk.score)}</span>
        <Chip status={look}>{t("change.risk", { risk: t(`risk.${risk.level}`) })}</Chip>
        {risk.reason && <small dir="auto">{risk.reason}</small>}
      </p>
      <p className="field-hint">{t("change.score_why")}</p>
      <Factors factors={risk.factors} />
    </div>
  );
}
