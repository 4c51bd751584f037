// The war room of one incident: what happens, who has what, what is left of the time; and its review.

import { Link } from "wouter";
import { parts_of, usePlan, type Contact } from "../../api/oncall";
import { useIncident, useSetup, type Incident } from "../../api/incidents";
import { useSession } from "../../api/session";
import { look_of_incident } from "../../clinical/parts";
import { useScreenKeys } from "../../frame/keys";
import { useT } from "../../i18n";
import { useActor, type Actor } from "../../ui/actor";
import { Age, Chip, Remaining } from "../../ui/basic";
import { Icon, type Status } from "../../ui/icons";
import { Data } from "../../ui/states";
import { useParam } from "../../ui/url";
import { useMay } from "../permitted";
import "../../theme/incidents.css";
import { Actions } from "./actions";
import { Clocks } from "./clocks";
import { RuleText } from "./declare";
import { Calls, ImpactPanel, LinkedPanel, people_list, Roles, StatusPage, Tasks } from "./parts";
import { Review } from "./review";
import { actor_place, useStep } from "./step";
import { Timeline } from "./timeline";

const look_of_state: Record<Incident["state"], Status> = { open: "urgent", acknowledged: "info", mitigated: "watch", resolved: "safe", closed: "neutral" };

function Head({ incident, actor }: { incident: Incident; actor: Actor }) {
  const t = useT();
  const session = useSession();
  const may = useMay();
  const setup = useSetup();
  const step = useStep(incident.id, actor);
  const service = setup.data?.setup.services?.find((each) => each.name === incident.service)?.title ?? incident.service;
  useScreenKeys({
    a: () => incident.state === "open" && may("incident-work-ack") && step.act("ack", {}, { said: t("incident.did.ack") }),
    u: () => document.querySelector<HTMLElement>("[data-update]")?.focus(),
  });
  return (
    <header className={`incident-head ${look_of_incident[incident.severity]}`}>
      <p className="row">
        <Link href="/incidents">{t("screen.incidents")}</Link>
        <Chip status={look_of_incident[incident.severity]} solid={incident.severity === "emergency" && incident.state === "open"}>
          {t(`incident.${incident.severity}`)}
        </Chip>
        <Chip status={look_of_state[incident.state]}>{t(`incident_state.${incident.state}`)}</Chip>
        {incident.escalated && <Chip status="urgent">{t("incident.kind.escalated")}</Chip>}
        {incident.breach && <Chip status="emergency">{t("incident.breach")}</Chip>}
      </p>
      <h1 dir="auto">{incident.title}</h1>
      <p className="incident-facts">
        {service && (
          <>
            <bdi>{service}</bdi>,{" "}
          </>
        )}
        {t("incident.opened_by", { who: incident.opened_by })} <Age at={incident.opened_at} />
        <br />
        {incident.severity_by ? t("incident.severity_by", { who: incident.severity_by }) : <RuleText found={incident.classified} />}
      </p>
      {incident.text && <p dir="auto">{incident.text}</p>}
      <Actions incident={incident} actor={actor} step={step} />
      {session.state === "open" && (
        <div id={actor_place} className="incident-actor">
          {actor.field}
        </div>
      )}
    </header>
  );
}

function Banners({ incident, open_review }: { incident: Incident; open_review: () => void }) {
  const t = useT();
  return (
    <>
      {incident.merged_into && (
        <div className="banner info">
          <Icon name="info" />
          <span>{t("incident.merged_into")}</span>
          <Link href={`/incidents/${encodeURIComponent(incident.merged_into)}`} className="button">
            {t("incident.open_other")}
          </Link>
        </div>
      )}
      {incident.review && !incident.review.closed && (
        <div className={`banner ${incident.review.overdue ? "emergency" : "watch"}`}>
          <Icon name={incident.review.overdue ? "emergency" : "watch"} />
          <span>
            {t(incident.review.overdue ? "incident.review_overdue" : "incident.review_open")}, <Remaining until={incident.review.due} />
          </span>
          <button type="button" className="button" onClick={open_review}>
            {t("incident.review")}
          </button>
        </div>
      )}
    </>
  );
}

function Whole({ incident }: { incident: Incident }) {
  const t = useT();
  const actor = useActor();
  const [view, set_view] = useParam("view");
  const plan = usePlan();
  const contacts = plan.data ? parts_of<Contact>(plan.data, "contact") : [];
  const in_review = view === "review";
  const tab = (name: "" | "review", text: string) => (
    <button type="button" className="counter" aria-pressed={view === name} onClick={() => set_view(name)}>
      {text}
    </button>
  );
  return (
    <>
      <datalist id={people_list}>
        {contacts.map((contact) => (
          <option key={contact.name} value={contact.name} />
        ))}
      </datalist>
      <Head incident={incident} actor={actor} />
      {!in_review && <Banners incident={incident} open_review={() => set_view("review")} />}
      <div className="counters wide" role="group" aria-label={t("incident.view")}>
        {tab("", t("incident.room"))}
        {tab("review", t("incident.review"))}
      </div>
      {in_review ? (
        <Review incident={incident} actor={actor} />
      ) : (
        <>
          <Clocks incident={incident} />
          <Timeline incident={incident} actor={actor} />
          <div className="incident-side">
            <Roles incident={incident} actor={actor} />
            <Tasks incident={incident} actor={actor} />
            <ImpactPanel incident={incident} />
            <LinkedPanel incident={incident} actor={actor} />
            <Calls incident={incident} actor={actor} />
            <StatusPage incident={incident} actor={actor} />
          </div>
        </>
      )}
    </>
  );
}

export default function Room({ id = "" }: { id?: string }) {
  const read = useIncident(id);
  return (
    <div className="incident">
      <Data read={read} lines={6} height={88}>
        {(incident) => <Whole key={incident.id} incident={incident} />}
      </Data>
    </div>
  );
}
