// Incidents: the most severe first, with what is left of their times, who commands, and whom they touch.

import { memo, useMemo, useState } from "react";
import { Link, useLocation } from "wouter";
import { reach_of, severities, useSetup, type Service } from "../../api/incidents";
import { useIncidents } from "../../api/queries";
import type { IncidentSummary } from "../../api/types";
import { look_of_incident } from "../../clinical/parts";
import { useScreenKeys } from "../../frame/keys";
import { useFormats, useT } from "../../i18n";
import { Age, Button, Chip, Select } from "../../ui/basic";
import { Icon } from "../../ui/icons";
import { useIsPhone } from "../../ui/media";
import { Rows } from "../../ui/rows";
import { Data, Empty } from "../../ui/states";
import { useParam } from "../../ui/url";
import { useMay } from "../permitted";
import "../../theme/incidents.css";
import { times_of_row } from "./clock";
import { ClockCell } from "./clocks";
import { Declare } from "./declare";

const rows_max = 500;

function Affected({ name, services }: { name: string | undefined; services: readonly Service[] }) {
  const t = useT();
  if (!name) return <>-</>;
  const title = (of: string) => services.find((each) => each.name === of)?.title ?? of;
  const [first, ...others] = reach_of(services, name);
  return (
    <span title={[first!, ...others].map(title).join(", ")}>
      <bdi>{title(first!)}</bdi>
      {others.length > 0 && <small> {t("incident.more_services", { n: others.length })}</small>}
    </span>
  );
}

const Cells = memo(function Cells({ incident, services, labelled }: { incident: IncidentSummary; services: readonly Service[]; labelled: boolean }) {
  const t = useT();
  const formats = useFormats();
  const label = (text: string) => labelled && <small className="cell-label">{text}</small>;
  return (
    <>
      <span role="cell" className="cell-severity">
        <Chip status={look_of_incident[incident.severity]} solid={incident.severity === "emergency" && incident.state === "open"}>
          {t(`incident.${incident.severity}`)}
        </Chip>
      </span>
      <span role="cell" className="cell-what">
        <Link href={`/incidents/${encodeURIComponent(incident.id)}`} dir="auto">
          {incident.title}
        </Link>
        <small>
          {t(`incident_state.${incident.state}`)}, <Age at={incident.resolved_at ?? incident.opened_at} />
          {incident.merged_into && <>, {t("incident.is_duplicate")}</>}
          {incident.review_due && (
            <span className={incident.review_overdue ? "incident-overdue" : ""}>, {t(incident.review_overdue ? "incident.review_overdue" : "incident.review_open")}</span>
          )}
        </small>
      </span>
      <span role="cell" className="cell-clock">
        {label(t("incident.response"))}
        <ClockCell times={times_of_row(incident, "response")} />
      </span>
      <span role="cell" className="cell-clock">
        {label(t("incident.resolution"))}
        <ClockCell times={times_of_row(incident, "resolution")} />
      </span>
      <span role="cell" className="cell-owner">
        {label(t("incident.role.commander"))}
        {incident.commander ? <bdi>{incident.commander}</bdi> : t("incident.nobody")}
      </span>
      <span role="cell" className="cell-place">
        {label(t("incident.affected"))}
        <Affected name={incident.service} services={services} />
      </span>
      <span role="cell" className="cell-patients number" title={t("incident.patients_of_alerts_why")}>
        {label(t("incident.patients"))}
        {incident.patient_count === undefined ? "-" : formats.number(incident.patient_count)}
      </span>
    </>
  );
});

const holds = (text: string | undefined, words: readonly string[]) => words.every((word) => text?.toLowerCase().includes(word));

export default function Incidents() {
  const t = useT();
  const phone = useIsPhone();
  const may = useMay();
  const [, go] = useLocation();
  const [state, set_state] = useParam("state");
  const [severity, set_severity] = useParam("severity");
  const [find, set_find] = useParam("q");
  const [declaring, set_declaring] = useState(false);
  const [selected, set_selected] = useState("");
  const is_over = state === "over";
  const read = useIncidents(is_over ? "over" : "open", rows_max);
  const setup = useSetup();
  const services = useMemo(() => setup.data?.setup.services ?? [], [setup.data]);
  const all = read.data?.incidents;
  const found = useMemo(() => {
    const words = find.toLowerCase().split(/\s+/).filter(Boolean);
    return (all ?? []).filter((each) => holds(`${each.title} ${each.service ?? ""} ${each.commander ?? ""} ${each.acknowledged_by ?? ""} ${each.id}`, words));
  }, [all, find]);
  const rows = severity ? found.filter((each) => each.severity === severity) : found;
  const move = (by: number) => {
    const at = rows.findIndex((each) => each.id === selected);
    const next = rows[Math.min(rows.length - 1, Math.max(0, at + by))];
    if (next) set_selected(next.id);
  };
  useScreenKeys({
    j: () => move(1),
    k: () => move(-1),
    Enter: () => selected && go(`/incidents/${encodeURIComponent(selected)}`),
  });
  const head = [
    t("alerts.severity"),
    t("alerts.what"),
    t("incident.response"),
    t("incident.resolution"),
    t("incident.role.commander"),
    t("incident.affected"),
    t("incident.patients"),
  ];
  return (
    <div className="incidents">
      <header className="screen-head">
        <h1>{t("screen.incidents")}</h1>
        <div className="row">
          <input
            type="search"
            className="incident-find"
            aria-label={t("incident.find")}
            placeholder={t("incident.find")}
            value={find}
            maxLength={100}
            autoComplete="off"
            onChange={(event) => set_find(event.target.value)}
          />
          <Select label={t("alerts.state")} value={is_over ? "over" : "open"} onChange={(event) => set_state(event.target.value === "over" ? "over" : "")}>
            <option value="open">{t("alerts.open")}</option>
            <option value="over">{t("incidents.over")}</option>
          </Select>
          {may("incident-open") && (
            <Button look="primary" icon="flag" onClick={() => set_declaring(true)}>
              {t("incident.declare")}
            </Button>
          )}
        </div>
      </header>
      <Data read={read} lines={6} height={64}>
        {(data) => (
          <>
            <div className="counters" role="group" aria-label={t("incident.by_severity")}>
              {severities.map((each) => {
                const n = found.filter((incident) => incident.severity === each).length;
                return (
                  <button
                    type="button"
                    key={each}
                    className={`counter ${n > 0 ? look_of_incident[each] : ""}`}
                    aria-pressed={severity === each}
                    onClick={() => set_severity(severity === each ? "" : each)}
                  >
                    <Icon name={look_of_incident[each]} />
                    <span className="number">{n}</span>
                    <span>{t(`incident.${each}`)}</span>
                  </button>
                );
              })}
            </div>
            {rows.length === 0 ? (
              data.incidents.length > 0 ? (
                <Empty title={t("incident.none_fit")} status="neutral">
                  {t("incident.none_fit_why")}
                </Empty>
              ) : (
                <Empty title={t(is_over ? "incident.none_over" : "incidents.none")} status={is_over ? "neutral" : "safe"}>
                  {is_over ? undefined : t("incidents.none_why")}
                </Empty>
              )
            ) : (
              <Rows
                label={t("screen.incidents")}
                className="incident-rows"
                rows={rows}
                id_of={(incident) => incident.id}
                {...(phone ? {} : { head })}
                row_height={phone ? 204 : 68}
                row_class={(incident) => `${look_of_incident[incident.severity]}${incident.state === "open" ? " waiting" : ""}`}
                selected={selected}
                render={(incident) => <Cells incident={incident} services={services} labelled={phone} />}
              />
            )}
            {data.next && <p className="field-hint">{t("incident.first_only", { n: rows_max })}</p>}
          </>
        )}
      </Data>
      <Declare open={declaring} onClose={() => set_declaring(false)} />
    </div>
  );
}
