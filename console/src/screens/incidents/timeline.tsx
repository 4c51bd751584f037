// The timeline, the newest entry first: what people wrote stands out from what the platform wrote by itself.

import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { ask } from "../../api/client";
import { role_names, severities, useTimeline, type Entry, type Incident } from "../../api/incidents";
import { useFormats, useT, type MessageId, type Translate } from "../../i18n";
import { feed } from "../../live/feed";
import type { Actor } from "../../ui/actor";
import { Age, Button, Chip, Field, Time } from "../../ui/basic";
import { Icon, type IconName, type Status } from "../../ui/icons";
import { useIsPhone } from "../../ui/media";
import { Data, Empty, Panel } from "../../ui/states";
import { useParam } from "../../ui/url";
import { midnight } from "../../ui/wall";
import { useWhen } from "../../ui/when";
import { useMay } from "../permitted";
import { is_by_person } from "./facts";
import { cleared, Refusal, useStep } from "./step";

const looks: Record<string, Status> = {
  opened: "emergency",
  alert: "urgent",
  clock: "watch",
  breached: "emergency",
  escalated: "urgent",
  paused: "neutral",
  told_outside: "info",
  acknowledged: "safe",
  mitigated: "safe",
  resolved: "safe",
  closed: "safe",
  task_done: "safe",
  action_done: "safe",
  review_closed: "safe",
  review_overdue: "emergency",
  action_overdue: "emergency",
  "alert.acknowledged": "safe",
  "alert.resolved": "safe",
  "alert.ack_expired": "urgent",
  "alert.delivery_failed": "urgent",
  "change.rollback_begun": "urgent",
};
const icon_of = (entry: Entry, by_person: boolean): IconName =>
  looks[entry.kind] ?? (entry.kind.startsWith("change") ? "branch" : entry.kind.startsWith("alert") ? "bell" : by_person ? "person" : "neutral");

const known = new Set<string>([
  ...["opened", "joined", "acknowledged", "severity", "escalated", "clock", "breached", "paused", "resumed", "mitigated", "resolved", "closed"],
  ...["merged", "note", "role", "task", "task_done", "link", "published", "review_opened", "review", "review_overdue", "review_closed", "action"],
  ...["action_done", "action_overdue", "told_outside", "alert", "alert.acknowledged", "alert.escalated", "alert.ack_expired", "alert.resolved"],
  ...["alert.delivered", "alert.moved", "alert.delivery_failed", "change.started", "change.rollback_begun", "change.finished", "change.service_frozen"],
]);

function words_of(entry: Entry, t: Translate): { what: string; more: string } {
  const what = known.has(entry.kind) ? t(`incident.kind.${entry.kind}` as MessageId) : entry.kind;
  const text = entry.text ?? "";
  if ((entry.kind === "clock" || entry.kind === "breached") && entry.data?.clock) {
    return { what, more: t("incident.clock_told", { clock: t(`incident.${entry.data.clock}`), percent: entry.data.percent ?? 100 }) };
  }
  if (entry.kind === "merged") return { what, more: /^[0-9a-f-]{36}: ([\s\S]*)$/.exec(text)?.[1] ?? "" };
  const role = entry.kind === "role" ? role_names.find((each) => text.startsWith(`${each}: `)) : undefined;
  if (role) return { what, more: `${t(`incident.role.${role}`)}: ${text.slice(role.length + 2)}` };
  const change = entry.kind === "severity" ? /^(\w+) became (\w+)(?:: ([\s\S]*))?$/.exec(text) : null;
  const [from, to] = [1, 2].map((place) => severities.find((each) => each === change?.[place]));
  if (from && to) {
    const became = t("incident.became", { from: t(`incident.${from}`), to: t(`incident.${to}`) });
    return { what, more: change?.[3] ? `${became}: ${change[3]}` : became };
  }
  return { what, more: text };
}

function Line({ entry, by_person }: { entry: Entry; by_person: boolean }) {
  const t = useT();
  const when = useWhen();
  const { what, more } = words_of(entry, t);
  const is_today = midnight(Date.parse(entry.at)) === midnight(feed.now());
  return (
    <li className={`${by_person ? "by-person" : "by-itself"} ${looks[entry.kind] ?? ""}`} data-kind={entry.kind}>
      <Icon name={icon_of(entry, by_person)} />
      <div>
        <p className="incident-said">
          <strong>{what}</strong>
          {entry.by && <bdi>{entry.by}</bdi>}
          <small>{t(by_person ? "incident.by_person" : "incident.by_itself")}</small>
        </p>
        {more && <p dir="auto">{more}</p>}
      </div>
      <span className="incident-when">
        {!is_today && <span>{when.day(Date.parse(entry.at))} </span>}
        <Time at={entry.at} clock />
      </span>
    </li>
  );
}

function Verified({ id }: { id: string }) {
  const t = useT();
  const formats = useFormats();
  const verifying = useMutation({ mutationFn: () => ask("GET /api/v1/incidents/{id}/verify", { params: { id } }) });
  const { data, error } = verifying;
  return (
    <div className="row" role="status">
      {error ? (
        <Chip status="urgent">{t("incident.not_done", { why: error.message })}</Chip>
      ) : (
        data && <Chip status={data.whole ? "safe" : "emergency"}>{data.whole ? t("incident.whole", { n: formats.number(data.entries) }) : data.problems.join("; ")}</Chip>
      )}
      <Button look="quiet" busy={verifying.isPending} onClick={() => verifying.mutate()}>
        {t("incident.verify")}
      </Button>
    </div>
  );
}

// The update that is written; Ctrl and Enter send it.
function Update({ incident, actor, last }: { incident: Incident; actor: Actor; last: string | undefined }) {
  const t = useT();
  const [text, set_text] = useState("");
  const step = useStep(incident.id, actor);
  const may = useMay();
  if (incident.state === "closed" || !may("incident-work-note")) return null;
  const send = () => {
    if (text.trim()) step.act("notes", { text: text.trim() }, { done: () => set_text(cleared(text)) });
  };
  return (
    <form
      className="incident-update"
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      <Field label={t("incident.update")}>
        {(ids) => (
          <textarea
            {...ids}
            data-update
            rows={2}
            maxLength={5000}
            dir="auto"
            value={text}
            placeholder={t("incident.update_hint")}
            onChange={(event) => set_text(event.target.value)}
            onKeyDown={(event) => {
              if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) send();
            }}
          />
        )}
      </Field>
      <Refusal error={step.error} />
      <div className="row">
        <Button type="submit" look="primary" busy={step.busy} disabled={!text.trim()}>
          {t("incident.update_send")}
        </Button>
        <small>
          {last ? (
            <>
              {t("incident.update_last")} <Age at={last} />
            </>
          ) : (
            t("incident.update_none")
          )}
        </small>
      </div>
    </form>
  );
}
const read_first = 200;
const shown_first = { phone: 12, wide: 60 }; // on a phone the roles and tasks come after it
const page = 200;
const kinds_shown = ["", "people", "itself"] as const;

export function Timeline({ incident, actor }: { incident: Incident; actor: Actor }) {
  const t = useT();
  const phone = useIsPhone();
  const may = useMay();
  const [from, set_from] = useState(Math.max(0, incident.entries - read_first));
  const [more, set_more] = useState(0);
  const [show, set_show] = useParam("show");
  const read = useTimeline(incident.id, from);
  const notes = (read.data ?? []).filter((entry) => entry.kind === "note" || entry.kind === "published");
  return (
    <Panel title={t("incident.timeline")} className="incident-story" aside={may("incident-work-verify") ? <Verified id={incident.id} /> : undefined}>
      <Update incident={incident} actor={actor} last={notes.at(-1)?.at} />
      <div className="counters" role="group" aria-label={t("incident.timeline_show")}>
        {kinds_shown.map((each) => (
          <button key={each} type="button" className="counter" aria-pressed={show === each} onClick={() => set_show(each)}>
            {t(each ? `incident.show.${each}` : "action.all")}
          </button>
        ))}
      </div>
      <Data read={read} lines={5} height={48}>
        {(entries) => {
          const lines = entries
            .map((entry) => ({ entry, by_person: is_by_person(entry, incident) }))
            .filter(({ by_person }) => show !== "people" && show !== "itself" ? true : by_person === (show === "people"))
            .reverse();
          const shown = (phone ? shown_first.phone : shown_first.wide) + more;
          const hidden = Math.max(0, lines.length - shown) + from;
          const show_more = () => {
            set_more(more + page);
            if (shown + page > lines.length) set_from(Math.max(0, from - page));
          };
          return (
            <>
              {lines.length === 0 && <Empty title={t("incident.timeline_none")} status="neutral" />}
              <ol className="incident-entries" reversed>
                {lines.slice(0, shown).map(({ entry, by_person }) => (
                  <Line key={entry.n} entry={entry} by_person={by_person} />
                ))}
              </ol>
              {hidden > 0 && <Button onClick={show_more}>{t("incident.earlier", { n: hidden })}</Button>}
            </>
          );
        }}
      </Data>
    </Panel>
  );
}
