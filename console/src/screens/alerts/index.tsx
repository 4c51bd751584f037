// Alerts: who is called; what fires, by cause; what is silenced; which rules are worth it.

import { useT, type MessageId } from "../../i18n";
import { Tabs } from "../../ui/tabs";
import { useParam } from "../../ui/url";
import { useMay } from "../permitted";
import "../../theme/admin.css";
import "../../theme/alerts.css";
import { Actionability } from "./actionability";
import { Groups } from "./groups";
import { People } from "./people";
import { useWaiting } from "./proposals";
import { Silences } from "./silence-list";

const parts = ["people", "groups", "silences", "actionability"] as const;
type Part = (typeof parts)[number];
const needs = { people: "alerts", groups: "am-groups", silences: "am-silences", actionability: "actionability" } as const;

export default function Alerts() {
  const t = useT();
  const may = useMay();
  const [view] = useParam("view");
  const open = parts.filter((part) => may(needs[part]));
  const current: Part = parts.find((part) => part === view) ?? open[0] ?? "people";
  const waiting = useWaiting(may("silence-proposals"));
  const title_of = (id: Part) => (id === "silences" && waiting > 0 ? t("alert.view.silences_waiting", { n: waiting }) : t(`alert.view.${id}` as MessageId));
  return (
    <div className="alerts">
      <header className="screen-head">
        <h1>{t("screen.alerts")}</h1>
      </header>
      <Tabs label={t("screen.alerts")} param="view" tabs={open.map((id) => ({ id, title: title_of(id) }))} current={current} />
      {current === "people" && <People />}
      {current === "groups" && <Groups />}
      {current === "silences" && <Silences />}
      {current === "actionability" && <Actionability />}
    </div>
  );
}
