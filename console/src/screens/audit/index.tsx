// The trail: who did what to whose data, when and why; whether it is whole; what waits for a review.

import { useEffect, useMemo, useState, type FormEvent } from "react";
import { is_missing, useAuditStatus, useTrail, type TrailSearch } from "../../api/platform";
import { useFormats, useT, type MessageId } from "../../i18n";
import { Button, Chip, Dialog, Field, Time } from "../../ui/basic";
import type { Status } from "../../ui/icons";
import { Rows } from "../../ui/rows";
import { Data, Empty, Panel } from "../../ui/states";
import { useParam } from "../../ui/url";
import { useWhen } from "../../ui/when";
import "../../theme/audit.css";
import { access_of, lanes_of, type Access } from "./event";
import { Chain, Glasses, Holds } from "./parts";

const page = 100;
const most = 500;
const lanes_max = 12;

const look_of_outcome: Record<string, Status> = { "0": "safe", "4": "watch", "8": "urgent", "12": "emergency" };
const outcome_id = (outcome: string): MessageId => (outcome === "0" ? "audit.done" : outcome === "12" ? "audit.failed" : "audit.denied");
const actions = ["C", "R", "U", "D", "E"] as const;

function Facts({ access }: { access: Access }) {
  const t = useT();
  const rows: [MessageId, string][] = [
    ["audit.who", [access.who, access.role].filter(Boolean).join(", ")],
    ["audit.what", [access.what, ...access.resources].join(", ")],
    ["audit.why", [access.purpose, access.rule].filter(Boolean).join(": ")],
    ["audit.query", access.query],
    ["audit.address", access.address],
    ["audit.request", access.request],
    ["audit.entry", access.id],
  ];
  return (
    <dl className="access-facts">
      <div>
        <dt>{t("audit.when")}</dt>
        <dd>
          <Time at={access.at} />
        </dd>
      </div>
      {rows
        .filter(([, text]) => text)
        .map(([name, text]) => (
          <div key={name}>
            <dt>{t(name)}</dt>
            <dd dir="auto">{text}</dd>
          </div>
        ))}
    </dl>
  );
}

// One lane a person, one mark an access. What it says is in the sentence and in the list below.
function Timeline({ accesses }: { accesses: readonly Access[] }) {
  const t = useT();
  const formats = useFormats();
  const lanes = lanes_of(accesses, lanes_max);
  const times = accesses.map((access) => Date.parse(access.at));
  const from = Math.min(...times);
  const to = Math.max(...times);
  const people = new Set(accesses.map((access) => access.who)).size;
  const urgent = accesses.filter((access) => access.under_override).length;
  return (
    <figure className="access-lanes">
      <div aria-hidden="true" dir="ltr">
        {lanes.map((lane) => (
          <div key={lane.who} className="access-lane">
            <bdi>{lane.who}</bdi>
            <span className="number">{lane.accesses.length}</span>
            <div>
              {lane.accesses.map((access) => (
                <span
                  key={access.id}
                  className={`mark ${access.under_override ? "emergency" : (look_of_outcome[access.outcome] ?? "neutral")}`}
                  style={{ insetInlineStart: `${to > from ? ((Date.parse(access.at) - from) / (to - from)) * 100 : 50}%` }}
                  title={`${formats.time(access.at)} ${access.what}`}
                />
              ))}
            </div>
          </div>
        ))}
      </div>
      <figcaption>{t("audit.timeline", { people, n: accesses.length, from: formats.time(from), to: formats.time(to), urgent })}</figcaption>
    </figure>
  );
}

function SearchForm({ search, set }: { search: TrailSearch; set: (search: TrailSearch) => void }) {
  const t = useT();
  const [draft, set_draft] = useState(search);
  useEffect(() => set_draft(search), [search]);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    set({ ...draft, patient: draft.patient.trim().replace(/^Patient\//, ""), who: draft.who.trim() });
  };
  const change = (part: Partial<TrailSearch>) => set_draft({ ...draft, ...part });
  return (
    <form className="trail-search" onSubmit={submit} role="search" aria-label={t("audit.search")}>
      <Field label={t("audit.patient")}>
        {(ids) => <input {...ids} value={draft.patient} maxLength={64} autoComplete="off" onChange={(event) => change({ patient: event.target.value })} />}
      </Field>
      <Field label={t("audit.who")}>
        {(ids) => <input {...ids} value={draft.who} maxLength={120} autoComplete="off" onChange={(event) => change({ who: event.target.value })} />}
      </Field>
      <Field label={t("audit.action")}>
        {(ids) => (
          <select {...ids} value={draft.action} onChange={(event) => set({ ...draft, action: event.target.value })}>
            <option value="">{t("action.all")}</option>
            {actions.map((action) => (
              <option key={action} value={action}>
                {t(`audit_action.${action}` as MessageId)}
              </option>
            ))}
          </select>
        )}
      </Field>
      <Field label={t("audit.outcome")}>
        {(ids) => (
          <select {...ids} value={draft.outcome} onChange={(event) => set({ ...draft, outcome: event.target.value })}>
            <option value="">{t("action.all")}</option>
            <option value="0">{t("audit.done")}</option>
            <option value="4,8">{t("audit.denied")}</option>
            <option value="12">{t("audit.failed")}</option>
          </select>
        )}
      </Field>
      <Field label={t("audit.from")}>
        {(ids) => <input {...ids} type="date" value={draft.from} onChange={(event) => change({ from: event.target.value })} />}
      </Field>
      <Field label={t("audit.to")}>
        {(ids) => <input {...ids} type="date" value={draft.to} onChange={(event) => change({ to: event.target.value })} />}
      </Field>
      <Button type="submit" look="primary" icon="search">
        {t("action.search")}
      </Button>
    </form>
  );
}

export default function Audit() {
  const t = useT();
  const when = useWhen();
  const [patient, set_patient] = useParam("patient");
  const [who, set_who] = useParam("who");
  const [action, set_action] = useParam("action");
  const [outcome, set_outcome] = useParam("outcome");
  const [from, set_from] = useParam("from");
  const [to, set_to] = useParam("to");
  const [chosen, choose] = useParam("entry");
  const [count, set_count] = useState(page);
  const search = useMemo(() => ({ patient, who, action, outcome, from, to }), [patient, who, action, outcome, from, to]);
  const status = useAuditStatus();
  const read = useTrail(search, count);
  const set = (next: TrailSearch) => {
    set_count(page);
    set_patient(next.patient);
    set_who(next.who);
    set_action(next.action);
    set_outcome(next.outcome);
    set_from(next.from);
    set_to(next.to);
  };
  const accesses = useMemo(() => (read.data?.events ?? []).map(access_of), [read.data]);
  const more = read.data?.more === true && count < most;
  const open = accesses.find((access) => access.id === chosen);
  return (
    <div className="audit">
      <header className="screen-head">
        <h1>{t("screen.audit")}</h1>
      </header>
      <Chain />
      {!is_missing(status.error) && (
        <>
          <Panel title={t("audit.trail")} className="wide">
            <SearchForm search={search} set={set} />
            <Data read={read} lines={6} height={56}>
              {() =>
                accesses.length === 0 ? (
                  <Empty title={t("audit.nothing")} status="neutral">
                    {t("audit.nothing_why")}
                  </Empty>
                ) : (
                  <>
                    {patient && <Timeline accesses={accesses} />}
                    <Rows
                      label={t("audit.trail")}
                      className="trail-rows"
                      rows={accesses}
                      id_of={(access) => access.id}
                      head={[t("audit.when"), t("audit.who"), t("audit.what"), t("audit.patient"), t("audit.why"), t("audit.outcome")]}
                      row_height={56}
                      {...(more ? { at_end: () => set_count(Math.min(most, count + page)) } : {})}
                      render={(access) => (
                        <>
                          <span role="cell" className="number cell-when">
                            <Time at={access.at} clock /> <small>{when.day(Date.parse(access.at))}</small>
                          </span>
                          <span role="cell" className="cell-what cell-who">
                            <strong dir="auto">{access.who}</strong>
                            <small>{access.role}</small>
                          </span>
                          <span role="cell" className="cell-what cell-did">
                            <button type="button" className="link" onClick={() => choose(access.id)}>
                              {access.what}
                            </button>
                            <small title={access.resources.join(", ")}>{access.resources.join(", ")}</small>
                          </span>
                          <span role="cell" className="cell-patient">
                            {access.patient && (
                              <button type="button" className="link" title={access.patient} onClick={() => set({ ...search, patient: access.patient })}>
                                <bdi>{access.patient}</bdi>
                              </button>
                            )}
                          </span>
                          <span role="cell" className="cell-what cell-why">
                            <span>{access.purpose}</span>
                            <small title={access.rule}>{access.rule}</small>
                          </span>
                          <span role="cell" className="cell-outcome">
                            {access.outcome === "0" && !access.under_override ? (
                              <small>{t("audit.done")}</small>
                            ) : (
                              <Chip status={access.under_override ? "emergency" : (look_of_outcome[access.outcome] ?? "neutral")}>
                                {t(access.under_override ? "audit.emergency" : outcome_id(access.outcome))}
                              </Chip>
                            )}
                          </span>
                        </>
                      )}
                    />
                    {read.data?.more && !more && <p className="field-hint">{t("audit.more", { n: most })}</p>}
                  </>
                )
              }
            </Data>
          </Panel>
          <Glasses show_patient={(id) => set({ patient: id, who: "", action: "", outcome: "", from: "", to: "" })} />
          <Holds />
        </>
      )}
      <Dialog open={open !== undefined} onClose={() => choose("")} title={t("audit.one")} side>
        {open && <Facts access={open} />}
      </Dialog>
    </div>
  );
}
