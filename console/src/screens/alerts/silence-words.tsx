// What a silence says of itself: which alerts, why, who asked for it, from when to when.

import type { ReactNode } from "react";
import type { Silence } from "../../api/alerting";
import { useT } from "../../i18n";
import { Chip } from "../../ui/basic";
import type { Status } from "../../ui/icons";
import { useWhen } from "../../ui/when";
import { matcher_text } from "./causes";

export function SilenceWords({ silence, status, word, children }: { silence: Omit<Silence, "status">; status: Status; word: string; children?: ReactNode }) {
  const t = useT();
  const when = useWhen();
  return (
    <>
      <div className="row">
        <Chip status={status}>{word}</Chip>
        {silence.matchers.map((matcher) => (
          <code key={matcher_text(matcher)} dir="ltr">
            {matcher_text(matcher)}
          </code>
        ))}
      </div>
      <p className="silence-comment" dir="auto">
        {silence.comment}
      </p>
      <p className="field-hint silence-facts">
        <span>{t("silence.by", { name: silence.createdBy })}</span>
        <span>{t("oncall.from_to", { begin: when.moment(silence.startsAt), end: when.moment(silence.endsAt) })}</span>
        {silence.recurrence && <span>{t("silence.recurs")}</span>}
        {children}
      </p>
    </>
  );
}
