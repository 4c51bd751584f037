// What the server says of a plan that is not proposed yet.

import type { ShownChange } from "../../api/changes";
import { useT } from "../../i18n";
import { Chip } from "../../ui/basic";
import { RiskView, useSlotWords } from "./parts";

export function Preview({ shown }: { shown: ShownChange }) {
  const t = useT();
  const words = useSlotWords();
  return (
    <div className="preview" role="status">
      <RiskView change={shown.change} />
      <h3>{t("change.approvals")}</h3>
      {shown.change.type === "standard" ? (
        <p>{t("change.standard_why")}</p>
      ) : (
        <p className="chips">
          {shown.approvals_needed.map((slot, at) => (
            <Chip key={at} status="watch">
              {words(slot)}
            </Chip>
          ))}
        </p>
      )}
    </div>
  );
}
