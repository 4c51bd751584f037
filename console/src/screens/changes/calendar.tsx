// The week: what is changed when, what is frozen, when load is high, and what is in whose way. Hours run down, so that the order of the
// days is all that the direction of writing turns round.

import { Fragment, useMemo, useState } from "react";
import { Link } from "wouter";
import type { ChangeCalendar, ChangePolicy } from "../../api/changes";
import type { Read } from "../../api/queries";
import type { ChangeSummary } from "../../api/types";
import { ChangeLine, look_of_change } from "../../clinical/lines";
import { useFormats, useT, type MessageId } from "../../i18n";
import { feed } from "../../live/feed";
import { Button, Chip, IconButton } from "../../ui/basic";
import { useIsPhone } from "../../ui/media";
import { Data, Empty, Panel } from "../../ui/states";
import { useParam } from "../../ui/url";
import { midnight, monday } from "../../ui/wall";
import { useWhen } from "../../ui/when";
import { useMay } from "../permitted";
import { FreezeList, NewFreeze } from "./freezes";
import { conflicts_of, hour_ms, lanes, overlap, peaks_of, span_of_change, week_of, week_text, type Peak, type Span } from "./week";

const days_shown = 7;
const hour_marks = [0, 3, 6, 9, 12, 15, 18, 21];

interface Block extends Span {
  change: ChangeSummary;
  conflict: boolean;
}
interface DayProps {
  day: Span;
  blocks: readonly Block[];
  peaks: readonly Peak[];
  freezes: readonly (Span & { why: string })[];
  selected: string;
}
function Day({ day, blocks, peaks, freezes, selected }: DayProps) {
  const t = useT();
  const formats = useFormats();
  const place = (span: Span) => {
    const share = (at: number) => Math.min(1, Math.max(0, (at - day.begin) / (day.end - day.begin)));
    return { insetBlockStart: `${(share(span.begin) * 100).toFixed(2)}%`, blockSize: `${((share(span.end) - share(span.begin)) * 100).toFixed(2)}%` };
  };
  const inside = blocks.filter((block) => overlap(block, day));
  const side = lanes(inside.map((block) => ({ begin: Math.max(block.begin, day.begin), end: Math.min(block.end, day.end) })));
  const now = feed.now();
  return (
    <div className="week-day">
      {peaks
        .filter((peak) => overlap(peak, day))
        .map((peak) => (
          <div key={`${peak.window.name}${peak.begin}`} className="week-peak" style={place(peak)}>
            <span dir="auto">{peak.window.name}</span>
            <small>{t("change.load", { share: formats.percent(peak.window.load) })}</small>
          </div>
        ))}
      {freezes
        .filter((freeze) => overlap(freeze, day))
        .map((freeze) => (
          <div key={`${freeze.why}${freeze.begin}`} className="week-freeze" style={place(freeze)}>
            <span dir="auto">{freeze.why}</span>
          </div>
        ))}
      {inside.map((block, at) => (
        <Link
          key={block.change.id}
          href={`/changes/${block.change.id}`}
          className={`week-change ${look_of_change(block.change.state)}${block.conflict ? " conflict" : ""}${block.change.id === selected ? " selected" : ""}`}
          style={{ ...place(block), insetInlineStart: `${(side[at]!.lane / side[at]!.of) * 100}%`, inlineSize: `${100 / side[at]!.of}%` }}
          title={block.change.title}
        >
          <span dir="auto">{block.change.title}</span>
          <small>
            {formats.clock(block.begin).slice(0, 5)} {t(`change_state.${block.change.state}` as MessageId)}
            {block.conflict && `, ${t("change.conflict")}`}
          </small>
        </Link>
      ))}
      {now >= day.begin && now < day.end && <div className="week-now" style={{ insetBlockStart: `${((now - day.begin) / (day.end - day.begin)) * 100}%` }} />}
    </div>
  );
}

interface WeekProps {
  range: Span;
  blocks: readonly Block[];
  peaks: readonly Peak[];
  freezes: readonly (Span & { why: string })[];
}
function Week({ range, blocks, peaks, freezes }: WeekProps) {
  const when = useWhen();
  const t = useT();
  const [selected] = useParam("change");
  const days = Array.from({ length: days_shown }, (_, at) => ({ begin: midnight(range.begin, at), end: midnight(range.begin, at + 1) }));
  const today = midnight(feed.now());
  return (
    <div className="week" role="group" aria-label={t("change.week")}>
      <div className="week-hours" aria-hidden="true">
        {hour_marks.map((hour) => (
          <span key={hour} style={{ insetBlockStart: `${(hour / 24) * 100}%` }}>
            {String(hour).padStart(2, "0")}:00
          </span>
        ))}
      </div>
      {days.map((day) => (
        <section key={day.begin} className="week-column" aria-label={when.day(day.begin)}>
          <h3 className={day.begin === today ? "today" : ""}>{when.day(day.begin)}</h3>
          <Day day={day} blocks={blocks} peaks={peaks} freezes={freezes} selected={selected} />
        </section>
      ))}
    </div>
  );
}

// The same for a phone, and for who reads rather than looks.
function Agenda({ range, blocks, peaks, freezes }: WeekProps) {
  const t = useT();
  const when = useWhen();
  const formats = useFormats();
  const days = Array.from({ length: days_shown }, (_, at) => ({ begin: midnight(range.begin, at), end: midnight(range.begin, at + 1) }));
  const clock = (at: number) => formats.clock(at).slice(0, 5);
  return (
    <div className="agenda">
      {days.map((day) => (
        <Fragment key={day.begin}>
          <h3>{when.day(day.begin)}</h3>
          <ul className="lines">
            {freezes
              .filter((freeze) => overlap(freeze, day))
              .map((freeze) => (
                <li key={`${freeze.why}${freeze.begin}`} className="line">
                  <Chip status="watch">{t("change.freeze.now")}</Chip>
                  <span className="line-text wraps">
                    <strong dir="auto">{freeze.why}</strong>
                  </span>
                </li>
              ))}
            {peaks
              .filter((peak) => peak.begin >= day.begin && peak.begin < day.end)
              .map((peak) => (
                <li key={`${peak.window.name}${peak.begin}`} className="agenda-peak">
                  <span className="number">
                    {clock(peak.begin)} - {clock(peak.end)}
                  </span>{" "}
                  <bdi>{peak.window.name}</bdi>
                </li>
              ))}
            {blocks
              .filter((block) => overlap(block, day))
              .map((block) => (
                <li key={block.change.id}>
                  <Link className="line" href={`/changes/${block.change.id}`}>
                    <ChangeLine change={block.change} />
                  </Link>
                </li>
              ))}
          </ul>
        </Fragment>
      ))}
    </div>
  );
}

export function Calendar({ changes, calendar, policy }: { changes: readonly ChangeSummary[]; calendar: Read<ChangeCalendar>; policy: ChangePolicy | undefined }) {
  const t = useT();
  const when = useWhen();
  const phone = useIsPhone();
  const may = useMay();
  const [from, set_from] = useParam("from");
  const [freezing, set_freezing] = useState(false);
  const now = feed.now();
  const begin = week_of(from, now);
  const range = useMemo(() => ({ begin, end: midnight(begin, days_shown) }), [begin]);
  const move = (days: number) => {
    const to = midnight(begin, days);
    set_from(to === monday(feed.now()) ? "" : week_text(to));
  };
  const peaks = useMemo(() => (policy ? peaks_of(policy.load_windows, policy.zone, range) : []), [policy, range]);
  const fixed = useMemo(() => new Set((policy?.freezes ?? []).map((freeze) => freeze.id)), [policy]);
  return (
    <Data read={calendar} lines={8} height={60}>
      {({ freezes }) => {
        const spans = freezes.map((freeze) => ({ begin: Date.parse(freeze.begin), end: Date.parse(freeze.end), why: freeze.why }));
        const conflicts = conflicts_of(changes, freezes, peaks, now);
        const blocks = changes.flatMap((change): Block[] => {
          const span = span_of_change(change, now);
          return span ? [{ ...span, change, conflict: conflicts.some((each) => each.change.id === change.id) }] : [];
        });
        const undated = changes.filter((change) => (change.state === "proposed" || change.state === "approved") && !span_of_change(change, now));
        const shown = { range, blocks, peaks, freezes: spans };
        return (
          <div className="change-calendar">
            <Panel
              title={t("change.week")}
              aside={
                <div className="row" dir="ltr">
                  <IconButton icon="back" label={t("oncall.earlier")} onClick={() => move(-days_shown)} />
                  <bdi className="number">
                    {when.day(range.begin)} - {when.day(range.end - hour_ms)}
                  </bdi>
                  <IconButton icon="on" label={t("oncall.later")} onClick={() => move(days_shown)} />
                </div>
              }
            >
              {phone ? <Agenda {...shown} /> : <Week {...shown} />}
              {policy && <p className="field-hint">{t("change.peaks", { zone: policy.zone })}</p>}
            </Panel>
            <div className="change-column">
              {conflicts.length > 0 && (
                <Panel title={t("change.conflicts")}>
                  <ul className="lines">
                    {conflicts.map((each) => (
                      <li key={`${each.change.id}${each.kind}${each.with}`} className="line">
                        <Chip status="urgent">{t(`change.conflict.${each.kind}`)}</Chip>
                        <span className="line-text wraps">
                          <strong dir="auto">
                            <Link href={`/changes/${each.change.id}`}>{each.change.title}</Link>
                          </strong>
                          <small dir="auto">{each.with}</small>
                        </span>
                      </li>
                    ))}
                  </ul>
                </Panel>
              )}
              <Panel
                title={t("change.freezes")}
                aside={
                  may("change-freeze-add") ? (
                    <Button look="quiet" onClick={() => set_freezing(true)}>
                      {t("change.freeze.new")}
                    </Button>
                  ) : undefined
                }
              >
                <FreezeList freezes={freezes} fixed={fixed} />
              </Panel>
              <Panel title={t("change.undated")}>
                {undated.length === 0 ? (
                  <Empty title={t("change.undated_none")} status="neutral" />
                ) : (
                  <ul className="lines">
                    {undated.map((change) => (
                      <li key={change.id}>
                        <Link className="line" href={`/changes/${change.id}`}>
                          <ChangeLine change={change} />
                        </Link>
                      </li>
                    ))}
                  </ul>
                )}
              </Panel>
            </div>
            <NewFreeze open={freezing} onClose={() => set_freezing(false)} />
          </div>
        );
      }}
    </Data>
  );
}
