// One change: what and why, its risk, who approves it, how far it has come, and what is done about it.

import { lazy, Suspense, useState } from "react";
import { Link } from "wouter";
import { over_states, useChange, usePolicy, type Change as ChangeData, type ChangeAction, type ShownChange } from "../../api/changes";
import { look_of_change, look_of_risk } from "../../clinical/lines";
import { useT, type MessageId } from "../../i18n";
import { feed } from "../../live/feed";
import { Age, Button, Chip, Time } from "../../ui/basic";
import { Icon } from "../../ui/icons";
import { Data, Empty, Loading, Panel } from "../../ui/states";
import { useParam } from "../../ui/url";
import { useMay } from "../permitted";
import "../../theme/changes.css";
import { Act } from "./act";
import { Approvals } from "./approvals";
import { Guards, guards_of } from "./guards";
import { OpenEmergency, RiskView, useLogin } from "./parts";
import { login_of } from "./people";
import { Checks, Entries, Rollout } from "./rollout";

// What reads and writes plans as text is loaded where one is written.
const Propose = lazy(() => import("./propose"));

function What({ change }: { change: ChangeData }) {
  const t = useT();
  const { plan } = change;
  const impact = plan.impact ?? {};
  const touches = [
    impact.downtime_minutes ? t("change.downtime", { n: impact.downtime_minutes }) : "",
    impact.emergency_services ? t("change.touches.emergency_services") : "",
    impact.patient_data_access ? t("change.touches.patient_data") : "",
    impact.data_migration ? t("change.touches.migration") : "",
    impact.wards?.length ? t("change.touches.wards", { wards: impact.wards.join(", ") }) : "",
  ].filter(Boolean);
  const facts: [MessageId, React.ReactNode][] = [
    ["change.services", <bdi key="s">{[...new Set([plan.service, ...(plan.services ?? [])])].join(", ")}</bdi>],
    ["change.kind", t(`change.kind.${change.kind}` as MessageId)],
    ["change.impact", touches.length > 0 ? touches.join(", ") : t("change.touches.nothing")],
    ["change.test", plan.test?.passed ? <bdi key="t">{plan.test.evidence}</bdi> : t("change.untested")],
    ["change.window", plan.window?.begin || plan.window?.end ? <Window key="w" {...plan.window} /> : t("change.any_time")],
    ["change.proposed", <Time key="p" at={change.proposed} />],
  ];
  if (change.starts) facts.push(["change.starts", <Time key="a" at={change.starts} />]);
  if (change.started)
    facts.push([
      "change.started",
      <span key="b">
        <Time at={change.started} />, <bdi>{change.started_by}</bdi>
      </span>,
    ]);
  if (change.finished) facts.push(["change.finished", <Time key="f" at={change.finished} />]);
  return (
    <>
      <p className="why" dir="auto">
        {plan.description}
      </p>
      <dl className="change-facts">
        {facts.map(([name, value]) => (
          <div key={name}>
            <dt>{t(name)}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      {change.reason && (
        <p dir="auto">
          <strong>{t("change.reason")}:</strong> {change.reason}
        </p>
      )}
      {change.review && (
        <p dir="auto">
          <strong>{t("change.review_text")}:</strong> {change.review} (<bdi>{change.reviewed_by}</bdi>)
        </p>
      )}
      {change.rehearsals.map((each, at) => (
        <p key={at} className="field-hint" dir="auto">
          {t(each.rolled_back ? "change.rehearsed" : "change.rehearsal_failed")}: <bdi>{each.by}</bdi>, <Age at={each.at} />, {each.evidence}
        </p>
      ))}
    </>
  );
}

function Window({ begin, end }: { begin?: string; end?: string }) {
  return (
    <>
      {begin ? <Time at={begin} /> : "-"} - {end ? <Time at={end} /> : "-"}
    </>
  );
}

// What may be done now, the likeliest first. The server has the last word on each.
function actions_of(shown: ShownChange, me: string, rollback_hours: number): { action: ChangeAction; look: "primary" | "danger" | "plain"; off?: boolean }[] {
  const { change } = shown;
  const mine = login_of(change.requested_by) === me;
  if (change.state === "proposed" || change.state === "approved") {
    return [
      ...(change.state === "approved" ? [{ action: "start" as const, look: "primary" as const, off: shown.obstacles.length > 0 }, { action: "schedule" as const, look: "plain" as const }] : []),
      ...(mine || change.type === "standard" ? [] : [{ action: "approve" as const, look: change.state === "proposed" ? ("primary" as const) : ("plain" as const) }, { action: "reject" as const, look: "plain" as const }]),
      ...(change.plan.impact?.data_migration ? [{ action: "rehearsal" as const, look: "plain" as const }] : []),
      { action: "withdraw", look: "plain" },
    ];
  }
  if (change.state === "paused") return [{ action: "resume", look: "primary" }, { action: "abort", look: "danger" }];
  if (change.state === "running") return [{ action: "abort", look: "danger" }];
  const review = change.type === "emergency" && change.started && !change.reviewed && !mine && over_states.has(change.state);
  const back =
    change.state === "successful" && change.finished && !change.plan.irreversible && Date.parse(change.finished) + rollback_hours * 3_600_000 > feed.now();
  return [...(back ? [{ action: "rollback" as const, look: "danger" as const }] : []), ...(review ? [{ action: "review" as const, look: "primary" as const }] : [])];
}

function Whole({ shown }: { shown: ShownChange }) {
  const t = useT();
  const me = useLogin();
  const policy = usePolicy().data;
  const [acting, set_acting] = useState<ChangeAction>();
  const [, set_edit] = useParam("edit");
  const { change } = shown;
  const waits = change.state === "proposed" || change.state === "approved";
  const may = useMay();
  const actions = actions_of(shown, me, policy?.rollback_hours ?? 24).filter(({ action }) => may(`change-${action}`));
  return (
    <>
      <header className="screen-head change-head">
        <div>
          <p className="crumb">
            <Link href="/changes">{t("screen.changes")}</Link>
          </p>
          <h1>
            <bdi>{change.title}</bdi>
          </h1>
          <p className="chips">
            <Chip status={look_of_change(change.state)} solid={change.state === "rollback_failed"}>
              {t(`change_state.${change.state}` as MessageId)}
            </Chip>
            <Chip status={look_of_risk[change.risk.level] ?? "neutral"}>{t("change.risk", { risk: t(`risk.${change.risk.level}`) })}</Chip>
            <Chip status={change.type === "emergency" ? "urgent" : "neutral"}>{t(`change.type.${change.type}`)}</Chip>
            {change.review_overdue && <Chip status="urgent">{t("change.review_overdue")}</Chip>}
            <small>
              <bdi>{change.service}</bdi>, {t("change.by")} <bdi>{login_of(change.requested_by)}</bdi>, <Age at={change.proposed} />
            </small>
          </p>
        </div>
        <div className="row">
          {waits && login_of(change.requested_by) === me && may("change-edit") && <Button onClick={() => set_edit("1")}>{t("change.edit")}</Button>}
          {actions.map(({ action, look, off }) => (
            <Button key={action} look={look} disabled={off} aria-describedby={off ? "obstacles" : undefined} onClick={() => set_acting(action)}>
              {t(`change.act.${action}`)}
            </Button>
          ))}
        </div>
      </header>
      {!over_states.has(change.state) && change.type !== "emergency" && <OpenEmergency />}
      {shown.obstacles.length > 0 && (
        <Panel title={t("change.obstacles")} className="wide">
          <ul className="obstacles" id="obstacles">
            {shown.obstacles.map((obstacle) => (
              <li key={obstacle} lang="en" dir="auto">
                <Icon name="watch" className="watch" />
                {obstacle}
              </li>
            ))}
          </ul>
          {change.not_started && (
            <p className="field-hint" dir="auto">
              {t("change.not_started")} {change.not_started}
            </p>
          )}
        </Panel>
      )}
      <Panel title={t("change.rollout")} className="wide">
        <Rollout shown={shown} />
      </Panel>
      <div className="change-column">
        <Panel title={t("change.what")}>
          <What change={change} />
        </Panel>
        <Panel title={t("change.checks")}>
          <Checks change={change} />
        </Panel>
        {guards_of(change).length > 0 && (
          <Panel title={t("change.guards")}>
            <Guards change={change} />
          </Panel>
        )}
        {(change.run?.log.length ?? 0) > 0 && (
          <Panel title={t("change.log")}>
            <Entries entries={change.run!.log} />
          </Panel>
        )}
      </div>
      <div className="change-column">
        <Panel title={t("change.approvals")}>
          <Approvals shown={shown} />
        </Panel>
        <Panel title={t("change.risk_title")}>
          <RiskView change={change} />
        </Panel>
      </div>
      <Act change={change} action={acting} onClose={() => set_acting(undefined)} />
    </>
  );
}

function One({ id }: { id: string }) {
  const t = useT();
  const read = useChange(id);
  const [edit, set_edit] = useParam("edit");
  return (
    <div className="change">
      <Data read={read} lines={6} height={96}>
        {(shown) =>
          edit === "" ? (
            <Whole shown={shown} />
          ) : shown.change.state === "proposed" || shown.change.state === "approved" ? (
            <Suspense fallback={<Loading lines={4} height={72} />}>
              <Propose of={shown.change} onDone={() => set_edit("")} />
            </Suspense>
          ) : (
            <Empty title={t("change.no_edit")} status="neutral" action={<Button onClick={() => set_edit("")}>{t("action.close")}</Button>} />
          )
        }
      </Data>
    </div>
  );
}

// "new" is no id: ids are UUIDs.
export default function Change({ id }: { id?: string }) {
  return id === undefined || id === "new" ? (
    <div className="change">
      <Suspense fallback={<Loading lines={4} height={72} />}>
        <Propose />
      </Suspense>
    </div>
  ) : (
    <One key={id} id={id} />
  );
}
