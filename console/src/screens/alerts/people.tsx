// Every alert: who is called, who answered, what became of it.

import { useMutation } from "@tanstack/react-query";
import { memo, useMemo, useState } from "react";
import { Link } from "wouter";
import { ask } from "../../api/client";
import { client, useAlert, useOpenAlerts, useResolvedAlerts } from "../../api/queries";
import { acting_name } from "../../api/session";
import type { Alert, AlertDetail } from "../../api/types";
import { AcknowledgeDialog } from "../../clinical/acknowledge";
import { by_need, look_of_severity, SeverityChip } from "../../clinical/parts";
import { useScreenKeys } from "../../frame/keys";
import { useT, type MessageId } from "../../i18n";
import { Age, Button, Dialog, Remaining, Select, Time } from "../../ui/basic";
import { Icon } from "../../ui/icons";
import { useIsPhone } from "../../ui/media";
import { say } from "../../ui/notices";
import { Rows } from "../../ui/rows";
import { Data, Empty } from "../../ui/states";
import { useParam } from "../../ui/url";

const page = 100;
const resolved_max = 500;

const Cells = memo(function Cells({ alert, onOpen, onAck }: { alert: Alert; onOpen: (id: string) => void; onAck: (alert: Alert) => void }) {
  const t = useT();
  return (
    <>
      <span role="cell" className="cell-severity">
        <SeverityChip severity={alert.severity} acknowledged={alert.state === "acknowledged"} />
      </span>
      <span role="cell" className="cell-what">
        <button type="button" className="link" dir="auto" onClick={() => onOpen(alert.id)}>
          {alert.title}
        </button>
        <small dir="auto">{alert.reason ?? (alert.source === "incidents" ? t("alert.of_incident") : alert.cause)}</small>
      </span>
      <span role="cell" className="cell-age number">
        <Age at={alert.raised_at} />
      </span>
      <span role="cell" className="cell-next">
        {alert.state === "acknowledged" ? (
          <bdi>{alert.acknowledged_by}</bdi>
        ) : alert.state === "resolved" ? (
          <bdi>{alert.resolved_why}</bdi>
        ) : alert.next_due ? (
          <>
            {t("alert.next_call")} <Remaining until={alert.next_due} />
          </>
        ) : (
          t("alert.no_next")
        )}
      </span>
      <span role="cell" className="cell-act">
        {alert.state === "open" && (
          <Button look={alert.severity === "emergency" ? "danger" : "plain"} onClick={() => onAck(alert)}>
            {t("action.ack")}
          </Button>
        )}
      </span>
    </>
  );
});

// Each new value, and what is in the list of calls.
const told_elsewhere = new Set(["alert.updated", "alert.delivered", "alert.delivery_failed"]);

function Detail({ data }: { data: AlertDetail }) {
  const t = useT();
  const { alert } = data;
  return (
    <div className="detail">
      <p className="row">
        <SeverityChip severity={alert.severity} acknowledged={alert.state === "acknowledged"} />
        <Time at={alert.raised_at} />
      </p>
      {alert.reason && <p>{alert.reason}</p>}
      {alert.patient?.startsWith("Patient/") && (
        <p>
          <Link href={`/patients/${encodeURIComponent(alert.patient.slice(8))}`}>{t("action.open_patient")}</Link>
        </p>
      )}
      {alert.cause.startsWith("incident/") && (
        <p>
          <Link href={`/incidents/${encodeURIComponent(alert.cause.slice(9))}`}>{t("incident.open")}</Link>
        </p>
      )}
      <h3>{t("alert.calls")}</h3>
      {data.deliveries.length === 0 ? (
        <p className="field-hint">{t("alert.no_calls")}</p>
      ) : (
        <ul className="timeline">
          {data.deliveries.map((delivery) => (
            <li key={delivery.id}>
              <Icon name={delivery.state === "delivered" ? "safe" : delivery.state === "failed" ? "urgent" : "neutral"} />
              <span>
                <strong>
                  <bdi>{delivery.contact}</bdi>
                </strong>{" "}
                {delivery.medium}, {t(`delivery.${delivery.state}` as MessageId)}
              </span>
              {(delivery.sent_at ?? delivery.called_at) && <Time at={(delivery.sent_at ?? delivery.called_at)!} clock />}
            </li>
          ))}
        </ul>
      )}
      <h3>{t("alert.history")}</h3>
      <ul className="timeline">
        {data.history.filter((entry) => !told_elsewhere.has(entry.kind)).map((entry) => (
          <li key={entry.sequence}>
            <Icon name={entry.kind === "alert.escalated" ? "watch" : "neutral"} />
            <span>
              {t(`event.${entry.kind.slice(6)}` as MessageId)}
              {typeof entry.payload["by"] === "string" && entry.payload["by"] !== "" && (
                <>
                  {" "}
                  <bdi>{entry.payload["by"]}</bdi>
                </>
              )}
              {typeof entry.payload["note"] === "string" && entry.payload["note"] !== "" && <small>{entry.payload["note"]}</small>}
            </span>
            <Time at={entry.at} clock />
          </li>
        ))}
      </ul>
    </div>
  );
}

function DetailDialog({ id, onClose, onAck }: { id: string; onClose: () => void; onAck: (alert: Alert) => void }) {
  const t = useT();
  const read = useAlert(id);
  const alert = read.data?.alert;
  const escalating = useMutation({
    mutationFn: () => ask("POST /api/v1/alerts/{id}/escalate", { params: { id }, body: { by: acting_name() || t("ack.somebody") } }),
    onSuccess: () => say("watch", t("alert.escalated")),
    onError: (error) => say("urgent", t("alert.not_escalated", { why: error.message })),
    onSettled: () => void client.invalidateQueries({ queryKey: ["alert"] }),
  });
  const actions = alert?.state === "open" && (
    <>
      <Button look="primary" onClick={() => onAck(alert)}>
        {t("action.ack")}
      </Button>
      <Button busy={escalating.isPending} onClick={() => escalating.mutate()}>
        {t("action.escalate")}
      </Button>
    </>
  );
  return (
    <Dialog side open={id !== ""} onClose={onClose} title={alert?.title ?? t("screen.alerts")} actions={actions || undefined}>
      <Data read={read} lines={5}>
        {(data) => <Detail data={data} />}
      </Data>
    </Dialog>
  );
}

export function People() {
  const t = useT();
  const phone = useIsPhone();
  const [state, set_state] = useParam("state");
  const [severity, set_severity] = useParam("severity");
  const [chosen, set_chosen] = useParam("alert");
  const [count, set_count] = useState(page);
  const [acting, set_acting] = useState<Alert>();
  const [selected, set_selected] = useState("");
  const is_over = state === "resolved";
  const open = useOpenAlerts();
  const resolved = useResolvedAlerts(count, is_over);
  const read = is_over ? resolved : open;
  const all = read.data?.alerts;
  const rows = useMemo(() => {
    const shown = (all ?? []).filter((alert) => severity === "" || alert.severity === severity);
    return is_over ? shown : shown.sort(by_need);
  }, [all, severity, is_over]);
  const more = resolved.data?.next !== undefined && count < resolved_max;
  const move = (by: number) => {
    const at = rows.findIndex((alert) => alert.id === selected);
    const next = rows[Math.min(rows.length - 1, Math.max(0, at + by))];
    if (next) set_selected(next.id);
  };
  useScreenKeys({
    j: () => move(1),
    k: () => move(-1),
    Enter: () => selected && set_chosen(selected),
    a: () => {
      const alert = rows.find((each) => each.id === selected && each.state === "open") ?? rows.find((each) => each.state === "open");
      if (alert) set_acting(alert);
    },
  });
  return (
    <div className="alert-people">
      <header className="screen-head">
        <p className="field-hint">{t("alert.people_why")}</p>
        <div className="row">
          <Select label={t("alerts.state")} value={is_over ? "resolved" : "open"} onChange={(event) => set_state(event.target.value === "resolved" ? "resolved" : "")}>
            <option value="open">{t("alerts.open")}</option>
            <option value="resolved">{t("alerts.resolved")}</option>
          </Select>
          <Select label={t("alerts.severity")} value={severity} onChange={(event) => set_severity(event.target.value)}>
            <option value="">{t("alerts.any_severity")}</option>
            {(["emergency", "urgent", "advisory"] as const).map((each) => (
              <option key={each} value={each}>
                {t(`severity.${each}`)}
              </option>
            ))}
          </Select>
        </div>
      </header>
      <Data read={read} lines={8} height={60}>
        {() =>
          rows.length === 0 ? (
            <Empty title={t(is_over ? "alerts.none_resolved" : "waiting.none")}>{is_over ? undefined : t("waiting.none_why")}</Empty>
          ) : (
            <Rows
              label={t("screen.alerts")}
              className="alert-rows"
              rows={rows}
              id_of={(alert) => alert.id}
              {...(phone ? {} : { head: [t("alerts.severity"), t("alerts.what"), t("alerts.raised"), t("alerts.next"), t("board.action")] })}
              row_height={phone ? 132 : 64}
              row_class={(alert) => `${look_of_severity[alert.severity]}${alert.state === "open" ? " waiting" : ""}`}
              selected={selected}
              render={(alert) => <Cells alert={alert} onOpen={set_chosen} onAck={set_acting} />}
              {...(is_over && more ? { at_end: () => set_count((now) => Math.min(resolved_max, now + page)) } : {})}
            />
          )
        }
      </Data>
      <DetailDialog
        id={chosen}
        onClose={() => set_chosen("")}
        onAck={(alert) => {
          set_chosen("");
          set_acting(alert);
        }}
      />
      <AcknowledgeDialog alert={acting} subject={acting?.title ?? ""} onClose={() => set_acting(undefined)} />
    </div>
  );
}
