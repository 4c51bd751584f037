// Finding a patient: by name, record number, id or date of birth.

import { useEffect, useState } from "react";
import { Link } from "wouter";
import { ask_fhir } from "../api/client";
import { name_of, resources, type Bundle, type Patient } from "../api/fhir";
import { useRead } from "../api/read";
import { age_in_years, PersonName } from "../clinical/parts";
import { feed } from "../live/feed";
import { useT } from "../i18n";
import { Icon } from "../ui/icons";
import { Rows } from "../ui/rows";
import { Data, Empty } from "../ui/states";
import { useParam } from "../ui/url";

const count = 100;

// What the text can mean. Each is asked by itself: a name that looks like a number is found as well.
export function searches_of(text: string): Record<string, string>[] {
  if (/^\d{4}(-\d{2}){0,2}$/.test(text)) return [{ birthdate: text }, { identifier: text }];
  const searches: Record<string, string>[] = [{ name: text }];
  if (!/\s/.test(text) && /\d/.test(text)) {
    searches.push({ identifier: text });
    if (/^[A-Za-z0-9.-]{1,64}$/.test(text)) searches.push({ _id: text });
  }
  return searches;
}

async function find(text: string, signal: AbortSignal): Promise<Patient[]> {
  const answers = await Promise.all(
    searches_of(text).map((search) => ask_fhir<Bundle<Patient>>("Patient", { ...search, _count: count }, { signal, attended: true })),
  );
  const found = new Map<string, Patient>();
  for (const answer of answers) for (const patient of resources(answer, "Patient")) found.set(patient.id, patient);
  return [...found.values()];
}

function Found({ patient }: { patient: Patient }) {
  const t = useT();
  const age = age_in_years(patient.birthDate, feed.now());
  return (
    <>
      <span role="cell" className="cell-name">
        <Link href={`/patients/${encodeURIComponent(patient.id)}`}>
          <PersonName name={name_of(patient)} id={patient.id} />
        </Link>
      </span>
      <span role="cell" className="number">
        {patient.birthDate ?? "-"}
        {age !== undefined && <small> {t("patient.years", { n: age })}</small>}
      </span>
      <span role="cell">{t(`gender.${patient.gender === "male" || patient.gender === "female" || patient.gender === "other" ? patient.gender : "unknown"}`)}</span>
      <span role="cell">
        <bdi className="number">{patient.identifier?.[0]?.value ?? patient.id}</bdi>
      </span>
    </>
  );
}

export default function Patients() {
  const t = useT();
  const [q, set_q] = useParam("q");
  const [text, set_text] = useState(q);
  useEffect(() => set_text(q), [q]);
  const asked = q.trim();
  const read = useRead({ queryKey: ["patients", asked], queryFn: ({ signal }) => find(asked, signal), enabled: asked.length >= 2, staleTime: 10_000 });
  return (
    <div className="patients">
      <header className="screen-head">
        <h1>{t("screen.patients")}</h1>
      </header>
      <form
        className="find"
        role="search"
        onSubmit={(event) => {
          event.preventDefault();
          set_q(text.trim());
        }}
      >
        <label htmlFor="find">{t("patients.find")}</label>
        <div className="row">
          <input id="find" type="search" value={text} maxLength={100} autoComplete="off" onChange={(event) => set_text(event.target.value)} />
          <button type="submit" className="button primary">
            <Icon name="search" />
            {t("action.search")}
          </button>
        </div>
        <p className="field-hint">{t("patients.hint")}</p>
      </form>
      {asked.length < 2 ? (
        <Empty title={t("patients.begin")} status="neutral">
          {t("patients.begin_why")}
        </Empty>
      ) : (
        <Data read={read} lines={6}>
          {(patients) =>
            patients.length === 0 ? (
              <Empty title={t("patients.none", { text: asked })} status="neutral">
                {t("patients.none_why")}
              </Empty>
            ) : (
              <>
                <p role="status" className="field-hint">
                  {t("patients.found", { n: patients.length })}
                </p>
                <Rows
                  label={t("screen.patients")}
                  className="patient-rows"
                  rows={patients}
                  id_of={(patient) => patient.id}
                  head={[t("patient.name"), t("patient.born"), t("patient.gender"), t("patient.record")]}
                  row_height={52}
                  render={(patient) => <Found patient={patient} />}
                />
              </>
            )
          }
        </Data>
      )}
    </div>
  );
}
