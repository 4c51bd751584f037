// A plan as YAML or JSON, with the line on which something is wrong.

import { useEffect, useMemo, useRef } from "react";
import { useT } from "../../i18n";
import { Button } from "../../ui/basic";
import { Panel } from "../../ui/states";
import { line_of, read_text } from "./plan";

interface Props {
  text: string;
  fault: { text: string; where: string; line?: number } | undefined;
  onText: (text: string) => void;
}
export function TextForm({ text, fault, onText }: Props) {
  const t = useT();
  const area = useRef<HTMLTextAreaElement>(null);
  const gutter = useRef<HTMLPreElement>(null);
  const lines = useMemo(() => text.split("\n"), [text]);
  const wrong = useMemo(() => (fault ? (fault.line ?? line_of(read_text(text), fault.where)) : undefined), [fault, text]);
  const go = () => {
    const box = area.current;
    if (!box || wrong === undefined) return;
    const begin = lines.slice(0, wrong - 1).reduce((sum, line) => sum + line.length + 1, 0);
    box.focus();
    box.setSelectionRange(begin, begin + (lines[wrong - 1]?.length ?? 0));
    box.scrollTop = Math.max(0, (wrong - 4) * (box.scrollHeight / Math.max(lines.length, 1)));
  };
  useEffect(() => {
    if (gutter.current && area.current) gutter.current.scrollTop = area.current.scrollTop;
  });
  return (
    <Panel title={t("change.text.title")} className="plan-text">
      <p className="field-hint" id="plan-hint">
        {t("change.text.hint")}
      </p>
      <div className="plan-box" dir="ltr">
        <pre ref={gutter} className="plan-lines number" aria-hidden="true">
          {lines.map((_, at) => (
            <span key={at} className={at + 1 === wrong ? "wrong" : ""}>
              {at + 1}
              {"\n"}
            </span>
          ))}
        </pre>
        <textarea
          ref={area}
          aria-label={t("change.text.title")}
          aria-describedby={fault ? "plan-fault" : "plan-hint"}
          aria-invalid={fault ? true : undefined}
          spellCheck={false}
          wrap="off"
          rows={Math.min(34, Math.max(20, lines.length + 1))}
          value={text}
          onChange={(event) => onText(event.target.value)}
          onScroll={(event) => {
            if (gutter.current) gutter.current.scrollTop = event.currentTarget.scrollTop;
          }}
        />
      </div>
      {fault && (
        <div className="plan-fault" id="plan-fault" role="alert">
          <p className="field-error" dir="auto">
            {wrong !== undefined && <strong>{t("change.text.line", { n: wrong })} </strong>}
            {fault.text}
          </p>
          {wrong !== undefined && (
            <>
              <pre dir="ltr" tabIndex={0}>
                {lines[wrong - 1]}
              </pre>
              <Button look="quiet" onClick={go}>
                {t("change.text.go")}
              </Button>
            </>
          )}
        </div>
      )}
    </Panel>
  );
}
