// What would be decided of a request that nobody makes: allowed or not, by which rule, and who else may.

import { useEffect, useState, type FormEvent } from "react";
import { useExplanation, useUsers, type Explanation } from "../../api/access";
import { useT } from "../../i18n";
import { Button, Chip, Field } from "../../ui/basic";
import { Command } from "../../ui/command";
import { Icon } from "../../ui/icons";
import { Data, Empty, Panel } from "../../ui/states";
import { useParam } from "../../ui/url";
import { useWords } from "./words";

const methods = ["GET", "POST", "PUT", "PATCH", "DELETE"] as const;
const examples: readonly [string, string][] = [
  ["GET", "/fhir/R4/Patient/ID"],
  ["POST", "/fhir/R4/Observation"],
  ["POST", "/api/v1/break-glass"],
  ["GET", "/api/v1/audit/status"],
];

function Answer({ told, path }: { told: Explanation; path: string }) {
  const t = useT();
  const words = useWords();
  const one_resource = /^\/fhir(\/R4)?\/[A-Z][A-Za-z]+\/[^/?]+/.test(path);
  return (
    <div className={`verdict ${told.allowed ? "safe" : "urgent"}`} role="status">
      <p className="verdict-word">
        <Icon name={told.allowed ? "safe" : "urgent"} />
        <strong>{t(told.allowed ? "access.allowed" : "access.denied")}</strong>
      </p>
      <dl className="who-facts">
        <div>
          <dt>{t("access.rule")}</dt>
          <dd dir="ltr">{told.rule}</dd>
        </div>
        <div>
          <dt>{t("access.roles_of", { who: told.as })}</dt>
          <dd>
            <bdi>{told.roles.join(", ") || t("access.no_role")}</bdi>
          </dd>
        </div>
        {told.allowed_roles && (
          <div>
            <dt>{t("access.roles_that_may")}</dt>
            <dd>
              <bdi>{told.allowed_roles.length > 0 ? words.list(told.allowed_roles) : t("access.no_role_may")}</bdi>
            </dd>
          </div>
        )}
        {told.allowed && one_resource && (
          <div>
            <dt>{t("access.this_one")}</dt>
            <dd>
              {told.visible === undefined ? (
                <>
                  <p>{t("access.visible_untold")}</p>
                  <Command>{`mydr24 access explain --as ${told.as.replace(/^user\//, "")} GET ${path} --data FOLDER`}</Command>
                </>
              ) : (
                <Chip status={told.visible ? "safe" : "watch"}>{t(told.visible ? "access.visible" : "access.hidden")}</Chip>
              )}
            </dd>
          </div>
        )}
      </dl>
    </div>
  );
}

export function Explain() {
  const t = useT();
  const users = useUsers();
  const [as, set_as] = useParam("as");
  const [method, set_method] = useParam("method");
  const [path, set_path] = useParam("path");
  const asked = { as, method: methods.find((each) => each === method) ?? "GET", path };
  const [draft, set_draft] = useState(asked);
  useEffect(() => set_draft({ as, method: methods.find((each) => each === method) ?? "GET", path }), [as, method, path]);
  const read = useExplanation(asked);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    set_as(draft.as.trim().replace(/^user\//, ""));
    set_method(draft.method === "GET" ? "" : draft.method);
    set_path(draft.path.trim());
  };
  return (
    <Panel title={t("access.tab.explain")}>
      <p className="field-hint">{t("access.explain_why")}</p>
      <form className="explain-form" onSubmit={submit}>
        <Field label={t("access.as")}>
          {(ids) => <input {...ids} list="people" value={draft.as} maxLength={64} required autoComplete="off" onChange={(event) => set_draft({ ...draft, as: event.target.value })} />}
        </Field>
        <datalist id="people">
          {(users.data?.users ?? []).slice(0, 500).map((user) => (
            <option key={user.name} value={user.name}>
              {user.display}
            </option>
          ))}
        </datalist>
        <Field label={t("access.method")}>
          {(ids) => (
            <select {...ids} value={draft.method} onChange={(event) => set_draft({ ...draft, method: event.target.value as (typeof methods)[number] })}>
              {methods.map((each) => (
                <option key={each}>{each}</option>
              ))}
            </select>
          )}
        </Field>
        <Field label={t("access.path")}>
          {(ids) => <input {...ids} dir="ltr" value={draft.path} maxLength={1_000} required autoComplete="off" placeholder="/fhir/R4/Patient/ID" onChange={(event) => set_draft({ ...draft, path: event.target.value })} />}
        </Field>
        <Button type="submit" look="primary">
          {t("access.ask")}
        </Button>
      </form>
      <p className="row examples">
        <span className="field-hint">{t("access.examples")}</span>
        {examples.map(([verb, where]) => (
          <button key={where} type="button" className="link" dir="ltr" onClick={() => set_draft({ ...draft, method: verb as (typeof methods)[number], path: where })}>
            {verb} {where}
          </button>
        ))}
      </p>
      {as === "" || path === "" ? (
        <Empty title={t("access.not_asked")} status="neutral">
          {t("access.not_asked_why")}
        </Empty>
      ) : (
        <Data read={read} lines={1} height={140}>
          {(told) => <Answer told={told} path={path} />}
        </Data>
      )}
    </Panel>
  );
}
