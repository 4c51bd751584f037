// What is promised, how much of it may still fail, how fast that is being spent; and below it what it is judged by: rules,
// synthetic emergencies, metrics.

import { useMonitor } from "../../api/queries";
import { useProbes, useRules, useSlos, type BurnRate, type Metric, type Objective, type Probe, type Rule, type Slo } from "../../api/platform";
import { useScreenKeys } from "../../frame/keys";
import { useFormats, useT, type MessageId } from "../../i18n";
import { Chip, Select } from "../../ui/basic";
import { Icon, type Status } from "../../ui/icons";
import { Rows } from "../../ui/rows";
import { Data, Empty, Panel } from "../../ui/states";
import { useParam } from "../../ui/url";
import "../../theme/slos.css";
import { BurnDown } from "./burn-down";

const worst_first: readonly Status[] = ["emergency", "urgent", "watch", "neutral", "safe"];

function look_of(objective: Objective): Status {
  if (!objective.measured) return "neutral";
  if (objective.burn_rates.some((rate) => rate.fires && rate.pages)) return "emergency";
  if (objective.budget_remaining <= 0 && objective.bad > 0) return "urgent";
  if (objective.burn_rates.some((rate) => rate.fires)) return "watch";
  return "safe";
}
function look_of_slo(slo: Slo): Status {
  const looks = slo.objectives.map(look_of);
  return worst_first.find((look) => looks.includes(look)) ?? "neutral";
}
const word_of: Partial<Record<Status, MessageId>> = {
  emergency: "slo.burning",
  urgent: "slo.spent",
  watch: "slo.burning_slowly",
  neutral: "slo.unmeasured",
  safe: "slo.kept",
};

// 99.99 %, with as many digits as the promise has.
function usePercent(): (share: number) => string {
  const formats = useFormats();
  return (share) => {
    const value = Number((share * 100).toFixed(4));
    return `${formats.number(value, String(value).split(".")[1]?.length ?? 0)} %`;
  };
}

function Budget({ objective }: { objective: Objective }) {
  const t = useT();
  const formats = useFormats();
  const left = Math.max(0, Math.min(1, objective.budget_remaining));
  return (
    <div className="budget">
      <span className="budget-left number">
        {objective.budget_remaining < 0 ? `${formats.number(1 - objective.budget_remaining, 1)} ×` : formats.percent(objective.budget_remaining)}
      </span>
      <span className="budget-word">{t(objective.budget_remaining < 0 ? "slo.times_spent" : "slo.budget_left")}</span>
      <span className="budget-bar" aria-hidden="true">
        <span style={{ inlineSize: `${left * 100}%` }} />
      </span>
    </div>
  );
}

function Card({ slo, chosen, choose }: { slo: Slo; chosen: boolean; choose: () => void }) {
  const t = useT();
  const formats = useFormats();
  const percent = usePercent();
  const look = look_of_slo(slo);
  const objective = slo.objectives[0];
  return (
    <li className={`slo-card ${look}${chosen ? " chosen" : ""}`}>
      <div className="row">
        <Chip status={look}>{t(word_of[look] ?? "slo.kept")}</Chip>
        {slo.emergency && <small>{t("slo.emergency")}</small>}
      </div>
      <button type="button" className="link" aria-pressed={chosen} onClick={choose}>
        <bdi>{slo.display_name || slo.name}</bdi>
      </button>
      {objective && (
        <>
          <Budget objective={objective} />
          <dl className="facts">
            <div>
              <dt>{t("slo.target")}</dt>
              <dd className="number">{percent(objective.target)}</dd>
            </div>
            <div>
              <dt>{t("slo.attained")}</dt>
              <dd className="number">{objective.events > 0 ? percent(objective.attained) : "-"}</dd>
            </div>
            <div>
              <dt>{t("slo.bad")}</dt>
              <dd className="number">{t("slo.bad_of", { bad: formats.number(objective.bad), events: formats.number(objective.events) })}</dd>
            </div>
          </dl>
        </>
      )}
    </li>
  );
}

function Rates({ rates }: { rates: readonly BurnRate[] }) {
  const t = useT();
  const formats = useFormats();
  return (
    <div className="scroll" tabIndex={0}>
      <table>
        <thead>
          <tr>
            <th scope="col">{t("slo.windows")}</th>
            <th scope="col">{t("slo.long")}</th>
            <th scope="col">{t("slo.short")}</th>
            <th scope="col">{t("slo.limit")}</th>
            <th scope="col">{t("slo.then")}</th>
          </tr>
        </thead>
        <tbody>
          {rates.map((rate) => (
            <tr key={rate.long_window}>
              <th scope="row" className="number">
                {rate.long_window}, {rate.short_window}
              </th>
              <td className="number">{formats.number(rate.long, 1)}</td>
              <td className="number">{formats.number(rate.short, 1)}</td>
              <td className="number">{formats.number(rate.limit, 1)}</td>
              <td>
                {rate.fires ? (
                  <Chip status={rate.pages ? "emergency" : "watch"}>{t(rate.pages ? "slo.pages" : "slo.tickets")}</Chip>
                ) : (
                  <small>{t(rate.enough_traffic ? (rate.pages ? "slo.would_page" : "slo.would_ticket") : "slo.little_traffic")}</small>
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

const spans = ["1h", "1d", "30d"] as const;
type Span = (typeof spans)[number];

function Detail({ slo }: { slo: Slo }) {
  const t = useT();
  const percent = usePercent();
  const [place, set_place] = useParam("objective");
  const [span_text, set_span] = useParam("span");
  const [view, set_view] = useParam("view");
  const span: Span = spans.find((each) => each === span_text) ?? "1d";
  const at = Math.min(Number(place) || 0, slo.objectives.length - 1);
  const objective = slo.objectives[at];
  const as_table = view === "table";
  useScreenKeys({ t: () => set_view(as_table ? "" : "table") });
  if (!objective) return null;
  return (
    <Panel
      title={slo.display_name || slo.name}
      aside={
        <div className="row">
          {slo.objectives.length > 1 && (
            <Select label={t("slo.objective")} value={at} onChange={(event) => set_place(event.target.value === "0" ? "" : event.target.value)}>
              {slo.objectives.map((each, index) => (
                <option key={index} value={index}>
                  {percent(each.target)}
                </option>
              ))}
            </Select>
          )}
          <Select label={t("slo.span")} value={span} onChange={(event) => set_span(event.target.value === "1d" ? "" : event.target.value)}>
            {spans.map((each) => (
              <option key={each} value={each}>
                {t(`slo.span.${each}` as MessageId)}
              </option>
            ))}
          </Select>
        </div>
      }
    >
      <p className="field-hint">{t("slo.about", { service: slo.service, window: slo.window, target: percent(objective.target) })}</p>
      {objective.measured ? (
        <div className="slo-detail">
          <BurnDown key={`${slo.name} ${at} ${span}`} slo={slo} place={at} objective={objective} span={span} as_table={as_table} toggle={() => set_view(as_table ? "" : "table")} />
          <section aria-label={t("slo.burn")}>
            <h3>{t("slo.burn")}</h3>
            <p className="field-hint">{t("slo.burn_why")}</p>
            <Rates rates={objective.burn_rates} />
          </section>
        </div>
      ) : (
        <Empty title={t("slo.unmeasured")} status="neutral">
          {t("slo.unmeasured_why")}
        </Empty>
      )}
    </Panel>
  );
}

const look_of_state: Record<string, Status> = { ok: "safe", firing: "urgent", pending: "watch", missing: "urgent", stale: "watch", unmeasured: "neutral", absent: "urgent" };
const look_of_state_of = (state: string, enabled = true): Status => (enabled ? (look_of_state[state] ?? "watch") : "neutral");
const sign_of = { above: ">", below: "<", at_least: "≥", at_most: "≤" } as const;

function value_text(value: number | undefined, number: (value: number, digits?: number) => string): string {
  if (value === undefined) return "-";
  const size = Math.abs(value);
  return number(value, size === 0 || size >= 100 || Number.isInteger(value) ? 0 : size >= 1 ? 2 : 4);
}

function RuleList({ rules }: { rules: readonly Rule[] }) {
  const t = useT();
  const formats = useFormats();
  return (
    <ul className="lines">
      {rules.map(({ state, value, rule }) => (
        <li key={rule.name} className="line">
          <Chip status={look_of_state_of(state, rule.enabled)}>{rule.enabled ? state : t("slo.rule_off")}</Chip>
          <span className="line-text wraps">
            <strong>{rule.name}</strong>
            <small dir="ltr">
              {rule.metric} {sign_of[rule.comparison]} {rule.limit}
              {rule.hold_s > 0 && `, ${rule.hold_s} s`}
            </small>
          </span>
          <span className="line-time number">{value_text(value, formats.number)}</span>
        </li>
      ))}
    </ul>
  );
}

function ProbeList({ probes }: { probes: readonly Probe[] }) {
  const t = useT();
  const formats = useFormats();
  if (probes.length === 0) return <Empty title={t("slo.no_probes")} status="neutral">{t("slo.no_probes_why")}</Empty>;
  return (
    <ul className="lines">
      {probes.map((probe) => (
        <li key={probe.name} className="line">
          <Chip status={probe.delivered ? "safe" : "emergency"}>{t(probe.delivered ? "delivery.delivered" : "delivery.failed")}</Chip>
          <span className="line-text wraps">
            <strong>{probe.name}</strong>
            <small>{probe.why ?? (probe.age_s === undefined ? probe.medium : formats.age(probe.age_s))}</small>
          </span>
          <span className="line-time number">{probe.took_s === undefined ? "" : formats.duration_ms(probe.took_s * 1_000)}</span>
        </li>
      ))}
    </ul>
  );
}

function MetricRows({ metrics }: { metrics: readonly Metric[] }) {
  const t = useT();
  const formats = useFormats();
  return (
    <Rows
      label={t("slo.metrics")}
      className="metric-rows"
      rows={metrics}
      id_of={(metric) => metric.name}
      row_height={64}
      render={(metric) => (
        <>
          <span role="cell">
            <Chip status={look_of_state_of(metric.state)}>{metric.state}</Chip>
          </span>
          <span role="cell" className="cell-what" title={metric.help}>
            <strong dir="ltr">{metric.name}</strong>
            <small>{metric.help}</small>
          </span>
          <span role="cell" className="number metric-value" dir="ltr">
            {value_text(metric.value ?? metric.last_value, formats.number)} {metric.unit === "1" ? "" : metric.unit}
          </span>
        </>
      )}
    />
  );
}

export default function Slos() {
  const t = useT();
  const read = useSlos();
  const monitor = useMonitor();
  const rules = useRules();
  const probes = useProbes();
  const [name, set_name] = useParam("slo");
  return (
    <div className="slos">
      <header className="screen-head">
        <h1>{t("screen.slos")}</h1>
        {monitor.data && monitor.data.findings.length > 0 && (
          <p className="row">
            <Icon name="watch" />
            {t("slo.findings", { n: monitor.data.findings.length })}
          </p>
        )}
      </header>
      <Data read={read} lines={3} height={150}>
        {({ slos }) => {
          if (slos.length === 0) return <Empty title={t("slo.none")} status="neutral">{t("slo.none_why")}</Empty>;
          const sorted = [...slos].sort((a, b) => worst_first.indexOf(look_of_slo(a)) - worst_first.indexOf(look_of_slo(b)));
          const chosen = sorted.find((slo) => slo.name === name) ?? sorted[0]!;
          return (
            <>
              <ul className="slo-cards">
                {sorted.map((slo) => (
                  <Card key={slo.name} slo={slo} chosen={slo === chosen} choose={() => set_name(slo.name)} />
                ))}
              </ul>
              <Detail slo={chosen} />
            </>
          );
        }}
      </Data>
      <div className="slo-below">
        <Panel title={t("slo.rules")}>
          <Data read={rules} lines={5} height={44}>
            {(data) => <RuleList rules={data.rules} />}
          </Data>
        </Panel>
        <div className="slo-side">
          <Panel title={t("slo.probes")}>
            <p className="field-hint">{t("slo.probes_why")}</p>
            <Data read={probes} lines={2} height={44}>
              {(data) => <ProbeList probes={data.channels} />}
            </Data>
          </Panel>
          <Panel title={t("slo.metrics")}>
            <Data read={monitor} lines={5} height={44}>
              {(data) => <MetricRows metrics={data.metrics} />}
            </Data>
          </Panel>
        </div>
      </div>
    </div>
  );
}
