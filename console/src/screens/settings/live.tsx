// Settings that change while the server runs: what is in force, what was, and by which change. Nothing but a change changes one.

import { Link } from "wouter";
import { useSettings, type Setting } from "../../api/platform";
import { useSettingHistory, type SettingVersion } from "../../api/settings";
import { useT } from "../../i18n";
import { Chip, Dialog, Time } from "../../ui/basic";
import { Command } from "../../ui/command";
import { Data, Empty, Panel } from "../../ui/states";
import { useParam } from "../../ui/url";
import { useMay } from "../permitted";

const is_changed = (setting: Setting) => setting.applied !== setting.default;
const group_of = (setting: Setting) => setting.name.slice(0, setting.name.indexOf("."));

function useValue(): (setting: Setting, value: string) => string {
  const t = useT();
  return (setting, value) => {
    if (setting.type === "boolean") return t(value === "true" ? "settings.yes" : "settings.no");
    if (setting.unit === "days") return t("settings.days", { n: Number(value) });
    return setting.unit ? `${value} ${setting.unit}` : value;
  };
}

function ChangedBy({ version }: { version: SettingVersion }) {
  const t = useT();
  if (version.version === 0 || !version.at) return <small>{t("settings.never")}</small>;
  return (
    <small>
      <Time at={version.at} />, <bdi>{version.by}</bdi>
      {version.change && (
        <>
          {", "}
          <Link href={`/changes/${encodeURIComponent(version.change)}`}>
            <bdi>{version.change}</bdi>
          </Link>
        </>
      )}
    </small>
  );
}

function History({ setting }: { setting: Setting }) {
  const t = useT();
  const value_of = useValue();
  const may = useMay();
  const read = useSettingHistory(setting.name);
  const scopes = (version: SettingVersion) => Object.entries(version.values);
  return (
    <>
      <p>
        <bdi lang="en">{setting.about}</bdi>
      </p>
      <dl className="who-facts">
        <div>
          <dt>{t("settings.value")}</dt>
          <dd>
            <strong dir="ltr">{value_of(setting, setting.applied)}</strong>
          </dd>
        </div>
        <div>
          <dt>{t("settings.default")}</dt>
          <dd dir="ltr">{value_of(setting, setting.default)}</dd>
        </div>
        {setting.low !== undefined && (
          <div>
            <dt>{t("settings.range")}</dt>
            <dd dir="ltr">
              {setting.low} – {setting.high} {setting.unit}
            </dd>
          </div>
        )}
        <div>
          <dt>{t("settings.module")}</dt>
          <dd dir="ltr">{setting.module}</dd>
        </div>
      </dl>
      <h3>{t("settings.history")}</h3>
      <Data read={read} lines={2} height={52}>
        {({ history }) =>
          history.length === 0 ? (
            <Empty title={t("settings.never")} status="neutral">
              {t("settings.never_why")}
            </Empty>
          ) : (
            <ul className="lines">
              {history.map((version) => (
                <li key={version.version} className="line">
                  <Chip status={version.version === setting.in_force.version ? "info" : "neutral"}>{t("settings.version", { n: version.version })}</Chip>
                  <span className="line-text wraps">
                    <strong dir="ltr">
                      {scopes(version).length === 0
                        ? value_of(setting, setting.default)
                        : scopes(version)
                            .map(([scope, value]) => (scope === "all" ? value_of(setting, value) : `${scope}: ${value_of(setting, value)}`))
                            .join(", ")}
                    </strong>
                    <small dir="auto">{version.why}</small>
                    <ChangedBy version={version} />
                  </span>
                </li>
              ))}
            </ul>
          )
        }
      </Data>
      <h3>{t("settings.how")}</h3>
      <p className="field-hint">{t(setting.standard_change ? "settings.how_standard" : "settings.how_text")}</p>
      <Command>{`{kind: set, setting: ${setting.name}, value: ${setting.applied}}`}</Command>
      {may("change-propose") && (
        <p>
          <Link className="button" href={`/changes/new?setting=${encodeURIComponent(setting.name)}`}>
            {t("settings.propose")}
          </Link>
        </p>
      )}
    </>
  );
}

export function Live() {
  const t = useT();
  const value_of = useValue();
  const read = useSettings();
  const [chosen, choose] = useParam("setting");
  const [which, set_which] = useParam("which");
  const only_changed = which === "changed";
  return (
    <Data read={read} lines={6} height={64}>
      {({ settings }) => {
        const open = settings.find((setting) => setting.name === chosen);
        const changed = settings.filter(is_changed).length;
        const shown = only_changed ? settings.filter(is_changed) : settings;
        const groups = [...new Set(shown.map(group_of))];
        return (
          <>
            <p className="row">
              <span>{t("settings.sum", { n: settings.length, changed })}</span>
              <label className="check">
                <input type="checkbox" checked={only_changed} onChange={(event) => set_which(event.target.checked ? "changed" : "")} />
                {t("settings.only_changed")}
              </label>
            </p>
            {shown.length === 0 && (
              <Empty title={t("settings.none_changed")}>
                {t("settings.none_changed_why")}
              </Empty>
            )}
            <div className="setting-groups">
              {groups.map((group) => (
                <Panel key={group} title={group}>
                  <ul className="lines">
                    {shown
                      .filter((setting) => group_of(setting) === group)
                      .map((setting) => (
                        <li key={setting.name} className="setting-line">
                          <span className="line-text wraps">
                            <button type="button" className="link" dir="ltr" onClick={() => choose(setting.name)}>
                              {setting.name.slice(group.length + 1)}
                            </button>
                            <small>
                              <bdi lang="en">{setting.about}</bdi>
                            </small>
                            <ChangedBy version={setting.in_force} />
                          </span>
                          <span className="setting-value">
                            <strong className="number" dir="ltr">
                              {value_of(setting, setting.applied)}
                            </strong>
                            {is_changed(setting) ? (
                              <Chip status="info">{t("settings.instead_of", { value: value_of(setting, setting.default) })}</Chip>
                            ) : (
                              <small>{t("settings.as_default")}</small>
                            )}
                            {setting.emergency && <small>{t("settings.emergency")}</small>}
                          </span>
                        </li>
                      ))}
                  </ul>
                </Panel>
              ))}
            </div>
            <Dialog open={open !== undefined} onClose={() => choose("")} title={open?.name ?? ""} side>
              {open && <History setting={open} />}
            </Dialog>
          </>
        );
      }}
    </Data>
  );
}
