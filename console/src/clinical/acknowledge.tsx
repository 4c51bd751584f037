// Acknowledging an alert: who goes, and why no further call is needed. Two taps: "acknowledge", then the reason. It is not shown
// as done before the server has written it down: what calls people is not undone by an assumption.

import { useMutation } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { ask } from "../api/client";
import { ApiError } from "../api/error";
import { client } from "../api/queries";
import { acting_name, keep_name, useSession } from "../api/session";
import type { Alert } from "../api/types";
import { useT, type MessageId } from "../i18n";
import { Button, Dialog, Field } from "../ui/basic";
import { say } from "../ui/notices";

const reasons = ["ack.on_my_way", "ack.at_bedside", "ack.treated", "ack.known", "ack.equipment"] as const satisfies readonly MessageId[];

export function AcknowledgeDialog({ alert, subject, onClose }: { alert: Alert | undefined; subject: string; onClose: () => void }) {
  const t = useT();
  const session = useSession();
  const [name, set_name] = useState(acting_name);
  const [note, set_note] = useState("");
  const [missing, set_missing] = useState(false);
  const asks_name = session.state === "open";
  const sending = useMutation({
    mutationFn: (reason: string) =>
      ask("POST /api/v1/alerts/{id}/ack", { params: { id: alert!.id }, body: { by: asks_name ? name.trim() : acting_name(), note: reason } }),
    onSuccess: () => {
      say("safe", t("ack.done", { what: subject }));
      if (asks_name) keep_name(name.trim());
      onClose();
    },
    onSettled: () => {
      void client.invalidateQueries({ queryKey: ["alerts"] });
      void client.invalidateQueries({ queryKey: ["alert"] });
      void client.invalidateQueries({ queryKey: ["board"] });
    },
  });
  const { reset } = sending;
  useEffect(() => {
    if (!alert) return;
    reset();
    set_note("");
    set_missing(false);
  }, [alert, reset]);
  const acknowledge = (reason: string) => {
    if (asks_name && !name.trim()) {
      set_missing(true);
      return;
    }
    sending.mutate(reason);
  };
  const error = sending.error;
  return (
    <Dialog open={alert !== undefined} onClose={onClose} title={t("ack.title")}>
      {alert && (
        <div className="ack">
          <p className="ack-what">
            <strong>{subject}</strong>
            {(alert.reason ?? alert.title) !== subject && <span dir="auto">{alert.reason ?? alert.title}</span>}
          </p>
          {asks_name && (
            <Field label={t("ack.as")} error={missing ? t("ack.name_missing") : undefined}>
              {(ids) => <input {...ids} data-first={name ? undefined : true} value={name} maxLength={80} autoComplete="name" onChange={(event) => set_name(event.target.value)} />}
            </Field>
          )}
          {error && (
            <p className="field-error" role="alert">
              {error instanceof ApiError && error.trouble === "conflict" ? t("ack.conflict", { why: error.message }) : t("ack.failed", { why: error.message })}
            </p>
          )}
          <div className="ack-reasons" role="group" aria-label={t("ack.reason")}>
            {reasons.map((reason) => (
              <Button key={reason} data-first={reason === "ack.on_my_way" && (!asks_name || name) ? true : undefined} busy={sending.isPending} look={reason === "ack.on_my_way" ? "primary" : "plain"} onClick={() => acknowledge(t(reason))}>
                {t(reason)}
              </Button>
            ))}
          </div>
          <form
            className="ack-other"
            onSubmit={(event) => {
              event.preventDefault();
              if (note.trim()) acknowledge(note.trim());
            }}
          >
            <Field label={t("ack.other")}>
              {(ids) => <input {...ids} value={note} maxLength={500} autoComplete="off" onChange={(event) => set_note(event.target.value)} />}
            </Field>
            <Button type="submit" busy={sending.isPending} disabled={!note.trim()}>
              {t("action.ack")}
            </Button>
          </form>
        </div>
      )}
    </Dialog>
  );
}
