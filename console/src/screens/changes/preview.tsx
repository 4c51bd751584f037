// What the server says of a plan that is not proposed yet.

import type { Authority, ShownChange } from "../../api/changes";
import { useT, type MessageId } from "../../i18n";
import { Chip } from "../../ui/basic";
import { RiskView } from "./parts";

export function Preview({ shown }: { shown: ShownChange }) {
  const t = useT();
  const word = (slot: string) =>
    slot === "any member"
      ? t("change.any_member")
      : slot
          .split(" or ")
          .map((each) => t(`change.authority.${each as Authority}` as MessageId))
          .join(` ${t("change.or")} `);
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
              {word(slot)}
            </Chip>
          ))}
        </p>
      )}
    </div>
  );
}
