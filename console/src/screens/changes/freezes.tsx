// When nothing is changed: freezes that people set, and services that are frozen since a way back failed.

import { useMutation } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { ask } from "../../api/client";
import { read_changes_again, type Freeze, type FrozenService } from "../../api/changes";
import { feed } from "../../live/feed";
import { useT } from "../../i18n";
import { useActor } from "../../ui/actor";
import { Button, Chip, Dialog, Field, TimeField } from "../../ui/basic";
import { Icon } from "../../ui/icons";
import { say } from "../../ui/notices";
import { Empty } from "../../ui/states";
import { instant_text, local_text } from "../../ui/wall";
import { useWhen } from "../../ui/when";
import { useMay } from "../permitted";
import { Refusal } from "./act";

export function NewFreeze({ open, onClose }: { open: boolean; onClose: () => void }) {
  const t = useT();
  const actor = useActor();
  const [begin, set_begin] = useState("");
  const [end, set_end] = useState("");
  const [why, set_why] = useState("");
  const [services, set_services] = useState("");
  const adding = useMutation({
    mutationFn: () =>
      ask("POST /api/v1/change-freezes", {
        body: { begin: instant_text(begin), end: instant_text(end), why, services: services.split(/[\s,]+/).filter(Boolean), by: actor.by },
      }),
    onSuccess: () => {
      say("watch", t("change.freeze.set"));
      onClose();
    },
    onSettled: () => void read_changes_again(),
  });
  const { reset } = adding;
  useEffect(() => {
    if (!open) return;
    reset();
    set_begin(local_text(feed.now()));
    set_end(local_text(feed.now() + 86_400_000));
    set_why("");
    set_services("");
  }, [open, reset]);
  return (
    <Dialog
      open={open}
      onClose={onClose}
      title={t("change.freeze.new")}
      actions={
        <Button look="primary" busy={adding.isPending} disabled={!why.trim()} onClick={() => actor.given() && adding.mutate()}>
          {t("change.freeze.new")}
        </Button>
      }
    >
      <p>{t("change.freeze.text")}</p>
      <div className="pair">
        <TimeField label={t("change.begin")} value={begin} onChange={set_begin} />
        <TimeField label={t("change.end")} value={end} onChange={set_end} />
      </div>
      <Field label={t("change.reason")}>{(ids) => <input {...ids} data-first value={why} maxLength={500} onChange={(event) => set_why(event.target.value)} />}</Field>
      <Field label={t("change.services")} hint={t("change.freeze.services_hint")}>
        {(ids) => <input {...ids} value={services} onChange={(event) => set_services(event.target.value)} />}
      </Field>
      {actor.field}
      <Refusal error={adding.error} />
    </Dialog>
  );
}

export function FreezeList({ freezes, fixed }: { freezes: readonly Freeze[]; fixed: ReadonlySet<string> }) {
  const t = useT();
  const when = useWhen();
  const may = useMay();
  const ending = useMutation({
    mutationFn: (id: string) => ask("DELETE /api/v1/change-freezes/{id}", { params: { id } }),
    onSuccess: () => say("safe", t("change.freeze.ended")),
    onError: (error) => say("urgent", t("change.not_done", { why: error.message })),
    onSettled: () => void read_changes_again(),
  });
  if (freezes.length === 0) return <Empty title={t("change.freeze.none")} status="neutral" />;
  return (
    <ul className="lines">
      {freezes.map((freeze) => (
        <li key={freeze.id} className="line">
          <Chip status={Date.parse(freeze.begin) <= feed.now() ? "watch" : "info"}>{t(Date.parse(freeze.begin) <= feed.now() ? "change.freeze.now" : "change.freeze.later")}</Chip>
          <span className="line-text wraps">
            <strong dir="auto">{freeze.why}</strong>
            <small>
              {t("oncall.from_to", { begin: when.moment(freeze.begin), end: when.moment(freeze.end) })}
              {freeze.services.length > 0 && <bdi>, {freeze.services.join(", ")}</bdi>}
            </small>
          </span>
          {!fixed.has(freeze.id) && may("change-freeze-end") && (
            <Button look="quiet" busy={ending.isPending && ending.variables === freeze.id} onClick={() => ending.mutate(freeze.id)}>
              {t("change.freeze.end")}
            </Button>
          )}
        </li>
      ))}
    </ul>
  );
}

function Unfreeze({ frozen, onClose }: { frozen: FrozenService | undefined; onClose: () => void }) {
  const t = useT();
  const actor = useActor();
  const [why, set_why] = useState("");
  const ending = useMutation({
    mutationFn: () => ask("POST /api/v1/change-services/{service}/unfreeze", { params: { service: frozen!.service }, body: { why, by: actor.by } }),
    onSuccess: () => {
      say("safe", t("change.unfrozen", { service: frozen!.service }));
      onClose();
    },
    onSettled: () => void read_changes_again(),
  });
  const { reset } = ending;
  useEffect(() => {
    reset();
    set_why("");
  }, [frozen, reset]);
  return (
    <Dialog
      open={frozen !== undefined}
      onClose={onClose}
      title={t("change.unfreeze", { service: frozen?.service ?? "" })}
      actions={
        <Button look="danger" busy={ending.isPending} disabled={!why.trim()} onClick={() => actor.given() && ending.mutate()}>
          {t("change.unfreeze", { service: frozen?.service ?? "" })}
        </Button>
      }
    >
      <p dir="auto">{frozen?.why}</p>
      <Field label={t("change.reason")}>{(ids) => <input {...ids} data-first value={why} onChange={(event) => set_why(event.target.value)} />}</Field>
      {actor.field}
      <Refusal error={ending.error} />
    </Dialog>
  );
}

export function Frozen({ services }: { services: readonly FrozenService[] }) {
  const t = useT();
  const may = useMay();
  const [chosen, set_chosen] = useState<FrozenService>();
  return (
    <>
      {services.map((frozen) => (
        <div key={frozen.service} className="banner emergency">
          <Icon name="emergency" />
          <span className="line-text">
            <strong>{t("change.frozen", { service: frozen.service })}</strong>
            <small dir="auto">{frozen.why}</small>
          </span>
          {may("change-unfreeze") && <Button onClick={() => set_chosen(frozen)}>{t("change.unfreeze", { service: frozen.service })}</Button>}
        </div>
      ))}
      <Unfreeze frozen={chosen} onClose={() => set_chosen(undefined)} />
    </>
  );
}
