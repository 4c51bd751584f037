// Is care safe right now, and if not, where is it worst?

import { lazy, Suspense } from "react";
import { Link } from "wouter";
import { useIsDemo } from "../api/demo";
import {
  classes,
  useChanges,
  useClasses,
  useIncidents,
  useMonitor,
  useOpenAlerts,
  useStatus,
  type ClassFigures,
  type RequestClass,
} from "../api/queries";
import type { Alert, Clock, Monitor } from "../api/types";
import { ChangeLine, IncidentLine } from "../clinical/lines";
import { by_need, look_of_severity } from "../clinical/parts";
import { useVerdict } from "../frame/frame";
import { useFormats, useT, type MessageId } from "../i18n";
import { Age, Chip } from "../ui/basic";
import { Icon } from "../ui/icons";
import { Sparkline } from "../ui/sparkline";
import { Data, Empty, Loading, Panel } from "../ui/states";

const Show = lazy(() => import("./demo/show"));

function Hero() {
  const t = useT();
  const verdict = useVerdict();
  const monitor = useMonitor();
  const text = t(verdict.text, verdict.values);
  return (
    <section className={`hero ${verdict.look}`} aria-label={t("verdict.label")}>
      <Icon name={verdict.look} />
      <div>
        <h1>{text}</h1>
        <p>{t(verdict.more)}</p>
        {monitor.data?.findings.slice(0, 3).map((finding) => (
          <p key={finding.cause} className="hero-finding">
            {finding.title}: {finding.reason}
          </p>
        ))}
      </div>
      {verdict.to && (
        <Link href={verdict.to} className="button primary">
          {t("action.open_worst")}
        </Link>
      )}
    </section>
  );
}

type ClockName = "deliver" | "escalate" | "acknowledge";

function ClockCard({ name, clock }: { name: ClockName; clock: Clock | undefined }) {
  const t = useT();
  const formats = useFormats();
  const limit = clock ? formats.duration_ms(clock.limit_ms) : "";
  const has = clock !== undefined && clock.count > 0 && clock.p50_ms !== undefined;
  const look = !has ? "neutral" : clock.late > 0 ? "urgent" : "safe";
  return (
    <div className={`clock ${look}`}>
      <h3>{t(`clock.${name}`)}</h3>
      <p className="clock-value live-value number">{has ? formats.duration_ms(clock.p50_ms!) : "-"}</p>
      {has ? (
        <p className="clock-more number">
          {t("clock.spread", { p99: formats.duration_ms(clock.p99_ms ?? 0), max: formats.duration_ms(clock.max_ms ?? 0) })}
        </p>
      ) : (
        <p className="clock-more">{t("clock.none")}</p>
      )}
      <p className="clock-limit">
        <Icon name={look} />
        <span>
          {has && clock.late > 0 ? t("clock.late", { n: clock.late, count: clock.count, limit }) : t("clock.limit", { limit, count: clock?.count ?? 0 })}
        </span>
      </p>
      {has && (
        <div className="clock-bar" aria-hidden="true">
          <span style={{ inlineSize: `${Math.min(100, ((clock.p99_ms ?? 0) / clock.limit_ms) * 100)}%` }} />
        </div>
      )}
    </div>
  );
}

function Clocks() {
  const t = useT();
  const status = useStatus();
  return (
    <Panel title={t("clocks.title")} aside={<small>{t("clocks.window")}</small>} className="wide">
      <Data read={status} lines={1} height={128}>
        {(data) => (
          <div className="clocks">
            {(["deliver", "escalate", "acknowledge"] as const).map((name) => (
              <ClockCard key={name} name={name} clock={data.clocks?.[name]} />
            ))}
          </div>
        )}
      </Data>
    </Panel>
  );
}

function ClassRow({ name, figures }: { name: RequestClass; figures: ClassFigures }) {
  const t = useT();
  const formats = useFormats();
  const shed = figures.shed ?? 0;
  // Routine and background work is shed by design; an emergency never may be.
  const look = shed > 0 ? (name === "emergency" ? "emergency" : name === "urgent" ? "urgent" : "watch") : "safe";
  return (
    <div className="class-row" role="row">
      <span role="rowheader" className="class-name">
        <Icon name={look} />
        {t(`class.${name}`)}
      </span>
      <span role="cell">
        <Sparkline points={figures.admitted} height={28} />
      </span>
      <span role="cell" className="number live-value">
        {figures.rate === undefined ? "-" : formats.number(figures.rate, figures.rate > 0 && figures.rate < 10 ? 1 : 0)}
      </span>
      <span role="cell" className="number live-value">
        {figures.wait_p99_s === undefined ? "-" : formats.duration_ms(figures.wait_p99_s * 1_000)}
      </span>
      <span role="cell" className="number live-value">
        {formats.percent(shed)}
      </span>
    </div>
  );
}

function Classes() {
  const t = useT();
  const read = useClasses();
  return (
    <Panel title={t("classes.title")} aside={<small>{t("classes.window")}</small>}>
      <Data read={read} lines={4}>
        {(data) => (
          <div className="class-table" role="table" aria-label={t("classes.title")}>
            <div role="row" className="class-row head">
              {(["name", "course", "rate", "wait", "shed"] as const).map((column) => (
                <span role="columnheader" key={column}>
                  {t(`classes.${column}`)}
                </span>
              ))}
            </div>
            {classes.map((name) => (
              <ClassRow key={name} name={name} figures={data[name]} />
            ))}
          </div>
        )}
      </Data>
    </Panel>
  );
}

const shown_max = 6;

function AlertLine({ alert }: { alert: Alert }) {
  const t = useT();
  return (
    <li>
      <Link href={`/alerts?alert=${encodeURIComponent(alert.id)}`} className="line">
        <Chip status={alert.state === "acknowledged" ? "info" : look_of_severity[alert.severity]} solid={alert.severity === "emergency" && alert.state === "open"}>
          {t(alert.state === "acknowledged" ? "alert.acknowledged" : `severity.${alert.severity}`)}
        </Chip>
        <span className="line-text">
          <strong dir="auto">{alert.title}</strong>
          <small dir="auto">{alert.reason ?? (alert.source === "incidents" ? t("alert.of_incident") : "")}</small>
        </span>
        <span className="line-time number">
          <Age at={alert.raised_at} />
        </span>
      </Link>
    </li>
  );
}

function Waiting() {
  const t = useT();
  const read = useOpenAlerts();
  return (
    <Panel title={t("waiting.title")} aside={<Link href="/alerts">{t("action.all")}</Link>}>
      <Data read={read} lines={3} height={52}>
        {({ alerts }) => {
          const waiting = alerts.filter((alert) => alert.state === "open").sort(by_need);
          if (waiting.length === 0) return <Empty title={t("waiting.none")}>{t("waiting.none_why")}</Empty>;
          return (
            <ul className="lines">
              {waiting.slice(0, shown_max).map((alert) => (
                <AlertLine key={alert.id} alert={alert} />
              ))}
            </ul>
          );
        }}
      </Data>
    </Panel>
  );
}

function Incidents() {
  const t = useT();
  const read = useIncidents();
  return (
    <Panel title={t("incidents.open")} aside={<Link href="/incidents">{t("action.all")}</Link>}>
      <Data read={read} lines={2} height={52}>
        {({ incidents }) =>
          incidents.length === 0 ? (
            <Empty title={t("incidents.none")}>{t("incidents.none_why")}</Empty>
          ) : (
            <ul className="lines">
              {incidents.slice(0, shown_max).map((incident) => (
                <li key={incident.id}>
                  <Link href={`/incidents/${encodeURIComponent(incident.id)}`} className="line">
                    <IncidentLine incident={incident} />
                  </Link>
                </li>
              ))}
            </ul>
          )
        }
      </Data>
    </Panel>
  );
}

const running_states = new Set(["running", "rolling_back", "paused"]);

function Changes() {
  const t = useT();
  const read = useChanges();
  return (
    <Panel title={t("changes.running")} aside={<Link href="/changes">{t("action.all")}</Link>}>
      <Data read={read} lines={1} height={52}>
        {({ changes }) => {
          const running = changes.filter((change) => running_states.has(change.state));
          if (running.length === 0) return <Empty title={t("changes.none_running")} status="neutral">{t("changes.none_running_why")}</Empty>;
          return (
            <ul className="lines">
              {running.slice(0, shown_max).map((change) => (
                <li key={change.id}>
                  <Link className="line" href={`/changes/${change.id}`}>
                    <ChangeLine change={change} />
                  </Link>
                </li>
              ))}
            </ul>
          );
        }}
      </Data>
    </Panel>
  );
}

function Findings() {
  const t = useT();
  const read = useMonitor();
  return (
    <Panel title={t("findings.title")} className="wide">
      <Data read={read} lines={1} height={52}>
        {(data: Monitor) =>
          data.findings.length === 0 ? (
            <Empty title={t("findings.none")} />
          ) : (
            <ul className="lines">
              {data.findings.slice(0, shown_max).map((finding) => (
                <li key={finding.cause}>
                  <div className="line">
                    <Chip status={finding.severity === "emergency" ? "emergency" : finding.severity === "critical" ? "urgent" : "watch"}>{t(`incident.${finding.severity}` as MessageId)}</Chip>
                    <span className="line-text">
                      <strong dir="auto">{finding.title}</strong>
                      <small dir="auto">{finding.reason}</small>
                    </span>
                  </div>
                </li>
              ))}
            </ul>
          )
        }
      </Data>
    </Panel>
  );
}

export default function Overview() {
  const is_demo = useIsDemo();
  return (
    <div className="overview">
      <Hero />
      {is_demo && (
        <Suspense fallback={<Loading lines={1} height={220} />}>
          <Show />
        </Suspense>
      )}
      <Clocks />
      <Waiting />
      <Classes />
      <Incidents />
      <Changes />
      <Findings />
    </div>
  );
}
