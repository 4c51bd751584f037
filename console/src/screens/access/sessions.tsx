// Who is logged in where. One's own sessions; an administrator is told of everybody's.

import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { ask } from "../../api/client";
import { read_sessions_again } from "../../api/access";
import { useSessions, type LoginSession } from "../../api/platform";
import { useSession } from "../../api/session";
import { useT, type MessageId } from "../../i18n";
import { Age, Button, Chip, Dialog, Time } from "../../ui/basic";
import { say } from "../../ui/notices";
import { Data, Empty } from "../../ui/states";

function End({ session, onClose }: { session: LoginSession | undefined; onClose: () => void }) {
  const t = useT();
  const ending = useMutation({
    mutationFn: () => ask("DELETE /api/v1/sessions/{id}", { params: { id: session!.id } }),
    onSuccess: () => {
      say("safe", t("access.session_ended"));
      onClose();
    },
    onSettled: () => void read_sessions_again(),
  });
  return (
    <Dialog
      open={session !== undefined}
      onClose={onClose}
      title={t("access.end_session")}
      actions={
        <Button look="danger" data-first busy={ending.isPending} onClick={() => ending.mutate()}>
          {t("access.end_session")}
        </Button>
      }
    >
      <p>{t(session?.this ? "access.end_this_text" : "access.end_text", { who: session?.user ?? session?.client ?? "" })}</p>
      {ending.error && (
        <p className="field-error" role="alert">
          {t("access.not_ended", { why: ending.error.message })}
        </p>
      )}
    </Dialog>
  );
}

// Of whom the server tells who asks: of an administrator everybody, of others themselves (docs/identity.md).
export function useSessionsOf(): { everybody: boolean; mine: string | undefined } {
  const session = useSession();
  const me = session.state === "in" ? session.me : undefined;
  return { everybody: me?.roles.includes("administrator") ?? false, mine: me?.id.replace(/^user\//, "") };
}

export function SessionList({ of, title }: { of?: string; title: string }) {
  const t = useT();
  const read = useSessions();
  const [ending, set_ending] = useState<LoginSession>();
  return (
    <section aria-label={title}>
      <h3>{title}</h3>
      <Data read={read} lines={2} height={52}>
        {({ sessions }) => {
          const shown = sessions.filter((session) => of === undefined || session.user === of).sort((a, b) => Number(b.this) - Number(a.this) || b.used.localeCompare(a.used));
          if (shown.length === 0) return <Empty title={t("access.no_session")} status="neutral" />;
          return (
            <ul className="lines">
              {shown.map((session) => (
                <li key={session.id} className="line">
                  <Chip status={session.this ? "info" : "neutral"}>{t(session.this ? "access.this_session" : (`access.session.${session.kind}` as MessageId))}</Chip>
                  <span className="line-text wraps">
                    <strong>
                      <bdi>{[of === undefined ? session.user : "", session.client, session.address].filter(Boolean).join(", ")}</bdi>
                    </strong>
                    <small>
                      {t("access.session_since")} <Time at={session.created} />, {t("access.session_used")} <Age at={session.used} />
                    </small>
                  </span>
                  <Button onClick={() => set_ending(session)}>{t("access.end")}</Button>
                </li>
              ))}
            </ul>
          );
        }}
      </Data>
      <End session={ending} onClose={() => set_ending(undefined)} />
    </section>
  );
}
