// What belongs to an incident: who does what, what is to be done, whom it touches, what it is linked with, who is called, what the
// public is told.

import { useMutation } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { Link } from "wouter";
import { ask } from "../../api/client";
import { role_names, useLinkedAlerts, useSetup, useTimeline, useWardNames, type Entry, type Incident, type RoleName } from "../../api/incidents";
import { client, useAlert, useChanges } from "../../api/queries";
import type { AlertDetail } from "../../api/types";
import { ChangeLine } from "../../clinical/lines";
import { SeverityChip } from "../../clinical/parts";
import { useFormats, useT, type MessageId } from "../../i18n";
import type { Actor } from "../../ui/actor";
import { Age, Button, Chip, Dialog, Field, Time } from "../../ui/basic";
import type { Status } from "../../ui/icons";
import { say } from "../../ui/notices";
import { Data, Panel } from "../../ui/states";
import { useMay } from "../permitted";
import { groups_of } from "./facts";
import { cleared, Refusal, useStep } from "./step";

export interface PartProps {
  incident: Incident;
  actor: Actor;
}
export const people_list = "incident-people"; // a datalist of those whom the on-call plan knows

function RoleDialog({ incident, actor, role, onClose }: PartProps & { role: RoleName | undefined; onClose: () => void }) {
  const t = useT();
  const [person, set_person] = useState("");
  const step = useStep(incident.id, actor);
  const { forget } = step;
  const has = role ? (incident.roles[role] ?? "") : "";
  useEffect(() => {
    if (!role) return;
    set_person(has);
    forget();
    // Only when it opens: what is typed stays when somebody else takes the role meanwhile.
  }, [role, forget]);
  const give = (name: string) => role && step.act("roles", { role, person: name }, { said: t("incident.role_given", { role: t(`incident.role.${role}`), who: name || t("incident.nobody") }), done: onClose });
  return (
    <Dialog
      open={role !== undefined}
      onClose={onClose}
      title={role ? t(`incident.role.${role}`) : ""}
      actions={
        <>
          <Button look="primary" busy={step.busy} disabled={!person.trim() || person.trim() === has} onClick={() => give(person.trim())}>
            {t("incident.assign")}
          </Button>
          {has && (
            <Button busy={step.busy} onClick={() => give("")}>
              {t("incident.unassign")}
            </Button>
          )}
        </>
      }
    >
      {role && <p>{t(`incident.role_why.${role}`)}</p>}
      <Field label={t("incident.person")}>
        {(ids) => <input {...ids} data-first list={people_list} value={person} maxLength={150} autoComplete="off" dir="auto" onChange={(event) => set_person(event.target.value)} />}
      </Field>
      {actor.field}
      <Refusal error={step.error} />
    </Dialog>
  );
}

export function Roles({ incident, actor }: PartProps) {
  const t = useT();
  const [role, set_role] = useState<RoleName>();
  const may = useMay();
  const step = useStep(incident.id, actor);
  const is_closed = incident.state === "closed";
  const take = (each: RoleName) => step.run((by) => ask("POST /api/v1/incidents/{id}/roles", { params: { id: incident.id }, body: { role: each, person: by, by } }));
  return (
    <Panel title={t("incident.roles")}>
      <ul className="incident-roles">
        {role_names.map((each) => {
          const who = incident.roles[each];
          return (
            <li key={each}>
              <span className="line-text">
                <small>{t(`incident.role.${each}`)}</small>
                {who ? (
                  <strong dir="auto">{who}</strong>
                ) : each === "commander" && !is_closed ? (
                  <Chip status="watch">{t("incident.nobody")}</Chip>
                ) : (
                  <span className="field-hint">{t("incident.nobody")}</span>
                )}
              </span>
              {!is_closed && may("incident-work-role") && (
                <span className="row">
                  {!who && (
                    <Button busy={step.busy} aria-label={`${t("incident.me")}: ${t(`incident.role.${each}`)}`} onClick={() => take(each)}>
                      {t("incident.me")}
                    </Button>
                  )}
                  <Button look="quiet" aria-label={`${t(who ? "incident.change" : "incident.assign")}: ${t(`incident.role.${each}`)}`} onClick={() => set_role(each)}>
                    {t(who ? "incident.change" : "incident.assign")}
                  </Button>
                </span>
              )}
            </li>
          );
        })}
      </ul>
      <Refusal error={step.error} />
      <RoleDialog incident={incident} actor={actor} role={role} onClose={() => set_role(undefined)} />
    </Panel>
  );
}

export function Tasks({ incident, actor }: PartProps) {
  const t = useT();
  const [text, set_text] = useState("");
  const [owner, set_owner] = useState("");
  const may = useMay();
  const step = useStep(incident.id, actor);
  const tasks = incident.tasks ?? [];
  const is_closed = incident.state === "closed";
  const tick = (place: number) =>
    step.run((by) => ask("POST /api/v1/incidents/{id}/tasks/{place}/done", { params: { id: incident.id, place: String(place) }, body: { by } }));
  return (
    <Panel title={t("incident.tasks")} aside={<small className="number">{t("incident.done_of", { n: tasks.filter((task) => task.done_at).length, all: tasks.length })}</small>}>
      {tasks.length === 0 && <p className="field-hint">{t("incident.tasks_none")}</p>}
      {groups_of(tasks).map((group) => (
        <div key={group.runbook} className="incident-runbook">
          {group.runbook && <h3 dir="auto">{group.runbook}</h3>}
          <ul>
            {group.tasks.map((task) => (
              <li key={task.place}>
                <label className={task.done_at ? "done" : ""}>
                  <input type="checkbox" checked={Boolean(task.done_at)} disabled={Boolean(task.done_at) || is_closed || step.busy || !may("incident-work-task-done")} onChange={() => tick(task.place)} />
                  <span>
                    <span dir="auto">{task.text}</span>
                    <small>
                      {task.done_at ? (
                        <>
                          {t("incident.done_by", { who: task.done_by ?? "" })} <Time at={task.done_at} clock />
                        </>
                      ) : (
                        task.owner && <bdi>{task.owner}</bdi>
                      )}
                    </small>
                  </span>
                </label>
              </li>
            ))}
          </ul>
        </div>
      ))}
      <Refusal error={step.error} />
      {!is_closed && may("incident-work-task") && (
        <form
          className="incident-add"
          onSubmit={(event) => {
            event.preventDefault();
            if (!text.trim()) return;
            step.act("tasks", { text: text.trim(), ...(owner.trim() ? { owner: owner.trim() } : {}) }, {
              done: () => {
                set_text(cleared(text));
                set_owner(cleared(owner));
              },
            });
          }}
        >
          <Field label={t("incident.task")}>
            {(ids) => <input {...ids} value={text} maxLength={500} autoComplete="off" dir="auto" onChange={(event) => set_text(event.target.value)} />}
          </Field>
          <Field label={t("incident.owner")}>
            {(ids) => <input {...ids} list={people_list} value={owner} maxLength={150} autoComplete="off" dir="auto" onChange={(event) => set_owner(event.target.value)} />}
          </Field>
          <Button type="submit" busy={step.busy} disabled={!text.trim()}>
            {t("incident.add")}
          </Button>
        </form>
      )}
    </Panel>
  );
}

export function ImpactPanel({ incident }: { incident: Incident }) {
  const t = useT();
  const formats = useFormats();
  const setup = useSetup();
  const may = useMay();
  const impact = incident.impact;
  const wards = impact?.wards.map((each) => each.ward) ?? [];
  const names = useWardNames(wards);
  // Who is touched is in the audit once it was asked: nobody is told of it unasked.
  const asking = useMutation({ mutationFn: () => ask("GET /api/v1/incidents/{id}/patients", { params: { id: incident.id } }) });
  const title = (name: string) => setup.data?.setup.services?.find((each) => each.name === name)?.title ?? name;
  if (!impact) return null;
  return (
    <Panel title={t("incident.impact")}>
      <p className="incident-impact">
        <strong className="number">{t("incident.about", { n: formats.number(impact.patients) })}</strong>
        <span>{t("incident.patients_touched", { n: impact.patients })}</span>
      </p>
      <p className="field-hint">{t("incident.impact_parts", { alerts: formats.number(impact.patients_of_alerts), wards: formats.number(impact.patients - impact.patients_of_alerts) })}</p>
      <h3>{t("incident.affected")}</h3>
      {impact.services.length === 0 ? (
        <p className="field-hint">{t("incident.service_unknown")}</p>
      ) : (
        <ul className="incident-chips">
          {impact.services.map((name, place) => (
            <li key={name} className={place === 0 ? "itself" : ""}>
              <bdi>{title(name)}</bdi>
            </li>
          ))}
        </ul>
      )}
      <h3>{t("incident.wards")}</h3>
      {impact.wards.length === 0 ? (
        <p className="field-hint">{t("incident.wards_none")}</p>
      ) : (
        <ul className="lines">
          {impact.wards.map((each) => (
            <li key={each.ward} className="incident-ward">
              <bdi>{names.data?.get(each.ward) || each.ward}</bdi>
              <span className="number">{t("incident.patients_n", { n: each.patients })}</span>
            </li>
          ))}
        </ul>
      )}
      {incident.patient_count > 0 &&
        may("incident-patients") &&
        (asking.data ? (
          <ul className="incident-chips">
            {asking.data.patients.map((patient) => (
              <li key={patient}>
                <Link href={`/patients/${encodeURIComponent(patient.replace("Patient/", ""))}`}>{patient.replace("Patient/", "")}</Link>
              </li>
            ))}
          </ul>
        ) : (
          <Button busy={asking.isPending} onClick={() => asking.mutate()}>
            {t("incident.whom")}
          </Button>
        ))}
      <Refusal error={asking.error} />
    </Panel>
  );
}

// An address of this server or of the web; anything else is a text.
function Linked({ link }: { link: string }) {
  if (/^\/(?!\/)/.test(link)) return <Link href={link}>{link}</Link>;
  if (/^https?:\/\//i.test(link)) {
    return (
      <a href={link} target="_blank" rel="noopener noreferrer">
        {link}
      </a>
    );
  }
  return <bdi>{link}</bdi>;
}

const alerts_shown = 5;

function Alerts({ incident, entries }: { incident: Incident; entries: readonly Entry[] }) {
  const t = useT();
  const formats = useFormats();
  const [shown, set_shown] = useState(alerts_shown);
  const ids = incident.alerts ?? [];
  const reads = useLinkedAlerts(ids.slice(0, shown));
  if (incident.alert_count === 0) return <p className="field-hint">{t("incident.alerts_none")}</p>;
  return (
    <>
      <ul className="lines">
        {ids.slice(0, shown).map((id, place) => {
          const alert = reads[place]?.data?.alert;
          const told = entries.find((entry) => entry.kind === "alert" && entry.data?.alert === id);
          return (
            <li key={id} className="line">
              {alert ? (
                alert.state === "resolved" ? (
                  <Chip status="safe">{t("alerts.resolved")}</Chip>
                ) : (
                  <SeverityChip severity={alert.severity} acknowledged={alert.state === "acknowledged"} />
                )
              ) : (
                <Chip status="neutral">{t("incident.alert")}</Chip>
              )}
              <Link href={`/alerts?${alert?.state === "resolved" ? "state=resolved&" : ""}alert=${encodeURIComponent(id)}`} className="line-text">
                <strong dir="auto">{alert?.title ?? told?.text ?? id}</strong>
              </Link>
              <span className="line-time">
                <Age at={alert?.raised_at ?? told?.at} />
              </span>
            </li>
          );
        })}
      </ul>
      {ids.length > shown && (
        <Button look="quiet" onClick={() => set_shown(shown + 20)}>
          {t("incident.more_alerts", { n: formats.number(incident.alert_count - shown) })}
        </Button>
      )}
    </>
  );
}

function Changes({ entries }: { entries: readonly Entry[] }) {
  const t = useT();
  const read = useChanges(500);
  const told = new Map(entries.filter((entry) => entry.data?.change).map((entry) => [entry.data!.change!, entry]));
  if (told.size === 0) return <p className="field-hint">{t("incident.changes_none")}</p>;
  return (
    <ul className="lines">
      {[...told].map(([id, entry]) => {
        const change = read.data?.changes.find((each) => each.id === id);
        return (
          <li key={id}>
            <Link href={`/changes/${encodeURIComponent(id)}`} className="line">
              {change ? (
                <ChangeLine change={change} />
              ) : (
                <>
                  <Chip status="neutral">{t(`incident.kind.${entry.kind}` as MessageId)}</Chip>
                  <strong dir="auto">{entry.text}</strong>
                  <Age at={entry.at} />
                </>
              )}
            </Link>
          </li>
        );
      })}
    </ul>
  );
}

export function LinkedPanel({ incident, actor }: PartProps) {
  const t = useT();
  const [link, set_link] = useState("");
  const may = useMay();
  const step = useStep(incident.id, actor);
  const entries = useTimeline(incident.id, 0).data ?? [];
  const links = incident.links ?? [];
  return (
    <Panel title={t("incident.linked")}>
      <h3>{t("screen.alerts")}</h3>
      <Alerts incident={incident} entries={entries} />
      <h3>{t("screen.changes")}</h3>
      <Changes entries={entries} />
      {(incident.duplicates ?? []).length > 0 && (
        <>
          <h3>{t("incident.duplicates")}</h3>
          <ul className="incident-links">
            {incident.duplicates!.map((each) => (
              <li key={each.id}>
                <Link href={`/incidents/${encodeURIComponent(each.id)}`}>{entries.find((entry) => entry.kind === "merged" && entry.text?.startsWith(each.id))?.text?.slice(each.id.length + 2) ?? each.id}</Link>
              </li>
            ))}
          </ul>
        </>
      )}
      <h3>{t("incident.links")}</h3>
      {links.length > 0 && (
        <ul className="incident-links">
          {links.map((each) => (
            <li key={each} dir="ltr">
              <Linked link={each} />
            </li>
          ))}
        </ul>
      )}
      {incident.state !== "closed" && may("incident-work-link") && (
        <form
          className="incident-add"
          onSubmit={(event) => {
            event.preventDefault();
            if (link.trim()) step.act("links", { link: link.trim() }, { done: () => set_link(cleared(link)) });
          }}
        >
          <Field label={t("incident.link")}>
            {(ids) => <input {...ids} value={link} maxLength={1000} dir="ltr" autoComplete="off" placeholder="https://" onChange={(event) => set_link(event.target.value)} />}
          </Field>
          <Button type="submit" busy={step.busy} disabled={!link.trim()}>
            {t("incident.add")}
          </Button>
        </form>
      )}
      <Refusal error={step.error} />
    </Panel>
  );
}

const look_of_delivery: Record<string, Status> = { delivered: "safe", failed: "emergency", pending: "info", cancelled: "neutral" };

function Called({ incident, actor, data }: PartProps & { data: AlertDetail }) {
  const t = useT();
  const may = useMay();
  const calling = useMutation({
    mutationFn: () => ask("POST /api/v1/alerts/{id}/escalate", { params: { id: data.alert.id }, body: { by: actor.by } }),
    onSuccess: () => say("watch", t("alert.escalated")),
    onSettled: () => {
      void client.invalidateQueries({ queryKey: ["alert"] });
      void client.invalidateQueries({ queryKey: ["incidents"] });
    },
  });
  return (
    <>
      {data.deliveries.length === 0 ? (
        <p className="field-hint">{t("alert.no_calls")}</p>
      ) : (
        <ul className="lines">
          {data.deliveries.map((delivery) => (
            <li key={delivery.id} className="line">
              <Chip status={look_of_delivery[delivery.state] ?? "neutral"}>{t(`delivery.${delivery.state}` as MessageId)}</Chip>
              <span className="line-text">
                <strong dir="auto">{delivery.contact}</strong>
                <small>{delivery.medium}</small>
              </span>
              <span className="line-time">
                <Age at={delivery.sent_at ?? delivery.called_at} />
              </span>
            </li>
          ))}
        </ul>
      )}
      {data.alert.state === "open" && incident.state !== "closed" && may("alert-escalate") && (
        <Button busy={calling.isPending} onClick={() => actor.given() && calling.mutate()}>
          {t("action.escalate")}
        </Button>
      )}
      <Refusal error={calling.error} />
    </>
  );
}

export function Calls({ incident, actor }: PartProps) {
  const t = useT();
  const read = useAlert(incident.page ?? "");
  return (
    <Panel title={t("incident.calls")} aside={incident.team && <small dir="auto">{incident.team}</small>}>
      {incident.told_outside && (
        <p>
          <Chip status="info">{t("incident.told_outside")}</Chip>
        </p>
      )}
      <Data read={read} lines={2} height={52}>
        {(data) => <Called incident={incident} actor={actor} data={data} />}
      </Data>
    </Panel>
  );
}

export function StatusPage({ incident, actor }: PartProps) {
  const t = useT();
  const may = useMay();
  const [text, set_text] = useState("");
  const setup = useSetup();
  const step = useStep(incident.id, actor);
  const services = setup.data?.setup.services;
  const on_page = services?.filter((each) => each.public && incident.impact?.services.includes(each.name)).map((each) => each.title ?? each.name);
  const said = [...(incident.publications ?? [])].reverse();
  return (
    <Panel
      title={t("incident.status_page")}
      aside={
        <a href="/status.json" target="_blank" rel="noopener">
          {t("incident.status_page_open")}
        </a>
      }
    >
      {on_page && <p className="field-hint">{on_page.length > 0 ? t("incident.on_page", { services: on_page.join(", ") }) : t("incident.not_on_page")}</p>}
      {said.length > 0 && (
        <ul className="incident-published">
          {said.map((each) => (
            <li key={each.at}>
              <p dir="auto">{each.text}</p>
              <small>
                <Time at={each.at} />
              </small>
            </li>
          ))}
        </ul>
      )}
      {incident.state !== "closed" && may("incident-work-publish") && (
        <form
          className="incident-add"
          onSubmit={(event) => {
            event.preventDefault();
            if (text.trim()) step.act("publish", { text: text.trim() }, { said: t("incident.published"), done: () => set_text(cleared(text)) });
          }}
        >
          <Field label={t("incident.publish_text")} hint={t("incident.publish_hint")}>
            {(ids) => <input {...ids} value={text} maxLength={1000} dir="auto" autoComplete="off" onChange={(event) => set_text(event.target.value)} />}
          </Field>
          <Button type="submit" busy={step.busy} disabled={!text.trim()}>
            {t("incident.publish")}
          </Button>
        </form>
      )}
      <Refusal error={step.error} />
    </Panel>
  );
}
