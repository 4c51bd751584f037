// Emergencies are held back by nothing but this: one person asks, another confirms, and it ends by itself.

import { useMutation } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { useOverrides, type EmergencyOverride } from "../../api/alerting";
import { ask } from "../../api/client";
import { client } from "../../api/queries";
import { useT } from "../../i18n";
import { useNow } from "../../live/hooks";
import { useActor } from "../../ui/actor";
import { Button, Chip, Dialog, Field, Remaining } from "../../ui/basic";
import { say } from "../../ui/notices";
import { Data, Empty, Panel } from "../../ui/states";
import { useMay } from "../permitted";

const valid_ms = 10 * 60_000; // in which somebody else may confirm it
const minutes_max = 30;
const read_again = () => {
  for (const key of ["alert-overrides", "alerts"]) void client.invalidateQueries({ queryKey: [key] });
};
const end_of = (entry: EmergencyOverride) => entry.until ?? new Date(Date.parse(entry.requested_at) + valid_ms).toISOString();

function Act({ entry, action, onClose }: { entry: EmergencyOverride | undefined; action: "confirm" | "end"; onClose: () => void }) {
  const t = useT();
  const actor = useActor();
  const acting = useMutation<unknown>({
    mutationFn: () =>
      action === "confirm"
        ? ask("POST /api/v1/alert-overrides/{id}/confirm", { params: { id: entry!.id }, body: { by: actor.by } })
        : ask("DELETE /api/v1/alert-overrides/{id}", { params: { id: entry!.id }, query: { by: actor.by } }),
    onSuccess: () => {
      say(action === "confirm" ? "urgent" : "safe", t(action === "confirm" ? "alert.override.confirmed" : "alert.override.ended"));
      onClose();
    },
    onSettled: read_again,
  });
  const { reset } = acting;
  useEffect(() => reset(), [entry, reset]);
  return (
    <Dialog
      open={entry !== undefined}
      onClose={onClose}
      title={t(action === "confirm" ? "alert.override.confirm" : "alert.override.end")}
      actions={
        <Button look={action === "confirm" ? "danger" : "primary"} busy={acting.isPending} onClick={() => actor.given() && acting.mutate()}>
          {t(action === "confirm" ? "alert.override.confirm" : "alert.override.end")}
        </Button>
      }
    >
      {entry && (
        <>
          <p>
            <code dir="ltr">{entry.cause}</code>
          </p>
          <p dir="auto">{entry.reason}</p>
          {action === "confirm" && <p className="field-error">{t("alert.override.confirm_why", { n: entry.minutes, name: entry.requested_by })}</p>}
        </>
      )}
      {actor.field}
      {acting.error && (
        <p className="field-error" role="alert">
          {t("silence.not_done", { why: acting.error.message })}
        </p>
      )}
    </Dialog>
  );
}

function Ask({ open, onClose }: { open: boolean; onClose: () => void }) {
  const t = useT();
  const actor = useActor();
  const [cause, set_cause] = useState("");
  const [reason, set_reason] = useState("");
  const [minutes, set_minutes] = useState(10);
  const asking = useMutation({
    mutationFn: () => ask("POST /api/v1/alert-overrides", { body: { cause: cause.trim(), reason: reason.trim(), minutes, by: actor.by } }),
    onSuccess: () => {
      say("watch", t("alert.override.asked"));
      onClose();
    },
    onSettled: read_again,
  });
  const { reset } = asking;
  useEffect(() => {
    if (!open) return;
    reset();
    set_cause("");
    set_reason("");
    set_minutes(10);
  }, [open, reset]);
  return (
    <Dialog
      open={open}
      onClose={onClose}
      title={t("alert.override.ask")}
      actions={
        <Button look="danger" busy={asking.isPending} disabled={!cause.trim() || !reason.trim()} onClick={() => actor.given() && asking.mutate()}>
          {t("alert.override.ask")}
        </Button>
      }
    >
      <p>{t("alert.override.why")}</p>
      <Field label={t("alert.override.cause")} hint={t("alert.override.cause_hint")}>
        {(ids) => <input {...ids} dir="ltr" data-first value={cause} maxLength={500} onChange={(event) => set_cause(event.target.value)} />}
      </Field>
      <Field label={t("alert.override.reason")}>{(ids) => <input {...ids} value={reason} maxLength={500} onChange={(event) => set_reason(event.target.value)} />}</Field>
      <Field label={t("alert.override.minutes")}>
        {(ids) => <input {...ids} type="number" min={1} max={minutes_max} value={minutes} onChange={(event) => set_minutes(Math.min(minutes_max, Math.max(1, Number(event.target.value) || 1)))} />}
      </Field>
      {actor.field}
      {asking.error && (
        <p className="field-error" role="alert">
          {t("silence.not_done", { why: asking.error.message })}
        </p>
      )}
    </Dialog>
  );
}

export function Overrides() {
  const t = useT();
  const may = useMay();
  const read = useOverrides();
  const now = useNow(5_000);
  const [asking, set_asking] = useState(false);
  const [chosen, set_chosen] = useState<{ entry: EmergencyOverride; action: "confirm" | "end" }>();
  const [shown_action, set_shown_action] = useState<"confirm" | "end">("confirm");
  const choose = (entry: EmergencyOverride, action: "confirm" | "end") => {
    set_shown_action(action);
    set_chosen({ entry, action });
  };
  return (
    <Panel title={t("alert.override.title")} aside={may("alert-override-request") ? <Button onClick={() => set_asking(true)}>{t("alert.override.ask")}</Button> : undefined}>
      <p className="field-hint">{t("alert.override.why")}</p>
      <Data read={read} lines={1} height={52}>
        {({ overrides }) => {
          const live = overrides.filter((entry) => Date.parse(end_of(entry)) > now);
          if (live.length === 0) return <Empty title={t("alert.override.none")} />;
          return (
            <ul className="lines">
              {live.map((entry) => (
                <li key={entry.id} className="line">
                  <Chip status={entry.until ? "emergency" : "watch"}>{t(entry.until ? "alert.override.in_force" : "alert.override.waits")}</Chip>
                  <span className="line-text wraps">
                    <strong dir="auto">{entry.reason}</strong>
                    <small>
                      <bdi>{entry.cause}</bdi>, {t("silence.by", { name: entry.requested_by })}
                      {entry.confirmed_by && <>, {t("silence.approved_by", { name: entry.confirmed_by })}</>}, <Remaining until={end_of(entry)} />
                    </small>
                  </span>
                  <span className="row">
                    {!entry.until && may("alert-override-confirm") && (
                      <Button look="danger" onClick={() => choose(entry, "confirm")}>
                        {t("alert.override.confirm")}
                      </Button>
                    )}
                    {may("alert-override-end") && <Button onClick={() => choose(entry, "end")}>{t("alert.override.end")}</Button>}
                  </span>
                </li>
              ))}
            </ul>
          );
        }}
      </Data>
      <Ask open={asking} onClose={() => set_asking(false)} />
      <Act entry={chosen?.entry} action={shown_action} onClose={() => set_chosen(undefined)} />
    </Panel>
  );
}
