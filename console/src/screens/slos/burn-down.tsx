// How the budget went down, as a chart with a sentence, or as a table.

import { lazy, Suspense } from "react";
import { useBurnDown, type Objective, type Slo } from "../../api/platform";
import { useFormats, useT } from "../../i18n";
import { Button } from "../../ui/basic";
import { Data, Empty, Loading } from "../../ui/states";
import { useWhen } from "../../ui/when";

const Chart = lazy(() => import("../../ui/chart"));

// Seconds shown, and of one step.
const sizes = { "1h": [3_600, 30], "1d": [86_400, 600], "30d": [2_592_000, 14_400] } as const;
const height = 220;

interface Props {
  slo: Slo;
  place: number;
  objective: Objective;
  span: keyof typeof sizes;
  as_table: boolean;
  toggle: () => void;
}
export function BurnDown({ slo, place, objective, span, as_table, toggle }: Props) {
  const t = useT();
  const when = useWhen();
  const formats = useFormats();
  const [span_s, step_s] = sizes[span];
  const read = useBurnDown(slo.name, place, objective.budget, objective.budget_remaining, span_s, step_s);
  return (
    <Data read={read} lines={1} height={height}>
      {({ points, bad, events }) => {
        if (points.length < 2) return <Empty title={t("slo.no_course")} status="neutral">{t("slo.no_course_why")}</Empty>;
        const shares = points.map(([at, left]): [number, number] => [at, left * 100]);
        const lowest = Math.min(0, ...shares.map(([, left]) => left));
        const to = shares.at(-1)![0];
        const text = span === "30d" ? when.day : (at: number) => formats.clock(at).slice(0, 5);
        return (
          <figure className="burn-down">
            {as_table ? (
              <div className="scroll" tabIndex={0}>
                <table>
                  <thead>
                    <tr>
                      <th scope="col">{t("chart.time")}</th>
                      <th scope="col">{t("slo.budget_left")}</th>
                    </tr>
                  </thead>
                  <tbody>
                    {[...points].reverse().map(([at, left]) => (
                      <tr key={at}>
                        <th scope="row" className="number">
                          {when.moment(at)}
                        </th>
                        <td className="number">{formats.percent(left)}</td>
                      </tr>
                    ))}
                  </tbody>
                </table>
              </div>
            ) : (
              <Suspense fallback={<Loading lines={1} height={height} />}>
                <Chart
                  points={shares}
                  from={to - span_s * 1_000}
                  to={to}
                  low={lowest}
                  high={102}
                  height={height}
                  bands={[]}
                  band_edge={0}
                  tick_text={(value) => `${Math.round(value)} %`}
                  time_text={text}
                  axis
                  sync="slo"
                />
              </Suspense>
            )}
            <figcaption>
              <span>
                {t("slo.course", {
                  bad: formats.number(Math.round(bad)),
                  events: formats.number(Math.round(events)),
                  from: when.moment(points[0]![0]),
                  left: formats.percent(objective.budget_remaining),
                })}
              </span>
              <span>
                <Button look="quiet" onClick={toggle}>
                  {t(as_table ? "chart.as_chart" : "chart.as_table")}
                </Button>
              </span>
            </figcaption>
          </figure>
        );
      }}
    </Data>
  );
}
