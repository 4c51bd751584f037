// A new silence, with what it would hold back while it is written. Where the server wants a second person it is proposed to them;
// with access control off their name is asked for.

import { useMutation } from "@tanstack/react-query";
import { useEffect, useMemo, useState } from "react";
import { ask } from "../../api/client";
import { read_silences_again, useSilencePreview } from "../../api/alerting";
import { useSession } from "../../api/session";
import { useT, type MessageId } from "../../i18n";
import { feed } from "../../live/feed";
import { useActor } from "../../ui/actor";
import { Button, Dialog, Field, IconButton, TimeField } from "../../ui/basic";
import { say } from "../../ui/notices";
import { useSettled } from "../../ui/settled";
import { instant_text, local_text } from "../../ui/wall";
import { asks_for_emergencies, complete, empty_draft, from_param, ops, type Draft, type Op } from "./causes";
import { Preview } from "./preview";

const minute = 60_000;
const presets = [15, 60, 240, 1_440] as const; // minutes
type Length = (typeof presets)[number] | "until";
const matchers_max = 20;

function MatcherFields({ drafts, set }: { drafts: readonly Draft[]; set: (drafts: Draft[]) => void }) {
  const t = useT();
  const change = (at: number, part: Partial<Draft>) => set(drafts.map((draft, index) => (index === at ? { ...draft, ...part } : draft)));
  return (
    <fieldset className="matchers">
      <legend>{t("silence.matchers")}</legend>
      <p className="field-hint">{t("silence.matchers_why")}</p>
      {drafts.map((draft, at) => (
        <div key={at} className="matcher" dir="ltr">
          <input aria-label={t("silence.label")} title={t("silence.label")} value={draft.name} maxLength={200} autoCapitalize="off" spellCheck={false} onChange={(event) => change(at, { name: event.target.value })} />
          <select aria-label={t("silence.op")} title={t("silence.op")} value={draft.op} onChange={(event) => change(at, { op: event.target.value as Op })}>
            {ops.map((op) => (
              <option key={op}>{op}</option>
            ))}
          </select>
          <input aria-label={t("silence.value")} title={t("silence.value")} data-first={at === 0 ? true : undefined} value={draft.value} maxLength={1_000} autoCapitalize="off" spellCheck={false} onChange={(event) => change(at, { value: event.target.value })} />
          <IconButton icon="close" label={t("silence.remove_matcher")} disabled={drafts.length === 1} onClick={() => set(drafts.filter((_, index) => index !== at))} />
        </div>
      ))}
      <Button look="quiet" disabled={drafts.length >= matchers_max} onClick={() => set([...drafts, { ...empty_draft, name: "" }])}>
        {t("silence.add_matcher")}
      </Button>
    </fieldset>
  );
}

export function NewSilence({ match, set_match }: { match: string; set_match: (text: string) => void }) {
  const t = useT();
  const actor = useActor();
  const logs_in = useSession().state !== "open";
  const open = match !== "";
  const [drafts, set_drafts] = useState<Draft[]>([empty_draft]);
  const [length, set_length] = useState<Length>(60);
  const [until, set_until] = useState("");
  const [comment, set_comment] = useState("");
  const [approver, set_approver] = useState("");
  const matchers = useMemo(() => complete(drafts), [drafts]);
  // In whole minutes: a preview is not asked for anew because a second went by.
  const length_ms = length === "until" ? Math.round((Date.parse(instant_text(until)) - feed.now()) / minute) * minute || 0 : length * minute;
  const settled = useSettled(matchers);
  const preview = useSilencePreview(open ? settled : [], length_ms);
  const needs_second = preview.data?.needs_second_person ?? false;
  const proposes = needs_second && logs_in;
  const for_emergencies = asks_for_emergencies(matchers);

  const sending = useMutation({
    mutationFn: (step: "create" | "propose"): Promise<unknown> => {
      const now = feed.now();
      const endsAt = length === "until" ? instant_text(until) : new Date(now + length_ms).toISOString();
      const body = { matchers, startsAt: new Date(now).toISOString(), endsAt, createdBy: actor.by, comment: comment.trim() };
      if (step === "propose") return ask("POST /api/v1/silences/proposals", { body });
      const approvedBy = logs_in ? "" : approver.trim();
      return ask("POST /api/v2/silences", { body: approvedBy ? { ...body, approvedBy } : body });
    },
    onSuccess: (_, step) => {
      say("watch", t(step === "propose" ? "silence.proposed" : "silence.made"));
      set_match("");
    },
    onSettled: read_silences_again,
  });
  const { reset } = sending;
  useEffect(() => {
    if (!open) return;
    reset();
    const read = from_param(match);
    set_drafts(read.length > 0 ? read : [empty_draft]);
    set_until(local_text(feed.now() + 60 * minute));
    set_comment("");
    set_approver("");
    // Only when it opens: what is typed afterwards is not in the address.
  }, [open, reset]);
  const whole = matchers.length === drafts.length && length_ms > 0 && !for_emergencies;
  const ready = whole && comment.trim() !== "" && (!needs_second || logs_in || approver.trim() !== "");
  return (
    <Dialog
      side
      open={open}
      onClose={() => set_match("")}
      title={t("silence.new")}
      actions={
        <Button look="primary" busy={sending.isPending} disabled={!ready} onClick={() => actor.given() && sending.mutate(proposes ? "propose" : "create")}>
          {t(proposes ? "silence.propose" : "silence.create")}
        </Button>
      }
    >
      <MatcherFields drafts={drafts} set={set_drafts} />
      <fieldset className="lengths">
        <legend>{t("silence.length")}</legend>
        <div className="row">
          {presets.map((each) => (
            <Button key={each} aria-pressed={length === each} onClick={() => set_length(each)}>
              {t(`silence.length.${each}` as MessageId)}
            </Button>
          ))}
          <Button aria-pressed={length === "until"} onClick={() => set_length("until")}>
            {t("silence.length.until")}
          </Button>
        </div>
        {length === "until" && (
          <TimeField label={t("silence.until")} error={length_ms > 0 ? undefined : t("silence.until_past")} value={until} onChange={set_until} />
        )}
      </fieldset>
      <Field label={t("silence.comment")} hint={t("silence.comment_why")}>
        {(ids) => <input {...ids} required value={comment} maxLength={1_000} onChange={(event) => set_comment(event.target.value)} />}
      </Field>
      {actor.field}
      {needs_second && !logs_in && (
        <Field label={t("silence.approver")} hint={t("silence.approver_why")}>
          {(ids) => <input {...ids} value={approver} maxLength={80} onChange={(event) => set_approver(event.target.value)} />}
        </Field>
      )}
      {for_emergencies && (
        <p className="field-error" role="alert">
          {t("silence.never_emergencies")}
        </p>
      )}
      <Preview read={preview} matchers={matchers} />
      {sending.error && (
        <p className="field-error" role="alert">
          {t("silence.not_done", { why: sending.error.message })}
        </p>
      )}
    </Dialog>
  );
}
