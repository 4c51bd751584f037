// Changes of the platform: what runs, what waits for whom, what is planned, what was done; or the week with what is in their way.

import { useEffect, useMemo, useRef } from "react";
import { Link, useLocation } from "wouter";
import { active_states, over_states, useCalendar, usePolicy, type ChangePolicy } from "../../api/changes";
import { useChanges } from "../../api/queries";
import type { ChangeSummary } from "../../api/types";
import { ChangeLine } from "../../clinical/lines";
import { useScreenKeys } from "../../frame/keys";
import { useT } from "../../i18n";
import { Select } from "../../ui/basic";
import { Rows } from "../../ui/rows";
import { Data, Empty, Panel } from "../../ui/states";
import { useParam } from "../../ui/url";
import { useWhen } from "../../ui/when";
import { useMay } from "../permitted";
import "../../theme/changes.css";
import { Calendar } from "./calendar";
import { Figures } from "./figures";
import { Frozen } from "./freezes";
import { OpenEmergency, useLogin, useSlotWords } from "./parts";
import { waits_for } from "./people";

const count_max = 500;
const groups = ["running", "mine", "waiting", "planned", "done"] as const;
type Group = (typeof groups)[number];

function group_of(change: ChangeSummary, me: string, policy: ChangePolicy | undefined): Group {
  if (active_states.has(change.state)) return "running";
  if (over_states.has(change.state)) return "done";
  if (change.state === "approved") return "planned";
  return waits_for(change, me, policy?.members ?? []) ? "mine" : "waiting";
}

function Line({ change, selected }: { change: ChangeSummary; selected: boolean }) {
  const t = useT();
  const when = useWhen();
  const words = useSlotWords();
  const link = useRef<HTMLAnchorElement>(null);
  // What it waits for: approvals, or its time.
  const starts = change.starts ?? (change.state === "approved" ? change.begin : undefined);
  const more =
    change.state === "proposed" && change.approvals_open?.length
      ? t("change.still_needed", { who: change.approvals_open.map(words).join(", ") })
      : change.state === "approved" && starts
        ? t("change.starts_at", { time: when.moment(starts) })
        : undefined;
  useEffect(() => {
    if (selected) link.current?.scrollIntoView({ block: "nearest" });
  }, [selected]);
  return (
    <Link ref={link} href={`/changes/${change.id}`} className={`line${selected ? " selected" : ""}`} data-id={change.id}>
      <ChangeLine change={change} more={more} />
    </Link>
  );
}

function Groups({ changes, policy, state }: { changes: readonly ChangeSummary[]; policy: ChangePolicy | undefined; state: string }) {
  const t = useT();
  const [, go] = useLocation();
  const me = useLogin();
  const [selected, set_selected] = useParam("change");
  const sorted = useMemo(() => {
    const found: Record<Group, ChangeSummary[]> = { running: [], mine: [], waiting: [], planned: [], done: [] };
    for (const change of changes) found[group_of(change, me, policy)].push(change);
    return found;
  }, [changes, me, policy]);
  const shown = groups.filter((group) => state === "" || state === group);
  const order = shown.flatMap((group) => sorted[group]);
  const move = (by: number) => {
    const at = order.findIndex((change) => change.id === selected);
    const next = order[Math.min(order.length - 1, Math.max(0, at + by))];
    if (next) set_selected(next.id);
  };
  useScreenKeys({ j: () => move(1), k: () => move(-1), Enter: () => selected && go(`/changes/${selected}`) });
  const panel = (group: Group) => {
    const rows = sorted[group];
    // What waits for others is told by its own words only when there is some.
    if (rows.length === 0 && group === "waiting" && state === "") return null;
    return (
      <Panel key={group} title={t(`change.group.${group}`)} aside={<span className="number">{rows.length}</span>} className={`change-group ${group}`}>
        {rows.length === 0 ? (
          <Empty title={t(`change.none.${group}`)} status={group === "mine" ? "safe" : "neutral"} />
        ) : group === "done" ? (
          <Rows
            label={t("change.group.done")}
            className="line-rows"
            rows={rows}
            id_of={(change) => change.id}
            row_height={64}
            selected={selected}
            render={(change) => (
              <div role="cell">
                <Line change={change} selected={false} />
              </div>
            )}
          />
        ) : (
          <ul className="lines">
            {rows.map((change) => (
              <li key={change.id}>
                <Line change={change} selected={change.id === selected} />
              </li>
            ))}
          </ul>
        )}
      </Panel>
    );
  };
  const first = shown.filter((group) => group !== "done").map(panel);
  return (
    <div className={shown.length === 1 ? "change-groups one" : "change-groups"}>
      {first.length > 0 && <div className="change-column">{first}</div>}
      {shown.includes("done") && <div className="change-column">{panel("done")}</div>}
    </div>
  );
}

export default function Changes() {
  const t = useT();
  const [view, set_view] = useParam("view");
  const [state, set_state] = useParam("state");
  const read = useChanges(count_max);
  const policy = usePolicy();
  const calendar = useCalendar();
  const may = useMay();
  const as_calendar = view === "calendar";
  const known = (groups as readonly string[]).includes(state) ? state : "";
  useScreenKeys({ t: () => set_view(as_calendar ? "" : "calendar") });
  return (
    <div className="changes">
      <header className="screen-head">
        <h1>{t("screen.changes")}</h1>
        <div className="row">
          {!as_calendar && (
            <Select label={t("change.state")} value={known} onChange={(event) => set_state(event.target.value)}>
              <option value="">{t("action.all")}</option>
              {groups.map((group) => (
                <option key={group} value={group}>
                  {t(`change.group.${group}`)}
                </option>
              ))}
            </Select>
          )}
          <div className="switch" role="group" aria-label={t("change.view")}>
            <button type="button" className="button" aria-pressed={!as_calendar} onClick={() => set_view("")}>
              {t("change.list")}
            </button>
            <button type="button" className="button" aria-pressed={as_calendar} onClick={() => set_view("calendar")}>
              {t("change.calendar")}
            </button>
          </div>
          {may("change-propose") && (
            <Link className="button primary" href="/changes/new">
              {t("change.propose")}
            </Link>
          )}
        </div>
      </header>
      <OpenEmergency />
      <Frozen services={calendar.data?.frozen_services ?? []} />
      <Data read={read} lines={6} height={60}>
        {({ changes }) =>
          as_calendar ? (
            <Calendar changes={changes} calendar={calendar} policy={policy.data} />
          ) : changes.length === 0 ? (
            <Empty title={t("changes.none")} status="neutral" action={may("change-propose") ? <Link href="/changes/new">{t("change.propose")}</Link> : undefined}>
              {t("changes.none_why")}
            </Empty>
          ) : (
            <Groups changes={changes} policy={policy.data} state={known} />
          )
        }
      </Data>
      <Figures />
    </div>
  );
}
