// A patient of the board with the alert that is open about them.

import type { Alert, BoardPatient } from "../../api/types";
import { look_of_band } from "../../clinical/parts";
import type { Translate } from "../../i18n";

export interface Line {
  patient: BoardPatient;
  alert: Alert | undefined;
}

export function owner_of(alert: Alert | undefined, t: Translate): string {
  if (!alert) return "";
  if (alert.state === "acknowledged") return alert.acknowledged_by ?? "";
  return t("board.calls", { n: alert.calls });
}

export const class_of = ({ patient, alert }: Line): string => {
  const names: string[] = [look_of_band[patient.band]];
  if (alert?.state === "open") names.push("waiting");
  // The policy's next step was called: nobody answered in time.
  if (alert?.state === "open" && (alert.step > 0 || alert.round > 1)) names.push("escalated");
  return names.join(" ");
};
