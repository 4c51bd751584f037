// The roles in force: all of them at a glance by area of work, and one in words.

import { Link } from "wouter";
import { useAccessPolicy, useUsers, type AccessPolicy, type Grant, type Role } from "../../api/access";
import { useFormats, useT, type MessageId } from "../../i18n";
import { Chip } from "../../ui/basic";
import { Icon } from "../../ui/icons";
import { Data, Panel } from "../../ui/states";
import { useParam } from "../../ui/url";
import { label_word, shares_of, useWords, type Share } from "./words";

const level_of = (share: Share) => (share.does.length > 0 ? "does" : share.sees.length > 0 ? "sees" : "nothing");

// Records are a column of their own: the policy speaks of them by resource types.
function records_level(role: Role): "does" | "sees" | "own" | "nothing" {
  const grants = role.fhir ?? [];
  if (grants.length === 0) return "nothing";
  if (grants.every((grant) => grant.compartment === "own" || !grant.types.includes("*")) && grants.some((grant) => grant.compartment === "own")) return "own";
  return grants.some((grant) => /[cud]/.test(grant.permissions)) ? "does" : "sees";
}

function Level({ level }: { level: "does" | "sees" | "own" | "nothing" }) {
  const t = useT();
  return <span className={`level ${level}`}>{level === "nothing" ? <span aria-label={t("access.level.nothing")}>–</span> : t(`access.level.${level}` as MessageId)}</span>;
}

function Matrix({ policy, chosen, choose }: { policy: AccessPolicy; chosen: string; choose: (role: string) => void }) {
  const t = useT();
  const formats = useFormats();
  const users = useUsers();
  const used = shares_of(policy.roles[0]!, policy).filter((share) => share.all > 0);
  return (
    <div className="scroll role-matrix" tabIndex={0} role="group" aria-label={t("access.matrix")}>
      <table>
        <thead>
          <tr>
            <th scope="col">{t("access.role")}</th>
            <th scope="col" className="number">
              {t("access.people")}
            </th>
            <th scope="col">{t("access.records")}</th>
            {used.map((share) => (
              <th scope="col" key={share.area}>
                {t(`access.area.${share.area}` as MessageId)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {policy.roles.map((role) => {
            const shares = shares_of(role, policy).filter((share) => share.all > 0);
            const people = users.data?.users.filter((user) => user.roles.includes(role.name) && !user.disabled).length;
            return (
              <tr key={role.name} className={role.name === chosen ? "chosen" : ""}>
                <th scope="row">
                  <button type="button" className="link" aria-pressed={role.name === chosen} onClick={() => choose(role.name)}>
                    <bdi>{role.name}</bdi>
                  </button>
                </th>
                <td className="number">{people === undefined ? "" : formats.number(people)}</td>
                <td>
                  <Level level={records_level(role)} />
                </td>
                {shares.map((share) => (
                  <td key={share.area}>
                    <Level level={level_of(share)} />
                  </td>
                ))}
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}

function Grants({ grants }: { grants: readonly Grant[] }) {
  const t = useT();
  const words = useWords();
  return (
    <ul className="grants">
      {grants.map((grant, place) => (
        <li key={place}>
          <strong>{words.permissions(grant.permissions)}</strong>
          <p className="grant-types">
            <bdi>{words.types(grant)}</bdi>
          </p>
          {grant.compartment && <Chip status="info">{t("access.own_only")}</Chip>}
          {grant.criteria && (
            <small>
              {t("access.criteria")} <code dir="ltr">{grant.criteria}</code>
            </small>
          )}
          {grant.purposes && <small>{t("access.for_purposes", { list: words.list(grant.purposes) })}</small>}
        </li>
      ))}
    </ul>
  );
}

function Detail({ role, policy }: { role: Role; policy: AccessPolicy }) {
  const t = useT();
  const words = useWords();
  const shares = shares_of(role, policy).filter((share) => share.sees.length + share.does.length > 0);
  return (
    <Panel
      title={role.name}
      aside={
        <Link href={`/access?tab=people&role=${encodeURIComponent(role.name)}`}>{t("access.who_has_it")}</Link>
      }
    >
      <p>
        <bdi lang="en">{role.text}</bdi>
      </p>
      <p className="row">
        {role.second_factor && <Chip status="info">{t("access.role_factor")}</Chip>}
        {role.purpose && <Chip status="neutral">{t("access.purpose", { list: words.list([role.purpose, ...(role.purposes ?? [])]) })}</Chip>}
        {role.break_glass && <Chip status="emergency">{t("access.may_break_glass")}</Chip>}
      </p>
      <div className="role-parts">
        <section aria-label={t("access.records")}>
          <h3>{t("access.records")}</h3>
          {role.fhir ? <Grants grants={role.fhir} /> : <p className="field-hint">{t("access.no_records")}</p>}
          {role.break_glass && (
            <>
              <h3>{t("access.in_emergency")}</h3>
              <Grants grants={role.break_glass} />
            </>
          )}
          <h3>{t("access.labels")}</h3>
          {role.labels?.includes("*") ? (
            <p>{t("access.labels_all")}</p>
          ) : (
            <ul className="chips label-chips">
              {(policy.sensitive ?? []).map((label) => (
                <li key={label}>
                  <Chip status={role.labels?.includes(label) ? "safe" : "neutral"}>
                    {t(role.labels?.includes(label) ? "access.label_seen" : "access.label_hidden", { label: label_word(label) })}
                  </Chip>
                </li>
              ))}
            </ul>
          )}
        </section>
        <section aria-label={t("access.work")}>
          <h3>{t("access.work")}</h3>
          {shares.length === 0 && <p className="field-hint">{t("access.no_work")}</p>}
          <ul className="grants">
            {shares.map((share) => (
              <li key={share.area}>
                <strong>{t(`access.area.${share.area}` as MessageId)}</strong>
                <details>
                  <summary>{t("access.shares", { sees: share.sees.length, does: share.does.length })}</summary>
                  <dl className="operation-list">
                    {[...share.sees, ...share.does].map((name) => (
                      <div key={name}>
                        <dt dir="ltr">{name}</dt>
                        {policy.operations
                          .filter((each) => each.name === name)
                          .map((each) => (
                            <dd key={`${each.method} ${each.path}`} dir="ltr">
                              {each.method} {each.path}
                            </dd>
                          ))}
                      </div>
                    ))}
                  </dl>
                </details>
              </li>
            ))}
          </ul>
        </section>
      </div>
    </Panel>
  );
}

export function Roles() {
  const t = useT();
  const read = useAccessPolicy();
  const [chosen, choose] = useParam("role");
  return (
    <Data read={read} lines={8} height={40}>
      {(policy) => {
        const role = policy.roles.find((each) => each.name === chosen) ?? policy.roles[0];
        return (
          <>
            <Panel title={t("access.tab.roles")}>
              <p className="field-hint">{t("access.roles_why")}</p>
              <Matrix policy={policy} chosen={role?.name ?? ""} choose={choose} />
              <p className="field-hint row">
                <Icon name="info" />
                <span>
                  {t("access.roles_change")} <code dir="ltr">mydr24 access policy &gt; policy.json</code>
                </span>
              </p>
            </Panel>
            {role && <Detail role={role} policy={policy} />}
          </>
        );
      }}
    </Data>
  );
}
