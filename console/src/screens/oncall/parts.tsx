// The panels of the on-call screen.

import { useState } from "react";
import { ask } from "../../api/client";
import { parts_of, read_plan_again, useWho, type CalendarFeed, type Contact, type Coverage, type Override, type Plan, type Policy, type Shift } from "../../api/oncall";
import { acting_name } from "../../api/session";
import { look_of_severity } from "../../clinical/parts";
import type { Severity } from "../../api/types";
import { useFormats, useT, type MessageId } from "../../i18n";
import { feed } from "../../live/feed";
import { Button, Chip } from "../../ui/basic";
import { say } from "../../ui/notices";
import { Data, Empty, Panel } from "../../ui/states";
import { useWhen } from "../../ui/when";
import { holes_of, span_of } from "./time";

const severities: readonly Severity[] = ["emergency", "urgent", "advisory"];

export function Steps({ policy }: { policy: string }) {
  const t = useT();
  const read = useWho(policy);
  const after = (seconds: number) => (seconds === 0 ? t("oncall.at_once") : seconds < 120 ? t("oncall.after_s", { n: seconds }) : t("oncall.after_min", { n: Math.round(seconds / 60) }));
  return (
    <Data read={read} lines={3} height={28}>
      {({ steps }) => (
        <ol className="duty-steps">
          {(steps ?? []).map((step) => (
            <li key={step.step} className={step.people.length === 0 ? "emergency" : ""}>
              <span className="duty-after">{after(step.after_s)}</span>
              <span className="duty-people">
                {step.people.length === 0 ? (
                  <Chip status="emergency">{t("oncall.nobody")}</Chip>
                ) : (
                  step.people.map((who) => (
                    <span key={who.contact} className="duty-person">
                      <bdi>{who.contact}</bdi>
                      {who.instead_of && <small>{t("oncall.instead_of", { who: who.instead_of })}</small>}
                    </span>
                  ))
                )}
              </span>
            </li>
          ))}
        </ol>
      )}
    </Data>
  );
}

// Who is called now, policy by policy, in the order in which they are called.
export function Now({ plan }: { plan: Plan }) {
  const t = useT();
  const defaults = (plan.parts["defaults/main"] as { policy?: Record<string, string> } | undefined)?.policy ?? {};
  const rank = (policy: Policy) => {
    const place = severities.findIndex((severity) => defaults[severity] === policy.name);
    return place < 0 ? severities.length : place;
  };
  const policies = parts_of<Policy>(plan, "policy").sort((a, b) => rank(a) - rank(b) || a.name.localeCompare(b.name));
  return (
    <Panel title={t("oncall.who_now")} className="wide">
      <div className="duty-cards">
        {policies.map((policy) => (
          <section key={policy.name} className="duty-card" aria-label={policy.name}>
            <h3>
              <bdi>{policy.name}</bdi>
            </h3>
            <p className="chips">
              {severities
                .filter((severity) => defaults[severity] === policy.name)
                .map((severity) => (
                  <Chip key={severity} status={look_of_severity[severity]}>
                    {t(`severity.${severity}`)}
                  </Chip>
                ))}
            </p>
            <Steps policy={policy.name} />
          </section>
        ))}
      </div>
    </Panel>
  );
}

export function CoverageList({ coverage, days }: { coverage: Coverage; days: number }) {
  const t = useT();
  const when = useWhen();
  const range = span_of({ begin: coverage.from, end: coverage.to });
  const holes = holes_of(coverage.gaps, range);
  if (holes.length === 0) return <Empty title={t("oncall.covered", { n: days })}>{t("oncall.covered_why")}</Empty>;
  return (
    <ul className="lines">
      {holes.map((hole) => {
        const first = hole.spans[0]!;
        const has = first.people.length;
        return (
          <li key={`${hole.policy}/${hole.step}`} className="line emergency">
            <Chip status="emergency">{t("oncall.step", { n: hole.step + 1 })}</Chip>
            <span className="line-text wraps">
              <strong dir="auto">{hole.policy}</strong>
              <small>
                {hole.whole
                  ? t("oncall.whole_time", { n: days })
                  : t("oncall.gap_from_to", { begin: when.moment(first.begin), end: when.moment(first.end), n: hole.spans.length - 1 })}
              </small>
            </span>
            <span className="line-time late">{t("oncall.has_of", { has, needed: hole.needed })}</span>
          </li>
        );
      })}
    </ul>
  );
}

export function Overrides({ overrides, onEnd }: { overrides: readonly Override[]; onEnd: (override: Override) => void }) {
  const t = useT();
  const when = useWhen();
  const coming = overrides.filter((each) => Date.parse(each.end) > feed.now()).sort((a, b) => a.begin.localeCompare(b.begin));
  if (coming.length === 0) return <Empty title={t("oncall.no_overrides")} status="neutral">{t("oncall.no_overrides_why")}</Empty>;
  return (
    <ul className="lines">
      {coming.map((each) => (
        <li key={each.id} className="line">
          <Chip status="watch">{t(each.add ? "oncall.stands_in_chip" : "oncall.taken_out_chip")}</Chip>
          <span className="line-text wraps">
            <strong dir="auto">{each.add && each.remove ? t("oncall.for", { a: each.add, b: each.remove }) : (each.add ?? each.remove)}</strong>
            <small>
              {each.schedule}, {t("oncall.from_to", { begin: when.moment(each.begin), end: when.moment(each.end) })}
            </small>
          </span>
          <Button look="quiet" onClick={() => onEnd(each)}>
            {t("oncall.end_override")}
          </Button>
        </li>
      ))}
    </ul>
  );
}

// Channels by their kind; an address that was not confirmed is not the same as one that was.
export function People({ contacts }: { contacts: readonly Contact[] }) {
  const t = useT();
  const when = useWhen();
  return (
    <ul className="lines">
      {contacts.map((contact) => {
        const away = (contact.leave ?? []).find((each) => Date.parse(each.end) > feed.now());
        const methods = (contact.methods ?? []).map((method) => method.kind);
        const pages = methods.some((kind) => kind !== "console");
        return (
          <li key={contact.name} className="line">
            <Chip status={pages ? "safe" : "watch"}>{pages ? methods.join(", ") : t("oncall.console_only")}</Chip>
            <span className="line-text wraps">
              <strong dir="auto">{contact.name}</strong>
              <small dir="auto">
                {[
                  contact.role,
                  t(`availability.${contact.availability ?? "always"}` as MessageId),
                  contact.backup && t("oncall.backup", { who: contact.backup }),
                  away && t("oncall.away", { begin: when.day(Date.parse(away.begin)), end: when.day(Date.parse(away.end)) }),
                ]
                  .filter(Boolean)
                  .join(" · ")}
              </small>
            </span>
          </li>
        );
      })}
    </ul>
  );
}

export function Calendars({ calendars }: { calendars: readonly CalendarFeed[] }) {
  const t = useT();
  const [busy, set_busy] = useState("");
  if (calendars.length === 0) return <Empty title={t("oncall.no_calendars")} status="neutral">{t("oncall.calendar_text")}</Empty>;
  const remove = (calendar: CalendarFeed) => {
    set_busy(calendar.id);
    ask("DELETE /api/v1/oncall/parts/{kind}/{name}", { params: { kind: "feed", name: calendar.id }, query: { by: acting_name() } })
      .then(
        () => say("safe", t("oncall.calendar_removed")),
        (error: Error) => say("urgent", t("oncall.not_done", { why: error.message })),
      )
      .finally(() => {
        set_busy("");
        void read_plan_again();
      });
  };
  return (
    <ul className="lines">
      {calendars.map((calendar) => (
        <li key={calendar.id} className="line">
          <Chip status={calendar.disabled ? "neutral" : "info"}>{t(calendar.disabled ? "oncall.calendar_off" : "oncall.calendar_on")}</Chip>
          <span className="line-text wraps">
            <strong dir="auto">{calendar.contact ?? t("oncall.everybody")}</strong>
            <small dir="auto">{calendar.schedule}</small>
          </span>
          <Button look="quiet" busy={busy === calendar.id} onClick={() => remove(calendar)}>
            {t("oncall.calendar_remove")}
          </Button>
        </li>
      ))}
    </ul>
  );
}

// The same as the bars, as a list: for a phone, and for who reads rather than looks.
export function ShiftList({ shifts, overridden, onOpen }: { shifts: readonly Shift[]; overridden: (shift: Shift) => boolean; onOpen: (shift: Shift) => void }) {
  const t = useT();
  const when = useWhen();
  const formats = useFormats();
  return (
    <div className="scroll" tabIndex={0}>
      <table>
        <thead>
          <tr>
            <th scope="col">{t("oncall.person")}</th>
            <th scope="col">{t("oncall.begin")}</th>
            <th scope="col">{t("oncall.end")}</th>
            <th scope="col" className="wide-only">
              {t("oncall.hours")}
            </th>
            <th scope="col">
              <span className="visually-hidden">{t("oncall.stand_in")}</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {shifts.map((shift) => (
            <tr key={`${shift.who} ${shift.begin}`}>
              <th scope="row">
                <bdi>{shift.who}</bdi> {overridden(shift) && <Chip status="watch">{t("oncall.stands_in_chip")}</Chip>}
              </th>
              <td className="number">{when.moment(shift.begin)}</td>
              <td className="number">{when.moment(shift.end)}</td>
              <td className="number wide-only">{formats.number((Date.parse(shift.end) - Date.parse(shift.begin)) / 3_600_000)}</td>
              <td>
                <Button look="quiet" onClick={() => onOpen(shift)}>
                  {t("oncall.stand_in")}
                </Button>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
