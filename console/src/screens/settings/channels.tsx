// How people are reached: synthetic emergencies tell of each channel whether it delivers; a test page goes the whole way; addresses
// are verified by a code that goes over the channel itself.

import { useMutation } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { ask } from "../../api/client";
import { parts_of, usePlan, type Contact } from "../../api/oncall";
import { useAddresses, useProbes, type Address } from "../../api/platform";
import { useStatus } from "../../api/queries";
import { read_addresses_again } from "../../api/settings";
import { acting_name } from "../../api/session";
import { useFormats, useT, type MessageId } from "../../i18n";
import { Button, Chip, Dialog, Field, Remaining, Time } from "../../ui/basic";
import { say } from "../../ui/notices";
import { Data, Empty, Panel } from "../../ui/states";
import { TestPage } from "../oncall/dialogs";
import { useMay } from "../permitted";

function Queue() {
  const t = useT();
  const formats = useFormats();
  const read = useStatus();
  return (
    <Data read={read} lines={1} height={64}>
      {({ alerts }) => (
        <dl className="figures">
          {(
            [
              ["settings.delivered", alerts.delivered, false],
              ["settings.waiting", alerts.waiting, false],
              ["settings.escalated", alerts.escalated, false],
              ["settings.unrecorded", alerts.unrecorded, alerts.unrecorded > 0],
            ] as const
          ).map(([name, value, bad]) => (
            <div key={name} className={bad ? "emergency" : ""}>
              <dt>{t(name)}</dt>
              <dd className="number">{formats.number(value)}</dd>
            </div>
          ))}
        </dl>
      )}
    </Data>
  );
}

function Probes() {
  const t = useT();
  const formats = useFormats();
  const read = useProbes();
  return (
    <Data read={read} lines={2} height={52}>
      {({ channels }) =>
        channels.length === 0 ? (
          <Empty title={t("settings.no_probe")} status="neutral">
            {t("settings.no_probe_why")}
          </Empty>
        ) : (
          <ul className="lines">
            {channels.map((probe) => (
              <li key={probe.name} className="line">
                <Chip status={probe.delivered ? "safe" : probe.age_s === undefined ? "neutral" : "emergency"}>
                  {t(probe.delivered ? "delivery.delivered" : probe.age_s === undefined ? "settings.not_tried" : "delivery.failed")}
                </Chip>
                <span className="line-text wraps">
                  <strong>
                    <bdi>{probe.name}</bdi>
                  </strong>
                  <small dir="auto">{probe.why ?? (probe.age_s === undefined ? probe.medium : formats.age(probe.age_s))}</small>
                </span>
                <span className="line-time number">{probe.took_s === undefined ? "" : formats.duration_ms(probe.took_s * 1_000)}</span>
              </li>
            ))}
          </ul>
        )
      }
    </Data>
  );
}

// Of the others the list knows no more than the host.
const entered_kinds = ["email", "sms", "voice"] as const;
const can_be_named = (kind: string) => (entered_kinds as readonly string[]).includes(kind);

function Verify({ open, address, onClose }: { open: boolean; address: Address | undefined; onClose: () => void }) {
  const t = useT();
  const [kind, set_kind] = useState<string>("email");
  const [target, set_target] = useState("");
  const [code, set_code] = useState("");
  const asked = { kind: address?.kind ?? kind, target: address?.target ?? target.trim() };
  const sending = useMutation({ mutationFn: () => ask("POST /api/v1/addresses/verify", { body: asked }), onSettled: () => void read_addresses_again() });
  const confirming = useMutation({
    mutationFn: () => ask("POST /api/v1/addresses/confirm", { body: { ...asked, code: code.trim() } }),
    onSuccess: () => {
      say("safe", t("settings.is_verified"));
      onClose();
    },
    onSettled: () => void read_addresses_again(),
  });
  const { reset } = sending;
  const { reset: reset_code } = confirming;
  useEffect(() => {
    if (open) return;
    reset();
    reset_code();
    set_code("");
    set_target("");
  }, [open, reset, reset_code]);
  const error = sending.error ?? confirming.error;
  return (
    <Dialog
      open={open}
      onClose={onClose}
      title={t("settings.verify")}
      actions={
        sending.data ? (
          <Button look="primary" busy={confirming.isPending} disabled={!/^\s*\d{6}\s*$/.test(code)} onClick={() => confirming.mutate()}>
            {t("settings.confirm")}
          </Button>
        ) : (
          <Button look="primary" busy={sending.isPending} disabled={!asked.target} onClick={() => sending.mutate()}>
            {t("settings.send_code")}
          </Button>
        )
      }
    >
      <p>{t("settings.verify_text")}</p>
      {address ? (
        <p>
          <strong dir="ltr">{address.target}</strong> <small>{t(`settings.kind.${address.kind}` as MessageId)}</small>
        </p>
      ) : (
        <>
          <Field label={t("settings.kind")}>
            {(ids) => (
              <select {...ids} value={kind} disabled={sending.data !== undefined} onChange={(event) => set_kind(event.target.value)}>
                {entered_kinds.map((each) => (
                  <option key={each} value={each}>
                    {t(`settings.kind.${each}` as MessageId)}
                  </option>
                ))}
              </select>
            )}
          </Field>
          <Field label={t("settings.target")} hint={t(kind === "email" ? "settings.target_email" : "settings.target_phone")}>
            {(ids) => <input {...ids} dir="ltr" data-first value={target} maxLength={250} disabled={sending.data !== undefined} autoComplete="off" onChange={(event) => set_target(event.target.value)} />}
          </Field>
        </>
      )}
      {sending.data && (
        <>
          <p role="status">
            {t("settings.code_sent")} <Remaining until={sending.data.valid_until} />
          </p>
          <Field label={t("settings.code")}>
            {(ids) => <input {...ids} dir="ltr" inputMode="numeric" autoComplete="one-time-code" value={code} maxLength={8} onChange={(event) => set_code(event.target.value)} />}
          </Field>
        </>
      )}
      {error && (
        <p className="field-error" role="alert">
          {t("settings.not_done", { why: error.message })}
        </p>
      )}
    </Dialog>
  );
}

function Disable({ address, onClose }: { address: Address | undefined; onClose: () => void }) {
  const t = useT();
  const [why, set_why] = useState("");
  const disabling = useMutation({
    mutationFn: () => ask("POST /api/v1/addresses/disable", { body: { kind: address!.kind, target: address!.target, why: why.trim() } }),
    onSuccess: onClose,
    onSettled: () => void read_addresses_again(),
  });
  const { reset } = disabling;
  const open = address !== undefined;
  useEffect(() => {
    if (!open) {
      set_why("");
      reset();
    }
  }, [open, reset]);
  return (
    <Dialog
      open={open}
      onClose={onClose}
      title={t("settings.disable")}
      actions={
        <Button look="danger" busy={disabling.isPending} disabled={!why.trim()} onClick={() => disabling.mutate()}>
          {t("settings.disable")}
        </Button>
      }
    >
      <p>{t("settings.disable_text", { target: address?.target ?? "" })}</p>
      <Field label={t("settings.why")}>{(ids) => <input {...ids} data-first value={why} maxLength={200} onChange={(event) => set_why(event.target.value)} />}</Field>
      {disabling.error && (
        <p className="field-error" role="alert">
          {t("settings.not_done", { why: disabling.error.message })}
        </p>
      )}
    </Dialog>
  );
}

function Standing({ address }: { address: Address }) {
  const t = useT();
  if (address.disabled) return <Chip status="neutral">{t("settings.off")}</Chip>;
  if (address.stopped) return <Chip status="watch">{t("settings.stopped")}</Chip>;
  return <Chip status={address.verified ? "safe" : "watch"}>{t(address.verified ? "settings.verified" : "settings.unverified")}</Chip>;
}

function Addresses() {
  const t = useT();
  const may = useMay();
  const read = useAddresses();
  const [verifying, set_verifying] = useState<Address | "new">();
  const [disabling, set_disabling] = useState<Address>();
  const enabling = useMutation({
    mutationFn: (address: Address) => ask("POST /api/v1/addresses/enable", { body: { kind: address.kind, target: address.target } }),
    onError: (error) => say("urgent", t("settings.not_done", { why: error.message })),
    onSettled: () => void read_addresses_again(),
  });
  return (
    <Panel title={t("settings.addresses")} aside={may("address-verify") ? <Button onClick={() => set_verifying("new")}>{t("settings.verify_new")}</Button> : undefined}>
      <p className="field-hint">{t("settings.addresses_why")}</p>
      <Data read={read} lines={2} height={52}>
        {({ addresses }) =>
          addresses.length === 0 ? (
            <Empty title={t("settings.no_address")} status="neutral">
              {t("settings.no_address_why")}
            </Empty>
          ) : (
            <ul className="lines">
              {addresses.map((address) => (
                <li key={`${address.kind} ${address.target}`} className="line">
                  <Standing address={address} />
                  <span className="line-text wraps">
                    <strong dir="ltr">{address.target || address.kind}</strong>
                    <small>
                      {t(`settings.kind.${address.kind}` as MessageId)}
                      {address.disabled_at ? (
                        <>
                          , <Time at={address.disabled_at} />: <bdi>{address.disabled_why}</bdi>
                        </>
                      ) : address.verified_at ? (
                        <>
                          , <Time at={address.verified_at} />
                        </>
                      ) : null}
                    </small>
                  </span>
                  {can_be_named(address.kind) && (
                    <span className="row">
                      {!address.verified && !address.disabled && may("address-verify") && <Button onClick={() => set_verifying(address)}>{t("settings.send_code")}</Button>}
                      {address.disabled
                        ? may("address-enable") && (
                            <Button busy={enabling.isPending && enabling.variables === address} onClick={() => enabling.mutate(address)}>
                              {t("settings.enable")}
                            </Button>
                          )
                        : may("address-disable") && (
                            <Button look="quiet" onClick={() => set_disabling(address)}>
                              {t("settings.disable")}
                            </Button>
                          )}
                    </span>
                  )}
                </li>
              ))}
            </ul>
          )
        }
      </Data>
      <Verify open={verifying !== undefined} address={verifying === "new" ? undefined : verifying} onClose={() => set_verifying(undefined)} />
      <Disable address={disabling} onClose={() => set_disabling(undefined)} />
    </Panel>
  );
}

function SendTest() {
  const t = useT();
  const plan = usePlan();
  const [open, set_open] = useState(false);
  const contacts = plan.data ? parts_of<Contact>(plan.data, "contact") : [];
  const me = contacts.find((contact) => contact.name === acting_name())?.name ?? "";
  return (
    <>
      <Button icon="bell" disabled={contacts.length === 0} onClick={() => set_open(true)}>
        {t("settings.send_test")}
      </Button>
      <TestPage open={open} contacts={contacts} me={me} onClose={() => set_open(false)} />
    </>
  );
}

export function Channels() {
  const t = useT();
  const may = useMay();
  return (
    <div className="two-parts">
      <Panel title={t("settings.channels")} aside={may("oncall-test-page") && may("oncall-plan") ? <SendTest /> : undefined}>
        <p className="field-hint">{t("settings.channels_why")}</p>
        <Queue />
        <Probes />
      </Panel>
      <Addresses />
    </div>
  );
}
