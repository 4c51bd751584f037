// One patient: who, how they are now and how that came about, what must not be overlooked.

import { useMutation } from "@tanstack/react-query";
import { lazy, Suspense, useState } from "react";
import { Link, useLocation } from "wouter";
import { ask, fhir_base } from "../api/client";
import { ApiError } from "../api/error";
import {
  name_of,
  resources,
  text_of,
  type AllergyIntolerance,
  type Condition,
  type Encounter,
  type Flag,
  type MedicationRequest,
  type Patient,
} from "../api/fhir";
import { client, useOpenAlerts, usePatient, usePatientSigns, useRecords } from "../api/queries";
import { useSession } from "../api/session";
import type { Alert, PatientSigns } from "../api/types";
import { AcknowledgeDialog } from "../clinical/acknowledge";
import { sign_names, sign_units } from "../clinical/news2";
import { age_in_years, look_of_severity, PersonName, Score, SeverityChip, SignValue, useSignText } from "../clinical/parts";
import { useScreenKeys } from "../frame/keys";
import { feed } from "../live/feed";
import { useFormats, useT, type MessageId } from "../i18n";
import { Age, Button, Chip, Dialog, Field } from "../ui/basic";
import { Icon } from "../ui/icons";
import { Data, Empty, Failed, Loading, Panel } from "../ui/states";
import { say } from "../ui/notices";
import { useParam } from "../ui/url";
import "../theme/timeline.css";

const VitalsChart = lazy(() => import("../clinical/vitals-chart"));
const Timeline = lazy(() => import("./timeline/index"));

const parts = ["", "timeline"] as const;

function Parts({ shown }: { shown: string }) {
  const t = useT();
  const [path] = useLocation();
  return (
    <nav className="parts-nav" aria-label={t("timeline.parts")}>
      {parts.map((part) => (
        <Link key={part} href={part ? `${path}?part=${part}` : path} aria-current={part === shown ? "page" : undefined}>
          {t(part ? "timeline.title" : "timeline.overview")}
        </Link>
      ))}
    </nav>
  );
}

function Header({ patient }: { patient: Patient }) {
  const t = useT();
  const formats = useFormats();
  const age = age_in_years(patient.birthDate, feed.now());
  const gender = patient.gender === "male" || patient.gender === "female" || patient.gender === "other" ? patient.gender : "unknown";
  const encounters = useRecords<Encounter>("Encounter", patient.id, { status: "in-progress", _count: "1" });
  const place = resources(encounters.data, "Encounter")[0]?.location?.[0]?.location.display;
  const flags = useRecords<Flag>("Flag", patient.id, {});
  const replaced = patient.link?.find((link) => link.type === "replaced-by")?.other.reference;
  return (
    <header className="patient-head">
      <div>
        <h1>
          <PersonName name={name_of(patient)} id={patient.id} />
        </h1>
        <p className="facts">
          {patient.birthDate && (
            <span>
              {t("patient.born")} <span className="number">{patient.birthDate}</span>
              {age !== undefined && ` (${t("patient.years", { n: age })})`}
            </span>
          )}
          <span>{t(`gender.${gender}`)}</span>
          <span>
            {t("patient.record")} <bdi className="number">{patient.identifier?.[0]?.value ?? patient.id}</bdi>
          </span>
          {place && <bdi>{place}</bdi>}
        </p>
      </div>
      <div className="chips">
        {(patient.deceasedBoolean || patient.deceasedDateTime) && (
          <Chip status="neutral" solid>
            {patient.deceasedDateTime ? t("patient.deceased_at", { time: formats.time(patient.deceasedDateTime) }) : t("patient.deceased")}
          </Chip>
        )}
        {replaced && <Chip status="watch">{t("patient.replaced", { by: replaced })}</Chip>}
        {patient.active === false && <Chip status="neutral">{t("patient.inactive")}</Chip>}
        {(patient.meta?.security ?? []).some((label) => label.code === "R" || label.code === "V") && <Chip status="watch">{t("patient.restricted")}</Chip>}
        {resources(flags.data, "Flag")
          .filter((flag) => flag.status === "active")
          .map((flag) => (
            <Chip key={flag.id} status="urgent">
              <bdi title={text_of(flag.code)}>{text_of(flag.code)}</bdi>
            </Chip>
          ))}
      </div>
      <div className="row">
        <a className="button" href={`${fhir_base}/Patient/${patient.id}/$summary`} target="_blank" rel="noopener">
          <Icon name="link" />
          {t("patient.summary")}
        </a>
        <a className="button quiet" href={`${fhir_base}/Patient/${patient.id}?_pretty=true`} target="_blank" rel="noopener">
          {t("patient.json")}
        </a>
      </div>
    </header>
  );
}

function Now({ signs }: { signs: PatientSigns }) {
  const t = useT();
  const text = useSignText();
  const score = signs.score;
  const band = score?.band ?? score?.band_at_least;
  return (
    <div className="now">
      {score && band ? (
        <p className="now-score">
          <Score points={score.total ?? score.partial ?? 0} complete={score.total !== undefined} band={band} />
          <span className="field-hint">
            <Age at={signs.at} />
          </span>
        </p>
      ) : (
        <p>{signs.not_scored ?? t("patient.not_scored")}</p>
      )}
      <dl className="parts">
        {sign_names.map((name) => {
          const sign = signs.signs[name];
          const points = score?.parts[name];
          return (
            <div key={name}>
              <dt>{t(`sign.${name}`)}</dt>
              <dd>
                {sign ? (
                  <>
                    <SignValue name={name} sign={{ ...sign, ...(typeof points === "number" ? { points } : {}) }} />
                    <small>
                      <bdi dir="ltr">{sign_units[name]}</bdi> <Age at={sign.at} />
                    </small>
                  </>
                ) : (
                  <span className="sign none">{t("sign.missing")}</span>
                )}
              </dd>
            </div>
          );
        })}
      </dl>
      {(signs.limits ?? []).length > 0 && (
        <p className="field-hint">
          {(signs.limits ?? []).map((limit) => `${limit.signal} ${limit.low ?? ""} - ${limit.high ?? ""}`).join("; ")}
        </p>
      )}
      <p className="visually-hidden">{sign_names.map((name) => (signs.signs[name] ? `${t(`sign.${name}`)} ${text(name, signs.signs[name].value)}` : "")).join(", ")}</p>
    </div>
  );
}

function PatientAlerts({ id, onAck }: { id: string; onAck: (alert: Alert) => void }) {
  const t = useT();
  const read = useOpenAlerts();
  return (
    <Data read={read} lines={1} height={56}>
      {({ alerts }) => {
        const own = alerts.filter((alert) => alert.patient === `Patient/${id}`);
        if (own.length === 0) return null;
        return (
          <ul className="banner-list">
            {own.map((alert) => (
              <li key={alert.id} className={`banner ${alert.state === "open" ? look_of_severity[alert.severity] : "info"}`}>
                <SeverityChip severity={alert.severity} acknowledged={alert.state === "acknowledged"} />
                <span className="line-text">
                  <strong dir="auto">{alert.title}</strong>
                  <small dir="auto">
                    {alert.reason} {alert.state === "acknowledged" && t("alert.by", { name: alert.acknowledged_by ?? "" })}
                  </small>
                </span>
                <span className="number">
                  <Age at={alert.raised_at} />
                </span>
                {alert.state === "open" && (
                  <Button look={alert.severity === "emergency" ? "danger" : "plain"} onClick={() => onAck(alert)}>
                    {t("action.ack")}
                  </Button>
                )}
              </li>
            ))}
          </ul>
        );
      }}
    </Data>
  );
}

function Allergies({ id }: { id: string }) {
  const t = useT();
  const read = useRecords<AllergyIntolerance>("AllergyIntolerance", id, {});
  return (
    <Panel title={t("patient.allergies")}>
      <Data read={read} lines={2}>
        {(bundle) => {
          const all = resources<AllergyIntolerance>(bundle, "AllergyIntolerance");
          // "None recorded" is not "none": it must not read as if somebody had asked.
          if (all.length === 0) return <Empty title={t("patient.no_allergies")} status="neutral">{t("patient.no_allergies_why")}</Empty>;
          return (
            <ul className="bare">
              {all.map((each) => (
                <li key={each.id}>
                  <Chip status={each.criticality === "high" ? "emergency" : "watch"}>{each.criticality === "high" ? t("patient.high_risk") : t("patient.allergy")}</Chip>
                  <span>
                    <strong>{text_of(each.code)}</strong>
                    <small>{(each.reaction ?? []).flatMap((reaction) => (reaction.manifestation ?? []).map(text_of)).join(", ")}</small>
                  </span>
                </li>
              ))}
            </ul>
          );
        }}
      </Data>
    </Panel>
  );
}

function Problems({ id }: { id: string }) {
  const t = useT();
  const read = useRecords<Condition>("Condition", id, {});
  return (
    <Panel title={t("patient.problems")}>
      <Data read={read} lines={2}>
        {(bundle) => {
          const all = resources<Condition>(bundle, "Condition");
          if (all.length === 0) return <Empty title={t("patient.none_recorded")} status="neutral" />;
          return (
            <ul className="bare">
              {all.map((each) => (
                <li key={each.id}>
                  <span>
                    <strong>{text_of(each.code)}</strong>
                    <small>{[text_of(each.clinicalStatus), each.onsetDateTime?.slice(0, 10)].filter(Boolean).join(", ")}</small>
                  </span>
                </li>
              ))}
            </ul>
          );
        }}
      </Data>
    </Panel>
  );
}

function Medicines({ id }: { id: string }) {
  const t = useT();
  const read = useRecords<MedicationRequest>("MedicationRequest", id, { status: "active" });
  return (
    <Panel title={t("patient.medicines")}>
      <Data read={read} lines={2}>
        {(bundle) => {
          const all = resources<MedicationRequest>(bundle, "MedicationRequest");
          if (all.length === 0) return <Empty title={t("patient.none_recorded")} status="neutral" />;
          return (
            <ul className="bare">
              {all.map((each) => (
                <li key={each.id}>
                  <span>
                    <strong>{text_of(each.medicationCodeableConcept) || each.medicationReference?.display}</strong>
                    <small>{each.dosageInstruction?.map((dose) => dose.text).join(", ")}</small>
                  </span>
                </li>
              ))}
            </ul>
          );
        }}
      </Data>
    </Panel>
  );
}

// What is hidden answers as if it were not there: whoever needs it to treat somebody now can open it, with a reason, and is
// reviewed afterwards.
function NotShown({ id, error }: { id: string; error: Error }) {
  const t = useT();
  const session = useSession();
  const [open, set_open] = useState(false);
  const [reason, set_reason] = useState("");
  const breaking = useMutation({
    mutationFn: () => ask("POST /api/v1/break-glass", { body: { patient: id, reason } }),
    onSuccess: () => {
      say("watch", t("glass.done"));
      set_open(false);
      void client.invalidateQueries();
    },
  });
  const may = session.state === "in" && error instanceof ApiError && (error.trouble === "missing" || error.trouble === "forbidden");
  if (!may) return <Failed error={error} retry={() => void client.invalidateQueries({ queryKey: ["patient", id] })} />;
  return (
    <Empty title={t("glass.title")} status="neutral" action={<Button onClick={() => set_open(true)}>{t("glass.open")}</Button>}>
      {t("glass.why")}
      <Dialog
        open={open}
        onClose={() => set_open(false)}
        title={t("glass.open")}
        actions={
          <Button look="danger" busy={breaking.isPending} disabled={reason.trim().length < 10} onClick={() => breaking.mutate()}>
            {t("glass.confirm")}
          </Button>
        }
      >
        <p>{t("glass.text")}</p>
        <Field label={t("glass.reason")} hint={t("glass.reason_hint")} error={breaking.error?.message}>
          {(ids) => <textarea {...ids} rows={3} value={reason} maxLength={500} onChange={(event) => set_reason(event.target.value)} />}
        </Field>
      </Dialog>
    </Empty>
  );
}

function Signs({ id }: { id: string }) {
  const t = useT();
  const read = usePatientSigns(id);
  if (read.error instanceof ApiError && read.error.trouble === "missing" && !read.data) {
    return (
      <Empty title={t("patient.no_signs")} status="neutral">
        {t("patient.no_signs_why")}
      </Empty>
    );
  }
  return (
    <Data read={read} lines={4}>
      {(signs) => <Now signs={signs} />}
    </Data>
  );
}

export default function PatientScreen({ id = "" }: { id?: string }) {
  const t = useT();
  const read = usePatient(id);
  const alerts = useOpenAlerts();
  const [acting, set_acting] = useState<Alert>();
  const [part] = useParam("part");
  useScreenKeys({
    a: () => set_acting(alerts.data?.alerts.find((alert) => alert.patient === `Patient/${id}` && alert.state === "open")),
  });
  if (!read.data) return read.error ? <NotShown id={id} error={read.error} /> : <Loading lines={5} height={80} />;
  const own = alerts.data?.alerts.filter((alert) => alert.patient === `Patient/${id}`) ?? [];
  return (
    <div className="patient">
      <Header patient={read.data} />
      <PatientAlerts id={id} onAck={set_acting} />
      <Parts shown={part === "timeline" ? part : ""} />
      {part === "timeline" ? (
        <Suspense fallback={<Loading lines={6} height={52} />}>
          <Timeline id={id} />
        </Suspense>
      ) : (
        <>
          <Panel title={t("patient.now" satisfies MessageId)} className="patient-now">
            <Signs id={id} />
          </Panel>
          <Panel title={t("patient.course")} className="patient-course">
            <Suspense fallback={<Loading lines={5} height={70} />}>
              <VitalsChart id={id} marks={own.map((alert) => Date.parse(alert.raised_at))} />
            </Suspense>
          </Panel>
          <Allergies id={id} />
          <Problems id={id} />
          <Medicines id={id} />
        </>
      )}
      <AcknowledgeDialog alert={acting} subject={name_of(read.data)} onClose={() => set_acting(undefined)} />
    </div>
  );
}
