// The server as it says it is.

import { ask, fhir_base } from "../../api/client";
import { useStatus } from "../../api/queries";
import { useRead } from "../../api/read";
import { useFormats, useT, type MessageId } from "../../i18n";
import { Chip } from "../../ui/basic";
import { Command } from "../../ui/command";
import { Data, Panel } from "../../ui/states";
import { useBytes } from "../access/tenant";

const useConfig = () => useRead({ queryKey: ["config"], queryFn: ({ signal }) => ask("GET /api/v1/config", { signal, attended: false }) });

const documents: readonly [MessageId, string][] = [
  ["settings.doc.capability", `${fhir_base}/metadata`],
  ["settings.doc.openapi", "/api/v1/openapi.json"],
  ["settings.doc.smart", "/.well-known/smart-configuration"],
];

export function ServerPart() {
  const t = useT();
  const formats = useFormats();
  const bytes = useBytes();
  const config = useConfig();
  const status = useStatus();
  return (
    <div className="two-parts">
      <Panel title={t("settings.server")}>
        <Data read={config} lines={3} height={44}>
          {({ access, demo, version }) => (
            <dl className="who-facts">
              <div>
                <dt>{t("settings.version_of")}</dt>
                <dd dir="ltr">MyDR24 {version}</dd>
              </div>
              <div>
                <dt>{t("settings.access")}</dt>
                <dd>
                  <Chip status={access === "on" ? "safe" : "watch"}>{t(access === "on" ? "settings.access_on" : "access.off")}</Chip>
                </dd>
              </div>
              <div>
                <dt>{t("settings.data")}</dt>
                <dd>{t(demo ? "settings.demo" : "settings.real")}</dd>
              </div>
              <div>
                <dt>{t("settings.address")}</dt>
                <dd dir="ltr">{location.origin}</dd>
              </div>
              <div>
                <dt>FHIR R4</dt>
                <dd dir="ltr">{`${location.origin}${fhir_base}`}</dd>
              </div>
            </dl>
          )}
        </Data>
        <h3>{t("settings.documents")}</h3>
        <ul className="document-list">
          {documents.map(([name, path]) => (
            <li key={path}>
              <a href={path} target="_blank" rel="noopener">
                {t(name)}
              </a>{" "}
              <small dir="ltr">{path}</small>
            </li>
          ))}
        </ul>
      </Panel>
      <Panel title={t("settings.store")}>
        <Data read={status} lines={2} height={64}>
          {({ store, escalate_after_s }) => (
            <dl className="figures">
              <div>
                <dt>{t("settings.on_disk")}</dt>
                <dd className="number">{bytes(store.bytes_on_disk)}</dd>
              </div>
              <div>
                <dt>{t("settings.commits")}</dt>
                <dd className="number">{formats.number(store.commits)}</dd>
              </div>
              <div>
                <dt>{t("settings.commit_last")}</dt>
                <dd className="number">{formats.duration_ms(store.commit_ms_last)}</dd>
              </div>
              <div>
                <dt>{t("settings.escalate_after")}</dt>
                <dd className="number">{formats.duration_ms(escalate_after_s * 1_000)}</dd>
              </div>
            </dl>
          )}
        </Data>
        <h3>{t("settings.file")}</h3>
        <p className="field-hint">{t("settings.file_why")}</p>
        <Command>mydr24 config show --effective</Command>
        <Command>mydr24 config validate --config /etc/mydr24/mydr24.toml</Command>
        <Command>mydr24 doctor --data FOLDER</Command>
      </Panel>
    </div>
  );
}
