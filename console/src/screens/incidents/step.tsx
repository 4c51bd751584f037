// What is done to an incident: sent in the name of whoever is at it, and shown as done when the server has written it down.

import { useMutation } from "@tanstack/react-query";
import { act, keep, type Incident } from "../../api/incidents";
import { useT } from "../../i18n";
import type { Actor } from "../../ui/actor";
import { say } from "../../ui/notices";

interface Doing {
  send: (by: string) => Promise<Incident>;
  said?: string | undefined; // when it is done
  done?: ((incident: Incident) => void) | undefined;
}
export interface Step {
  run: (send: Doing["send"], then?: Omit<Doing, "send">) => void;
  act: (name: Parameters<typeof act>[0], body: object, then?: Omit<Doing, "send">) => void;
  busy: boolean;
  error: Error | null;
  forget: () => void;
}

export const actor_place = "incident-actor";

export function useStep(id: string, actor: Actor): Step {
  const doing = useMutation({
    mutationFn: ({ send }: Doing) => send(actor.by),
    onSuccess: (incident, { said, done }) => {
      keep(incident);
      if (said) say("safe", said);
      done?.(incident);
    },
  });
  const run: Step["run"] = (send, then) => {
    // A key that is pressed again does nothing twice.
    if (doing.isPending) return;
    if (actor.given()) doing.mutate({ send, ...then });
    else if (!document.querySelector("dialog[open]")) document.querySelector<HTMLElement>(`#${actor_place} input`)?.focus();
  };
  return {
    run,
    act: (name, body, then) => run((by) => act(name, id, { ...body, by }), then),
    busy: doing.isPending,
    error: doing.error,
    forget: doing.reset,
  };
}

// What was typed while it was on its way is not lost.
export const cleared = (sent: string) => (now: string) => (now === sent ? "" : now);

// In the server's words.
export function Refusal({ error }: { error: Error | null }) {
  const t = useT();
  if (!error) return null;
  return (
    <p className="field-error" role="alert">
      {t("incident.not_done", { why: error.message })}
    </p>
  );
}
