// The silences that hold, that will, and that did; a warning before one of them ends.

import { useMutation } from "@tanstack/react-query";
import { useMemo } from "react";
import { ask } from "../../api/client";
import { read_silences_again, useAlertGroups, useSilences, type AlertGroup, type Silence } from "../../api/alerting";
import { useT, type MessageId } from "../../i18n";
import { useNow } from "../../live/hooks";
import { Button, Remaining, Select } from "../../ui/basic";
import { Icon, type Status } from "../../ui/icons";
import { say } from "../../ui/notices";
import { Data, Empty, Panel } from "../../ui/states";
import { useParam } from "../../ui/url";
import { useMay } from "../permitted";
import { empty_draft, matcher_text, to_param } from "./causes";
import { NewSilence } from "./new-silence";
import { Overrides } from "./overrides";
import { Proposals } from "./proposals";
import { SilenceWords } from "./silence-words";

const soon_ms = 10 * 60_000;
const ended_max = 50;
const step_ms = 5_000;
const is_ending = (silence: Silence, now: number) => silence.status.state === "active" && Date.parse(silence.endsAt) - now < soon_ms;

const text_of = (silence: Silence) => silence.matchers.map(matcher_text).join(", ");

export function EndingSoon({ silences }: { silences: readonly Silence[] }) {
  const t = useT();
  const now = useNow(step_ms);
  return (
    <>
      {silences.filter((silence) => is_ending(silence, now)).map((silence) => (
        <p key={silence.id} className="band watch" role="status">
          <Icon name="watch" />
          <span>
            {t("silence.ends_soon")} <bdi>{text_of(silence)}</bdi>, <Remaining until={silence.endsAt} />
          </span>
        </p>
      ))}
    </>
  );
}

// How many alerts each silence holds back now.
function useHeld(groups: readonly AlertGroup[] | undefined): ReadonlyMap<string, number> | undefined {
  return useMemo(() => {
    if (!groups) return undefined;
    const held = new Map<string, Set<string>>();
    for (const alert of groups.flatMap((group) => group.alerts)) for (const id of alert.status.silencedBy) held.set(id, (held.get(id) ?? new Set()).add(alert.fingerprint));
    return new Map([...held].map(([id, alerts]) => [id, alerts.size]));
  }, [groups]);
}

function SilenceLine({ silence, held }: { silence: Silence; held: number | undefined }) {
  const t = useT();
  const may = useMay();
  const now = useNow(step_ms);
  const { state } = silence.status;
  const look: Status = state === "expired" ? "neutral" : is_ending(silence, now) ? "watch" : "info";
  const expiring = useMutation({
    mutationFn: () => ask("DELETE /api/v2/silence/{id}", { params: { id: silence.id } }),
    onSuccess: () => say("safe", t("silence.expired_now")),
    onError: (error) => say("urgent", t("silence.not_done", { why: error.message })),
    onSettled: read_silences_again,
  });
  return (
    <li className="silence" data-silence={silence.id}>
      <SilenceWords silence={silence} status={look} word={t(`silence.state.${state}` as MessageId)}>
        {silence.approvedBy && <span>{t("silence.approved_by", { name: silence.approvedBy })}</span>}
        {state === "active" && held !== undefined && <span>{t("silence.holds", { n: held })}</span>}
      </SilenceWords>
      {state !== "expired" && (
        <div className="silence-end">
          {state === "active" && <Remaining until={silence.endsAt} />}
          {may("am-expire-silence") && (
            <Button busy={expiring.isPending} onClick={() => expiring.mutate()}>
              {t("silence.expire")}
            </Button>
          )}
        </div>
      )}
    </li>
  );
}

export function Silences() {
  const t = useT();
  const may = useMay();
  const read = useSilences();
  const groups = useAlertGroups(may("am-groups"));
  const held = useHeld(groups.data);
  const [state, set_state] = useParam("silence");
  const [match, set_match] = useParam("match");
  const ended = state === "expired";
  return (
    <div className="silences-part">
      <EndingSoon silences={read.data ?? []} />
      {may("silence-proposals") && <Proposals />}
      <Panel
        title={t("alert.view.silences")}
        aside={
          <div className="row">
            <Select label={t("alerts.state")} value={ended ? "expired" : ""} onChange={(event) => set_state(event.target.value)}>
              <option value="">{t("silence.current")}</option>
              <option value="expired">{t("silence.state.expired")}</option>
            </Select>
            {may("am-post-silence") && (
              <Button look="primary" onClick={() => set_match(to_param([empty_draft]))}>
                {t("silence.new")}
              </Button>
            )}
          </div>
        }
      >
        <p className="field-hint">{t("silence.never_emergencies")}</p>
        <Data read={read} lines={3} height={72}>
          {(all) => {
            const shown = all.filter((silence) => (silence.status.state === "expired") === ended).slice(0, ended ? ended_max : undefined);
            if (shown.length === 0) return <Empty title={t(ended ? "silence.none_expired" : "silence.none")} status={ended ? "neutral" : "safe"}>{ended ? undefined : t("silence.none_why")}</Empty>;
            return (
              <ul className="silences" aria-label={t("alert.view.silences")}>
                {shown.map((silence) => (
                  <SilenceLine key={silence.id} silence={silence} held={held ? (held.get(silence.id) ?? 0) : undefined} />
                ))}
              </ul>
            );
          }}
        </Data>
      </Panel>
      {may("alert-overrides") && <Overrides />}
      <NewSilence match={match} set_match={set_match} />
    </div>
  );
}
