// The seven parameters of the early warning score over one axis of time, with its bands behind them.

import { useCallback, useMemo, useState } from "react";
import { usePatientSigns, useVitalHistory } from "../api/queries";
import type { SignName } from "../api/types";
import { useScreenKeys } from "../frame/keys";
import { useFormats, useT } from "../i18n";
import { feed } from "../live/feed";
import { Button, Select } from "../ui/basic";
import Chart from "../ui/chart";
import { Data, Empty } from "../ui/states";
import { useParam } from "../ui/url";
import { acvpu, bands_of, grain, sign_names, sign_units } from "./news2";
import { useSignText } from "./parts";
import { courses_of, type Courses } from "./vitals";

const ticks: Record<SignName, readonly number[]> = {
  respiration: [10, 20, 30],
  spo2: [85, 92, 96],
  oxygen: [0, 1],
  systolic: [90, 150, 220],
  pulse: [50, 90, 130],
  consciousness: [0, 1, 2, 3, 4],
  temperature: [35, 37, 39],
};
const ranges: Record<SignName, [number, number]> = {
  respiration: [0, 40],
  spo2: [80, 100],
  oxygen: [-0.4, 1.4],
  systolic: [40, 240],
  pulse: [20, 180],
  consciousness: [-0.5, 4.5],
  temperature: [34, 41],
};
const heights: Record<SignName, number> = { respiration: 76, spo2: 76, oxygen: 44, systolic: 88, pulse: 88, consciousness: 70, temperature: 88 };
const hour_ms = 3_600_000;
const table_rows_max = 60;

function Table({ courses }: { courses: Courses }) {
  const t = useT();
  const formats = useFormats();
  const text = useSignText();
  const rows = useMemo(() => {
    const by_time = new Map<number, Partial<Record<SignName, number>>>();
    for (const name of sign_names) {
      for (const [at, value] of courses[name]) by_time.set(at, { ...by_time.get(at), [name]: value });
    }
    return [...by_time.entries()].sort((a, b) => b[0] - a[0]).slice(0, table_rows_max);
  }, [courses]);
  return (
    <div className="scroll" tabIndex={0} role="region" aria-label={t("chart.table")}>
      <table>
        <thead>
          <tr>
            <th scope="col">{t("chart.time")}</th>
            {sign_names.map((name) => (
              <th scope="col" key={name}>
                {t(`sign.${name}`)} {sign_units[name] && <small>{sign_units[name]}</small>}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map(([at, values]) => (
            <tr key={at}>
              <th scope="row" className="number">
                {formats.clock(at)}
              </th>
              {sign_names.map((name) => (
                <td key={name} className="number">
                  {values[name] === undefined ? "-" : text(name, values[name])}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

interface TracksProps {
  courses: Courses;
  from: number;
  to: number;
  marks: readonly number[];
  scale: 1 | 2; // of SpO2
}
function Tracks({ courses, from, to, marks, scale }: TracksProps) {
  const t = useT();
  const formats = useFormats();
  const text = useSignText();
  const time_text = useCallback((ms: number) => formats.clock(ms).slice(0, 5), [formats]);
  const texts = useMemo(
    () => ({
      oxygen: (value: number) => (value > 0 ? "O₂" : text("oxygen", value)),
      consciousness: (value: number) => acvpu[value] ?? "",
      other: (value: number) => String(value),
    }),
    [text],
  );
  const on_oxygen = (courses.oxygen.at(-1)?.[1] ?? 0) > 0;
  return (
    <div className="tracks">
      {sign_names.map((name, i) => {
        const last = courses[name].at(-1);
        return (
          <div className="track" key={name}>
            <div className="track-name">
              <span>{t(`sign.${name}`)}</span>
              <strong className="number live-value">{last ? text(name, last[1]) : "-"}</strong>
              <small>{name === "spo2" ? t("chart.scale", { n: scale }) : sign_units[name]}</small>
            </div>
            <Chart
              points={courses[name]}
              from={from}
              to={to}
              low={ranges[name][0]}
              high={ranges[name][1]}
              height={heights[name] + (i === sign_names.length - 1 ? 24 : 0)}
              bands={bands_of(name, scale, on_oxygen)}
              band_edge={grain[name] / 2}
              step={name === "oxygen" || name === "consciousness"}
              ticks={ticks[name]}
              tick_text={name === "oxygen" ? texts.oxygen : name === "consciousness" ? texts.consciousness : texts.other}
              time_text={time_text}
              marks={marks}
              axis={i === sign_names.length - 1}
              sync="vitals"
            />
          </div>
        );
      })}
    </div>
  );
}

export default function VitalsChart({ id, marks }: { id: string; marks: readonly number[] }) {
  const t = useT();
  const formats = useFormats();
  const text = useSignText();
  const [asked, set_hours] = useParam("hours");
  const hours = [1, 6, 24, 72].includes(Number(asked)) ? Number(asked) : 6;
  const [as_table, set_table] = useState(false);
  const read = useVitalHistory(id, hours, 5_000);
  const signs = usePatientSigns(id);
  const scale = signs.data?.limits?.some((limit) => limit.spo2_scale === 2) ? 2 : 1;
  const courses = useMemo(() => courses_of(read.data ?? []), [read.data]);
  useScreenKeys({ t: () => set_table((now) => !now) });
  const summary = sign_names
    .flatMap((name) => {
      const values = courses[name].map(([, value]) => value);
      const last = values.at(-1);
      if (last === undefined) return [];
      if (name === "oxygen" || name === "consciousness") return [`${t(`sign.${name}`)} ${text(name, last)}`];
      return [t("chart.range", { sign: t(`sign.${name}`), low: text(name, Math.min(...values)), high: text(name, Math.max(...values)), last: text(name, last), unit: sign_units[name] })];
    })
    .join(". ");
  const times = sign_names.flatMap((name) => courses[name].map(([at]) => at));
  // As wide as asked, or as there is data: a first quarter of an hour is not squeezed into a corner.
  const to = Math.max(feed.now(), ...times.slice(-1));
  const first = times.length > 0 ? Math.min(...times) : to - hours * hour_ms;
  const from = Math.max(to - hours * hour_ms, Math.min(first, to - 10 * 60_000));
  return (
    <figure className="vitals-chart">
      <div className="row chart-tools">
        <Select label={t("chart.hours")} value={hours} onChange={(event) => set_hours(event.target.value)}>
          {[1, 6, 24, 72].map((each) => (
            <option key={each} value={each}>
              {t("chart.last_hours", { n: each })}
            </option>
          ))}
        </Select>
        <Button aria-pressed={as_table} onClick={() => set_table(!as_table)}>
          {t(as_table ? "chart.as_chart" : "chart.as_table")} <kbd>t</kbd>
        </Button>
      </div>
      <Data read={read} lines={5} height={70}>
        {() =>
          times.length === 0 ? (
            <Empty title={t("chart.none", { n: hours })} status="neutral" />
          ) : as_table ? (
            <Table courses={courses} />
          ) : (
            <Tracks courses={courses} from={from} to={to} marks={marks} scale={scale} />
          )
        }
      </Data>
      <figcaption>
        {times.length > 0 && <p>{t("chart.summary", { from: formats.time(from), text: summary })}</p>}
        <p className="field-hint">{t("chart.note")}</p>
      </figcaption>
    </figure>
  );
}
