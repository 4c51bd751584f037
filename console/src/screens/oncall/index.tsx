// On-call: who is called now, who is on duty when, what is not covered, and the few things that are done about it.

import { useMemo, useState } from "react";
import {
  parts_of,
  useCoverage,
  useLayers,
  usePlan,
  useShifts,
  type CalendarFeed,
  type Contact,
  type Coverage,
  type Override,
  type Plan,
  type Policy,
  type Schedule,
  type Shift,
} from "../../api/oncall";
import { ApiError } from "../../api/error";
import { acting_name, useSession } from "../../api/session";
import { useScreenKeys } from "../../frame/keys";
import { useT } from "../../i18n";
import { feed } from "../../live/feed";
import { Button, IconButton, Select } from "../../ui/basic";
import { Icon } from "../../ui/icons";
import { useIsPhone } from "../../ui/media";
import { Data, Empty, Panel } from "../../ui/states";
import { useParam } from "../../ui/url";
import { midnight } from "../../ui/wall";
import { useWhen } from "../../ui/when";
import "../../theme/oncall.css";
import { EndOverride, NewCalendar, StandIn, TestPage, type Duty } from "./dialogs";
import { Gantt, type Bar, type Row } from "./gantt";
import { Calendars, CoverageList, Now, Overrides, People, ShiftList, Steps } from "./parts";
import { holes_of, override_of, span_of, uncovered, type Span } from "./time";

const coverage_days = 14;
const spans = [7, 14, 28] as const;

// The contact that is whoever is logged in.
function me_among(contacts: readonly Contact[], name: string): string {
  const wanted = name.toLowerCase();
  const is_me = (contact: Contact) => [contact.name, ...(contact.known_as ?? [])].some((each) => each.toLowerCase() === wanted);
  return wanted ? (contacts.find(is_me)?.name ?? "") : "";
}

// The policies that call this schedule, and when a step of theirs lacks people.
function gaps_of(schedule: string, plan: Plan, coverage: Coverage | undefined): { policy: string; span: Span; has: number; needed: number }[] {
  if (!coverage) return [];
  const target = `schedule:${schedule}`;
  const calls = new Map(parts_of<Policy>(plan, "policy").map((policy) => [policy.name, policy.steps.map((step) => step.targets.includes(target))]));
  return coverage.gaps
    .filter((gap) => calls.get(gap.policy)?.[gap.step])
    .map((gap) => ({ policy: gap.policy, span: span_of(gap), has: gap.people.length, needed: gap.needed }));
}

interface DutyPlanProps {
  plan: Plan;
  schedule: Schedule;
  range: Span;
  coverage: Coverage | undefined;
  contacts: readonly Contact[];
  as_list: boolean;
}
function DutyPlan({ plan, schedule, range, coverage, contacts, as_list }: DutyPlanProps) {
  const t = useT();
  const when = useWhen();
  const [duty, set_duty] = useState<Duty>();
  const layers = schedule.layers ?? [];
  const read = useShifts(schedule.name, range.begin, range.end);
  const rotations = useLayers(schedule.name, as_list ? 0 : layers.length, range.begin, range.end);
  const overrides = parts_of<Override>(plan, "override").filter((each) => each.schedule === schedule.name);
  const says = (who: string, span: Span) => t("oncall.bar", { who, begin: when.moment(span.begin), end: when.moment(span.end) });

  const rows_of = (shifts: readonly Shift[]): Row[] => {
    const bars: Bar[] = shifts.map((shift) => {
      const span = span_of(shift);
      const changed = override_of(shift, overrides);
      return {
        ...span,
        id: `${shift.who} ${shift.begin}`,
        text: shift.who,
        who: shift.who,
        kind: changed ? "override" : "duty",
        says: changed ? `${says(shift.who, span)}. ${t("oncall.stands_in_chip")}` : says(shift.who, span),
        open: () => set_duty(shift),
      };
    });
    for (const hole of uncovered(shifts.map(span_of), range)) {
      const gap = { begin: new Date(hole.begin).toISOString(), end: new Date(hole.end).toISOString() };
      bars.push({ ...hole, id: `gap ${hole.begin}`, text: t("oncall.nobody"), kind: "gap", says: says(t("oncall.nobody"), hole), open: () => set_duty(gap) });
    }
    const rows: Row[] = [{ id: "final", name: t("oncall.final"), about: t("oncall.final_why"), bars }];
    const lacking = gaps_of(schedule.name, plan, coverage);
    if (lacking.length > 0) {
      rows.push({
        id: "lacking",
        name: t("oncall.lacking"),
        bars: lacking.map(({ policy, span, has, needed }, at) => ({
          ...span,
          id: `lacking ${at}`,
          text: `${policy}: ${t("oncall.has_of", { has, needed })}`,
          kind: "gap",
          says: says(`${policy}: ${t("oncall.has_of", { has, needed })}`, span),
        })),
      });
    }
    layers.forEach((layer, place) => {
      const turns = rotations[place]?.data?.shifts ?? [];
      rows.push({
        id: `layer ${place}`,
        name: layer.name || t("oncall.layer", { n: place + 1 }),
        ...(rotations[place]?.error ? { about: rotations[place].error.message } : {}),
        bars: turns.map((shift) => {
          const span = span_of(shift);
          return { ...span, id: `${shift.who} ${shift.begin}`, text: shift.who, who: shift.who, kind: "rotation", says: says(shift.who, span) };
        }),
      });
    });
    const people = new Set(layers.flatMap((layer) => layer.members));
    const away = contacts
      .filter((contact) => people.has(contact.name))
      .flatMap((contact) => (contact.leave ?? []).map((leave) => ({ who: contact.name, span: span_of(leave) })))
      .filter(({ span }) => span.end > range.begin && span.begin < range.end);
    if (away.length > 0) {
      rows.push({
        id: "leave",
        name: t("oncall.leave"),
        bars: away.map(({ who, span }) => ({ ...span, id: `${who} ${span.begin}`, text: who, who, kind: "leave", says: says(who, span) })),
      });
    }
    return rows;
  };

  return (
    <>
      <Data read={read} lines={3} height={44}>
        {({ shifts }) =>
          as_list ? (
            <ShiftList shifts={shifts} overridden={(shift) => override_of(shift, overrides) !== undefined} onOpen={set_duty} />
          ) : (
            <Gantt label={t("oncall.schedule_of", { name: schedule.name })} rows={rows_of(shifts)} from={range.begin} to={range.end} />
          )
        }
      </Data>
      <StandIn duty={duty} schedule={schedule} contacts={contacts} shifts={read.data?.shifts ?? []} onClose={() => set_duty(undefined)} />
    </>
  );
}

function Whole({ plan }: { plan: Plan }) {
  const t = useT();
  const when = useWhen();
  const session = useSession();
  const phone = useIsPhone();
  const [chosen, choose] = useParam("schedule");
  const [days_text, set_days] = useParam("days");
  const [from_text, set_from] = useParam("from");
  const [view, set_view] = useParam("view");
  const [paging, set_paging] = useState(false);
  const [ending, set_ending] = useState<Override>();
  const [making, set_making] = useState(false);
  const coverage = useCoverage(coverage_days);
  const schedules = parts_of<Schedule>(plan, "schedule");
  const contacts = useMemo(() => parts_of<Contact>(plan, "contact"), [plan]);
  const schedule = schedules.find((each) => each.name === chosen) ?? schedules[0];
  const days = spans.find((each) => String(each) === days_text) ?? spans[1];
  const given = Date.parse(from_text);
  const begin = midnight(Number.isFinite(given) ? given : feed.now());
  const range: Span = { begin, end: midnight(begin, days) };
  const as_list = view ? view === "list" : phone;
  const move = (by: number) => {
    const to = midnight(begin, by);
    set_from(to === midnight(feed.now()) ? "" : new Date(to).toISOString());
  };
  const toggle = () => set_view(as_list ? "chart" : "list");
  useScreenKeys({ t: toggle });
  const holes = coverage.data ? holes_of(coverage.data.gaps, span_of({ begin: coverage.data.from, end: coverage.data.to })) : [];
  const me = me_among(contacts, session.state === "in" ? session.me.id : acting_name()) || me_among(contacts, acting_name());
  return (
    <>
      <header className="screen-head">
        <h1>{t("screen.oncall")}</h1>
        <div className="row">
          <Button icon="bell" onClick={() => set_paging(true)}>
            {t("oncall.test_page")}
          </Button>
        </div>
      </header>
      {holes.length > 0 && (
        <div className="banner emergency">
          <Icon name="emergency" />
          <span className="line-text">
            <strong>{t("oncall.gaps", { n: holes.length, days: coverage_days })}</strong>
            <small>{t("oncall.gaps_why")}</small>
          </span>
          <a className="button" href="#coverage">
            {t("oncall.coverage")}
          </a>
        </div>
      )}
      <Now plan={plan} />
      <Panel
        title={t("oncall.schedule")}
        className="wide"
        aside={
          schedule && (
            <div className="row">
              <div className="row" dir="ltr">
                <IconButton icon="back" label={t("oncall.earlier")} onClick={() => move(-days)} />
                <bdi className="number">{when.day(range.begin)}</bdi>
                <IconButton icon="on" label={t("oncall.later")} onClick={() => move(days)} />
              </div>
              <Select label={t("oncall.span")} value={days} onChange={(event) => set_days(event.target.value === "14" ? "" : event.target.value)}>
                {spans.map((each) => (
                  <option key={each} value={each}>
                    {t("oncall.days", { n: each })}
                  </option>
                ))}
              </Select>
              {schedules.length > 1 && (
                <Select label={t("oncall.schedule")} value={schedule.name} onChange={(event) => choose(event.target.value)}>
                  {schedules.map((each) => (
                    <option key={each.name}>{each.name}</option>
                  ))}
                </Select>
              )}
              <Button onClick={toggle}>{t(as_list ? "oncall.as_chart" : "oncall.as_list")}</Button>
            </div>
          )
        }
      >
        {schedule ? (
          <DutyPlan plan={plan} schedule={schedule} range={range} coverage={coverage.data} contacts={contacts} as_list={as_list} />
        ) : (
          <Empty title={t("oncall.no_schedule")} status="neutral">
            {t("oncall.no_schedule_why")}
          </Empty>
        )}
      </Panel>
      <div id="coverage" tabIndex={-1}>
        <Panel title={t("oncall.coverage")}>
          <Data read={coverage} lines={3} height={44}>
            {(data) => <CoverageList coverage={data} days={coverage_days} />}
          </Data>
        </Panel>
      </div>
      <Panel title={t("oncall.overrides")}>
        <Overrides overrides={parts_of<Override>(plan, "override")} onEnd={set_ending} />
      </Panel>
      <Panel title={t("oncall.people")}>
        <People contacts={contacts} />
      </Panel>
      <Panel
        title={t("oncall.calendars")}
        aside={
          schedules.length > 0 && (
            <Button look="quiet" onClick={() => set_making(true)}>
              {t("oncall.calendar_new")}
            </Button>
          )
        }
      >
        <Calendars calendars={parts_of<CalendarFeed>(plan, "feed")} />
      </Panel>
      <TestPage open={paging} contacts={contacts} me={me} onClose={() => set_paging(false)} />
      <EndOverride override={ending} onClose={() => set_ending(undefined)} />
      <NewCalendar open={making} schedules={schedules} contacts={contacts} schedule={schedule?.name ?? ""} onClose={() => set_making(false)} />
    </>
  );
}

export default function OnCall() {
  const t = useT();
  const read = usePlan();
  // Some roles may ask who is called, and not see the plan with everybody's channels.
  if (read.error instanceof ApiError && read.error.trouble === "forbidden") {
    return (
      <div className="oncall">
        <header className="screen-head">
          <h1>{t("screen.oncall")}</h1>
        </header>
        <Panel title={t("oncall.who_now")} className="wide">
          <Steps policy="" />
          <p className="field-hint">{t("oncall.rule_only")}</p>
        </Panel>
      </div>
    );
  }
  return (
    <div className="oncall">
      <Data read={read} lines={6} height={72}>
        {(plan) => <Whole plan={plan} />}
      </Data>
    </div>
  );
}
