// Who has an account here, and what is missing of it.

import { useState } from "react";
import { Link } from "wouter";
import { people_max, useUsers, type User } from "../../api/access";
import { useFormats, useT, type MessageId } from "../../i18n";
import { Age, Button, Chip, Dialog, Field, Time } from "../../ui/basic";
import type { Status } from "../../ui/icons";
import { Rows } from "../../ui/rows";
import { Data, Empty, Panel } from "../../ui/states";
import { useParam } from "../../ui/url";
import { useMay } from "../permitted";
import { AccountActions, AddPerson } from "./account";
import { SessionList, useSessionsOf } from "./sessions";

type Standing = "disabled" | "locked" | "no_password" | "no_factor" | "active";
function standing_of(user: User): Standing {
  if (user.disabled) return "disabled";
  if (user.locked_s !== undefined) return "locked";
  if (!user.has_password) return "no_password";
  if (user.needs_second_factor && !user.second_factor) return "no_factor";
  return "active";
}
const look_of: Record<Standing, Status> = { disabled: "neutral", locked: "urgent", no_password: "neutral", no_factor: "watch", active: "safe" };

function StandingChip({ user }: { user: User }) {
  const t = useT();
  const standing = standing_of(user);
  return <Chip status={look_of[standing]}>{t(`access.standing.${standing}` as MessageId, { n: user.locked_s ?? 0 })}</Chip>;
}

function SecondFactor({ user }: { user: User }) {
  const t = useT();
  if (user.second_factor) return <span>{t("access.factor_there")}</span>;
  return <small>{t(user.needs_second_factor ? "access.factor_due" : "access.factor_none")}</small>;
}

function Counters({ users, show }: { users: readonly User[]; show: (standing: string) => void }) {
  const t = useT();
  const formats = useFormats();
  const of = (standing: Standing) => users.filter((user) => standing_of(user) === standing).length;
  const shown: [Standing, number][] = (["active", "no_factor", "locked", "no_password", "disabled"] as const).map((standing) => [standing, of(standing)]);
  return (
    <ul className="counters">
      {shown
        .filter(([standing, n]) => n > 0 || standing === "active")
        .map(([standing, n]) => (
          <li key={standing}>
            <button type="button" className={`counter ${look_of[standing]}`} onClick={() => show(standing)}>
              <span className="number">{formats.number(n)}</span>
              <span>{t(`access.count.${standing}` as MessageId)}</span>
            </button>
          </li>
        ))}
    </ul>
  );
}

function Person({ user }: { user: User }) {
  const t = useT();
  const told = useSessionsOf();
  return (
    <>
      <p className="row">
        <StandingChip user={user} />
      </p>
      <AccountActions user={user} />
      <dl className="who-facts">
        <div>
          <dt>{t("access.login_name")}</dt>
          <dd>
            <bdi>{user.name}</bdi>
          </dd>
        </div>
        <div>
          <dt>{t("access.roles")}</dt>
          <dd className="chips">
            {user.roles.length === 0
              ? t("access.no_role")
              : user.roles.map((role) => (
                  <Link key={role} href={`/access?tab=roles&role=${encodeURIComponent(role)}`}>
                    <bdi>{role}</bdi>
                  </Link>
                ))}
          </dd>
        </div>
        {user.fhirUser && (
          <div>
            <dt>{t("access.fhir_user")}</dt>
            <dd dir="ltr">{user.fhirUser}</dd>
          </div>
        )}
        <div>
          <dt>{t("access.factor")}</dt>
          <dd>
            <SecondFactor user={user} />
          </dd>
        </div>
        <div>
          <dt>{t("access.last_login")}</dt>
          <dd>{user.last_login ? <Time at={user.last_login} /> : t("access.never")}</dd>
        </div>
        <div>
          <dt>{t("access.created")}</dt>
          <dd>
            <Time at={user.created} />
          </dd>
        </div>
      </dl>
      <p>
        <Link href={`/access?tab=explain&as=${encodeURIComponent(user.name)}`}>{t("access.explain_them")}</Link>
      </p>
      {(told.everybody || told.mine === user.name) && <SessionList of={user.name} title={t("access.their_sessions")} />}
    </>
  );
}

export function People() {
  const t = useT();
  const may = useMay();
  const read = useUsers();
  const [q, set_q] = useParam("q");
  const [role, set_role] = useParam("role");
  const [standing, set_standing] = useParam("standing");
  const [chosen, choose] = useParam("user");
  const [adding, set_adding] = useState(false);
  return (
    <Panel
      title={t("access.tab.people")}
      aside={may("account-add") ? <Button onClick={() => set_adding(true)}>{t("access.add")}</Button> : undefined}
    >
      <Data read={read} lines={6} height={52}>
        {({ users, more }) => {
          const roles = [...new Set(users.flatMap((user) => user.roles))].sort();
          const text = q.toLowerCase();
          const shown = users.filter(
            (user) =>
              (!text || user.name.includes(text) || (user.display ?? "").toLowerCase().includes(text)) &&
              (!role || user.roles.includes(role)) &&
              (!standing || standing_of(user) === standing),
          );
          const open = users.find((user) => user.name === chosen);
          return (
            <>
              <Counters users={users} show={(next) => set_standing(standing === next ? "" : next)} />
              <form className="people-search" role="search" aria-label={t("access.find")} onSubmit={(event) => event.preventDefault()}>
                <Field label={t("access.find_name")}>
                  {(ids) => <input {...ids} type="search" value={q} maxLength={80} autoComplete="off" onChange={(event) => set_q(event.target.value)} />}
                </Field>
                <Field label={t("access.role")}>
                  {(ids) => (
                    <select {...ids} value={role} onChange={(event) => set_role(event.target.value)}>
                      <option value="">{t("action.all")}</option>
                      {roles.map((each) => (
                        <option key={each}>{each}</option>
                      ))}
                    </select>
                  )}
                </Field>
                <Field label={t("access.standing")}>
                  {(ids) => (
                    <select {...ids} value={standing} onChange={(event) => set_standing(event.target.value)}>
                      <option value="">{t("action.all")}</option>
                      {(Object.keys(look_of) as Standing[]).map((each) => (
                        <option key={each} value={each}>
                          {t(`access.count.${each}` as MessageId)}
                        </option>
                      ))}
                    </select>
                  )}
                </Field>
              </form>
              {shown.length === 0 ? (
                <Empty title={t("access.nobody")} status="neutral">
                  {t("access.nobody_why")}
                </Empty>
              ) : (
                <Rows
                  label={t("access.tab.people")}
                  className="people-rows"
                  rows={shown}
                  id_of={(user) => user.name}
                  head={[t("access.person"), t("access.roles"), t("access.factor"), t("access.last_login"), t("access.standing")]}
                  row_height={60}
                  {...(chosen ? { selected: chosen } : {})}
                  render={(user) => (
                    <>
                      <span role="cell" className="cell-what cell-person">
                        <button type="button" className="link" onClick={() => choose(user.name)}>
                          <bdi>{user.display || user.name}</bdi>
                        </button>
                        <small dir="ltr">{user.display ? user.name : (user.fhirUser ?? "")}</small>
                      </span>
                      <span role="cell" className="cell-roles">
                        <bdi>{user.roles.join(", ") || t("access.no_role")}</bdi>
                      </span>
                      <span role="cell" className="cell-factor">
                        <SecondFactor user={user} />
                      </span>
                      <span role="cell" className="cell-login">
                        {user.last_login ? <Age at={user.last_login} /> : <small>{t("access.never")}</small>}
                      </span>
                      <span role="cell" className="cell-standing">
                        <StandingChip user={user} />
                      </span>
                    </>
                  )}
                />
              )}
              {more && <p className="field-hint">{t("access.people_more", { n: people_max })}</p>}
              <Dialog open={open !== undefined} onClose={() => choose("")} title={open?.display || (open?.name ?? "")} side>
                {open && <Person user={open} />}
              </Dialog>
            </>
          );
        }}
      </Data>
      <AddPerson open={adding} onClose={() => set_adding(false)} />
    </Panel>
  );
}
