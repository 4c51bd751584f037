// What administrators do with an account: made, changed, disabled, invited anew. A password is only ever known to its person: an
// invitation is shown in its place, once.

import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { ask } from "../../api/client";
import { read_sessions_again, read_users_again, useAccessPolicy, type Decided, type Invitation, type Profile, type User } from "../../api/access";
import { ApiError } from "../../api/error";
import type { Operation } from "../../api/routes.gen";
import { useT, type MessageId } from "../../i18n";
import { Button, Chip, Dialog, Field, Time } from "../../ui/basic";
import { Command } from "../../ui/command";
import { say } from "../../ui/notices";
import { Data } from "../../ui/states";
import { useMay } from "../permitted";
import { useSessionsOf } from "./sessions";

const read_again = () => Promise.all([read_users_again(), read_sessions_again()]);

// The field that the server names is told there; everything else below the form.
const fields = ["name", "display", "roles", "fhirUser"] as const;
type FieldName = (typeof fields)[number];
const field_of = (error: Error | null): FieldName | undefined => (error instanceof ApiError ? fields.find((each) => each === error.where) : undefined);

function NotDone({ error }: { error: Error | null }) {
  const t = useT();
  if (!error || field_of(error)) return null;
  return (
    <p className="field-error" role="alert">
      {t("access.not_done", { why: error.message })}
    </p>
  );
}

function InvitationShown({ invitation, who }: { invitation: Invitation; who: string }) {
  const t = useT();
  return (
    <div role="status">
      <p>{t("access.invitation_text", { who })}</p>
      <Command>{invitation.url}</Command>
      <p className="field-hint">
        {t("access.invitation_once")} {t("access.invitation_until")} <Time at={invitation.expires} />
      </p>
    </div>
  );
}

interface RolesFieldProps {
  chosen: readonly string[];
  choose: (roles: string[]) => void;
  fixed?: boolean;
  error: string | undefined;
}
function RolesField({ chosen, choose, fixed, error }: RolesFieldProps) {
  const t = useT();
  const read = useAccessPolicy();
  return (
    <fieldset className="role-choice" disabled={fixed}>
      <legend>{t("access.roles")}</legend>
      {error && (
        <p className="field-error" role="alert">
          {error}
        </p>
      )}
      <Data read={read} lines={4} height={44}>
        {(policy) => (
          <ul>
            {[...policy.roles, ...chosen.filter((name) => !policy.roles.some((role) => role.name === name)).map((name) => ({ name, text: "", privileged: false }))].map((role) => (
              <li key={role.name}>
                <label>
                  <input
                    type="checkbox"
                    checked={chosen.includes(role.name)}
                    onChange={(event) => choose(event.target.checked ? [...chosen, role.name] : chosen.filter((each) => each !== role.name))}
                  />
                  <span>
                    <bdi>{role.name}</bdi> {role.privileged && <Chip status="watch">{t("access.privileged")}</Chip>}
                    {role.text ? (
                      <small>
                        <bdi lang="en">{role.text}</bdi>
                      </small>
                    ) : (
                      <small>{t("access.role_unknown")}</small>
                    )}
                  </span>
                </label>
              </li>
            ))}
          </ul>
        )}
      </Data>
    </fieldset>
  );
}

interface ProfileFieldsProps {
  profile: Profile;
  set: (profile: Profile) => void;
  own?: boolean;
  error: Error | null;
}
function ProfileFields({ profile, set, own, error }: ProfileFieldsProps) {
  const t = useT();
  const wrong = field_of(error);
  const told = (field: FieldName) => (wrong === field ? error?.message : undefined);
  return (
    <>
      <Field label={t("access.display")} hint={t("access.display_hint")} error={told("display")}>
        {(ids) => <input {...ids} dir="auto" value={profile.display} maxLength={200} autoComplete="off" onChange={(event) => set({ ...profile, display: event.target.value })} />}
      </Field>
      <Field label={t("access.fhir_user")} hint={t(own ? "access.own_rights" : "access.fhir_user_hint")} error={told("fhirUser")}>
        {(ids) => (
          <input
            {...ids}
            dir="ltr"
            value={profile.fhirUser}
            maxLength={100}
            disabled={own}
            autoComplete="off"
            autoCapitalize="off"
            spellCheck={false}
            onChange={(event) => set({ ...profile, fhirUser: event.target.value })}
          />
        )}
      </Field>
      <RolesField chosen={profile.roles} choose={(roles) => set({ ...profile, roles })} {...(own ? { fixed: true } : {})} error={told("roles")} />
    </>
  );
}

const nobody = { name: "", display: "", roles: [] as readonly string[], fhirUser: "" };

export function AddPerson({ open, onClose }: { open: boolean; onClose: () => void }) {
  const t = useT();
  const [person, set] = useState(nobody);
  const adding = useMutation({
    mutationFn: () => ask("POST /api/v1/access/users", { body: { ...person, name: person.name.trim(), display: person.display.trim(), fhirUser: person.fhirUser.trim() } }),
    gcTime: 0,
    onSuccess: () => set(nobody),
    onSettled: () => void read_again(),
  });
  const made = adding.data;
  const who = made ? made.user.display || made.user.name : "";
  const close = () => {
    adding.reset();
    onClose();
  };
  return (
    <Dialog
      side
      open={open}
      onClose={close}
      title={made ? t("access.invitation", { who }) : t("access.add")}
      actions={
        made ? (
          <Button onClick={close}>{t("action.close")}</Button>
        ) : (
          <Button look="primary" busy={adding.isPending} disabled={person.name.trim() === ""} onClick={() => adding.mutate()}>
            {t("access.add_do")}
          </Button>
        )
      }
    >
      {made?.invitation ? (
        <InvitationShown invitation={made.invitation} who={who} />
      ) : (
        <>
          <Field label={t("access.login_name")} hint={t("access.login_name_hint")} error={field_of(adding.error) === "name" ? adding.error?.message : undefined}>
            {(ids) => (
              <input
                {...ids}
                data-first
                required
                dir="ltr"
                value={person.name}
                maxLength={64}
                autoComplete="off"
                autoCapitalize="off"
                spellCheck={false}
                onChange={(event) => set({ ...person, name: event.target.value })}
              />
            )}
          </Field>
          <ProfileFields profile={person} set={(profile) => set({ ...person, ...profile })} error={adding.error} />
          <NotDone error={adding.error} />
        </>
      )}
    </Dialog>
  );
}

const profile_of = (user: User): Profile => ({ display: user.display ?? "", roles: user.roles, fhirUser: user.fhirUser ?? "" });

// What is there now, when somebody else was faster.
function Meanwhile({ user, go_on }: { user: User; go_on: () => void }) {
  const t = useT();
  return (
    <div className="state watch" role="alert">
      <div>
        <p className="state-title">{t("access.meanwhile")}</p>
        <p>
          <bdi>{[user.display, user.roles.join(", ") || t("access.no_role"), user.fhirUser, user.disabled ? t("access.standing.disabled") : ""].filter(Boolean).join("; ")}</bdi>
        </p>
        <Button onClick={go_on}>{t("access.meanwhile_go_on")}</Button>
      </div>
    </div>
  );
}

function EditPerson({ user, own, onClose }: { user: User; own: boolean; onClose: () => void }) {
  const t = useT();
  const [profile, set] = useState(profile_of(user));
  const [seen, set_seen] = useState(user.version);
  const saving = useMutation({
    mutationFn: () => ask("PUT /api/v1/access/users/{id}", { params: { id: user.name }, seen, body: { ...profile, display: profile.display.trim(), fhirUser: profile.fhirUser.trim() } }),
    onSuccess: () => {
      say("safe", t("access.saved"));
      onClose();
    },
    onSettled: () => void read_again(),
  });
  const meanwhile = user.version !== seen && !saving.isPending;
  return (
    <Dialog
      side
      open
      onClose={onClose}
      title={t("access.edit_title", { who: user.display || user.name })}
      actions={
        <Button look="primary" busy={saving.isPending} disabled={meanwhile} onClick={() => saving.mutate()}>
          {t("access.save")}
        </Button>
      }
    >
      {meanwhile && (
        <Meanwhile
          user={user}
          go_on={() => {
            saving.reset();
            set_seen(user.version);
          }}
        />
      )}
      <ProfileFields profile={profile} set={set} own={own} error={saving.error} />
      <NotDone error={saving.error} />
    </Dialog>
  );
}

const deeds = {
  disable: { route: "POST /api/v1/access/users/{id}/disable", needs: "account-disable" },
  enable: { route: "POST /api/v1/access/users/{id}/enable", needs: "account-enable" },
  invite: { route: "POST /api/v1/access/users/{id}/invitation", needs: "account-invite" },
  factor: { route: "DELETE /api/v1/access/users/{id}/second-factor", needs: "account-second-factor" },
} as const satisfies Record<string, { route: string; needs: Operation }>;
type Deed = keyof typeof deeds;

function Confirm({ deed, user, onClose }: { deed: Deed; user: User; onClose: () => void }) {
  const t = useT();
  const who = user.display || user.name;
  const doing = useMutation({
    mutationFn: (): Promise<Decided> => ask(deeds[deed].route, { params: { id: user.name }, seen: user.version }),
    gcTime: 0,
    onSuccess: (done) => {
      if (done.invitation) return;
      say("safe", t(`access.done.${deed}` as MessageId, { who }));
      onClose();
    },
    onSettled: () => void read_again(),
  });
  const invitation = doing.data?.invitation;
  return (
    <Dialog
      open
      onClose={onClose}
      title={invitation ? t("access.invitation", { who }) : t(`access.deed.${deed}` as MessageId)}
      actions={
        invitation ? (
          <Button onClick={onClose}>{t("action.close")}</Button>
        ) : (
          <Button look={deed === "enable" ? "primary" : "danger"} data-first busy={doing.isPending} onClick={() => doing.mutate()}>
            {t(`access.deed.${deed}` as MessageId)}
          </Button>
        )
      }
    >
      {invitation ? <InvitationShown invitation={invitation} who={who} /> : <p>{t(`access.deed_text.${deed}` as MessageId, { who })}</p>}
      {doing.error && (
        <p className="field-error" role="alert">
          {t("access.not_done", { why: doing.error.message })}
        </p>
      )}
    </Dialog>
  );
}

// What may be done with an account, by who asks.
export function AccountActions({ user }: { user: User }) {
  const t = useT();
  const may = useMay();
  const own = useSessionsOf().mine === user.name;
  const [editing, set_editing] = useState(false);
  const [deed, set_deed] = useState<Deed>();
  const fits: Record<Deed, boolean> = { disable: !user.disabled, enable: user.disabled, invite: !user.disabled, factor: user.second_factor };
  const offered = (Object.keys(deeds) as Deed[]).filter((each) => !own && fits[each] && may(deeds[each].needs));
  if (!may("account-change") && offered.length === 0) return null;
  return (
    <>
      <div className="row account-actions">
        {may("account-change") && <Button onClick={() => set_editing(true)}>{t("access.edit")}</Button>}
        {offered.map((each) => (
          <Button key={each} onClick={() => set_deed(each)}>
            {t(`access.deed.${each}` as MessageId)}
          </Button>
        ))}
      </div>
      {own && <p className="field-hint">{t("access.own_account")}</p>}
      {editing && <EditPerson user={user} own={own} onClose={() => set_editing(false)} />}
      {deed && <Confirm key={deed} deed={deed} user={user} onClose={() => set_deed(undefined)} />}
    </>
  );
}
