// Incidents and changes as one line each.

import type { ChangeSummary, IncidentSummary } from "../api/types";
import { useT, type MessageId } from "../i18n";
import { Age, Chip, Remaining } from "../ui/basic";
import type { Status } from "../ui/icons";
import { look_of_incident } from "./parts";

export function IncidentLine({ incident }: { incident: IncidentSummary }) {
  const t = useT();
  const running = incident.state === "open" ? incident.response_due : incident.resolution_due;
  const over = incident.state === "resolved" || incident.state === "closed";
  return (
    <>
      <Chip status={look_of_incident[incident.severity]} solid={incident.severity === "emergency" && incident.state === "open"}>
        {t(`incident.${incident.severity}`)}
      </Chip>
      <span className="line-text">
        <strong dir="auto">{incident.title}</strong>
        <small>
          {[t(`incident_state.${incident.state}`), incident.service].filter(Boolean).join(", ")}
        </small>
      </span>
      <span className={`line-time number${incident.breached && !over ? " late" : ""}`}>
        {over ? <Age at={incident.opened_at} /> : <Remaining until={running} />}
      </span>
    </>
  );
}

const look_of_state: Record<string, Status> = {
  proposed: "info",
  approved: "info",
  running: "watch",
  paused: "urgent",
  rolling_back: "urgent",
  successful: "safe",
  failed: "urgent",
  validation_failed: "urgent",
  aborted: "neutral",
  rolled_back: "neutral",
  rollback_failed: "emergency",
  rejected: "neutral",
  withdrawn: "neutral",
};
export const look_of_change = (state: string): Status => look_of_state[state] ?? "neutral";
export const look_of_risk: Record<string, Status> = { low: "safe", medium: "watch", high: "urgent", critical: "emergency" };

// `more`: said beside its state.
export function ChangeLine({ change, more }: { change: ChangeSummary; more?: string | undefined }) {
  const t = useT();
  const look = look_of_risk[change.risk] ?? "neutral";
  return (
    <>
      <Chip status={look}>{t("change.risk", { risk: t(`risk.${change.risk}` as MessageId) })}</Chip>
      <span className="line-text">
        <strong dir="auto">{change.title}</strong>
        <small>{[t(`change_state.${change.state}` as MessageId), more, change.service, change.requested_by].filter(Boolean).join(", ")}</small>
      </span>
      <span className="line-time number">
        <Age at={change.finished ?? change.started ?? change.proposed} />
      </span>
    </>
  );
}
