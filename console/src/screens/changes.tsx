// Changes of the platform, the newest first.

import { useChanges } from "../api/queries";
import { useT } from "../i18n";
import { Rows } from "../ui/rows";
import { Data, Empty } from "../ui/states";
import { ChangeLine } from "../clinical/lines";

export default function Changes() {
  const t = useT();
  const read = useChanges(500);
  return (
    <div className="changes">
      <header className="screen-head">
        <h1>{t("screen.changes")}</h1>
      </header>
      <Data read={read} lines={6} height={60}>
        {({ changes }) =>
          changes.length === 0 ? (
            <Empty title={t("changes.none")} status="neutral">
              {t("changes.none_why")}
            </Empty>
          ) : (
            <Rows
              label={t("screen.changes")}
              className="line-rows"
              rows={changes}
              id_of={(change) => change.id}
              row_height={64}
              render={(change) => (
                <div role="cell" className="line">
                  <ChangeLine change={change} />
                </div>
              )}
            />
          )
        }
      </Data>
    </div>
  );
}
