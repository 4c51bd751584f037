// From one state to the next, and what else is decided about an incident: its severity, that it waits, that it is the same as
// another one.

import { useEffect, useState } from "react";
import { useLocation } from "wouter";
import { severities, useSetup, type Incident, type Severity } from "../../api/incidents";
import { useIncidents } from "../../api/queries";
import { look_of_incident } from "../../clinical/parts";
import { useT, type MessageId } from "../../i18n";
import type { Actor } from "../../ui/actor";
import { Button, Chip, Dialog, Field } from "../../ui/basic";
import { Data } from "../../ui/states";
import { useMay } from "../permitted";
import { SeverityChoice } from "./declare";
import { Refusal, useStep, type Step } from "./step";

interface ActionProps {
  incident: Incident;
  actor: Actor;
  step: Step;
}
interface DialogProps {
  incident: Incident;
  actor: Actor;
  open: boolean;
  onClose: () => void;
}

// What is said with it; `needed`: not without words.
const with_words = {
  mitigate: { member: "note", needed: false },
  resolve: { member: "how", needed: true },
  pause: { member: "reason", needed: true },
} as const;
type WithWords = keyof typeof with_words;

function Words({ incident, actor, name, open, onClose }: DialogProps & { name: WithWords }) {
  const t = useT();
  const [text, set_text] = useState("");
  const step = useStep(incident.id, actor);
  const { member, needed } = with_words[name];
  const { forget } = step;
  useEffect(() => {
    if (!open) return;
    set_text("");
    forget();
  }, [open, forget]);
  return (
    <Dialog
      open={open}
      onClose={onClose}
      title={t(`incident.do.${name}`)}
      actions={
        <Button look="primary" busy={step.busy} disabled={needed && !text.trim()} onClick={() => step.act(name, text.trim() ? { [member]: text.trim() } : {}, { said: t(`incident.did.${name}`), done: onClose })}>
          {t(`incident.do.${name}`)}
        </Button>
      }
    >
      <p>{t(`incident.why.${name}`)}</p>
      <Field label={t(`incident.words.${name}`)}>
        {(ids) => <textarea {...ids} data-first rows={3} maxLength={name === "pause" ? 500 : 5000} dir="auto" value={text} onChange={(event) => set_text(event.target.value)} />}
      </Field>
      {actor.field}
      <Refusal error={step.error} />
    </Dialog>
  );
}

function Reclassify({ incident, actor, open, onClose }: DialogProps) {
  const t = useT();
  const setup = useSetup();
  const [severity, set_severity] = useState<Severity | "">(incident.severity);
  const [reason, set_reason] = useState("");
  const step = useStep(incident.id, actor);
  const { forget } = step;
  useEffect(() => {
    if (!open) return;
    set_severity(incident.severity);
    set_reason("");
    forget();
    // Only when it opens: what is typed stays when somebody else changes the incident meanwhile.
  }, [open, forget]);
  const is_less = severity !== "" && severities.indexOf(severity) > severities.indexOf(incident.severity);
  return (
    <Dialog
      open={open}
      onClose={onClose}
      title={t("incident.do.severity")}
      actions={
        <Button
          look="primary"
          busy={step.busy}
          disabled={severity === incident.severity || (is_less && !reason.trim())}
          onClick={() => step.act("severity", { severity, reason: reason.trim() }, { said: t("incident.did.severity"), done: onClose })}
        >
          {t("incident.do.severity")}
        </Button>
      }
    >
      <p>{t("incident.why.severity")}</p>
      <SeverityChoice criteria={setup.data?.setup.severities ?? []} value={severity} choose={set_severity} />
      <Field label={t(is_less ? "incident.words.less" : "incident.words.more")}>
        {(ids) => <textarea {...ids} rows={2} maxLength={2000} dir="auto" value={reason} onChange={(event) => set_reason(event.target.value)} />}
      </Field>
      {actor.field}
      <Refusal error={step.error} />
    </Dialog>
  );
}

function Others({ id, into, choose }: { id: string; into: string; choose: (id: string) => void }) {
  const t = useT();
  const read = useIncidents("open", 500);
  return (
    <Data read={read} lines={2}>
      {({ incidents }) => {
        const others = incidents.filter((each) => each.id !== id);
        if (others.length === 0) return <p className="field-hint">{t("incident.merge_none")}</p>;
        return (
          <fieldset className="incident-severities">
            <legend>{t("incident.merge_into")}</legend>
            {others.map((each) => (
              <label key={each.id}>
                <input type="radio" name="into" checked={into === each.id} onChange={() => choose(each.id)} />
                <Chip status={look_of_incident[each.severity]}>{t(`incident.${each.severity}`)}</Chip>
                <span dir="auto">{each.title}</span>
              </label>
            ))}
          </fieldset>
        );
      }}
    </Data>
  );
}

function Merge({ incident, actor, open, onClose }: DialogProps) {
  const t = useT();
  const [, go] = useLocation();
  const [into, set_into] = useState("");
  const step = useStep(incident.id, actor);
  const { forget } = step;
  useEffect(() => {
    if (!open) return;
    set_into("");
    forget();
  }, [open, forget]);
  return (
    <Dialog
      open={open}
      onClose={onClose}
      title={t("incident.do.merge")}
      actions={
        <Button
          look="primary"
          busy={step.busy}
          disabled={!into}
          onClick={() => step.act("merge", { into }, { said: t("incident.did.merge"), done: () => go(`/incidents/${encodeURIComponent(into)}`) })}
        >
          {t("incident.do.merge")}
        </Button>
      }
    >
      <p>{t("incident.why.merge")}</p>
      <Others id={incident.id} into={into} choose={set_into} />
      {actor.field}
      <Refusal error={step.error} />
    </Dialog>
  );
}

type Doing = WithWords | "severity" | "merge";

// The next step first. One touch acknowledges; what ends something asks for words.
export function Actions({ incident, actor, step }: ActionProps) {
  const t = useT();
  const [doing, set_doing] = useState<Doing>();
  const { state, severity } = incident;
  const is_over = state === "resolved" || state === "closed";
  const review_open = incident.review !== undefined && !incident.review.closed;
  const close = () => set_doing(undefined);
  const may = useMay();
  const does = (name: Doing, primary = false) =>
    may(`incident-work-${name}`) && (
      <Button look={primary ? "primary" : "plain"} onClick={() => set_doing(name)}>
        {t(`incident.do.${name}` as MessageId)}
      </Button>
    );
  const direct = (name: "ack" | "resume" | "close", primary = false) =>
    may(`incident-work-${name}`) && (
      <Button look={primary ? (name === "ack" && severity === "emergency" ? "danger" : "primary") : "plain"} busy={step.busy} onClick={() => step.act(name, {}, { said: t(`incident.did.${name}`) })}>
        {t(`incident.do.${name}`)}
      </Button>
    );
  return (
    <>
      <div className="incident-actions" role="group" aria-label={t("incident.actions")}>
        {state === "open" && direct("ack", true)}
        {(state === "open" || state === "acknowledged") && does("mitigate", state === "acknowledged")}
        {!is_over && does("resolve", state === "mitigated")}
        {state === "resolved" && !review_open && direct("close", true)}
        {!is_over && does("severity")}
        {!is_over && incident.paused_at && direct("resume")}
        {(state === "acknowledged" || state === "mitigated") && severity !== "emergency" && !incident.paused_at && does("pause")}
        {!is_over && does("merge")}
      </div>
      <Refusal error={step.error} />
      <Reclassify incident={incident} actor={actor} open={doing === "severity"} onClose={close} />
      <Merge incident={incident} actor={actor} open={doing === "merge"} onClose={close} />
      {(["mitigate", "resolve", "pause"] as const).map((name) => (
        <Words key={name} incident={incident} actor={actor} name={name} open={doing === name} onClose={close} />
      ))}
    </>
  );
}
