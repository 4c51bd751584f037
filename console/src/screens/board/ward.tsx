// The ward as charts: of each patient the course of a quarter of an hour, as beside the bed. By place, which does not change with the
// score: who looks again finds a patient where they were.

import { useVirtualizer } from "@tanstack/react-virtual";
import { memo, useEffect, useMemo, useRef, useState } from "react";
import { Link } from "wouter";
import { useVitalHistory } from "../../api/queries";
import type { BoardPatient, SignName } from "../../api/types";
import { bands_of, grain, sign_names, sign_units } from "../../clinical/news2";
import { PersonName, Score, SignValue } from "../../clinical/parts";
import { trend_of } from "../../clinical/trend";
import { courses_of, type Course } from "../../clinical/vitals";
import { useT } from "../../i18n";
import { Age, Button } from "../../ui/basic";
import { LaneChart, type Lane } from "../../ui/chart";
import { useScale } from "../../ui/media";
import "../../theme/ward.css";
import { class_of, owner_of, type Line } from "./line";

const window_ms = 15 * 60_000;
// From the top, with what each lane shows.
const ranges = { pulse: [30, 150], spo2: [84, 100], respiration: [4, 36] } as const;
const drawn = ["pulse", "spo2", "respiration"] as const;
const beside: readonly SignName[] = sign_names.filter((name) => !(name in ranges));

const card_width = 262; // pixels where text has its usual size, with the gap
const card_height = 180;
const chart_height = 84;

const no_courses = courses_of([]);

// What was recorded before the card was shown, and what came since.
function useCourses(patient: BoardPatient): readonly Course[] {
  const history = useVitalHistory(patient.id, window_ms / 3_600_000, false);
  const before = useMemo(() => (history.data ? courses_of(history.data) : no_courses), [history.data]);
  const since = useRef(new Map<SignName, Course>());
  return useMemo(
    () =>
      drawn.map((name) => {
        const sign = patient.signs?.[name];
        const at = sign ? Date.parse(sign.at) : NaN;
        const known = since.current.get(name) ?? [];
        const last = known.at(-1)?.[0] ?? -Infinity;
        const course = sign && at > last ? [...known.filter(([then]) => then > at - window_ms), [at, sign.value] as [number, number]] : known;
        since.current.set(name, course);
        const until = before[name].at(-1)?.[0] ?? -Infinity;
        return [...before[name], ...course.filter(([then]) => then > until)];
      }),
    [patient, before],
  );
}

const Card = memo(function Card({ patient, alert, now, height, onAck }: Line & { now: number; height: number; onAck: (line: Line) => void }) {
  const t = useT();
  const courses = useCourses(patient);
  const on_oxygen = (patient.signs?.oxygen?.value ?? 0) > 0;
  const lanes = useMemo(
    () =>
      drawn.map((name, at): Lane => {
        const [low, high] = ranges[name];
        return { points: courses[at]!, low, high, bands: bands_of(name, patient.spo2_scale ?? 1, on_oxygen), band_edge: grain[name] / 2, colour: "--text" };
      }),
    [courses, patient.spo2_scale, on_oxygen],
  );
  return (
    <article className={`ward-card ${class_of({ patient, alert })}`} data-id={patient.id} aria-label={[patient.place, patient.name].filter(Boolean).join(", ")}>
      <header>
        <Score points={patient.points} complete={patient.complete} band={patient.band} trend={trend_of(patient.id)} />
        <div className="ward-who">
          <Link href={`/patients/${encodeURIComponent(patient.id)}`}>
            <PersonName name={patient.name} id={patient.id} />
          </Link>
          <small>
            <bdi className="ward-place">{patient.place || "-"}</bdi>
            {", "}
            {patient.finding ? <span title={patient.finding}>{t("board.no_data")} </span> : null}
            <Age at={patient.at} />
          </small>
        </div>
        {alert?.state === "open" ? (
          <Button look={alert.severity === "emergency" ? "danger" : "plain"} icon="check" aria-label={t("action.ack")} title={t("action.ack")} onClick={() => onAck({ patient, alert })} />
        ) : (
          alert && <bdi className="ward-owner">{owner_of(alert, t)}</bdi>
        )}
      </header>
      <div className="ward-course">
        <dl style={{ blockSize: height }}>
          {drawn.map((name) => (
            <div key={name}>
              <dt>{t(`sign.short.${name}`)}</dt>
              <dd>
                <SignValue name={name} sign={patient.signs?.[name]} unit />
              </dd>
            </div>
          ))}
        </dl>
        <LaneChart lanes={lanes} from={now - window_ms} to={now} height={height} />
      </div>
      <footer>
        {beside.map((name) => (
          <span key={name} title={t(`sign.${name}`)}>
            <span className="visually-hidden">{t(`sign.${name}`)} </span>
            <SignValue name={name} sign={patient.signs?.[name]} unit={sign_units[name] !== ""} />
          </span>
        ))}
      </footer>
    </article>
  );
});

const by_place = (a: Line, b: Line): number =>
  Number(a.patient.place === "") - Number(b.patient.place === "") ||
  a.patient.place.localeCompare(b.patient.place, undefined, { numeric: true }) ||
  a.patient.id.localeCompare(b.patient.id);

export default function Ward({ lines, now, onAck }: { lines: readonly Line[]; now: number; onAck: (line: Line) => void }) {
  const t = useT();
  const scale = useScale();
  const scroll = useRef<HTMLDivElement>(null);
  const [columns, set_columns] = useState(1);
  const sorted = useMemo(() => [...lines].sort(by_place), [lines]);
  useEffect(() => {
    const element = scroll.current;
    if (!element) return;
    const resized = new ResizeObserver(() => set_columns(Math.max(1, Math.floor(element.clientWidth / (card_width * scale)))));
    resized.observe(element);
    return () => resized.disconnect();
  }, [scale]);
  const list = useVirtualizer({
    count: Math.ceil(sorted.length / columns),
    getScrollElement: () => scroll.current,
    estimateSize: () => card_height * scale,
    overscan: 0,
  });
  useEffect(() => list.measure(), [list, scale]);
  return (
    <>
      <div className="ward" ref={scroll} role="region" aria-label={t("board.charts")} tabIndex={0}>
        <div style={{ blockSize: list.getTotalSize() }}>
          {list.getVirtualItems().map((row) => (
            <div key={row.key} className="ward-row" style={{ transform: `translateY(${row.start}px)`, blockSize: row.size, gridTemplateColumns: `repeat(${columns}, minmax(0, 1fr))` }}>
              {sorted.slice(row.index * columns, (row.index + 1) * columns).map((line) => (
                <Card key={line.patient.id} patient={line.patient} alert={line.alert} now={now} height={chart_height * scale} onAck={onAck} />
              ))}
            </div>
          ))}
        </div>
      </div>
      <p className="field-hint">{t("board.charts_note")}</p>
    </>
  );
}
