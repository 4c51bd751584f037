// What is done about duty: somebody stands in, two swap, a test page, an override ends, a calendar's address.

import { useMutation } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { ask } from "../../api/client";
import { random_name, read_plan_again, type Contact, type Override, type Schedule, type Shift } from "../../api/oncall";
import { useAlert } from "../../api/queries";
import { useT, type MessageId } from "../../i18n";
import { useActor } from "../../ui/actor";
import { Button, Chip, Dialog, Field, TimeField } from "../../ui/basic";
import type { Status } from "../../ui/icons";
import { say } from "../../ui/notices";
import { instant_text, local_text } from "../../ui/wall";
import { useWhen } from "../../ui/when";

export interface Duty extends Omit<Shift, "who"> {
  who?: string; // nobody: a gap
}

function Refusal({ error }: { error: Error | null }) {
  const t = useT();
  if (!error) return null;
  return (
    <p className="field-error" role="alert">
      {t("oncall.not_done", { why: error.message })}
    </p>
  );
}

interface StandInProps {
  duty: Duty | undefined;
  schedule: Schedule;
  contacts: readonly Contact[];
  shifts: readonly Shift[];
  onClose: () => void;
}
// One touch on the shift, one on the name. Times may be narrowed before.
export function StandIn({ duty, schedule, contacts, shifts, onClose }: StandInProps) {
  const t = useT();
  const when = useWhen();
  const actor = useActor();
  const [begin, set_begin] = useState("");
  const [end, set_end] = useState("");
  const [other, set_other] = useState("");
  const [other_shift, set_other_shift] = useState("");
  useEffect(() => {
    if (!duty) return;
    set_begin(local_text(Date.parse(duty.begin)));
    set_end(local_text(Date.parse(duty.end)));
    set_other("");
    set_other_shift("");
  }, [duty]);
  const members = [...new Set((schedule.layers ?? []).flatMap((layer) => layer.members))].filter((name) => name !== duty?.who);
  const others = contacts.map((contact) => contact.name).filter((name) => name !== duty?.who && !members.includes(name));
  const standing = useMutation({
    mutationFn: (add: string) => {
      // Untouched, the times are those of the shift to the second.
      const exact = (text: string, of: string) => (text === local_text(Date.parse(of)) ? of : instant_text(text));
      return ask("PUT /api/v1/oncall/parts/{kind}/{name}", {
        params: { kind: "override", name: `console-${random_name()}` },
        query: { by: actor.by },
        body: {
          schedule: schedule.name,
          begin: exact(begin, duty!.begin),
          end: exact(end, duty!.end),
          add,
          ...(duty!.who ? { remove: duty!.who } : {}),
          by: actor.by,
        },
      });
    },
    onSuccess: (_, add) => {
      say("safe", t("oncall.stands_in", { who: add, schedule: schedule.name }));
      onClose();
    },
    onSettled: () => void read_plan_again(),
  });
  const swapping = useMutation({
    mutationFn: (with_shift: Shift) =>
      ask("POST /api/v1/oncall/swap", {
        body: {
          schedule: schedule.name,
          a: { who: duty!.who, begin: duty!.begin, end: duty!.end },
          b: { who: with_shift.who, begin: with_shift.begin, end: with_shift.end },
          by: actor.by,
        },
      }),
    onSuccess: (_, with_shift) => {
      say("safe", t("oncall.swapped", { a: duty!.who!, b: with_shift.who }));
      onClose();
    },
    onSettled: () => void read_plan_again(),
  });
  const busy = standing.isPending || swapping.isPending;
  const { reset: forget_standing } = standing;
  const { reset: forget_swapping } = swapping;
  useEffect(() => {
    forget_standing();
    forget_swapping();
  }, [duty, forget_standing, forget_swapping]);
  const stand_in = (who: string) => {
    if (actor.given()) standing.mutate(who);
  };
  const swappable = duty?.who ? shifts.filter((shift) => shift.who !== duty.who && !shift.cut_begin && !shift.cut_end) : [];
  const with_shift = swappable.find((shift) => `${shift.who} ${shift.begin}` === other_shift);
  return (
    <Dialog open={duty !== undefined} onClose={onClose} title={duty?.who ? t("oncall.stand_in_for", { who: duty.who }) : t("oncall.fill_gap")}>
      {duty && (
        <div className="stand-in">
          <p>
            <strong dir="auto">{schedule.name}</strong>
            <br />
            {t("oncall.from_to", { begin: when.moment(duty.begin), end: when.moment(duty.end) })}
          </p>
          {actor.field}
          <Refusal error={standing.error ?? swapping.error} />
          <div className="ack-reasons" role="group" aria-label={t("oncall.who_stands_in")}>
            {members.map((name, at) => (
              <Button key={name} data-first={at === 0 ? true : undefined} busy={busy} onClick={() => stand_in(name)}>
                <bdi>{name}</bdi>
              </Button>
            ))}
          </div>
          {others.length > 0 && (
            <div className="ack-other">
              <Field label={t("oncall.somebody_else")}>
                {(ids) => (
                  <select {...ids} value={other} onChange={(event) => set_other(event.target.value)}>
                    <option value="" />
                    {others.map((name) => (
                      <option key={name}>{name}</option>
                    ))}
                  </select>
                )}
              </Field>
              <Button busy={busy} disabled={!other} onClick={() => stand_in(other)}>
                {t("oncall.stand_in")}
              </Button>
            </div>
          )}
          <details>
            <summary>{t("oncall.part_of_it")}</summary>
            <div className="pair">
              <TimeField label={t("oncall.begin")} value={begin} onChange={set_begin} />
              <TimeField label={t("oncall.end")} value={end} onChange={set_end} />
            </div>
          </details>
          {swappable.length > 0 && (
            <div className="ack-other">
              <Field label={t("oncall.swap_with")}>
                {(ids) => (
                  <select {...ids} value={other_shift} onChange={(event) => set_other_shift(event.target.value)}>
                    <option value="" />
                    {swappable.map((shift) => (
                      <option key={`${shift.who} ${shift.begin}`} value={`${shift.who} ${shift.begin}`}>
                        {`${shift.who}, ${when.moment(shift.begin)}`}
                      </option>
                    ))}
                  </select>
                )}
              </Field>
              <Button busy={busy} disabled={!with_shift} onClick={() => with_shift && actor.given() && swapping.mutate(with_shift)}>
                {t("oncall.swap")}
              </Button>
            </div>
          )}
        </div>
      )}
    </Dialog>
  );
}

const look_of_delivery: Record<string, Status> = { delivered: "safe", failed: "emergency", pending: "info", cancelled: "neutral" };

// One marked call by each of a person's channels, and what became of it.
export function TestPage({ open, contacts, me, onClose }: { open: boolean; contacts: readonly Contact[]; me: string; onClose: () => void }) {
  const t = useT();
  const actor = useActor();
  const [who, set_who] = useState("");
  const paging = useMutation({
    mutationFn: () => ask("POST /api/v1/oncall/test-page", { body: { contacts: [who || me], by: actor.by } }),
  });
  const { reset } = paging;
  useEffect(() => {
    if (!open) reset();
  }, [open, reset]);
  const alert = useAlert(paging.data?.id ?? "");
  const deliveries = alert.data?.deliveries ?? [];
  const chosen = who || me;
  return (
    <Dialog
      open={open}
      onClose={onClose}
      title={t("oncall.test_page")}
      actions={
        <Button look="primary" busy={paging.isPending} disabled={!chosen} onClick={() => actor.given() && paging.mutate()}>
          {t(paging.data ? "oncall.test_again" : "oncall.test_send")}
        </Button>
      }
    >
      <p>{t("oncall.test_text")}</p>
      <Field label={t("oncall.person")}>
        {(ids) => (
          <select {...ids} value={chosen} onChange={(event) => set_who(event.target.value)}>
            <option value="" />
            {contacts.map((contact) => (
              <option key={contact.name}>{contact.name}</option>
            ))}
          </select>
        )}
      </Field>
      {actor.field}
      <Refusal error={paging.error} />
      {paging.data && (
        <div role="status">
          {deliveries.length === 0 ? (
            <p>{t("oncall.test_waiting")}</p>
          ) : (
            <ul className="lines">
              {deliveries.map((delivery) => (
                <li key={delivery.id} className="line">
                  <Chip status={look_of_delivery[delivery.state] ?? "neutral"}>{t(`delivery.${delivery.state}` as MessageId)}</Chip>
                  <span className="line-text">
                    <strong>{delivery.medium}</strong>
                    <small dir="auto">{delivery.contact}</small>
                  </span>
                </li>
              ))}
            </ul>
          )}
        </div>
      )}
    </Dialog>
  );
}

export function EndOverride({ override, onClose }: { override: Override | undefined; onClose: () => void }) {
  const t = useT();
  const when = useWhen();
  const actor = useActor();
  const ending = useMutation({
    mutationFn: () => ask("DELETE /api/v1/oncall/parts/{kind}/{name}", { params: { kind: "override", name: override!.id }, query: { by: actor.by } }),
    onSuccess: () => {
      say("safe", t("oncall.override_ended"));
      onClose();
    },
    onSettled: () => void read_plan_again(),
  });
  return (
    <Dialog
      open={override !== undefined}
      onClose={onClose}
      title={t("oncall.end_override")}
      actions={
        <Button look="danger" data-first busy={ending.isPending} onClick={() => actor.given() && ending.mutate()}>
          {t("oncall.end_override")}
        </Button>
      }
    >
      {override && (
        <p>
          {t("oncall.end_override_text", {
            add: override.add ?? "-",
            remove: override.remove ?? "-",
            begin: when.moment(override.begin),
            end: when.moment(override.end),
          })}
        </p>
      )}
      {actor.field}
      <Refusal error={ending.error} />
    </Dialog>
  );
}

interface NewCalendarProps {
  open: boolean;
  schedules: readonly Schedule[];
  contacts: readonly Contact[];
  schedule: string;
  onClose: () => void;
}
// The address is shown once: the server keeps it as a secret, and shows it to nobody again.
export function NewCalendar({ open, schedules, contacts, schedule, onClose }: NewCalendarProps) {
  const t = useT();
  const actor = useActor();
  const [of, set_of] = useState("");
  const [who, set_who] = useState("");
  const [copied, set_copied] = useState(false);
  const making = useMutation({
    mutationFn: async () => {
      const secret = random_name(24);
      await ask("PUT /api/v1/oncall/parts/{kind}/{name}", {
        params: { kind: "feed", name: `calendar-${random_name(4)}` },
        query: { by: actor.by },
        body: { schedule: of || schedule, secret, ...(who ? { contact: who } : {}) },
      });
      return `${location.origin}/api/v1/oncall/calendars/${secret}.ics`;
    },
    onSettled: () => void read_plan_again(),
  });
  const { reset } = making;
  useEffect(() => {
    if (open) return;
    reset();
    set_copied(false);
  }, [open, reset]);
  return (
    <Dialog
      open={open}
      onClose={onClose}
      title={t("oncall.calendar_new")}
      actions={
        making.data ? (
          <Button onClick={onClose}>{t("action.close")}</Button>
        ) : (
          <Button look="primary" busy={making.isPending} onClick={() => actor.given() && making.mutate()}>
            {t("oncall.calendar_make")}
          </Button>
        )
      }
    >
      <p>{t("oncall.calendar_text")}</p>
      {making.data ? (
        <>
          <Field label={t("oncall.calendar_address")} hint={t("oncall.calendar_once")}>
            {(ids) => <input {...ids} readOnly value={making.data} onFocus={(event) => event.target.select()} />}
          </Field>
          {"clipboard" in navigator && (
            <Button onClick={() => void navigator.clipboard.writeText(making.data).then(() => set_copied(true))}>
              {t(copied ? "error.copied" : "oncall.calendar_copy")}
            </Button>
          )}
        </>
      ) : (
        <>
          <Field label={t("oncall.schedule")}>
            {(ids) => (
              <select {...ids} value={of || schedule} onChange={(event) => set_of(event.target.value)}>
                {schedules.map((each) => (
                  <option key={each.name}>{each.name}</option>
                ))}
              </select>
            )}
          </Field>
          <Field label={t("oncall.person")}>
            {(ids) => (
              <select {...ids} value={who} onChange={(event) => set_who(event.target.value)}>
                <option value="">{t("oncall.everybody")}</option>
                {contacts.map((contact) => (
                  <option key={contact.name}>{contact.name}</option>
                ))}
              </select>
            )}
          </Field>
          {actor.field}
        </>
      )}
      <Refusal error={making.error} />
    </Dialog>
  );
}
