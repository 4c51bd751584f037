// The metrics that a change is held to, with their limits: red is where its checks fail.

import { lazy, Suspense } from "react";
import { useCourse, type Change, type Check } from "../../api/changes";
import { useMonitor } from "../../api/queries";
import { useFormats, useT } from "../../i18n";
import { feed } from "../../live/feed";
import { Data, Empty, Loading } from "../../ui/states";
import { useWhen } from "../../ui/when";

const Chart = lazy(() => import("../../ui/chart"));

const height = 140;
const before_ms = 5 * 60_000;
const after_ms = 5 * 60_000;
// On an axis: 2.5M.
const short = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 2 });
const grain_ms = 15_000; // so that a chart is not read anew with every rendering

// Each metric once, with the narrowest limits.
export function guards_of(change: Change): Check[] {
  const found = new Map<string, Check>();
  const all = [...change.plan.checks, ...change.plan.implementation.flatMap((step) => step.checks ?? [])];
  for (const check of all) {
    if (check.kind !== "metric" || !check.metric) continue;
    const before = found.get(check.metric);
    const at_most = [before?.at_most, check.at_most].filter((each) => each !== undefined);
    const at_least = [before?.at_least, check.at_least].filter((each) => each !== undefined);
    found.set(check.metric, {
      kind: "metric",
      metric: check.metric,
      ...(at_most.length > 0 ? { at_most: Math.min(...at_most) } : {}),
      ...(at_least.length > 0 ? { at_least: Math.max(...at_least) } : {}),
    });
  }
  return [...found.values()];
}

function Guard({ check, change }: { check: Check; change: Change }) {
  const t = useT();
  const when = useWhen();
  const formats = useFormats();
  const metric = useMonitor().data?.metrics.find((each) => each.name === check.metric);
  const end = change.finished ? Date.parse(change.finished) + after_ms : feed.now();
  const to = Math.ceil(Math.min(end, feed.now()) / grain_ms) * grain_ms;
  const from = Math.floor((Date.parse(change.started ?? new Date(to).toISOString()) - before_ms) / grain_ms) * grain_ms;
  const read = useCourse(check.metric ?? "", from, to, Math.max(5, Math.round((to - from) / 200_000)));
  const written = (value: number) => formats.number(value, Number.isInteger(value) ? 0 : 2);
  const limits = [check.at_least !== undefined && `≥ ${check.at_least}`, check.at_most !== undefined && `≤ ${check.at_most}`].filter(Boolean).join(", ");
  return (
    <figure className="guard" aria-label={check.metric}>
      <h3>
        <bdi>{check.metric}</bdi>{" "}
        <small dir="ltr">
          {limits} {metric?.unit}
        </small>
      </h3>
      <Data read={read} lines={1} height={height}>
        {(points) => {
          if (points.length < 2) return <Empty title={t("change.no_course")} status="neutral" />;
          const values = points.map(([, value]) => value);
          const edges = [check.at_most, check.at_least].filter((each) => each !== undefined);
          const top = Math.max(...values, ...edges);
          const bottom = Math.min(0, ...values, ...edges);
          const room = (top - bottom || 1) * 0.2;
          const high = top + room;
          const low = bottom < 0 || check.at_least !== undefined ? bottom - room : bottom;
          const marks = [change.started, change.failed_at, change.finished].flatMap((at) => (at ? [Date.parse(at)] : []));
          return (
            <>
              <Suspense fallback={<Loading lines={1} height={height} />}>
                <Chart
                  points={points}
                  from={from}
                  to={to}
                  low={low}
                  high={high}
                  height={height}
                  bands={[
                    ...(check.at_most !== undefined ? [{ low: check.at_most, high, points: 3 as const }] : []),
                    ...(check.at_least !== undefined ? [{ low, high: check.at_least, points: 3 as const }] : []),
                  ]}
                  band_edge={0}
                  tick_text={(value) => short.format(value)}
                  time_text={(at) => formats.clock(at).slice(0, 5)}
                  marks={marks}
                  axis
                  sync={`change-${change.id}`}
                />
              </Suspense>
              <figcaption>
                <span>
                  {t("change.course", {
                    from: when.moment(points[0]![0]),
                    low: written(Math.min(...values)),
                    high: written(Math.max(...values)),
                    last: written(values.at(-1)!),
                    unit: metric?.unit ?? "",
                  })}
                </span>
                <details>
                  <summary>{t("chart.as_table")}</summary>
                  <div className="scroll" tabIndex={0} role="region" aria-label={check.metric}>
                    <table>
                      <thead>
                        <tr>
                          <th scope="col">{t("chart.time")}</th>
                          <th scope="col">{check.metric}</th>
                        </tr>
                      </thead>
                      <tbody>
                        {[...points].reverse().map(([at, value]) => (
                          <tr key={at}>
                            <th scope="row" className="number">
                              {formats.clock(at)}
                            </th>
                            <td className="number">{written(value)}</td>
                          </tr>
                        ))}
                      </tbody>
                    </table>
                  </div>
                </details>
              </figcaption>
            </>
          );
        }}
      </Data>
    </figure>
  );
}

export function Guards({ change }: { change: Change }) {
  return (
    <div className="guards">
      {guards_of(change).map((check) => (
        <Guard key={check.metric} check={check} change={change} />
      ))}
    </div>
  );
}
