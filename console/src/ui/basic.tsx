// The small parts that every screen is made of. Native elements: the browser gives focus, keys and names for free.

import {
  useEffect,
  useId,
  useRef,
  type ButtonHTMLAttributes,
  type ReactNode,
  type SelectHTMLAttributes,
} from "react";
import { useFormats, useT } from "../i18n";
import { feed } from "../live/feed";
import { useTicking } from "../live/hooks";
import { is_elsewhere, useSite } from "../site";
import { Icon, type IconName, type Status } from "./icons";

type Look = "plain" | "primary" | "danger" | "quiet";
interface ButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  look?: Look;
  icon?: IconName;
  busy?: boolean;
}
export function Button({ look = "plain", icon, busy, children, className, disabled, ...rest }: ButtonProps) {
  return (
    <button type="button" className={`button ${look} ${className ?? ""}`} disabled={disabled || busy} aria-busy={busy || undefined} {...rest}>
      {icon && <Icon name={icon} />}
      {children}
    </button>
  );
}

export function IconButton({ icon, label, ...rest }: ButtonHTMLAttributes<HTMLButtonElement> & { icon: IconName; label: string }) {
  return (
    <button type="button" className="button icon-only" aria-label={label} title={label} {...rest}>
      <Icon name={icon} />
    </button>
  );
}

export function Chip({ status, children, solid }: { status: Status; children: ReactNode; solid?: boolean }) {
  return (
    <span className={`chip ${status}${solid ? " solid" : ""}`}>
      <Icon name={status} />
      <span dir="auto">{children}</span>
    </span>
  );
}

interface FieldProps {
  label: string;
  hint?: string;
  error?: string | undefined;
  children: (ids: { id: string; "aria-describedby"?: string; "aria-invalid"?: true }) => ReactNode;
}
export function Field({ label, hint, error, children }: FieldProps) {
  const id = useId();
  const told = error ?? hint;
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      {children({ id, ...(told ? { "aria-describedby": `${id}-told` } : {}), ...(error ? { "aria-invalid": true as const } : {}) })}
      {told && (
        <p id={`${id}-told`} className={error ? "field-error" : "field-hint"}>
          {told}
        </p>
      )}
    </div>
  );
}

interface TimeFieldProps {
  label: string;
  error?: string | undefined;
  value: string; // as ui/wall.ts writes it
  onChange: (value: string) => void;
  first?: boolean; // has the focus when its dialog opens
}
// A day and a time by the site's clock, whose zone is said where this machine shows another time.
export function TimeField({ label, error, value, onChange, first }: TimeFieldProps) {
  const t = useT();
  const { zone } = useSite();
  return (
    <Field label={label} error={error} {...(is_elsewhere() ? { hint: t("time.zone", { zone }) } : {})}>
      {(ids) => <input {...ids} {...(first ? { "data-first": true } : {})} type="datetime-local" value={value} onChange={(event) => onChange(event.target.value)} />}
    </Field>
  );
}

export function Select({ label, children, ...rest }: SelectHTMLAttributes<HTMLSelectElement> & { label: string }) {
  return (
    <select aria-label={label} title={label} {...rest}>
      {children}
    </select>
  );
}

export interface DialogProps {
  open: boolean;
  onClose: () => void;
  title: string;
  children: ReactNode;
  actions?: ReactNode;
  side?: boolean; // at the end of the screen, beside what it is about
}
// A <dialog>: the rest of the page is inert, Escape closes it, and the focus goes back to where it was.
export function Dialog({ open, onClose, title, children, actions, side }: DialogProps) {
  const t = useT();
  const element = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    const dialog = element.current;
    if (!dialog) return;
    if (open && !dialog.open) {
      dialog.showModal();
      dialog.querySelector<HTMLElement>("[data-first]")?.focus();
    }
    if (!open && dialog.open) dialog.close();
  }, [open]);
  return (
    <dialog
      ref={element}
      className={side ? "dialog side" : "dialog"}
      aria-labelledby={id}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      onClick={(event) => {
        if (event.target === element.current) onClose();
      }}
    >
      {open && (
        <div className="dialog-inside">
          <header>
            <h2 id={id}>{title}</h2>
            <IconButton icon="close" label={t("action.close")} onClick={onClose} />
          </header>
          <div className="dialog-body">{children}</div>
          {actions && <footer>{actions}</footer>}
        </div>
      )}
    </dialog>
  );
}

// "12 s ago", kept true without rendering; the time itself and UTC on demand.
export function Age({ at }: { at: string | undefined }) {
  const formats = useFormats();
  const ms = at ? Date.parse(at) : NaN;
  const element = useTicking(() => (Number.isFinite(ms) ? formats.age((feed.now() - ms) / 1_000) : "-"));
  if (!at || !Number.isFinite(ms)) return <span>-</span>;
  return <time ref={element as React.RefObject<HTMLTimeElement | null>} dateTime={at} title={`${formats.time(at)}  (${formats.utc(at)})`} />;
}

export function Time({ at, clock }: { at: string; clock?: boolean }) {
  const formats = useFormats();
  return (
    <time dateTime={at} title={formats.utc(at)}>
      {clock ? formats.clock(at) : formats.time(at)}
    </time>
  );
}

// What is left until then; "late by" afterwards.
export function Remaining({ until }: { until: string }) {
  const t = useT();
  const ms = Date.parse(until);
  const text = () => {
    const left = Math.ceil((ms - feed.now()) / 1_000);
    const all = Math.abs(left);
    const clock = all < 3_600 ? `${Math.floor(all / 60)}:${String(all % 60).padStart(2, "0")}` : `${Math.floor(all / 3_600)} h ${String(Math.floor((all % 3_600) / 60)).padStart(2, "0")}`;
    return t(left < 0 ? "clock.over" : "clock.left", { time: `\u2066${clock}\u2069` }); // left to right in every language
  };
  const element = useTicking(text);
  return <span ref={element} className="number" title={until} />;
}
