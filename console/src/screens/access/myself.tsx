// Who the server takes me for, what that allows, and where I am logged in.

import { useMe } from "../../api/platform";
import { useT, type MessageId } from "../../i18n";
import { Chip, Remaining } from "../../ui/basic";
import { Data, Panel } from "../../ui/states";
import { areas, area_of, useWords } from "./words";
import { SessionList, useSessionsOf } from "./sessions";

export function Myself() {
  const t = useT();
  const words = useWords();
  const read = useMe();
  const told = useSessionsOf();
  return (
    <div className="two-parts">
      <Panel title={t("access.tab.me")}>
        <Data read={read} lines={4} height={40}>
          {(me) => {
            const by_letters = new Map<string, string[]>();
            for (const [type, letters] of Object.entries(me.permissions)) by_letters.set(letters, [...(by_letters.get(letters) ?? []), type]);
            return (
              <>
                <dl className="who-facts">
                  <div>
                    <dt>{t("access.person")}</dt>
                    <dd>
                      <strong dir="auto">{me.name || me.id}</strong> <small dir="ltr">{me.id}</small>
                    </dd>
                  </div>
                  <div>
                    <dt>{t("access.roles")}</dt>
                    <dd>
                      <bdi>{me.roles.join(", ") || t("access.no_role")}</bdi>
                    </dd>
                  </div>
                  {me.fhirUser && (
                    <div>
                      <dt>{t("access.fhir_user")}</dt>
                      <dd dir="ltr">{me.fhirUser}</dd>
                    </div>
                  )}
                  {me.overrides.map((override) => (
                    <div key={override.id}>
                      <dt>{t("access.override")}</dt>
                      <dd className="row">
                        <Chip status="emergency">{override.patient || t("access.every_patient")}</Chip>
                        <Remaining until={override.until} />
                      </dd>
                    </div>
                  ))}
                </dl>
                <h3>{t("access.my_records")}</h3>
                {by_letters.size === 0 ? (
                  <p className="field-hint">{t("access.no_records")}</p>
                ) : (
                  <ul className="grants">
                    {[...by_letters].map(([letters, types]) => (
                      <li key={letters}>
                        <strong>{words.permissions(letters)}</strong>
                        <details>
                          <summary>{t("access.types", { n: types.length })}</summary>
                          <p dir="ltr">{types.join(", ")}</p>
                        </details>
                      </li>
                    ))}
                  </ul>
                )}
                <h3>{t("access.my_work")}</h3>
                <ul className="grants">
                  {areas.map((area) => {
                    const inside = me.operations.filter((operation) => area_of(operation) === area && !operation.startsWith("session-"));
                    if (inside.length === 0) return null;
                    return (
                      <li key={area}>
                        <strong>{t(`access.area.${area}` as MessageId)}</strong>
                        <details>
                          <summary>{t("access.operations", { n: inside.length })}</summary>
                          <p dir="ltr">{inside.join(", ")}</p>
                        </details>
                      </li>
                    );
                  })}
                </ul>
              </>
            );
          }}
        </Data>
      </Panel>
      <Panel title={t("access.sessions")}>
        {told.everybody ? <SessionList title={t("access.all_sessions")} /> : <SessionList {...(told.mine ? { of: told.mine } : {})} title={t("access.my_sessions")} />}
      </Panel>
    </div>
  );
}
