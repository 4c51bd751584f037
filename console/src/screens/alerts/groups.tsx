// What fires, by cause: how many, since when, who is told, what to do.

import { useMemo } from "react";
import { Link } from "wouter";
import { useAlertGroups, useSilences, type LabelAlert, type Silence } from "../../api/alerting";
import { look_of_severity, SeverityChip } from "../../clinical/parts";
import { useFormats, useT } from "../../i18n";
import { Age, Button, Chip, Remaining } from "../../ui/basic";
import { Icon } from "../../ui/icons";
import { Data, Empty } from "../../ui/states";
import { useParam } from "../../ui/url";
import { useMay } from "../permitted";
import { causes_of, drafts_of, is_held, labels_text, severity_of, storm_alerts, summary_of, to_param, told_of, type Cause } from "./causes";
import { EndingSoon } from "./silence-list";

const causes_shown = 100;
const storm_total = 100;

function Member({ alert, cause }: { alert: LabelAlert; cause: Cause }) {
  const t = useT();
  const own = Object.fromEntries(Object.entries(alert.labels).filter(([name]) => !(name in cause.labels) && name !== "severity"));
  return (
    <li className="line">
      {is_held(alert) ? (
        <Chip status="neutral">{t(alert.status.silencedBy.length > 0 ? "alert.silenced" : "alert.inhibited")}</Chip>
      ) : (
        <SeverityChip severity={severity_of(alert.labels)} />
      )}
      <span className="line-text wraps">
        <strong dir="auto">{summary_of(alert) ?? alert.labels["alertname"]}</strong>
        <small>
          <bdi>{labels_text(own)}</bdi>
        </small>
      </span>
      <span className="line-time number">
        <Age at={alert.startsAt} />
      </span>
    </li>
  );
}

function Members({ cause }: { cause: Cause }) {
  const t = useT();
  const more = cause.alerts.length - storm_alerts;
  return (
    <div className="cause-members">
      <ul className="lines">
        {cause.alerts.slice(0, storm_alerts).map((alert) => (
          <Member key={alert.fingerprint} alert={alert} cause={cause} />
        ))}
      </ul>
      {more > 0 && <p className="field-hint">{t("alert.more", { n: more })}</p>}
    </div>
  );
}

function CauseLine({ cause, silences, chosen, choose }: { cause: Cause; silences: readonly Silence[]; chosen: boolean; choose: () => void }) {
  const t = useT();
  const formats = useFormats();
  const may = useMay();
  const told = told_of(cause);
  const look = told === 0 ? "neutral" : look_of_severity[cause.severity];
  const holding = silences.filter((silence) => cause.silences.includes(silence.id)).sort((a, b) => a.endsAt.localeCompare(b.endsAt))[0];
  const can_silence = may("am-post-silence") && cause.emergencies < cause.alerts.length;
  return (
    <li className={`panel cause ${look}`} data-cause={cause.title}>
      <div className="cause-head">
        <div className="row cause-chips">
          {told === 0 ? <Chip status="neutral">{t(cause.silenced > 0 ? "alert.silenced" : "alert.inhibited")}</Chip> : <SeverityChip severity={cause.severity} />}
          {cause.alerts.length > storm_alerts && <Chip status="watch">{t("alert.storm")}</Chip>}
        </div>
        <h2>
          <bdi>{cause.title}</bdi>
        </h2>
        <p className="cause-count number">{t("alert.firing", { n: cause.alerts.length })}</p>
      </div>
      {cause.summary && <p dir="auto">{cause.summary}</p>}
      <dl className="cause-facts">
        <div>
          <dt>{t("alert.first")}</dt>
          <dd>
            <Age at={cause.first} />
          </dd>
        </div>
        <div>
          <dt>{t("alert.last")}</dt>
          <dd>
            <Age at={cause.last} />
          </dd>
        </div>
        <div>
          <dt>{t("alert.receivers")}</dt>
          <dd>
            <bdi>{cause.receivers.join(", ")}</bdi>
          </dd>
        </div>
        {cause.silenced > 0 && (
          <div>
            <dt>{t("alert.silenced")}</dt>
            <dd>
              <Link href="/alerts?view=silences">
                {formats.number(cause.silenced)}
                {holding && (
                  <>
                    , <Remaining until={holding.endsAt} />
                  </>
                )}
              </Link>
            </dd>
          </div>
        )}
        {cause.inhibited > 0 && (
          <div>
            <dt>{t("alert.inhibited")}</dt>
            <dd className="number">{formats.number(cause.inhibited)}</dd>
          </div>
        )}
      </dl>
      {cause.emergencies > 0 && (
        <p className="cause-emergency emergency">
          <Icon name="emergency" />
          {cause.emergencies === cause.alerts.length ? t("silence.never_emergencies") : t("alert.has_emergencies", { n: cause.emergencies })}
        </p>
      )}
      <div className="row cause-actions">
        <Button aria-expanded={chosen} onClick={choose}>
          {t(chosen ? "alert.hide_members" : "alert.show_members")}
        </Button>
        {cause.runbook && (
          <a className="button quiet" href={cause.runbook} target="_blank" rel="noopener noreferrer">
            <Icon name="link" />
            {t("alert.runbook")}
          </a>
        )}
        {can_silence && told > 0 && (
          <Link className="button quiet" href={`/alerts?view=silences&match=${encodeURIComponent(to_param(drafts_of(cause)))}`}>
            <Icon name="pause" />
            {t("silence.make")}
          </Link>
        )}
      </div>
      {chosen && <Members cause={cause} />}
    </li>
  );
}

export function Groups() {
  const t = useT();
  const read = useAlertGroups();
  const silences = useSilences();
  const [chosen, set_chosen] = useParam("cause");
  const causes = useMemo(() => causes_of(read.data ?? []), [read.data]);
  const total = causes.reduce((sum, cause) => sum + cause.alerts.length, 0);
  return (
    <Data read={read} lines={4} height={120}>
      {() => (
        <div className="causes-part">
          <EndingSoon silences={silences.data ?? []} />
          {total >= storm_total && (
            <p className="band watch">
              <Icon name="watch" />
              <span>{t("alert.storm_text", { alerts: total, causes: causes.length })}</span>
            </p>
          )}
          {causes.length === 0 ? (
            <Empty title={t("alert.no_groups")}>{t("alert.no_groups_why")}</Empty>
          ) : (
            <ul className="causes" aria-label={t("alert.view.groups")}>
              {causes.slice(0, causes_shown).map((cause) => (
                <CauseLine key={cause.key} cause={cause} silences={silences.data ?? []} chosen={chosen === cause.key} choose={() => set_chosen(chosen === cause.key ? "" : cause.key)} />
              ))}
            </ul>
          )}
          {causes.length > causes_shown && <p className="field-hint">{t("alert.more_causes", { n: causes.length - causes_shown })}</p>}
        </div>
      )}
    </Data>
  );
}
