// What a silence would hold back now.

import type { Matcher, SilencePreview } from "../../api/alerting";
import type { Read } from "../../api/read";
import { useT } from "../../i18n";
import { Icon } from "../../ui/icons";

export const held_by = (preview: SilencePreview): number => preview.firing - preview.emergencies_not_muted;

export function Preview({ read, matchers }: { read: Read<SilencePreview>; matchers: readonly Matcher[] }) {
  const t = useT();
  const { data, error } = read;
  return (
    <section className="silence-preview" aria-label={t("silence.preview")} aria-live="polite" aria-busy={read.isFetching || undefined}>
      <h3>{t("silence.preview")}</h3>
      {matchers.length === 0 ? (
        <p className="field-hint">{t("silence.preview_waits")}</p>
      ) : error ? (
        <p className="field-error">{error.message}</p>
      ) : !data ? (
        <p className="field-hint">{t("state.loading")}</p>
      ) : (
        <>
          <p className="preview-count">
            <span className="number">{held_by(data)}</span> {t("silence.would_hold", { n: held_by(data) })}
          </p>
          <p className="field-hint">{t("silence.recent", { n: data.last_30_days, urgent: data.urgent })}</p>
          {data.names.length > 0 && (
            <p className="row">
              {data.names.map((name) => (
                <code key={name}>{name}</code>
              ))}
            </p>
          )}
          {data.emergencies_not_muted > 0 && (
            <p className="cause-emergency emergency">
              <Icon name="emergency" />
              {t("alert.has_emergencies", { n: data.emergencies_not_muted })}
            </p>
          )}
          {data.needs_second_person && (
            <div className="state urgent">
              <Icon name="urgent" />
              <div>
                <p className="state-title">{t("silence.needs_second")}</p>
                <p dir="auto">{data.why}</p>
              </div>
            </div>
          )}
        </>
      )}
    </section>
  );
}
