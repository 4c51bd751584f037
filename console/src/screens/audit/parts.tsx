// The state of the trail, the reviews of emergency access, legal holds.

import { useMutation } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { ask } from "../../api/client";
import { is_missing, read_audit_again, useAuditStatus, useGlasses, useHolds, type AuditStatus, type Glass } from "../../api/platform";
import { useFormats, useT } from "../../i18n";
import { Age, Button, Chip, Dialog, Field, Select, Time } from "../../ui/basic";
import { say } from "../../ui/notices";
import { Data, Empty, Panel } from "../../ui/states";
import { useParam } from "../../ui/url";

const lag_max_ms = 30_000; // monitoring.md, ComplianceRisk

function Figures({ status }: { status: AuditStatus }) {
  const t = useT();
  const formats = useFormats();
  const late = status.lag_ms > lag_max_ms;
  return (
    <dl className="trail-figures">
      <div className={late ? "emergency" : ""}>
        <dt>{t("audit.lag")}</dt>
        <dd className="number">{formats.duration_ms(status.lag_ms)}</dd>
        <dd className="more">{t("audit.lag_limit", { limit: formats.duration_ms(lag_max_ms) })}</dd>
      </div>
      <div>
        <dt>{t("audit.entries")}</dt>
        <dd className="number">{formats.number(status.entries)}</dd>
        <dd className="more">{t("audit.segments", { n: status.segments })}</dd>
      </div>
      <div className={status.refused > 0 ? "urgent" : ""}>
        <dt>{t("audit.refused")}</dt>
        <dd className="number">{formats.number(status.refused)}</dd>
        <dd className="more">{t("audit.refused_why")}</dd>
      </div>
      <div>
        <dt>{t("audit.checkpoint")}</dt>
        <dd className="number">
          <Age at={status.checkpoint_at} />
        </dd>
        <dd className="more">{t("audit.checkpoint_line", { n: formats.number(status.last_checkpoint) })}</dd>
      </div>
    </dl>
  );
}

export function Chain() {
  const t = useT();
  const formats = useFormats();
  const read = useAuditStatus();
  const verifying = useMutation({
    mutationFn: () => ask("POST /api/v1/audit/verify", { body: {} }),
    onSettled: () => void read_audit_again(),
  });
  const found = verifying.data;
  if (is_missing(read.error)) {
    return (
      <Panel title={t("audit.chain")} className="wide">
        <Empty title={t("audit.none")} status="neutral">
          {t("audit.none_why")}
        </Empty>
      </Panel>
    );
  }
  return (
    <Panel
      title={t("audit.chain")}
      className="wide"
      aside={
        <Button busy={verifying.isPending} onClick={() => verifying.mutate()}>
          {t(verifying.isPending ? "audit.verifying" : "audit.verify")}
        </Button>
      }
    >
      <Data read={read} lines={1} height={72}>
        {(status) => (
          <>
            <Figures status={status} />
            <p className="row" role="status">
              {verifying.error ? (
                <Chip status="urgent">{t("audit.not_verified", { why: verifying.error.message })}</Chip>
              ) : status.verified ? (
                <>
                  <Chip status={status.verified.good ? "safe" : "emergency"}>{t(status.verified.good ? "audit.good" : "audit.broken")}</Chip>
                  <small>
                    {t("audit.verified_to", { n: formats.number(status.verified.last) })} <Age at={status.verified.at} />
                  </small>
                </>
              ) : (
                <Chip status="neutral">{t("audit.never_verified")}</Chip>
              )}
            </p>
            {found && !found.good && (
              <ul className="lines">
                {found.findings.slice(0, 20).map((finding) => (
                  <li key={`${finding.file} ${finding.line}`} className="line">
                    <Chip status="emergency">{finding.problem}</Chip>
                    <span className="line-text wraps">
                      <strong>{finding.text}</strong>
                      <small>
                        {finding.file}, {finding.line}
                      </small>
                    </span>
                  </li>
                ))}
              </ul>
            )}
          </>
        )}
      </Data>
    </Panel>
  );
}

function Review({ glass, onClose }: { glass: Glass | undefined; onClose: () => void }) {
  const t = useT();
  const [text, set_text] = useState("");
  const reviewing = useMutation({
    mutationFn: (verdict: "justified" | "not-justified") =>
      ask("POST /api/v1/break-glass/{id}/review", { params: { id: glass!.id }, body: { verdict, review: text.trim() } }),
    onSuccess: () => {
      say("safe", t("audit.reviewed"));
      onClose();
    },
    onSettled: () => void read_audit_again(),
  });
  const { reset } = reviewing;
  const id = glass?.id;
  useEffect(() => {
    set_text("");
    reset();
  }, [id, reset]);
  return (
    <Dialog
      open={glass !== undefined}
      onClose={onClose}
      title={t("audit.review")}
      actions={
        <>
          <Button busy={reviewing.isPending} disabled={!text.trim()} onClick={() => reviewing.mutate("justified")}>
            {t("audit.justified")}
          </Button>
          <Button look="danger" busy={reviewing.isPending} disabled={!text.trim()} onClick={() => reviewing.mutate("not-justified")}>
            {t("audit.not_justified")}
          </Button>
        </>
      }
    >
      {glass && (
        <>
          <p>
            <strong dir="auto">{glass.name || glass.principal}</strong> <small>{glass.roles}</small>
          </p>
          <blockquote dir="auto">{glass.reason}</blockquote>
          <Field label={t("audit.review_text")} hint={t("audit.review_hint")}>
            {(ids) => <textarea {...ids} data-first rows={3} maxLength={2000} value={text} onChange={(event) => set_text(event.target.value)} />}
          </Field>
        </>
      )}
      {reviewing.error && (
        <p className="field-error" role="alert">
          {t("audit.not_reviewed", { why: reviewing.error.message })}
        </p>
      )}
    </Dialog>
  );
}

export function Glasses({ show_patient }: { show_patient: (id: string) => void }) {
  const t = useT();
  const [which, set_which] = useParam("reviews");
  const read = useGlasses(which !== "all");
  const [open, set_open] = useState<Glass>();
  if (is_missing(read.error)) return null;
  return (
    <Panel
      title={t("audit.glass")}
      aside={
        <Select label={t("audit.glass_which")} value={which === "all" ? "all" : "waiting"} onChange={(event) => set_which(event.target.value === "all" ? "all" : "")}>
          <option value="waiting">{t("audit.glass_waiting")}</option>
          <option value="all">{t("action.all")}</option>
        </Select>
      }
    >
      <Data read={read} lines={2} height={56}>
        {({ overrides }) =>
          overrides.length === 0 ? (
            <Empty title={t("audit.glass_none")}>{t("audit.glass_none_why")}</Empty>
          ) : (
            <ul className="lines">
              {overrides.map((glass) => (
                <li key={glass.id} className="line">
                  <Chip status={glass.verdict ? (glass.verdict === "justified" ? "safe" : "emergency") : glass.over_budget ? "urgent" : "watch"}>
                    {t(glass.verdict ? (glass.verdict === "justified" ? "audit.justified" : "audit.not_justified") : "audit.waits")}
                  </Chip>
                  <span className="line-text wraps">
                    <strong dir="auto">{glass.name || glass.principal}</strong>
                    <small dir="auto">{glass.reason}</small>
                    <small>
                      <Time at={glass.since} />{" "}
                      {glass.patient && (
                        <button type="button" className="link" onClick={() => show_patient(glass.patient!)}>
                          <bdi>{glass.patient}</bdi>
                        </button>
                      )}
                    </small>
                  </span>
                  {!glass.verdict && <Button onClick={() => set_open(glass)}>{t("audit.review")}</Button>}
                </li>
              ))}
            </ul>
          )
        }
      </Data>
      <Review glass={open} onClose={() => set_open(undefined)} />
    </Panel>
  );
}

export function Holds() {
  const t = useT();
  const read = useHolds();
  if (is_missing(read.error)) return null;
  return (
    <Panel title={t("audit.holds")}>
      <Data read={read} lines={1} height={44}>
        {({ holds }) =>
          holds.length === 0 ? (
            <Empty title={t("audit.no_holds")} status="neutral">
              {t("audit.holds_why")}
            </Empty>
          ) : (
            <ul className="lines">
              {holds.map((hold) => (
                <li key={hold.patient} className="line">
                  <Chip status="info">{hold.until ? <Time at={hold.until} /> : t("audit.no_end")}</Chip>
                  <span className="line-text wraps">
                    <strong dir="auto">{hold.patient}</strong>
                    <small dir="auto">
                      {hold.reason}, {hold.by}
                    </small>
                  </span>
                </li>
              ))}
            </ul>
          )
        }
      </Data>
    </Panel>
  );
}
