// Who is on duty over days: rows of bars. Each bar is a button with its whole text, so that it is read out as well as seen.
// Time runs from left to right in every language.

import { useMemo, useState } from "react";
import { useT } from "../../i18n";
import { feed } from "../../live/feed";
import { useWhen } from "../../ui/when";
import { day_ms, day_of_month, midnight } from "../../ui/wall";
import { lanes, type Span } from "./time";

export interface Bar extends Span {
  id: string;
  text: string;
  who?: string;
  kind: "duty" | "override" | "rotation" | "gap" | "leave";
  says: string; // the whole of it
  open?: () => void;
}
export interface Row {
  id: string;
  name: string;
  about?: string;
  bars: Bar[];
}

const lane_rem = 2;
// Below this share of the time shown a bar has room for initials only.
const narrow = 0.085;
const initials = (name: string) =>
  name
    .split(/\s+/)
    .filter((word) => !word.endsWith("."))
    .map((word) => [...word][0]?.toUpperCase() ?? "")
    .slice(0, 3)
    .join("");

export function Gantt({ label, rows, from, to }: { label: string; rows: readonly Row[]; from: number; to: number }) {
  const t = useT();
  const when = useWhen();
  const [lit, set_lit] = useState<string>();
  const place = (at: number) => `${(((Math.min(Math.max(at, from), to) - from) / (to - from)) * 100).toFixed(3)}%`;
  const days = useMemo(() => {
    const found: number[] = [];
    for (let day = midnight(from); day < to; day = midnight(day, 1)) if (day >= from) found.push(day);
    return found;
  }, [from, to]);
  const now = feed.now();
  const few = (to - from) / day_ms <= 8;
  const style_of = (bar: Bar, lane: number) => {
    const first = (Math.max(bar.begin, from) - from) / (to - from);
    const last = (Math.min(bar.end, to) - from) / (to - from);
    return { insetInlineStart: `${(first * 100).toFixed(3)}%`, inlineSize: `${((last - first) * 100).toFixed(3)}%`, insetBlockStart: `${lane * lane_rem}rem` };
  };
  const text_of = (bar: Bar) => (bar.who && (bar.end - bar.begin) / (to - from) < narrow ? initials(bar.who) : bar.text);
  const classes = (bar: Bar) =>
    `gantt-bar ${bar.kind}${bar.begin < from ? " cut-left" : ""}${bar.end > to ? " cut-right" : ""}${lit !== undefined && bar.who === lit ? " lit" : ""}`;
  return (
    <div className={lit === undefined ? "gantt" : "gantt dimmed"} role="group" aria-label={label} dir="ltr">
      <div className="gantt-days" aria-hidden="true">
        {days.map((day) => (
          <span key={day} style={{ insetInlineStart: place(day) }} className={midnight(now) === day ? "today" : ""}>
            {few ? when.day(day) : day_of_month(day)}
          </span>
        ))}
      </div>
      {rows.map((row) => {
        const lane = lanes(row.bars);
        const height = Math.max(1, ...lane.map((each) => each + 1)) * lane_rem;
        return (
          <div key={row.id} className={`gantt-row ${row.id === "final" ? "final" : ""}`} role="group" aria-label={row.name}>
            <div className="gantt-name">
              <strong dir="auto">{row.name}</strong>
              {row.about && <small dir="auto">{row.about}</small>}
            </div>
            <div className="gantt-track" style={{ blockSize: `${height}rem` }}>
              {days.map((day) => (
                <span key={day} className="gantt-day" style={{ insetInlineStart: place(day) }} />
              ))}
              {row.bars.map((bar, at) =>
                bar.open ? (
                  <button
                    key={bar.id}
                    type="button"
                    className={classes(bar)}
                    style={style_of(bar, lane[at]!)}
                    title={bar.says}
                    onClick={bar.open}
                    onPointerEnter={() => set_lit(bar.who)}
                    onPointerLeave={() => set_lit(undefined)}
                  >
                    <bdi aria-hidden="true">{text_of(bar)}</bdi>
                    <span className="visually-hidden">{bar.says}</span>
                  </button>
                ) : (
                  <span
                    key={bar.id}
                    className={classes(bar)}
                    style={style_of(bar, lane[at]!)}
                    title={bar.says}
                    onPointerEnter={() => set_lit(bar.who)}
                    onPointerLeave={() => set_lit(undefined)}
                  >
                    <bdi>{text_of(bar)}</bdi>
                  </span>
                ),
              )}
              {now > from && now < to && <span className="gantt-now" style={{ insetInlineStart: place(now) }} title={t("oncall.now")} />}
            </div>
          </div>
        );
      })}
    </div>
  );
}
