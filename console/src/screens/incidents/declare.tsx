// Declaring an incident. What the rules make of it is asked while it is written: more than they say may be asked for, never less.

import { useMutation } from "@tanstack/react-query";
import { useEffect, useId, useState } from "react";
import { useLocation } from "wouter";
import { ask } from "../../api/client";
import { keep, reach_of, severities, useClassification, useSetup, useWardNames, type Classification, type Criteria, type Severity } from "../../api/incidents";
import { look_of_incident } from "../../clinical/parts";
import { useT } from "../../i18n";
import { useActor } from "../../ui/actor";
import { Button, Chip, Dialog, Field } from "../../ui/basic";
import { say } from "../../ui/notices";
import { useSettled } from "../../ui/settled";
import { duration_text } from "./clock";
import { severity_of } from "./facts";
import { Refusal } from "./step";

interface SeverityChoiceProps {
  criteria: readonly Criteria[];
  value: Severity | "";
  choose: (severity: Severity | "") => void;
  none?: string; // how to choose none
}
export function SeverityChoice({ criteria, value, choose, none }: SeverityChoiceProps) {
  const t = useT();
  const group = useId();
  const of = (severity: Severity) => criteria.find((each) => each.severity === severity);
  return (
    <fieldset className="incident-severities">
      <legend>{t("alerts.severity")}</legend>
      {none && (
        <label>
          <input type="radio" name={group} checked={value === ""} onChange={() => choose("")} />
          <span>{none}</span>
        </label>
      )}
      {severities.map((severity) => {
        const row = of(severity);
        return (
          <label key={severity}>
            <input type="radio" name={group} checked={value === severity} onChange={() => choose(severity)} />
            <Chip status={look_of_incident[severity]}>{t(`incident.${severity}`)}</Chip>
            {row && (
              <small dir="auto">
                {row.description}
                <br />
                {t("incident.times", { response: duration_text(row.response_s * 1_000, t), resolution: duration_text(row.resolution_s * 1_000, t) })}
              </small>
            )}
          </label>
        );
      })}
    </fieldset>
  );
}

export function RuleText({ found }: { found: Partial<Classification> }) {
  const t = useT();
  const others = found.alternatives ?? [];
  return (
    <>
      {found.rule ? t("incident.by_rule", { rule: found.rule, terms: (found.terms ?? []).join(", ") }) : t("incident.no_rule")}
      {others.length > 0 && <> {t("incident.other_rules", { rules: others.map((each) => `${each.rule} (${t(`incident.${each.severity}`)})`).join(", ") })}</>}
    </>
  );
}

const states = ["", "down", "degraded"] as const;

export function Declare({ open, onClose }: { open: boolean; onClose: () => void }) {
  const t = useT();
  const actor = useActor();
  const [, go] = useLocation();
  const setup = useSetup();
  const [title, set_title] = useState("");
  const [text, set_text] = useState("");
  const [status, set_status] = useState<string>("");
  const [service, set_service] = useState("");
  const [severity, set_severity] = useState<Severity | "">("");
  const [breach, set_breach] = useState(false);
  const [missing, set_missing] = useState(false);
  const facts = useSettled(JSON.stringify({ title, text, status, service }));
  const classified = useClassification(JSON.parse(facts) as { title: string; text: string; status: string; service: string });
  const found = title.trim() ? classified.data : undefined;
  const services = setup.data?.setup.services;
  const wards = services ? [...new Set(reach_of(services, service).flatMap((name) => services.find((each) => each.name === name)?.wards ?? []))] : [];
  const ward_names = useWardNames(wards);
  const names = wards.map((ward) => ward_names.data?.get(ward) || ward);
  const becomes = severity_of(severity, found);
  const declaring = useMutation({
    mutationFn: () =>
      ask("POST /api/v1/incidents", {
        body: {
          title: title.trim(),
          by: actor.by,
          ...(text.trim() ? { text: text.trim() } : {}),
          ...(status ? { status } : {}),
          ...(service.trim() ? { service: service.trim() } : {}),
          ...(severity ? { severity } : {}),
          ...(breach ? { breach } : {}),
        },
      }),
    onSuccess: (incident) => {
      keep(incident);
      say("safe", t("incident.declared", { severity: t(`incident.${incident.severity}`) }));
      onClose();
      go(`/incidents/${encodeURIComponent(incident.id)}`);
    },
  });
  const { reset } = declaring;
  useEffect(() => {
    if (!open) return;
    reset();
    set_title("");
    set_text("");
    set_status("");
    set_service("");
    set_severity("");
    set_breach(false);
    set_missing(false);
  }, [open, reset]);
  const declare = () => {
    set_missing(title.trim() === "");
    if (actor.given() && title.trim()) declaring.mutate();
  };
  return (
    <Dialog
      open={open}
      onClose={onClose}
      title={t("incident.declare")}
      actions={
        <>
          <Button look="danger" busy={declaring.isPending} onClick={declare}>
            {t("incident.declare")}
          </Button>
          <small>{t("incident.declare_calls")}</small>
        </>
      }
    >
      <Field label={t("incident.title")} hint={t("incident.title_hint")} error={missing ? t("incident.title_missing") : undefined}>
        {(ids) => <input {...ids} data-first value={title} maxLength={400} autoComplete="off" dir="auto" onChange={(event) => set_title(event.target.value)} />}
      </Field>
      <Field label={t("incident.text")} hint={t("incident.text_hint")}>
        {(ids) => <textarea {...ids} rows={2} value={text} maxLength={5000} dir="auto" onChange={(event) => set_text(event.target.value)} />}
      </Field>
      <div className="incident-pair">
        <Field label={t("incident.status")}>
          {(ids) => (
            <select {...ids} value={status} onChange={(event) => set_status(event.target.value)}>
              {states.map((each) => (
                <option key={each} value={each}>
                  {t(each ? `incident.status.${each}` : "incident.status.unsaid")}
                </option>
              ))}
            </select>
          )}
        </Field>
        <Field label={t("incident.service")} {...(wards.length > 0 ? { hint: t("incident.with_wards", { wards: names.join(", ") }) } : {})}>
          {(ids) =>
            services ? (
              <select {...ids} value={service} onChange={(event) => set_service(event.target.value)}>
                <option value="">{t("incident.service_unknown")}</option>
                {services.map((each) => (
                  <option key={each.name} value={each.name}>
                    {each.title ?? each.name}
                  </option>
                ))}
              </select>
            ) : (
              <input {...ids} value={service} maxLength={150} autoComplete="off" onChange={(event) => set_service(event.target.value)} />
            )
          }
        </Field>
      </div>
      <SeverityChoice criteria={setup.data?.setup.severities ?? []} value={severity} choose={set_severity} none={t("incident.by_rules")} />
      <label className="incident-check">
        <input type="checkbox" checked={breach || found?.breach === true} disabled={found?.breach === true} onChange={(event) => set_breach(event.target.checked)} />
        <span>{t("incident.breach_ask")}</span>
      </label>
      <div className="incident-verdict" role="status">
        {becomes && (
          <p>
            {t("incident.becomes")} <Chip status={look_of_incident[becomes]}>{t(`incident.${becomes}`)}</Chip>
          </p>
        )}
        <small>
          {classified.error ? (
            t("incident.not_classified", { why: classified.error.message })
          ) : found ? (
            <RuleText found={found} />
          ) : (
            t("incident.rules_decide")
          )}
        </small>
        {found?.rule && becomes !== severity && severity && <small>{t("incident.rules_more")}</small>}
      </div>
      {actor.field}
      <Refusal error={declaring.error} />
    </Dialog>
  );
}
