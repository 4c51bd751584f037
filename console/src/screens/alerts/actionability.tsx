// Which rules are worth being called for: of what fired, how much led to action, was looked at, or went away unseen.

import { useActionability, type RuleRecord } from "../../api/alerting";
import { useScreenKeys } from "../../frame/keys";
import { useFormats, useT, type MessageId } from "../../i18n";
import { Button, Chip, Select } from "../../ui/basic";
import { Data, Empty, Panel } from "../../ui/states";
import { useParam } from "../../ui/url";

const spans = [7, 30, 90] as const;

interface Parts {
  acted: number;
  seen: number; // acknowledged, and nothing was noted
  unseen: number; // ended with nobody having looked
  open: number; // nobody has looked yet
}
const parts_of = (rule: RuleRecord): Parts => ({
  acted: rule.led_to_action,
  seen: rule.acknowledged - rule.led_to_action,
  unseen: rule.auto_resolved,
  open: Math.max(0, rule.fired - rule.acknowledged - rule.auto_resolved),
});
const kinds = ["acted", "seen", "unseen", "open"] as const satisfies readonly (keyof Parts)[];
// Of what somebody looked at, or what ended unseen, the share without action: what is still open may yet lead to some.
function noise_of(rules: readonly RuleRecord[]): number | undefined {
  const sum = (kind: keyof Parts) => rules.reduce((all, rule) => all + parts_of(rule)[kind], 0);
  const over = sum("acted") + sum("seen") + sum("unseen");
  return over > 0 ? 1 - sum("acted") / over : undefined;
}
function useNoise(): (rules: readonly RuleRecord[]) => string {
  const formats = useFormats();
  return (rules) => {
    const noise = noise_of(rules);
    return noise === undefined ? "-" : formats.percent(noise);
  };
}

function RuleBar({ rule, most }: { rule: RuleRecord; most: number }) {
  const t = useT();
  const noise = useNoise();
  const parts = parts_of(rule);
  return (
    <li className="rule-bar" data-rule={rule.rule}>
      <p className="rule-name">
        <bdi>{rule.rule}</bdi>
        {rule.questionable && <Chip status="watch">{t("alert.action.questionable")}</Chip>}
      </p>
      <p className="rule-figures number">{t("alert.action.figures", { fired: rule.fired, acted: rule.led_to_action, noise: noise([rule]) })}</p>
      <div className="bar" aria-hidden="true" style={{ inlineSize: `${Math.max(2, (rule.fired / most) * 100)}%` }}>
        {kinds.map((kind) => parts[kind] > 0 && <span key={kind} className={`part-${kind}`} style={{ flexGrow: parts[kind] }} />)}
      </div>
    </li>
  );
}

function RuleTable({ rules }: { rules: readonly RuleRecord[] }) {
  const t = useT();
  const formats = useFormats();
  const noise = useNoise();
  return (
    <div className="scroll" tabIndex={0} role="region" aria-label={t("alert.view.actionability")}>
      <table>
        <thead>
          <tr>
            <th scope="col">{t("alert.action.rule")}</th>
            <th scope="col">{t("alert.action.fired")}</th>
            {kinds.map((kind) => (
              <th key={kind} scope="col">
                {t(`alert.action.${kind}` as MessageId)}
              </th>
            ))}
            <th scope="col">{t("alert.action.noise")}</th>
          </tr>
        </thead>
        <tbody>
          {rules.map((rule) => {
            const parts = parts_of(rule);
            return (
              <tr key={rule.rule}>
                <th scope="row">
                  <bdi>{rule.rule}</bdi> {rule.questionable && <Chip status="watch">{t("alert.action.questionable")}</Chip>}
                </th>
                <td className="number">{formats.number(rule.fired)}</td>
                {kinds.map((kind) => (
                  <td key={kind} className="number">
                    {formats.number(parts[kind])}
                  </td>
                ))}
                <td className="number">{noise([rule])}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}

export function Actionability() {
  const t = useT();
  const noise = useNoise();
  const [days_text, set_days] = useParam("days");
  const [look, set_look] = useParam("as");
  const days = spans.find((each) => String(each) === days_text) ?? 30;
  const as_table = look === "table";
  const toggle = () => set_look(as_table ? "" : "table");
  const read = useActionability(days);
  useScreenKeys({ t: toggle });
  return (
    <Panel
      title={t("alert.view.actionability")}
      aside={
        <div className="row">
          <Select label={t("alert.action.span")} value={days} onChange={(event) => set_days(event.target.value === "30" ? "" : event.target.value)}>
            {spans.map((each) => (
              <option key={each} value={each}>
                {t("alert.action.days", { n: each })}
              </option>
            ))}
          </Select>
          <Button aria-pressed={as_table} onClick={toggle}>
            {t("alert.action.table")} <kbd>t</kbd>
          </Button>
        </div>
      }
    >
      <p className="field-hint">{t("alert.action.why")}</p>
      <Data read={read} lines={5} height={52}>
        {({ rules }) => {
          if (rules.length === 0) return <Empty title={t("alert.action.none")} status="neutral" />;
          const fired = rules.reduce((sum, rule) => sum + rule.fired, 0);
          const acted = rules.reduce((sum, rule) => sum + rule.led_to_action, 0);
          return (
            <div className="actionability">
              <p className="noise-total">
                <span className="noise-figure number">{noise(rules)}</span>
                <span>{t("alert.action.total", { fired, acted })}</span>
              </p>
              {as_table ? (
                <RuleTable rules={rules} />
              ) : (
                <>
                  <ul className="bar-legend">
                    {kinds.map((kind) => (
                      <li key={kind}>
                        <span className={`swatch part-${kind}`} aria-hidden="true" />
                        {t(`alert.action.${kind}` as MessageId)}
                      </li>
                    ))}
                  </ul>
                  <ul className="rule-bars">
                    {rules.map((rule) => (
                      <RuleBar key={rule.rule} rule={rule} most={Math.max(...rules.map((each) => each.fired))} />
                    ))}
                  </ul>
                </>
              )}
            </div>
          );
        }}
      </Data>
    </Panel>
  );
}
