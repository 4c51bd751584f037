// Incidents with their clocks.

import { useIncidents } from "../api/queries";
import { look_of_incident } from "../clinical/parts";
import { useT } from "../i18n";
import { Select } from "../ui/basic";
import { Rows } from "../ui/rows";
import { Data, Empty } from "../ui/states";
import { useParam } from "../ui/url";
import { IncidentLine } from "../clinical/lines";

export default function Incidents() {
  const t = useT();
  const [state, set_state] = useParam("state");
  const is_over = state === "over";
  const read = useIncidents(is_over ? "over" : "open", 500);
  return (
    <div className="incidents">
      <header className="screen-head">
        <h1>{t("screen.incidents")}</h1>
        <Select label={t("alerts.state")} value={is_over ? "over" : "open"} onChange={(event) => set_state(event.target.value === "over" ? "over" : "")}>
          <option value="open">{t("alerts.open")}</option>
          <option value="over">{t("incidents.over")}</option>
        </Select>
      </header>
      <Data read={read} lines={6} height={60}>
        {({ incidents }) =>
          incidents.length === 0 ? (
            <Empty title={t("incidents.none")}>{t("incidents.none_why")}</Empty>
          ) : (
            <Rows
              label={t("screen.incidents")}
              className="line-rows"
              rows={incidents}
              id_of={(incident) => incident.id}
              row_height={64}
              row_class={(incident) => look_of_incident[incident.severity]}
              render={(incident) => (
                <div role="cell" className="line">
                  <IncidentLine incident={incident} />
                </div>
              )}
            />
          )
        }
      </Data>
    </div>
  );
}
