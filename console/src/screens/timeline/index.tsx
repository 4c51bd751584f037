// What happened to a patient, newest first: encounters, vital signs, results, medicines, reports and alerts, by the FHIR searches
// that every client has.

import { useInfiniteQuery } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { ask_fhir, fhir_base } from "../../api/client";
import { resources, type Bundle, type Encounter } from "../../api/fhir";
import { useRecords } from "../../api/queries";
import { useScreenKeys } from "../../frame/keys";
import { useFormats, useT } from "../../i18n";
import { Chip, Select, Time } from "../../ui/basic";
import type { Status } from "../../ui/icons";
import { useIsPhone } from "../../ui/media";
import { Rows } from "../../ui/rows";
import { Data, Empty, Failed } from "../../ui/states";
import { useParam } from "../../ui/url";
import {
  entries_of_encounters,
  entries_of_flags,
  entries_of_medicines,
  entries_of_observations,
  entries_of_reports,
  kinds,
  newest_first,
  next_of,
  type DatedFlag,
  type DatedObservation,
  type DatedRequest,
  type Entry,
  type Kind,
  type Report,
} from "./entries";
import "../../theme/timeline.css";

const observations_a_page = 1_000;
const others_max = 500; // of each kind; said when there are more

// Observations are many: page by page, as the server goes on. By their times alone those of one moment could be cut in two.
function useObservations(id: string) {
  return useInfiniteQuery({
    queryKey: ["timeline", id],
    queryFn: ({ pageParam, signal }) =>
      ask_fhir<Bundle<DatedObservation>>(`Observation${pageParam}`, pageParam ? undefined : { patient: id, _sort: "-date", _count: observations_a_page }, { signal }),
    initialPageParam: "",
    getNextPageParam: next_of,
    staleTime: 10_000,
  });
}

const look_of_kind: Record<Kind, Status> = { encounter: "info", vitals: "neutral", result: "neutral", medicine: "safe", report: "info", alert: "urgent" };

function useDetail() {
  const t = useT();
  const formats = useFormats();
  return (entry: Entry): { title: string; detail: string } => {
    if (entry.kind !== "vitals") return { title: entry.title || t(`timeline.kind.${entry.kind}`), detail: entry.detail };
    const digits = (value: number) => formats.number(value, Number.isInteger(value) ? 0 : 1);
    const texts = (entry.readings ?? []).map(({ name, unit, low, high }) => `${name} ${low === high ? digits(low) : `${digits(low)}\u2013${digits(high)}`} ${unit}`);
    return { title: t("timeline.vitals", { n: entry.count ?? 0 }), detail: texts.join(", ") };
  };
}

function Cells({ entry }: { entry: Entry }) {
  const t = useT();
  const detail = useDetail()(entry);
  const end = entry.until !== undefined && entry.kind !== "vitals" ? entry.until : undefined;
  return (
    <>
      <span role="cell" className="timeline-at number">
        <Time at={new Date(entry.at).toISOString()} />
      </span>
      <span role="cell" className="timeline-kind">
        <Chip status={entry.kind === "alert" && entry.status !== "active" ? "neutral" : look_of_kind[entry.kind]}>{t(`timeline.kind.${entry.kind}`)}</Chip>
      </span>
      <span role="cell" className="cell-what">
        <strong dir="auto" title={detail.title}>
          {detail.title}
        </strong>
        <small dir="auto" title={detail.detail}>
          {detail.detail}
        </small>
      </span>
      <span role="cell" className="timeline-end number">
        {end !== undefined ? (
          <>
            {t("timeline.until")} <Time at={new Date(end).toISOString()} />
          </>
        ) : (
          entry.status && entry.kind !== "vitals" && <span dir="ltr">{entry.status}</span>
        )}
      </span>
      <span role="cell" className="timeline-link">
        <a href={`${fhir_base}/${entry.reference}?_pretty=true`} target="_blank" rel="noopener" aria-label={t("timeline.open", { what: entry.reference })}>
          {t("patient.json")}
        </a>
      </span>
    </>
  );
}

export default function Timeline({ id }: { id: string }) {
  const t = useT();
  const phone = useIsPhone();
  const [kind, set_kind] = useParam("kind");
  const [selected, set_selected] = useState("");
  const observations = useObservations(id);
  const newest = { _count: String(others_max) };
  const encounters = useRecords<Encounter>("Encounter", id, { ...newest, _sort: "-date" });
  const medicines = useRecords<DatedRequest>("MedicationRequest", id, { ...newest, _sort: "-authoredon" });
  const reports = useRecords<Report>("DiagnosticReport", id, { ...newest, _sort: "-date" });
  const flags = useRecords<DatedFlag>("Flag", id, { ...newest, _sort: "-date" });
  const others = [encounters, medicines, reports, flags];
  const pages = observations.data?.pages;
  const entries = useMemo(
    () =>
      newest_first([
        ...entries_of_observations((pages ?? []).flatMap((page) => resources<DatedObservation>(page, "Observation"))),
        ...entries_of_encounters(resources<Encounter>(encounters.data, "Encounter")),
        ...entries_of_medicines(resources<DatedRequest>(medicines.data, "MedicationRequest")),
        ...entries_of_reports(resources<Report>(reports.data, "DiagnosticReport")),
        ...entries_of_flags(resources<DatedFlag>(flags.data, "Flag")),
      ]),
    [pages, encounters.data, medicines.data, reports.data, flags.data],
  );
  const rows = useMemo(() => entries.filter((entry) => kind === "" || entry.kind === kind), [entries, kind]);
  const move = (by: number) => {
    const at = rows.findIndex((entry) => entry.id === selected);
    const next = rows[Math.min(rows.length - 1, Math.max(0, at + by))];
    if (next) set_selected(next.id);
  };
  useScreenKeys({
    j: () => move(1),
    k: () => move(-1),
    Enter: () => document.querySelector<HTMLElement>(`.timeline-rows [data-id="${CSS.escape(selected)}"] a`)?.click(),
  });
  const is_cut = others.some((read) => (read.data?.entry?.length ?? 0) >= others_max);
  const failed = others.find((read) => read.error);
  return (
    <section className="timeline-part" aria-label={t("timeline.title")}>
      <div className="row">
        <Select label={t("timeline.show")} value={kind} onChange={(event) => set_kind(event.target.value)}>
          <option value="">{t("timeline.all")}</option>
          {kinds.map((each) => (
            <option key={each} value={each}>
              {t(`timeline.kind.${each}`)}
            </option>
          ))}
        </Select>
        <span className="field-hint">{t("timeline.order")}</span>
      </div>
      {failed?.error && <Failed error={failed.error} retry={() => void failed.refetch()} />}
      <Data read={observations} lines={6} height={52}>
        {() =>
          rows.length === 0 ? (
            <Empty title={t("timeline.none")} status="neutral">
              {t("timeline.none_why")}
            </Empty>
          ) : (
            <Rows
              label={t("timeline.title")}
              className="timeline-rows"
              rows={rows}
              id_of={(entry) => entry.id}
              {...(phone ? {} : { head: [t("timeline.when"), t("timeline.kind"), t("timeline.what"), t("timeline.state"), t("timeline.record")] })}
              row_height={phone ? 116 : 56}
              row_class={(entry) => entry.kind}
              selected={selected}
              render={(entry) => <Cells entry={entry} />}
              {...(observations.hasNextPage && !observations.isFetchingNextPage ? { at_end: () => void observations.fetchNextPage() } : {})}
            />
          )
        }
      </Data>
      {is_cut && <p className="field-hint">{t("timeline.cut", { n: others_max })}</p>}
    </section>
  );
}
