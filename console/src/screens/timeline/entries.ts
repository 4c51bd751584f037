// What was recorded of a patient, as entries in the order of their time, newest first: vital signs of a quarter of an hour are one
// entry, results of one moment another.

import { text_of, type Bundle, type Concept, type Encounter, type Flag, type MedicationRequest, type Observation, type Quantity } from "../../api/fhir";

export interface Report {
  resourceType: "DiagnosticReport";
  id: string;
  status: string;
  code?: Concept;
  conclusion?: string;
  effectiveDateTime?: string;
  effectivePeriod?: { start?: string };
  issued?: string;
}
export type DatedFlag = Flag & { period?: { start?: string; end?: string } };
export type DatedRequest = MedicationRequest & { authoredOn?: string };
export type DatedObservation = Observation & {
  category?: Concept[];
  valueString?: string;
  valueInteger?: number;
  valueBoolean?: boolean;
  effectivePeriod?: { start?: string };
  effectiveInstant?: string;
  issued?: string;
};

export const kinds = ["encounter", "vitals", "result", "medicine", "report", "alert"] as const;
export type Kind = (typeof kinds)[number];

export interface Reading {
  name: string;
  unit: string;
  low: number;
  high: number;
}
export interface Entry {
  id: string; // of the entry
  kind: Kind;
  at: number; // milliseconds
  until?: number;
  title: string;
  detail: string;
  status?: string; // as FHIR writes it
  count?: number; // of observations
  readings?: Reading[]; // of vital signs
  reference: string; // Type/id of the resource, or of the newest of them
}

const quarter_ms = 15 * 60_000;
const wrong = new Set(["entered-in-error", "cancelled"]);

const time_of = (...texts: (string | undefined)[]): number | undefined => {
  for (const text of texts) {
    const ms = text ? Date.parse(text) : NaN;
    if (Number.isFinite(ms)) return ms;
  }
  return undefined;
};

const is_vital = (each: DatedObservation) => (each.category ?? []).some((category) => category.coding?.some((coding) => coding.code === "vital-signs"));

const quantity_text = (quantity: Quantity | undefined) => (quantity?.value === undefined ? "" : `${quantity.value} ${quantity.unit ?? quantity.code ?? ""}`.trim());

export function value_of(each: DatedObservation): string {
  const own =
    quantity_text(each.valueQuantity) ||
    text_of(each.valueCodeableConcept) ||
    each.valueString ||
    (each.valueInteger ?? each.valueBoolean)?.toString() ||
    "";
  const parts = (each.component ?? []).map((part) => `${text_of(part.code)} ${quantity_text(part.valueQuantity)}`.trim());
  return [own, ...parts].filter(Boolean).join(", ");
}

function note(readings: Map<string, Reading>, code: Concept, quantity: Quantity | undefined) {
  const name = text_of(code);
  if (quantity?.value === undefined || !name) return;
  const unit = quantity.unit ?? quantity.code ?? "";
  const known = readings.get(`${name} ${unit}`);
  readings.set(`${name} ${unit}`, {
    name,
    unit,
    low: Math.min(known?.low ?? quantity.value, quantity.value),
    high: Math.max(known?.high ?? quantity.value, quantity.value),
  });
}

// Vital signs by quarters of an hour; others by their moment.
export function entries_of_observations(observations: readonly DatedObservation[]): Entry[] {
  const groups = new Map<string, { kind: Kind; all: { at: number; each: DatedObservation }[] }>();
  for (const each of observations) {
    const at = time_of(each.effectiveDateTime, each.effectiveInstant, each.effectivePeriod?.start, each.issued);
    if (at === undefined || wrong.has(each.status)) continue;
    const kind = is_vital(each) ? "vitals" : "result";
    const key = kind === "vitals" ? `vitals-${Math.floor(at / quarter_ms)}` : `result-${at}`;
    const group = groups.get(key) ?? { kind, all: [] };
    group.all.push({ at, each });
    groups.set(key, group);
  }
  return [...groups].map(([key, { kind, all }]) => {
    all.sort((a, b) => b.at - a.at);
    const first = all.at(-1)!;
    const newest = all[0]!;
    const readings = new Map<string, Reading>();
    for (const { each } of all) {
      note(readings, each.code, each.valueQuantity);
      for (const part of each.component ?? []) note(readings, part.code, part.valueQuantity);
    }
    return {
      id: key,
      kind,
      at: newest.at,
      ...(first.at < newest.at ? { until: first.at } : {}),
      title: kind === "vitals" ? "" : [...new Set(all.map(({ each }) => text_of(each.code)))].join(", "),
      detail: kind === "vitals" ? "" : all.map(({ each }) => [all.length > 1 ? text_of(each.code) : "", value_of(each)].filter(Boolean).join(" ")).join("; "),
      count: all.length,
      ...(kind === "vitals" ? { readings: [...readings.values()] } : {}),
      reference: `Observation/${newest.each.id}`,
    };
  });
}

export function entries_of_encounters(encounters: readonly Encounter[]): Entry[] {
  return encounters.flatMap((each) => {
    const at = time_of(each.period?.start);
    if (at === undefined || wrong.has(each.status)) return [];
    const end = time_of(each.period?.end);
    return [
      {
        id: `encounter-${each.id}`,
        kind: "encounter" as const,
        at,
        ...(end !== undefined ? { until: end } : {}),
        title: each.type?.map(text_of).filter(Boolean).join(", ") || (each.class?.display ?? each.class?.code ?? ""),
        detail: (each.location ?? []).map(({ location }) => location.display ?? location.reference ?? "").filter(Boolean).join(", "),
        status: each.status,
        reference: `Encounter/${each.id}`,
      },
    ];
  });
}

export function entries_of_medicines(requests: readonly DatedRequest[]): Entry[] {
  return requests.flatMap((each) => {
    const at = time_of(each.authoredOn);
    if (at === undefined || wrong.has(each.status)) return [];
    return [
      {
        id: `medicine-${each.id}`,
        kind: "medicine" as const,
        at,
        title: text_of(each.medicationCodeableConcept) || (each.medicationReference?.display ?? ""),
        detail: (each.dosageInstruction ?? []).map((dose) => dose.text ?? "").filter(Boolean).join(", "),
        status: each.status,
        reference: `MedicationRequest/${each.id}`,
      },
    ];
  });
}

export function entries_of_reports(reports: readonly Report[]): Entry[] {
  return reports.flatMap((each) => {
    const at = time_of(each.effectiveDateTime, each.effectivePeriod?.start, each.issued);
    if (at === undefined || wrong.has(each.status)) return [];
    return [
      { id: `report-${each.id}`, kind: "report" as const, at, title: text_of(each.code), detail: each.conclusion ?? "", status: each.status, reference: `DiagnosticReport/${each.id}` },
    ];
  });
}

export function entries_of_flags(flags: readonly DatedFlag[]): Entry[] {
  return flags.flatMap((each) => {
    const at = time_of(each.period?.start);
    if (at === undefined || wrong.has(each.status)) return [];
    const end = time_of(each.period?.end);
    // The server writes what an alert is, and why in parentheses (clinical/vitals/chart.cc).
    const text = text_of(each.code);
    const [, title, why] = /^(.*?) \((.*)\)$/s.exec(text) ?? [];
    return [
      { id: `alert-${each.id}`, kind: "alert" as const, at, ...(end !== undefined ? { until: end } : {}), title: title ?? text, detail: why ?? "", status: each.status, reference: `Flag/${each.id}` },
    ];
  });
}

// The query of the next page; nothing: this is the last one. Its path is as the server sees itself, which need not be how it is reached.
export function next_of(bundle: Bundle<unknown>): string | undefined {
  const next = bundle.link?.find(({ relation }) => relation === "next");
  return next && new URL(next.url, "http://server").search;
}

export const newest_first = (entries: readonly Entry[]): Entry[] => [...entries].sort((a, b) => b.at - a.at || (a.id < b.id ? -1 : 1));
