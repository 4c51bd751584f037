// Silences that wait for a second person, who looks at what one would hold back, and approves or declines it.

import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { read_silences_again, useSilencePreview, useSilenceProposals, type SilenceProposal } from "../../api/alerting";
import { ask } from "../../api/client";
import { useSession } from "../../api/session";
import { useT } from "../../i18n";
import { useActor } from "../../ui/actor";
import { Button, Dialog, Field, Remaining } from "../../ui/basic";
import { say } from "../../ui/notices";
import { Data, Panel } from "../../ui/states";
import { useParam } from "../../ui/url";
import { useMay } from "../permitted";
import { held_by, Preview } from "./preview";
import { SilenceWords } from "./silence-words";

const counted_max = 5; // lines that say how many alerts: each is a question to the server, again and again
const reason_max = 500;
const length_of = ({ silence }: SilenceProposal) => Date.parse(silence.endsAt) - Date.parse(silence.startsAt);
const waits = (proposal: SilenceProposal) => proposal.declined_by === undefined;

export function useWaiting(enabled: boolean): number {
  return useSilenceProposals(enabled).data?.proposals.filter(waits).length ?? 0;
}

function Words({ proposal, held }: { proposal: SilenceProposal; held?: number | undefined }) {
  const t = useT();
  const { declined_by: name, reason = "" } = proposal;
  return (
    <SilenceWords silence={proposal.silence} status={name === undefined ? "watch" : "neutral"} word={t(name === undefined ? "silence.proposal.waits" : "silence.proposal.declined")}>
      {held !== undefined && <span>{t("silence.proposal.would_hold", { n: held })}</span>}
      {name !== undefined && <bdi>{t("silence.proposal.declined_by", { name, reason })}</bdi>}
    </SilenceWords>
  );
}

function Line({ proposal, is_counted, look }: { proposal: SilenceProposal; is_counted: boolean; look: () => void }) {
  const t = useT();
  const preview = useSilencePreview(is_counted && waits(proposal) ? proposal.silence.matchers : [], length_of(proposal));
  return (
    <li className="silence" data-proposal={proposal.id}>
      <Words proposal={proposal} held={preview.data && held_by(preview.data)} />
      <div className="silence-end">
        <Remaining until={proposal.until} />
        <Button onClick={look}>{t("silence.proposal.look")}</Button>
      </div>
    </li>
  );
}

type Action = "approve" | "decline" | "withdraw";
const said = { approve: "silence.made", decline: "silence.proposal.did_decline", withdraw: "silence.proposal.did_withdraw" } as const;

function Decide({ proposal, onClose }: { proposal: SilenceProposal; onClose: () => void }) {
  const t = useT();
  const may = useMay();
  const actor = useActor();
  const logs_in = useSession().state !== "open";
  const is_own = logs_in && proposal.silence.createdBy === actor.by;
  const is_open = waits(proposal);
  const [reason, set_reason] = useState("");
  const preview = useSilencePreview(is_open ? proposal.silence.matchers : [], length_of(proposal));
  const acting = useMutation({
    mutationFn: (action: Action): Promise<unknown> => {
      const params = { id: proposal.id };
      const { by } = actor;
      if (action === "approve") return ask("POST /api/v1/silences/proposals/{id}/approve", { params, body: { by } });
      if (action === "decline") return ask("POST /api/v1/silences/proposals/{id}/decline", { params, body: { by, reason: reason.trim() } });
      return ask("DELETE /api/v1/silences/proposals/{id}", { params, query: { by } });
    },
    onSuccess: (_, action) => {
      say(action === "approve" ? "watch" : "info", t(said[action]));
    },
    onSettled: read_silences_again,
  });
  // An answer that comes when this was closed closes no other.
  const act = (action: Action) => actor.given() && acting.mutate(action, { onSuccess: onClose });
  const busy = (action: Action) => acting.isPending && acting.variables === action;
  const decides = is_open && !is_own;
  return (
    <>
      <Words proposal={proposal} />
      {is_open && <Preview read={preview} matchers={proposal.silence.matchers} />}
      {is_open && is_own && <p className="field-hint">{t("silence.proposal.own")}</p>}
      {actor.field}
      {decides && may("silence-decline") && (
        <Field label={t("silence.proposal.reason")} hint={t("silence.proposal.reason_why")}>
          {(ids) => <input {...ids} value={reason} maxLength={reason_max} onChange={(event) => set_reason(event.target.value)} />}
        </Field>
      )}
      {acting.error && (
        <p className="field-error" role="alert">
          {t("silence.not_done", { why: acting.error.message })}
        </p>
      )}
      <div className="row cause-actions">
        {decides && may("silence-approve") && (
          <Button look="primary" busy={busy("approve")} disabled={acting.isPending} onClick={() => act("approve")}>
            {t("silence.proposal.approve")}
          </Button>
        )}
        {decides && may("silence-decline") && (
          <Button look="danger" busy={busy("decline")} disabled={acting.isPending || reason.trim() === ""} onClick={() => act("decline")}>
            {t("silence.proposal.decline")}
          </Button>
        )}
        {(is_own || !logs_in) && may("silence-withdraw") && (
          <Button busy={busy("withdraw")} disabled={acting.isPending} onClick={() => act("withdraw")}>
            {t("silence.proposal.withdraw")}
          </Button>
        )}
      </div>
    </>
  );
}

export function Proposals() {
  const t = useT();
  const [chosen, set_chosen] = useParam("proposal");
  const read = useSilenceProposals();
  const found = read.data?.proposals.find(({ id }) => id === chosen);
  const close = () => set_chosen("");
  // Nothing waits: nothing is said of it.
  const shows = read.error !== null || (read.data?.proposals.length ?? 0) > 0;
  return (
    <>
      {shows && (
        <Panel title={t("silence.proposal.title")}>
          <p className="field-hint">{t("silence.proposal.why")}</p>
          <Data read={read} lines={1} height={72}>
            {({ proposals }) => (
              <ul className="silences" aria-label={t("silence.proposal.title")}>
                {proposals.map((proposal, at) => (
                  <Line key={proposal.id} proposal={proposal} is_counted={at < counted_max} look={() => set_chosen(proposal.id)} />
                ))}
              </ul>
            )}
          </Data>
        </Panel>
      )}
      <Dialog side open={chosen !== ""} onClose={close} title={t("silence.proposal.title")}>
        {found ? <Decide key={found.id} proposal={found} onClose={close} /> : <p>{t(read.data ? "silence.proposal.gone" : "state.loading")}</p>}
      </Dialog>
    </>
  );
}
