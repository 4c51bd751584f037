// What people do to a change, each with its confirmation.

import { useMutation } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { ask } from "../../api/client";
import { read_changes_again, type Change, type ChangeAction } from "../../api/changes";
import { client } from "../../api/queries";
import { useT } from "../../i18n";
import { feed } from "../../live/feed";
import { useActor } from "../../ui/actor";
import { Button, Dialog, Field, TimeField } from "../../ui/basic";
import { say } from "../../ui/notices";
import { instant_text, local_text } from "../../ui/wall";

export function Refusal({ error }: { error: Error | null }) {
  const t = useT();
  if (!error) return null;
  return (
    <p className="field-error" role="alert">
      {t("change.not_done", { why: error.message })}
    </p>
  );
}

// What has to be said along with it.
const asks_for: Partial<Record<ChangeAction, "reason" | "text" | "evidence" | "at">> = {
  reject: "reason",
  withdraw: "reason",
  abort: "reason",
  rollback: "reason",
  review: "text",
  rehearsal: "evidence",
  schedule: "at",
};
const is_grave: ReadonlySet<ChangeAction> = new Set<ChangeAction>(["reject", "abort", "rollback", "withdraw"]);

interface Props {
  change: Change;
  action: ChangeAction | undefined;
  onClose: () => void;
}
// The plan is the one that was on the screen when the dialog was opened: another one by then is refused by the server.
export function Act({ change, action, onClose }: Props) {
  const t = useT();
  const actor = useActor();
  const [said, set_said] = useState("");
  const [digest, set_digest] = useState("");
  const field = action && asks_for[action];
  const acting = useMutation({
    mutationFn: ({ action, rolled_back }: { action: ChangeAction; rolled_back?: boolean | undefined }) => {
      const more = field === "at" ? { at: instant_text(said) } : field ? { [field]: said } : {};
      const body = { by: actor.by, ...more, ...(action === "approve" ? { digest } : {}), ...(rolled_back === undefined ? {} : { rolled_back }) };
      return ask(`POST /api/v1/changes/{id}/${action}`, { params: { id: change.id }, body });
    },
    onSuccess: (shown, { action }) => {
      client.setQueryData(["change", change.id], shown);
      say(action === "reject" || action === "abort" ? "watch" : "safe", t(`change.did.${action}`));
    },
    onSettled: () => void read_changes_again(),
  });
  const { reset } = acting;
  useEffect(() => {
    reset();
    set_said(action === "schedule" ? local_text(feed.now() + 3_600_000) : "");
    set_digest(change.digest);
    // Only when it is opened: what is read then is what is agreed to.
  }, [action, reset]);
  const missing = field !== undefined && said.trim() === "";
  const send = (rolled_back?: boolean) => {
    // An answer that comes when this was closed closes no other.
    if (action && actor.given()) acting.mutate({ action, rolled_back }, { onSuccess: onClose });
  };
  return (
    <Dialog
      open={action !== undefined}
      onClose={onClose}
      title={action ? t(`change.act.${action}`) : ""}
      actions={
        action === "rehearsal" ? (
          <>
            <Button look="primary" busy={acting.isPending} disabled={missing} onClick={() => send(true)}>
              {t("change.rehearsed")}
            </Button>
            <Button busy={acting.isPending} disabled={missing} onClick={() => send(false)}>
              {t("change.rehearsal_failed")}
            </Button>
          </>
        ) : (
          <Button look={action && is_grave.has(action) ? "danger" : "primary"} busy={acting.isPending} disabled={missing} onClick={() => send()}>
            {action ? t(`change.act.${action}`) : ""}
          </Button>
        )
      }
    >
      {action && (
        <>
          <p>
            <strong dir="auto">{change.title}</strong>
          </p>
          <p>{t(`change.ask.${action}`)}</p>
          {action === "approve" && (
            <p className="field-hint">
              {t("change.digest")} <code dir="ltr">{digest.slice(0, 12)}</code>
            </p>
          )}
          {action === "approve" && digest !== "" && digest !== change.digest && (
            <p className="field-error" role="alert">
              {t("change.plan_changed")}
            </p>
          )}
          {field === "at" ? (
            <TimeField label={t("change.at")} value={said} onChange={set_said} first />
          ) : (
            field && (
              <Field label={t(field === "reason" ? "change.reason" : field === "text" ? "change.review_text" : "change.evidence")}>
                {(ids) => <textarea {...ids} data-first rows={3} value={said} maxLength={2_000} onChange={(event) => set_said(event.target.value)} />}
              </Field>
            )
          )}
          {actor.field}
          <Refusal error={acting.error} />
        </>
      )}
    </Dialog>
  );
}
