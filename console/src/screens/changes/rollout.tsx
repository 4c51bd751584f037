// The rollout as it goes: stages from left to right, who is exposed after each, the way back below.

import type { Change, Check, LogEntry, ShownChange, Step } from "../../api/changes";
import { useFormats, useT, type MessageId } from "../../i18n";
import { Chip, Remaining, Time } from "../../ui/basic";
import { Icon, type IconName, type Status } from "../../ui/icons";
import { name_of_step, rollout_of, type Stage, type StageState, type WayBackState } from "./stages";

const look_of_stage: Record<StageState, Status> = {
  waits: "neutral",
  runs: "info",
  held: "urgent",
  paused: "urgent",
  done: "safe",
  failed: "emergency",
  undone: "watch",
  skipped: "neutral",
};
const look_of_way: Record<WayBackState, Status> = { ready: "neutral", none: "urgent", runs: "urgent", done: "watch", failed: "emergency" };

export function name_of_check(check: Check): string {
  const range = [check.at_least !== undefined && `≥ ${check.at_least}`, check.at_most !== undefined && `≤ ${check.at_most}`].filter(Boolean).join(", ");
  const subject = check.url ?? check.search ?? check.metric ?? check.slo ?? check.setting ?? "";
  const says = check.kind === "setting" ? `= ${check.is ?? ""}` : range || (check.status ? check.status.join(", ") : "");
  return [check.name ?? `${check.kind} ${subject}`, says].filter(Boolean).join(" ");
}

function value_text(value: unknown): string {
  return value === null || value === undefined ? "" : String(value);
}

// Without a name of its own, and nothing that would name it: its kind says what it is.
const is_plain = (step: Step) => step.name === undefined && ["wait", "verify", "watch"].includes(step.kind);

function Head({ stage }: { stage: Stage }) {
  const t = useT();
  if (stage.kind === "before" || stage.kind === "after") return <>{t(`change.stage.${stage.kind}`)}</>;
  if (stage.kind === "set" && stage.step?.name === undefined) {
    const value = value_text(stage.step?.value);
    return (
      <span dir="ltr">
        {stage.step?.setting} → <bdi>{value === "" ? t("change.default") : value}</bdi>
      </span>
    );
  }
  if (stage.kind === "scale" && stage.step?.name === undefined) {
    return (
      <span dir="ltr">
        {stage.step?.scale} → {stage.step?.to}
      </span>
    );
  }
  return stage.step && is_plain(stage.step) ? <>{t(`change.step.${stage.kind}` as MessageId)}</> : <bdi>{stage.name}</bdi>;
}

// Success and failure of each time that was looked, told apart by shape too.
function Measurements({ change, stage }: { change: Change; stage: Stage }) {
  const t = useT();
  const run = change.run;
  if (!run || (stage.state !== "runs" && stage.state !== "paused") || stage.kind !== "watch") return null;
  const bad = run.measurements.filter((each) => each !== "success").length;
  return (
    <p className="measurements">
      <span aria-hidden="true">
        {run.measurements.slice(-30).map((each, at) => (
          <Icon key={at} name={each === "success" ? "safe" : "urgent"} className={each === "success" ? "safe" : "urgent"} />
        ))}
      </span>
      <small>{t("change.measured", { n: run.measurements.length, all: stage.step?.count ?? 6, bad })}</small>
    </p>
  );
}

function StageCard({ stage, change }: { stage: Stage; change: Change }) {
  const t = useT();
  const formats = useFormats();
  const until = change.run?.until_us;
  const under_way = stage.state === "runs" || stage.state === "held" || stage.state === "paused";
  return (
    <li className={`stage ${look_of_stage[stage.state]} ${stage.state}`} aria-current={under_way ? "step" : undefined}>
      <Chip status={look_of_stage[stage.state]} solid={stage.state === "failed"}>
        {t(`change.stage_state.${stage.state}`)}
      </Chip>
      <strong>
        <Head stage={stage} />
      </strong>
      {!(stage.step && is_plain(stage.step)) && <small>{t(`change.step.${stage.kind}` as MessageId)}</small>}
      {stage.step?.kind === "wait" && <small>{formats.duration_ms((stage.step.seconds ?? 0) * 1_000)}</small>}
      {stage.scope && (
        <small className="exposed">
          {t("change.exposed")} <bdi>{stage.scope === "all" ? t("change.everybody") : stage.scope}</bdi>
        </small>
      )}
      {stage.step?.checks?.map((check, at) => (
        <small key={at} dir="ltr">
          {name_of_check(check)}
        </small>
      ))}
      <Measurements change={change} stage={stage} />
      <span className="stage-time">
        {stage.at ? <Time at={stage.at} clock /> : under_way && until ? <Remaining until={new Date(until / 1_000).toISOString()} /> : null}
      </span>
    </li>
  );
}

export function Entries({ entries }: { entries: readonly LogEntry[] }) {
  const t = useT();
  return (
    <ul className="timeline">
      {entries.map((entry, at) => (
        <li key={at}>
          <Icon name={entry.ok ? "safe" : "urgent"} className={entry.ok ? "safe" : "urgent"} />
          <span>
            <bdi>{entry.name}</bdi> <span className="visually-hidden">{t(entry.ok ? "change.stage_state.done" : "change.stage_state.failed")}</span>
            {entry.text && (
              <small>
                <bdi>{entry.text}</bdi>
              </small>
            )}
          </span>
          <Time at={entry.at} clock />
        </li>
      ))}
    </ul>
  );
}

export function Rollout({ shown }: { shown: ShownChange }) {
  const t = useT();
  const { change } = shown;
  const { stages, way_back } = rollout_of(change, shown.held !== undefined);
  const icon: IconName = look_of_way[way_back.state];
  const back_steps = (change.plan.rollback ?? []).map(name_of_step);
  return (
    <div className="rollout">
      {shown.held && (
        <p className="band urgent" role="status">
          <Icon name="urgent" />
          <span>{t("change.held")}</span>
        </p>
      )}
      <ol className="stages" tabIndex={0} aria-label={t("change.rollout")}>
        {stages.map((stage) => (
          <StageCard key={stage.key} stage={stage} change={change} />
        ))}
      </ol>
      <div className={`way-back ${look_of_way[way_back.state]} ${way_back.state}`}>
        <Icon name={icon} />
        <div>
          <strong>
            {t("change.way_back")}: {t(`change.way.${way_back.state}`)}
          </strong>
          {way_back.because && (
            <p>
              <bdi>{way_back.because}</bdi>
            </p>
          )}
          <small>
            {t("change.way_does")}
            {[...back_steps, change.plan.rollback_plan].filter(Boolean).map((each, at) => (
              <span key={at}>
                {" · "}
                <bdi>{each}</bdi>
              </span>
            ))}
          </small>
          {way_back.entries.length > 0 && <Entries entries={way_back.entries} />}
        </div>
      </div>
    </div>
  );
}

const state_of = (entry: LogEntry | undefined): Status => (entry ? (entry.ok ? "safe" : "urgent") : "neutral");

// Each check with what it found before and after.
export function Checks({ change }: { change: Change }) {
  const t = useT();
  const formats = useFormats();
  const log = change.run?.log ?? [];
  const checks = change.plan.checks;
  // The log has the outcomes in the order of the checks that were asked.
  const found = (phase: "before" | "after") => {
    const entries = log.filter((entry) => entry.phase === phase);
    const asked = checks.filter((check) => (phase === "before" ? check.when !== "after" : check.when !== "before"));
    return new Map(asked.map((check, at) => [check, entries[at]]));
  };
  const outcomes = { before: found("before"), after: found("after") };
  const cell = (check: Check, phase: "before" | "after") => {
    if (!outcomes[phase].has(check)) return <td className="quiet">-</td>;
    const entry = outcomes[phase].get(check);
    return (
      <td>
        <Chip status={state_of(entry)}>{t(entry ? (entry.ok ? "change.passed" : "change.failed") : "change.not_asked")}</Chip>
        {entry && (
          <small title={formats.time(entry.at)}>
            <bdi>{entry.text}</bdi>
          </small>
        )}
      </td>
    );
  };
  return (
    <div className="scroll" tabIndex={0} role="region" aria-label={t("change.checks")}>
      <table className="checks">
        <thead>
          <tr>
            <th scope="col">{t("change.check")}</th>
            <th scope="col">{t("change.before")}</th>
            <th scope="col">{t("change.after")}</th>
          </tr>
        </thead>
        <tbody>
          {checks.map((check, at) => (
            <tr key={at}>
              <th scope="row" dir="ltr">
                {name_of_check(check)}
              </th>
              {cell(check, "before")}
              {cell(check, "after")}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
