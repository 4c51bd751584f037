// A change is proposed: a live setting by a form, everything else as text. The server judges it before it is sent off, and says what it
// does not understand where it stands. What was typed stays in this tab, also when a session ends on the way.

import { useMutation } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { Link, useLocation } from "wouter";
import { ask } from "../../api/client";
import { read_changes_again, type Change, type Plan } from "../../api/changes";
import { ApiError } from "../../api/error";
import { useSettings } from "../../api/platform";
import { client } from "../../api/queries";
import { useSession } from "../../api/session";
import { useT } from "../../i18n";
import { useActor } from "../../ui/actor";
import { Button } from "../../ui/basic";
import { say } from "../../ui/notices";
import { Panel } from "../../ui/states";
import { useParam } from "../../ui/url";
import { no_words, plan_of, read_text, text_of, words_for, type Words } from "./plan";
import { Preview } from "./preview";
import { SettingForm } from "./setting-form";
import { TextForm } from "./text-form";

interface Draft {
  words: Words;
  text: string;
}
const example: Plan = {
  title: "",
  description: "",
  type: "normal",
  service: "alerting",
  checks: [{ kind: "http", url: "/fhir/R4/metadata" }],
  implementation: [
    { kind: "set", setting: "alerting.clear_days", value: 30, scope: "ward/A" },
    { kind: "verify", checks: [{ kind: "metric", metric: "alerts_failed_total", at_most: 0 }] },
    { kind: "set", setting: "alerting.clear_days", value: 30 },
  ],
};

// Of this tab and this person alone: somebody else who logs in here does not see it.
function useDraft(name: string, first: Draft): [Draft, (draft: Draft) => void, () => void] {
  const key = `mydr24.draft.${name}`;
  const [draft, set_draft] = useState<Draft>(() => {
    try {
      const kept = sessionStorage.getItem(key);
      return kept ? { ...first, ...(JSON.parse(kept) as Draft) } : first;
    } catch {
      return first;
    }
  });
  const keep = (next: Draft) => {
    set_draft(next);
    sessionStorage.setItem(key, JSON.stringify(next));
  };
  return [draft, keep, () => sessionStorage.removeItem(key)];
}

export default function Propose({ of, onDone }: { of?: Change; onDone?: () => void }) {
  const t = useT();
  const [, go] = useLocation();
  const [way, set_way] = useParam("way");
  const session = useSession();
  const actor = useActor();
  const settings = useSettings();
  // What was begun on another plan than the one that stands is not gone on with.
  const [begun_on] = useState(of?.digest);
  const is_stale = of?.digest !== begun_on;
  const [draft, keep, forget] = useDraft(`${session.state === "in" ? session.me.id : ""}.${of ? `${of.id}.${begun_on}` : "new"}`, { words: no_words, text: text_of(of?.plan ?? example) });
  const as_text = of !== undefined || way === "text";
  // Sent here to change that one: what was begun for another is not what is meant.
  const [wanted, set_wanted] = useParam("setting");
  useEffect(() => {
    const one = settings.data?.settings.find((each) => each.name === wanted);
    if (!one) return;
    if (draft.words.setting !== wanted) change_to({ ...draft, words: words_for(one) });
    // From then on the form says which one.
    set_wanted("");
  });
  const setting = settings.data?.settings.find((each) => each.name === draft.words.setting);
  const [fault, set_fault] = useState<{ text: string; where: string; line?: number }>();

  const plan = (): unknown => {
    if (!as_text) return plan_of(draft.words, setting);
    const read = read_text(draft.text);
    if (read.fault) throw Object.assign(new Error(read.fault.text || t("change.text.no_object")), { line: read.fault.line });
    return read.plan;
  };
  const send = async (preview: boolean) => {
    const body = { plan: plan(), by: actor.by };
    if (of && !preview) return ask("PUT /api/v1/changes/{id}", { params: { id: of.id }, body });
    return ask("POST /api/v1/changes", { body, query: { preview: preview ? "true" : undefined } });
  };
  const fell = (error: Error) => {
    const where = error instanceof ApiError ? error.where : "";
    const line = (error as { line?: number }).line;
    set_fault({ text: error.message, where, ...(line ? { line } : {}) });
  };
  const looking = useMutation({ mutationFn: () => send(true) });
  const proposing = useMutation({
    mutationFn: () => send(false),
    onSuccess: (shown) => {
      forget();
      client.setQueryData(["change", shown.change.id], shown);
      say("safe", t(of ? "change.edited" : "change.was_proposed"));
      void read_changes_again();
      if (onDone) onDone();
      else go(`/changes/${shown.change.id}`);
    },
    onError: fell,
  });
  const { reset } = looking;
  // What was judged is what was typed then.
  const change_to = (next: Draft) => {
    keep(next);
    set_fault(undefined);
    reset();
  };
  useEffect(() => {
    set_fault(undefined);
    reset();
  }, [way, reset]);

  return (
    <>
      <header className="screen-head">
        <div>
          <p className="crumb">
            <Link href={of ? `/changes/${of.id}` : "/changes"}>{of ? of.title : t("screen.changes")}</Link>
          </p>
          <h1>{t(of ? "change.edit_title" : "change.propose_title")}</h1>
        </div>
        {!of && (
          <div className="switch" role="group" aria-label={t("change.way")}>
            <button type="button" className="button" aria-pressed={!as_text} onClick={() => set_way("")}>
              {t("change.way.setting")}
            </button>
            <button type="button" className="button" aria-pressed={as_text} onClick={() => set_way("text")}>
              {t("change.way.text")}
            </button>
          </div>
        )}
      </header>
      <form
        className="propose"
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          // What is found of a text that was changed meanwhile is not said of the new one.
          if (actor.given()) looking.mutate(undefined, { onSuccess: () => set_fault(undefined), onError: fell });
        }}
      >
        {as_text ? (
          <TextForm text={draft.text} fault={fault} onText={(text) => change_to({ ...draft, text })} />
        ) : (
          <SettingForm
            words={draft.words}
            settings={settings}
            fault={fault}
            onWords={(words) => change_to({ ...draft, words })}
            onText={() => {
              change_to({ ...draft, text: text_of(plan_of(draft.words, setting)) });
              set_way("text");
            }}
          />
        )}
        <Panel title={t("change.judged")} className="judged">
          {of && <p className="field-hint">{t("change.edit_void", { n: of.approvals.length })}</p>}
          {is_stale && (
            <p className="field-error" role="alert">
              {t("change.plan_changed")}
            </p>
          )}
          {actor.field}
          <div className="row">
            <Button type="submit" busy={looking.isPending}>
              {t("change.judge")}
            </Button>
            <Button look="primary" busy={proposing.isPending} disabled={!looking.data || is_stale} onClick={() => actor.given() && proposing.mutate()}>
              {t(of ? "change.edit_send" : "change.propose")}
            </Button>
          </div>
          {fault && !as_text && (
            <p className="field-error" role="alert">
              {fault.where && (
                <>
                  <code dir="ltr">{fault.where}</code>{" "}
                </>
              )}
              <span dir="auto">{fault.text}</span>
            </p>
          )}
          {looking.data ? <Preview shown={looking.data} /> : <p className="field-hint">{t("change.judge_why")}</p>}
        </Panel>
      </form>
    </>
  );
}
