// The review in five parts: what happened, when, whom it touched, why, and what is changed so that it does not happen again.

import { useState, type FormEvent, type ReactNode } from "react";
import { ask } from "../../api/client";
import type { Action, Incident, Review as ReviewState } from "../../api/incidents";
import { useT } from "../../i18n";
import type { Actor } from "../../ui/actor";
import { Button, Chip, Field, Remaining, Time } from "../../ui/basic";
import { Empty, Panel } from "../../ui/states";
import { instant_text, local_text } from "../../ui/wall";
import { useWhen } from "../../ui/when";
import { useMay } from "../permitted";
import { Course } from "./clocks";
import { people_list, type PartProps } from "./parts";
import { Refusal, useStep } from "./step";

const text_parts = ["summary", "impact", "root_cause"] as const;
type TextPart = (typeof text_parts)[number];

function Part({ n, title, done, children }: { n: number; title: string; done: boolean; children: ReactNode }) {
  const t = useT();
  return (
    <li>
      <section className="panel" aria-label={title}>
        <header className="panel-head">
          <h2>
            <span className="number">{n}</span> {title}
          </h2>
          <Chip status={done ? "safe" : "watch"}>{t(done ? "incident.part_said" : "incident.part_missing")}</Chip>
        </header>
        {children}
      </section>
    </li>
  );
}

// A text that is the server's until somebody writes; then theirs until it is saved.
function Words({ incident, actor, part, review }: { incident: Incident; actor: Actor; part: TextPart; review: ReviewState }) {
  const t = useT();
  const [draft, set_draft] = useState<string>();
  const may = useMay();
  const step = useStep(incident.id, actor);
  const kept = review[part] ?? "";
  if (review.closed || !may("incident-work-review")) return <p dir="auto">{kept || t("incident.part_missing")}</p>;
  const text = draft ?? kept;
  return (
    <form
      className="incident-words"
      onSubmit={(event) => {
        event.preventDefault();
        step.act("review", { [part]: text }, { said: t("incident.saved"), done: () => set_draft((now) => (now === text ? undefined : now)) });
      }}
    >
      <Field label={t(`incident.part_why.${part}`)}>
        {(ids) => <textarea {...ids} rows={4} maxLength={5000} dir="auto" value={text} onChange={(event) => set_draft(event.target.value)} />}
      </Field>
      <Refusal error={step.error} />
      <Button type="submit" busy={step.busy} disabled={text === kept}>
        {t("incident.save")}
      </Button>
    </form>
  );
}

interface ActionFormProps {
  label: string;
  action?: Action;
  busy: boolean;
  send: (edit: { text: string; owner: string; due: string }, then: () => void) => void;
}
function ActionForm({ label, action, busy, send }: ActionFormProps) {
  const t = useT();
  const kept = { text: action?.text ?? "", owner: action?.owner ?? "", due: action?.due ? local_text(Date.parse(action.due)).slice(0, 10) : "" };
  const [draft, set_draft] = useState<Partial<typeof kept>>({});
  const edit = { ...kept, ...draft };
  const is_same = edit.text === kept.text && edit.owner === kept.owner && edit.due === kept.due;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (edit.text.trim()) send({ text: edit.text.trim(), owner: edit.owner.trim(), due: edit.due }, () => set_draft((now) => (now === draft ? {} : now)));
  };
  return (
    <form className="incident-action-form" onSubmit={submit} aria-label={label}>
      <Field label={t("incident.action")}>
        {(ids) => <input {...ids} value={edit.text} maxLength={500} dir="auto" autoComplete="off" onChange={(event) => set_draft({ ...draft, text: event.target.value })} />}
      </Field>
      <Field label={t("incident.owner")}>
        {(ids) => <input {...ids} list={people_list} value={edit.owner} maxLength={150} dir="auto" autoComplete="off" onChange={(event) => set_draft({ ...draft, owner: event.target.value })} />}
      </Field>
      <Field label={t("incident.due")}>
        {(ids) => <input {...ids} type="date" value={edit.due} onChange={(event) => set_draft({ ...draft, due: event.target.value })} />}
      </Field>
      <Button type="submit" busy={busy} disabled={is_same || !edit.text.trim()}>
        {t(action ? "incident.save" : "incident.add")}
      </Button>
    </form>
  );
}

// What is empty is not said: it would take away what another one has written. Due is a day, to its end, by the site's clock.
const body_of = ({ text, owner, due }: { text: string; owner: string; due: string }) => ({ text, ...(owner ? { owner } : {}), ...(due ? { due: instant_text(`${due}T23:59`) } : {}) });

function ActionLine({ incident, actor, action, place }: PartProps & { action: Action; place: number }) {
  const t = useT();
  const when = useWhen();
  const [editing, set_editing] = useState(false);
  const may = useMay();
  const step = useStep(incident.id, actor);
  const edit = (body: object, then?: () => void) =>
    step.run((by) => ask("POST /api/v1/incidents/{id}/review/actions/{place}", { params: { id: incident.id, place: String(place) }, body: { ...body, by } }), { done: () => then?.() });
  const lacks = !action.owner || !action.due;
  return (
    <li className="incident-action">
      <div className="incident-action-line">
        {action.done_at ? (
          <Chip status="safe">{t("incident.action_done")}</Chip>
        ) : action.overdue ? (
          <Chip status="emergency">{t("incident.action_overdue")}</Chip>
        ) : lacks ? (
          <Chip status="urgent">{t("incident.action_lacks")}</Chip>
        ) : (
          <Chip status="info">{t("incident.action_open")}</Chip>
        )}
        <span className="line-text wraps">
          <strong dir="auto">{action.text}</strong>
          <small>
            <bdi>{action.owner ?? t("incident.nobody")}</bdi>, {action.due ? when.day(Date.parse(action.due)) : t("incident.no_date")}
            {action.done_at && (
              <>
                , {t("incident.done_by", { who: action.done_by ?? "" })} <Time at={action.done_at} />
              </>
            )}
          </small>
        </span>
        {!action.done_at && may("incident-work-review-action-edit") && (
          <span className="row">
            <Button look="quiet" aria-expanded={editing} onClick={() => set_editing(!editing)}>
              {t("incident.change")}
            </Button>
            <Button busy={step.busy} onClick={() => edit({ done: true })}>
              {t("incident.action_did")}
            </Button>
          </span>
        )}
      </div>
      {editing && !action.done_at && (
        <ActionForm
          label={action.text}
          action={action}
          busy={step.busy}
          send={(given, then) =>
            edit(body_of(given), () => {
              then();
              set_editing(false);
            })
          }
        />
      )}
      <Refusal error={step.error} />
    </li>
  );
}

function Head({ incident, actor, review }: PartProps & { review: ReviewState }) {
  const t = useT();
  const [draft, set_draft] = useState<string>();
  const may = useMay();
  const step = useStep(incident.id, actor);
  const owner = draft ?? review.owner ?? "";
  return (
    <Panel
      title={t("incident.review")}
      aside={
        review.closed ? (
          <Chip status="safe">{t("incident.review_closed")}</Chip>
        ) : review.overdue ? (
          <Chip status="emergency">{t("incident.review_overdue")}</Chip>
        ) : (
          <Chip status="watch">{t("incident.review_open")}</Chip>
        )
      }
    >
      {review.closed ? (
        <p>
          {t("incident.review_closed_by", { who: review.closed_by ?? "" })} <Time at={review.closed} />
          {review.owner && (
            <>
              , {t("incident.review_owner")}: <bdi>{review.owner}</bdi>
            </>
          )}
        </p>
      ) : (
        <>
          <p>
            {t("incident.review_due")} <Time at={review.due} /> (<Remaining until={review.due} />)
          </p>
          {may("incident-work-review") && (
            <form
              className="incident-add"
              onSubmit={(event) => {
                event.preventDefault();
                step.act("review", { owner: owner.trim() }, { said: t("incident.saved"), done: () => set_draft((now) => (now === owner ? undefined : now)) });
              }}
            >
              <Field label={t("incident.review_owner")}>
                {(ids) => <input {...ids} list={people_list} value={owner} maxLength={150} dir="auto" autoComplete="off" onChange={(event) => set_draft(event.target.value)} />}
              </Field>
              <Button type="submit" busy={step.busy} disabled={owner === (review.owner ?? "")}>
                {t("incident.save")}
              </Button>
            </form>
          )}
          <Refusal error={step.error} />
        </>
      )}
    </Panel>
  );
}

export function Review({ incident, actor }: PartProps) {
  const t = useT();
  const may = useMay();
  const adding = useStep(incident.id, actor);
  const closing = useStep(incident.id, actor);
  const { review } = incident;
  if (!review) {
    const over = incident.state === "resolved" || incident.state === "closed";
    return (
      <Empty title={t(over ? "incident.review_none" : "incident.review_later")} status="neutral">
        {t("incident.review_none_why")}
      </Empty>
    );
  }
  const actions_whole = review.actions.every((action) => action.owner && action.due);
  return (
    <div className="incident-review">
      <Head incident={incident} actor={actor} review={review} />
      <ol className="incident-parts">
        <Part n={1} title={t("incident.part.summary")} done={Boolean(review.summary)}>
          <Words incident={incident} actor={actor} part="summary" review={review} />
        </Part>
        <Part n={2} title={t("incident.part.course")} done>
          <Course incident={incident} />
          {incident.resolution && <p dir="auto">{incident.resolution}</p>}
        </Part>
        <Part n={3} title={t("incident.part.impact")} done={Boolean(review.impact)}>
          <Words incident={incident} actor={actor} part="impact" review={review} />
        </Part>
        <Part n={4} title={t("incident.part.root_cause")} done={Boolean(review.root_cause)}>
          <Words incident={incident} actor={actor} part="root_cause" review={review} />
        </Part>
        <Part n={5} title={t("incident.part.actions")} done={actions_whole && review.actions.length > 0}>
          {review.actions.length === 0 && <p className="field-hint">{t("incident.actions_none")}</p>}
          <ul className="lines">
            {review.actions.map((action, place) => (
              <ActionLine key={place} incident={incident} actor={actor} action={action} place={place} />
            ))}
          </ul>
          {!review.closed && may("incident-work-review-action") && (
            <>
              <h3>{t("incident.action_new")}</h3>
              <ActionForm
                label={t("incident.action_new")}
                busy={adding.busy}
                send={(given, then) => adding.act("review/actions", body_of(given), { done: then })}
              />
              <Refusal error={adding.error} />
            </>
          )}
        </Part>
      </ol>
      {!review.closed && may("incident-work-review-close") && (
        <div className="incident-close">
          <Refusal error={closing.error} />
          <div className="row">
            <Button look="primary" busy={closing.busy} onClick={() => closing.act("review/close", {}, { said: t("incident.review_closed") })}>
              {t("incident.close_review")}
            </Button>
            <small>{t("incident.close_review_why")}</small>
          </div>
        </div>
      )}
    </div>
  );
}
