// What the server is set to, by whom, and how it reaches people and is reached itself.

import { useT, type MessageId } from "../../i18n";
import { Tabs } from "../../ui/tabs";
import { useParam } from "../../ui/url";
import { useMay, type Need } from "../permitted";
import "../../theme/admin.css";
import "../../theme/settings.css";
import { Channels } from "./channels";
import { Feeds } from "./feeds";
import { Live } from "./live";
import { ServerPart } from "./server";

const parts = ["live", "channels", "feeds", "server"] as const;
type Part = (typeof parts)[number];
const needs: Record<Part, Need> = { live: "setting-list", channels: "monitor-channels", feeds: "series-query", server: "status" };

export default function Settings() {
  const t = useT();
  const may = useMay();
  const [tab] = useParam("tab");
  const open = parts.filter((part) => may(needs[part]));
  const current: Part = parts.find((part) => part === tab) ?? open[0] ?? "live";
  return (
    <div className="settings-screen">
      <header className="screen-head">
        <h1>{t("screen.settings")}</h1>
      </header>
      <Tabs label={t("screen.settings")} tabs={open.map((id) => ({ id, title: t(`settings.tab.${id}` as MessageId) }))} current={current} />
      {current === "live" && <Live />}
      {current === "channels" && <Channels />}
      {current === "feeds" && <Feeds />}
      {current === "server" && <ServerPart />}
    </div>
  );
}
