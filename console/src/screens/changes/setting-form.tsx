// The commonest change: a live setting gets another value.

import type { Setting } from "../../api/platform";
import { useMonitor, type Read } from "../../api/queries";
import { useFormats, useT } from "../../i18n";
import { Button, Chip, Field } from "../../ui/basic";
import { Data, Empty, Panel } from "../../ui/states";
import { field_of, type Words } from "./plan";

interface Props {
  words: Words;
  settings: Read<{ settings: Setting[] }>;
  fault: { text: string; where: string } | undefined;
  onWords: (words: Words) => void;
  onText: () => void;
}

function Value({ setting, value, ids, onValue }: { setting: Setting; value: string; ids: object; onValue: (value: string) => void }) {
  const t = useT();
  const words = setting.type === "boolean" ? ["true", "false"] : setting.words;
  if (words) {
    return (
      <select {...ids} value={value} onChange={(event) => onValue(event.target.value)}>
        <option value="">{t("change.default_is", { value: setting.default })}</option>
        {words.map((word) => (
          <option key={word}>{word}</option>
        ))}
      </select>
    );
  }
  const is_number = setting.type === "integer" || setting.type === "number";
  return <input {...ids} inputMode={is_number ? "decimal" : "text"} autoComplete="off" value={value} onChange={(event) => onValue(event.target.value)} />;
}

function About({ setting }: { setting: Setting }) {
  const t = useT();
  const range = setting.low !== undefined && setting.high !== undefined ? t("change.range", { low: setting.low, high: setting.high }) : "";
  return (
    <div className="setting-about">
      <p lang="en" dir="auto">
        {setting.about}
      </p>
      <p className="chips">
        {setting.emergency && <Chip status="urgent">{t("change.setting.emergency")}</Chip>}
        {setting.standard_change && <Chip status="info">{t("change.setting.standard")}</Chip>}
        <small>{[range, setting.unit].filter(Boolean).join(" ")}</small>
      </p>
    </div>
  );
}

function Form({ words, settings, fault, onWords, onText }: Props) {
  const t = useT();
  const formats = useFormats();
  const metrics = useMonitor().data?.metrics ?? [];
  const all = settings.data?.settings ?? [];
  const setting = all.find((each) => each.name === words.setting);
  const place = fault ? field_of(fault.where) : "";
  const wrong = (field: ReturnType<typeof field_of>) => (fault && place === field ? fault.text : undefined);
  const set = (some: Partial<Words>) => onWords({ ...words, ...some });
  const modules = [...new Set(all.map((each) => each.name.split(".")[0]!))];
  const choose = (name: string) => {
    const next = all.find((each) => each.name === name);
    const own_title = words.title !== "" && words.title !== words.setting;
    set({ setting: name, value: "", title: own_title ? words.title : name, type: next?.standard_change ? "standard" : "normal" });
  };
  const metric = metrics.find((each) => each.name === words.metric.metric);
  return (
    <>
      <Panel title={t("change.way.setting")}>
        <div className="fields">
          <Field label={t("change.setting")} error={wrong("setting")}>
            {(ids) => (
              <select {...ids} value={words.setting} onChange={(event) => choose(event.target.value)}>
                <option value="">{t("change.choose")}</option>
                {modules.map((name) => (
                  <optgroup key={name} label={name}>
                    {all
                      .filter((each) => each.name.split(".")[0] === name)
                      .map((each) => (
                        <option key={each.name}>{each.name}</option>
                      ))}
                  </optgroup>
                ))}
              </select>
            )}
          </Field>
          {setting && (
            <>
              <About setting={setting} />
              <div className="pair">
                <Field label={t("change.old")}>{(ids) => <input {...ids} readOnly value={setting.applied} dir="ltr" />}</Field>
                <Field label={t("change.new")} hint={t("change.new_hint")} error={wrong("value")}>
                  {(ids) => <Value setting={setting} value={words.value} ids={ids} onValue={(value) => set({ value })} />}
                </Field>
              </div>
              <Field label={t("change.scope")} hint={t("change.scope_hint")} error={wrong("scope")}>
                {(ids) => <input {...ids} value={words.scope} placeholder="all" dir="ltr" autoComplete="off" onChange={(event) => set({ scope: event.target.value })} />}
              </Field>
            </>
          )}
        </div>
      </Panel>
      <Panel title={t("change.what")}>
        <div className="fields">
          <Field label={t("change.title")} error={wrong("title")}>
            {(ids) => <input {...ids} value={words.title} maxLength={200} onChange={(event) => set({ title: event.target.value })} />}
          </Field>
          <Field label={t("change.why")} error={wrong("description")}>
            {(ids) => <textarea {...ids} rows={3} value={words.description} onChange={(event) => set({ description: event.target.value })} />}
          </Field>
          <div className="pair">
            <Field label={t("change.type")} error={wrong("type")}>
              {(ids) => (
                <select {...ids} value={words.type} onChange={(event) => set({ type: event.target.value as Words["type"] })}>
                  {(["standard", "normal", "emergency"] as const).map((type) => (
                    <option key={type} value={type}>
                      {t(`change.type.${type}`)}
                    </option>
                  ))}
                </select>
              )}
            </Field>
            <Field label={t("change.tested_where")} hint={t("change.tested_hint")} error={wrong("evidence")}>
              {(ids) => <input {...ids} value={words.evidence} dir="ltr" onChange={(event) => set({ evidence: event.target.value })} />}
            </Field>
          </div>
        </div>
      </Panel>
      <Panel title={t("change.checks")}>
        <fieldset className="fields">
          <legend className="field-hint">{t("change.checks_why")}</legend>
          <label className="tick">
            <input type="checkbox" checked={words.in_force} onChange={(event) => set({ in_force: event.target.checked })} />
            {t("change.check.in_force")}
          </label>
          <label className="tick">
            <input type="checkbox" checked={words.answers} onChange={(event) => set({ answers: event.target.checked })} />
            {t("change.check.answers")}
          </label>
          <label className="tick">
            <input type="checkbox" checked={words.metric.on} onChange={(event) => set({ metric: { ...words.metric, on: event.target.checked } })} />
            {t("change.check.metric")}
          </label>
          {words.metric.on && (
            <>
              <div className="metric-check">
                <Field label={t("change.metric")} {...(metric?.value !== undefined ? { hint: t("change.metric_now", { value: formats.number(metric.value, 2), unit: metric.unit }) } : {})}>
                  {(ids) => (
                    <select {...ids} value={words.metric.metric} onChange={(event) => set({ metric: { ...words.metric, metric: event.target.value } })}>
                      <option value="">{t("change.choose")}</option>
                      {metrics.map((each) => (
                        <option key={each.name}>{each.name}</option>
                      ))}
                    </select>
                  )}
                </Field>
                <Field label={t("change.limit_side")}>
                  {(ids) => (
                    <select {...ids} value={words.metric.side} onChange={(event) => set({ metric: { ...words.metric, side: event.target.value as "at_most" | "at_least" } })}>
                      <option value="at_most">{t("change.at_most")}</option>
                      <option value="at_least">{t("change.at_least")}</option>
                    </select>
                  )}
                </Field>
                <Field label={t("change.limit")}>
                  {(ids) => <input {...ids} inputMode="decimal" value={words.metric.limit} onChange={(event) => set({ metric: { ...words.metric, limit: event.target.value.trim() } })} />}
                </Field>
              </div>
              <Field label={t("change.watch")} hint={t("change.watch_hint")} error={wrong("watch_min")}>
                {(ids) => <input {...ids} inputMode="numeric" value={words.watch_min} onChange={(event) => set({ watch_min: event.target.value.trim() })} />}
              </Field>
            </>
          )}
          {wrong("check") && (
            <p className="field-error" role="alert">
              {wrong("check")}
            </p>
          )}
        </fieldset>
        <Button look="quiet" disabled={!setting} onClick={onText}>
          {t("change.as_text")}
        </Button>
      </Panel>
    </>
  );
}

export function SettingForm(props: Props) {
  const t = useT();
  return (
    <div className="change-column">
      <Data read={props.settings} lines={4} height={64}>
        {({ settings }) => (settings.length === 0 ? <Empty title={t("change.no_settings")} status="neutral" /> : <Form {...props} />)}
      </Data>
    </div>
  );
}
