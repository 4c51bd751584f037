// Who has to approve, who did, and who still could.

import { usePolicy, type ShownChange } from "../../api/changes";
import { useT } from "../../i18n";
import { Age, Chip } from "../../ui/basic";
import { Icon } from "../../ui/icons";
import { Empty } from "../../ui/states";
import { useSlotWords } from "./parts";
import { could_fill, login_of, places_of, slots_of_change, type Slot } from "./people";

function Place({ slot, shown }: { slot: Slot; shown: ShownChange }) {
  const t = useT();
  const policy = usePolicy().data;
  const { change } = shown;
  const given = change.approvals.find((approval) => approval.member === slot.by);
  const others = policy ? could_fill(slot, policy, change.requested_by, change.approvals.map((each) => each.member)) : [];
  const role = policy?.members.find((member) => member.name === slot.by)?.role;
  return (
    <li className="line">
      <Chip status={given ? "safe" : change.state === "proposed" ? "watch" : "neutral"}>{t(given ? "change.approved" : "change.needed")}</Chip>
      <span className="line-text wraps">
        <strong>{slot.authorities.length === 0 ? t("change.any_member") : slot.authorities.map((each) => t(`change.authority.${each}`)).join(` ${t("change.or")} `)}</strong>
        <small>
          {given ? (
            <bdi>{role ? `${given.member}, ${role}` : given.member}</bdi>
          ) : others.length > 0 ? (
            <>
              {t("change.could")} <bdi>{others.map((member) => member.name).join(", ")}</bdi>
            </>
          ) : (
            t("change.nobody_left")
          )}
        </small>
      </span>
      {given && (
        <span className="line-time number">
          <Age at={given.at} />
        </span>
      )}
    </li>
  );
}

export function Approvals({ shown }: { shown: ShownChange }) {
  const t = useT();
  const policy = usePolicy();
  const words = useSlotWords();
  const { change } = shown;
  const edited = change.edited !== change.proposed;
  if (change.type === "standard") return <Empty title={t("change.standard")}>{t("change.standard_why")}</Empty>;
  const slots = policy.data ? slots_of_change(shown, policy.data) : [];
  return (
    <div className="approvals">
      {edited && (
        <p className="band watch" role="status">
          <Icon name="watch" />
          <span>
            {t("change.void")} <Age at={change.edited} />
          </span>
        </p>
      )}
      {policy.data ? (
        <ul className="lines">
          {slots.map((slot, at) => (
            <Place key={at} slot={slot} shown={shown} />
          ))}
        </ul>
      ) : (
        // Whose role does not show the board is told which authorities are missing.
        <ul className="lines">
          {places_of(shown).map(({ slot, is_open }, at) => (
            <li key={at} className="line">
              <Chip status={is_open ? "watch" : "safe"}>{t(is_open ? "change.needed" : "change.approved")}</Chip>
              <span className="line-text">
                <strong>{words(slot)}</strong>
              </span>
            </li>
          ))}
        </ul>
      )}
      <p className="field-hint">
        {t("change.not_own")} <bdi>{login_of(change.requested_by)}</bdi>. {t("change.digest")} <code dir="ltr">{change.digest.slice(0, 12)}</code>
      </p>
    </div>
  );
}
