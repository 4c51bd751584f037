// In whose name something is done: who is logged in; with access control off whoever says a name.

import { useState, type ReactNode } from "react";
import { acting_name, keep_name, useSession } from "../api/session";
import { useT } from "../i18n";
import { Field } from "./basic";

export interface Actor {
  by: string;
  field: ReactNode; // null while somebody is logged in
  given: () => boolean; // false: the name is missing, and the field says so
}

export function useActor(): Actor {
  const t = useT();
  const session = useSession();
  const [typed, set_name] = useState<string>();
  const name = typed ?? acting_name();
  const [missing, set_missing] = useState(false);
  const asks = session.state === "open";
  const by = asks ? name.trim() : acting_name();
  return {
    by,
    given: () => {
      if (!asks) return true;
      set_missing(by === "");
      if (by) keep_name(by);
      return by !== "";
    },
    field: asks ? (
      <Field label={t("actor.name")} error={missing ? t("actor.missing") : undefined}>
        {(ids) => <input {...ids} value={name} maxLength={80} autoComplete="name" onChange={(event) => set_name(event.target.value)} />}
      </Field>
    ) : null,
  };
}
