// What happens in `mydr24 demo`: the scene of the script, the pages that came, and drills. Not there on any other server.

import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { Link } from "wouter";
import { begin_drill, end_drill, scenes, useDemo, type Demo } from "../../api/demo";
import { ApiError } from "../../api/error";
import { client } from "../../api/queries";
import { useFormats, useT, type MessageId } from "../../i18n";
import { Age, Button, Chip, Dialog, Field, Remaining } from "../../ui/basic";
import { Icon } from "../../ui/icons";
import { say } from "../../ui/notices";
import { Data, Panel } from "../../ui/states";
import "../../theme/show.css";

function Story({ story }: { story: NonNullable<Demo["story"]> }) {
  const t = useT();
  const now = scenes.indexOf(story.scene);
  return (
    <ol className="show-scenes" aria-label={t("show.scenes")}>
      {scenes.map((scene, at) => (
        <li key={scene} className={at < now ? "done" : at === now ? "now" : ""} aria-current={at === now ? "step" : undefined}>
          <Icon name={at < now ? "check" : at === now ? "on" : "neutral"} />
          <span>
            {t(`show.scene.${scene}` as MessageId)}
            {at === now && (
              <small className="number">
                <Age at={story.since} />
              </small>
            )}
          </span>
        </li>
      ))}
    </ol>
  );
}

const pages_shown = 4;

function Pager({ pages }: { pages: Demo["pages"] }) {
  const t = useT();
  return (
    <div className="show-pager">
      <h3>{t("show.pager")}</h3>
      {pages.length === 0 ? (
        <p className="field-hint">{t("show.no_pages")}</p>
      ) : (
        <ul className="lines">
          {pages.slice(0, pages_shown).map((page) => (
            <li key={page.id}>
              <Link href={`/alerts?alert=${encodeURIComponent(page.alert)}`} className="line">
                <Chip status={page.severity === "emergency" ? "emergency" : page.severity === "urgent" ? "urgent" : "watch"}>
                  <bdi>{page.contact}</bdi>
                </Chip>
                <span className="line-text">
                  <strong dir="auto">{page.title}</strong>
                </span>
                <span className="line-time number">
                  <Age at={page.at} />
                </span>
              </Link>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}

const seconds = 60;

function StartDialog({ demo, open, onClose }: { demo: Demo; open: boolean; onClose: () => void }) {
  const t = useT();
  const [scenario, set_scenario] = useState("mass-casualty");
  const chosen = demo.scenarios.find((each) => each.name === scenario);
  const starting = useMutation({
    mutationFn: () => begin_drill(scenario, seconds),
    onSuccess: (answer) => {
      client.setQueryData(["demo"], answer);
      onClose();
    },
  });
  return (
    <Dialog
      open={open}
      onClose={onClose}
      title={t("show.start")}
      actions={
        <Button look="primary" busy={starting.isPending} onClick={() => starting.mutate()}>
          {t("show.confirm", { n: seconds })}
        </Button>
      }
    >
      <p>{t("show.what", { n: chosen?.multiplier ?? 1 })}</p>
      <Field label={t("show.scenario_label")} error={starting.error ? t("show.not_started", { why: starting.error.message }) : undefined}>
        {(ids) => (
          <select {...ids} value={scenario} onChange={(event) => set_scenario(event.target.value)}>
            {demo.scenarios.map((each) => (
              <option key={each.name} value={each.name}>
                {t(`show.scenario.${each.name}` as MessageId)}
              </option>
            ))}
          </select>
        )}
      </Field>
    </Dialog>
  );
}

function Results({ classes }: { classes: NonNullable<Demo["drill"]["classes"]> }) {
  const t = useT();
  const formats = useFormats();
  return (
    <table className="show-results">
      <thead>
        <tr>
          <th scope="col">{t("classes.name")}</th>
          <th scope="col">{t("show.offered")}</th>
          <th scope="col">{t("show.served")}</th>
          <th scope="col">{t("show.refused")}</th>
          <th scope="col">{t("show.p99")}</th>
        </tr>
      </thead>
      <tbody>
        {classes.map((each) => (
          <tr key={each.class}>
            <th scope="row">{t(`class.${each.class}` as MessageId)}</th>
            <td className="number">{formats.number(each.offered)}</td>
            <td className="number">{formats.number(each.served)}</td>
            <td className="number">{formats.number(each.refused)}</td>
            <td className="number">{each.served > 0 ? formats.duration_ms(each.p99_ms) : "-"}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Drill({ demo }: { demo: Demo }) {
  const t = useT();
  const [asking, set_asking] = useState(false);
  const { drill } = demo;
  const under_way = drill.phase === "preparing" || drill.phase === "running" || drill.phase === "settling";
  const ending = useMutation({
    mutationFn: end_drill,
    retry: (count, error) => count < 3 && error instanceof ApiError && error.can_retry,
    onSuccess: (answer) => client.setQueryData(["demo"], answer),
    onError: (error) => say("urgent", t("show.not_ended", { why: error.message })),
  });
  return (
    <div className="show-drill">
      <h3>{t("show.drill")}</h3>
      <p className="row" role="status">
        <Chip status={under_way ? "watch" : "neutral"} solid={drill.phase === "running"}>
          {t(`show.phase.${drill.phase}`)}
        </Chip>
        {drill.scenario && <span>{t(`show.scenario.${drill.scenario}` as MessageId)}</span>}
        {drill.phase === "running" && drill.ends_at && <Remaining until={drill.ends_at} />}
      </p>
      {drill.problem && <p className="field-error">{drill.problem}</p>}
      {(drill.classes ?? []).length > 0 && <Results classes={drill.classes!} />}
      {under_way ? (
        <Button busy={ending.isPending} disabled={drill.phase === "settling"} onClick={() => ending.mutate()}>
          {t("show.end")}
        </Button>
      ) : (
        <Button look="primary" onClick={() => set_asking(true)}>
          {t("show.start")}
        </Button>
      )}
      <StartDialog demo={demo} open={asking} onClose={() => set_asking(false)} />
    </div>
  );
}

export default function Show() {
  const t = useT();
  const read = useDemo();
  return (
    <Panel title={t("show.title")} aside={<small>{t("show.not_real")}</small>} className="wide show">
      <Data read={read} lines={3} height={52}>
        {(demo) => (
          <>
            {demo.story && <Story story={demo.story} />}
            {demo.story?.patient && (
              <p className="show-links">
                <Link href={`/patients/${encodeURIComponent(demo.story.patient)}`}>{t("show.patient")}</Link>
                <Link href="/incidents">{t("screen.incidents")}</Link>
                <Link href="/changes">{t("screen.changes")}</Link>
              </p>
            )}
            <div className="show-parts">
              <Pager pages={demo.pages} />
              <Drill demo={demo} />
            </div>
          </>
        )}
      </Data>
    </Panel>
  );
}
