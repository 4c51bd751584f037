// What a part of a screen shows while there is nothing to show: the same six states everywhere.

import { useEffect, useState, type ReactNode } from "react";
import { ApiError } from "../api/error";
import type { Read } from "../api/queries";
import { useFormats, useT } from "../i18n";
import { Button } from "./basic";
import { Icon } from "./icons";

// A skeleton as large as what comes, and only when that takes longer than a blink.
export function Loading({ lines = 3, height = 44 }: { lines?: number; height?: number }) {
  const t = useT();
  const [shown, set_shown] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => set_shown(true), 150);
    return () => clearTimeout(timer);
  }, []);
  return (
    <div className={shown ? "skeleton shown" : "skeleton"} role="status" aria-label={t("state.loading")}>
      {Array.from({ length: lines }, (_, line) => (
        <div key={line} style={{ blockSize: height }} />
      ))}
    </div>
  );
}

export function Empty({ title, children, action, status = "safe" }: { title: string; children?: ReactNode; action?: ReactNode; status?: "safe" | "neutral" }) {
  return (
    <div className={`state ${status}`}>
      <Icon name={status} />
      <div>
        <p className="state-title">{title}</p>
        {children && <p>{children}</p>}
        {action}
      </div>
    </div>
  );
}

function CopyReport({ error }: { error: ApiError }) {
  const t = useT();
  const [copied, set_copied] = useState(false);
  // Without TLS a page may not write to the clipboard: then the text is shown to be copied.
  const copy = () =>
    navigator.clipboard
      ? navigator.clipboard.writeText(error.text()).then(
          () => set_copied(true),
          () => set_copied(false),
        )
      : undefined;
  return (
    <details className="report">
      <summary>{t("error.details")}</summary>
      <pre tabIndex={0}>{error.text()}</pre>
      {"clipboard" in navigator && <Button onClick={() => void copy()}>{t(copied ? "error.copied" : "error.copy")}</Button>}
    </details>
  );
}

export function Failed({ error, retry }: { error: Error; retry?: () => void }) {
  const t = useT();
  const known = error instanceof ApiError ? error : undefined;
  if (known?.trouble === "forbidden") return <Forbidden error={known} />;
  return (
    <div className="state urgent" role="alert">
      <Icon name="urgent" />
      <div>
        <p className="state-title">{t(known ? `error.${known.trouble}` : "error.server")}</p>
        <p>
          {known ? `${known.code}: ` : ""}
          {error.message}
        </p>
        <div className="row">
          {retry && <Button onClick={retry}>{t("action.retry")}</Button>}
          {known && <CopyReport error={known} />}
        </div>
      </div>
    </div>
  );
}

export function Forbidden({ error }: { error: ApiError }) {
  const t = useT();
  return (
    <div className="state neutral">
      <Icon name="neutral" />
      <div>
        <p className="state-title">{t("error.forbidden")}</p>
        <p>{t("forbidden.rule", { rule: error.message })}</p>
        <p>{t("forbidden.ask")}</p>
      </div>
    </div>
  );
}

// What was read before is still shown, and the band says that it is not what holds now.
export function Degraded({ error, since, retry }: { error: Error; since: number; retry: () => void }) {
  const t = useT();
  const formats = useFormats();
  return (
    <div className="band watch" role="status">
      <Icon name="watch" />
      <span>{t("state.degraded", { time: formats.clock(since), why: error.message })}</span>
      <Button look="quiet" onClick={retry}>
        {t("action.retry")}
      </Button>
    </div>
  );
}

interface DataProps<T> {
  read: Read<T>;
  children: (data: T) => ReactNode;
  lines?: number;
  height?: number;
}
// One of: loading, failed, forbidden, what was read, or what was read with a band above it that says it is old.
export function Data<T>({ read, children, lines, height }: DataProps<T>) {
  const retry = () => void read.refetch();
  if (read.data === undefined) {
    if (read.error) return <Failed error={read.error} retry={retry} />;
    return <Loading {...(lines ? { lines } : {})} {...(height ? { height } : {})} />;
  }
  if (read.error && read.error instanceof ApiError && read.error.trouble === "forbidden") return <Forbidden error={read.error} />;
  // The same elements either way: what somebody is typing inside outlives a reading that fails.
  return (
    <>
      {read.error ? <Degraded error={read.error} since={read.dataUpdatedAt} retry={retry} /> : null}
      <div className={read.error ? "greyed" : "as-read"}>{children(read.data)}</div>
    </>
  );
}

export function Panel({ title, aside, children, className }: { title: string; aside?: ReactNode; children: ReactNode; className?: string }) {
  return (
    <section className={className ? `panel ${className}` : "panel"} aria-label={title}>
      <header className="panel-head">
        <h2>{title}</h2>
        {aside}
      </header>
      {children}
    </section>
  );
}
