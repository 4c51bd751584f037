// How well changes are made, by the measures of DORA.

import { figures_days, useFigures, type ServiceFigures, type Spread } from "../../api/changes";
import { useFormats, useT } from "../../i18n";
import { Data, Empty, Panel } from "../../ui/states";

export function useLength(): (seconds: number) => string {
  const t = useT();
  const formats = useFormats();
  return (seconds) => {
    if (seconds < 120) return formats.duration_ms(seconds * 1_000);
    if (seconds < 7_200) return t("change.length_min", { n: formats.number(seconds / 60) });
    if (seconds < 172_800) return t("change.length_h", { n: formats.number(seconds / 3_600, seconds < 36_000 ? 1 : 0) });
    return t("change.length_d", { n: formats.number(seconds / 86_400, 1) });
  };
}

function Figure({ name, value, more }: { name: string; value: string; more: string }) {
  return (
    <div className="figure">
      <dt>{name}</dt>
      <dd>
        <span className="figure-value number">{value}</span>
        <small>{more}</small>
      </dd>
    </div>
  );
}

function Whole({ figures }: { figures: ServiceFigures }) {
  const t = useT();
  const formats = useFormats();
  const length = useLength();
  const spread = (of: Spread) => (of.count === 0 ? "-" : length(of.median_s));
  const slow = (of: Spread) => (of.count === 0 ? t("change.dora.never") : t("change.dora.p90", { time: length(of.p90_s) }));
  return (
    <dl className="figures">
      <Figure name={t("change.dora.frequency")} value={formats.number(figures.per_day, figures.per_day < 10 ? 2 : 0)} more={t("change.dora.a_day", { n: figures.finished })} />
      <Figure name={t("change.dora.lead")} value={spread(figures.lead)} more={slow(figures.lead)} />
      <Figure name={t("change.dora.failed")} value={formats.percent(figures.failure_rate)} more={t("change.dora.of", { n: figures.failed, all: figures.finished })} />
      <Figure name={t("change.dora.recovery")} value={spread(figures.recovery)} more={slow(figures.recovery)} />
      <Figure name={t("change.dora.unplanned")} value={formats.percent(figures.rework_rate)} more={t("change.dora.of", { n: figures.unplanned, all: figures.finished })} />
    </dl>
  );
}

function ByService({ services }: { services: readonly ServiceFigures[] }) {
  const t = useT();
  const formats = useFormats();
  const length = useLength();
  return (
    <details className="by-service">
      <summary>{t("change.dora.by_service")}</summary>
      <div className="scroll" tabIndex={0} role="region" aria-label={t("change.dora.by_service")}>
        <table>
          <thead>
            <tr>
              <th scope="col">{t("change.service")}</th>
              <th scope="col">{t("change.dora.finished")}</th>
              <th scope="col">{t("change.dora.lead")}</th>
              <th scope="col">{t("change.dora.failed")}</th>
              <th scope="col">{t("change.dora.recovery")}</th>
            </tr>
          </thead>
          <tbody>
            {services.map((each) => (
              <tr key={each.service}>
                <th scope="row">
                  <bdi>{each.service}</bdi>
                </th>
                <td className="number">{formats.number(each.finished)}</td>
                <td className="number">{each.lead.count > 0 ? length(each.lead.median_s) : "-"}</td>
                <td className="number">{formats.percent(each.failure_rate)}</td>
                <td className="number">{each.recovery.count > 0 ? length(each.recovery.median_s) : "-"}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </details>
  );
}

export function Figures() {
  const t = useT();
  const read = useFigures();
  return (
    <Panel title={t("change.dora.title", { n: figures_days })} aside={<small>{t("change.dora.source")}</small>}>
      <Data read={read} lines={1} height={72}>
        {({ services }) => {
          const all = services.find((each) => each.service === "");
          if (!all) return <Empty title={t("change.dora.none")} status="neutral" />;
          return (
            <>
              <Whole figures={all} />
              <ByService services={services.filter((each) => each.service !== "")} />
            </>
          );
        }}
      </Data>
    </Panel>
  );
}
