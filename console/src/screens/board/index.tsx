// Who needs somebody now: patients by need, with how old each value is and who goes.

import { lazy, memo, Suspense, useMemo, useState } from "react";
import { Link, useLocation } from "wouter";
import { useBoard, useOpenAlerts } from "../../api/queries";
import type { Band, BoardPatient } from "../../api/types";
import { AcknowledgeDialog } from "../../clinical/acknowledge";
import { sign_names } from "../../clinical/news2";
import { look_of_band, PersonName, Score, SignValue } from "../../clinical/parts";
import { courses_since, note_scores, trend_of } from "../../clinical/trend";
import { useScreenKeys } from "../../frame/keys";
import { initials } from "../../api/fhir";
import { useT } from "../../i18n";
import { usePreferences } from "../../preferences";
import { Age, Button } from "../../ui/basic";
import { Icon } from "../../ui/icons";
import { useIsPhone } from "../../ui/media";
import { Rows } from "../../ui/rows";
import { Sparkline } from "../../ui/sparkline";
import { Data, Empty, Loading } from "../../ui/states";
import { useParam } from "../../ui/url";
import { class_of, owner_of, type Line } from "./line";

const bands: readonly Band[] = ["high", "medium", "low-medium", "low"];
const Ward = lazy(() => import("./ward"));

// Older than this is no value of now.
const no_data_after_ms = 15 * 60_000;

const Cells = memo(function Cells({ patient, alert, onAck }: Line & { onAck: (line: Line) => void }) {
  const t = useT();
  return (
    <>
      <span role="cell" className="cell-score">
        <Score points={patient.points} complete={patient.complete} band={patient.band} trend={trend_of(patient.id)} />
      </span>
      <span role="cell" className="cell-place">
        <bdi>{patient.place || "-"}</bdi>
      </span>
      <span role="cell" className="cell-name">
        <Link href={`/patients/${encodeURIComponent(patient.id)}`}>
          <PersonName name={patient.name} id={patient.id} />
        </Link>
        {alert && <small dir="auto" title={alert.reason}>{alert.reason ?? alert.title}</small>}
      </span>
      {sign_names.map((name) => (
        <span role="cell" key={name} className={`cell-sign cell-${name}`}>
          <SignValue name={name} sign={patient.signs?.[name]} />
        </span>
      ))}
      <span role="cell" className="cell-course">
        <Sparkline points={courses_since(patient.id)} width={90} height={26} step />
      </span>
      <span role="cell" className="cell-age number">
        {patient.finding ? <span title={patient.finding}>{t("board.no_data")} </span> : null}
        <Age at={patient.at} />
      </span>
      <span role="cell" className="cell-owner">
        {alert?.state === "acknowledged" && <Icon name="check" />}
        <bdi>{owner_of(alert, t)}</bdi>
      </span>
      <span role="cell" className="cell-act">
        {alert?.state === "open" && (
          <Button look={alert.severity === "emergency" ? "danger" : "plain"} onClick={() => onAck({ patient, alert })}>
            {t("action.ack")}
          </Button>
        )}
      </span>
    </>
  );
});

function Counters({ patients, chosen, choose }: { patients: readonly BoardPatient[]; chosen: string; choose: (band: string) => void }) {
  const t = useT();
  return (
    <div className="counters" role="group" aria-label={t("board.by_band")}>
      {bands.map((band) => {
        const n = patients.filter((patient) => patient.band === band).length;
        return (
          <button type="button" key={band} className={`counter ${n > 0 && band !== "low" ? look_of_band[band] : ""}`} aria-pressed={chosen === band} onClick={() => choose(chosen === band ? "" : band)}>
            <Icon name={look_of_band[band]} />
            <span className="number">{n}</span>
            <span>{t(`band.${band}`)}</span>
          </button>
        );
      })}
    </div>
  );
}

export default function BoardScreen() {
  const t = useT();
  const [, go] = useLocation();
  const phone = useIsPhone();
  const { initials: short } = usePreferences();
  const [view, set_view] = useParam("view");
  const as_charts = view === "charts";
  const read = useBoard(as_charts ? 1_000 : 2_000);
  const alerts = useOpenAlerts();
  const [band, set_band] = useParam("band");
  const [acting, set_acting] = useState<Line>();
  const [selected, set_selected] = useState("");
  const by_id = useMemo(() => new Map((alerts.data?.alerts ?? []).map((alert) => [alert.id, alert])), [alerts.data]);
  const patients = read.data?.patients;
  useMemo(() => patients && note_scores(patients), [patients]);
  const lines = useMemo(
    (): Line[] =>
      (patients ?? [])
        .filter((patient) => band === "" || patient.band === band)
        .map((patient) => ({ patient, alert: patient.alert ? by_id.get(patient.alert) : undefined })),
    [patients, band, by_id],
  );
  const move = (by: number) => {
    const at = lines.findIndex((line) => line.patient.id === selected);
    const next = lines[Math.min(lines.length - 1, Math.max(0, at + by))];
    if (next) set_selected(next.patient.id);
  };
  useScreenKeys({
    t: () => set_view(as_charts ? "" : "charts"),
    j: () => move(1),
    k: () => move(-1),
    Enter: () => selected && go(`/patients/${encodeURIComponent(selected)}`),
    a: () => {
      const at = lines.find((line) => line.patient.id === selected && line.alert?.state === "open") ?? lines.find((line) => line.alert?.state === "open");
      if (at) set_acting(at);
    },
  });
  const head = ["NEWS2", t("board.place"), t("board.patient"), ...sign_names.map((name) => t(`sign.short.${name}`)), t("board.course"), t("board.measured"), t("board.owner"), t("board.action")];
  const subject = acting ? [short ? initials(acting.patient.name) : acting.patient.name, acting.patient.place].filter(Boolean).join(", ") : "";
  return (
    <div className="board">
      <header className="screen-head">
        <h1>{t("screen.board")}</h1>
        <div className="row">
          {patients && <Counters patients={patients} chosen={band} choose={set_band} />}
          <div className="switch" role="group" aria-label={t("board.view")}>
            <button type="button" className="button" aria-pressed={!as_charts} onClick={() => set_view("")}>
              {t("board.list")}
            </button>
            <button type="button" className="button" aria-pressed={as_charts} onClick={() => set_view("charts")}>
              {t("board.charts")}
            </button>
          </div>
        </div>
      </header>
      <Data read={read} lines={8} height={56}>
        {(data) =>
          lines.length === 0 ? (
            <Empty title={t(band ? "board.none_of_band" : "board.none")} status="neutral" action={band ? <Button onClick={() => set_band("")}>{t("action.show_all")}</Button> : undefined}>
              {band ? undefined : t("board.none_why")}
            </Empty>
          ) : as_charts ? (
            <Suspense fallback={<Loading lines={4} height={170} />}>
              <Ward lines={lines} now={Date.parse(data.at)} onAck={set_acting} />
            </Suspense>
          ) : (
            <>
              <Rows
                label={t("screen.board")}
                className="board-rows"
                rows={lines}
                id_of={(line) => line.patient.id}
                {...(phone ? {} : { head })}
                row_height={phone ? 104 : 60}
                row_class={(line) => `${class_of(line)}${Date.parse(data.at) - Date.parse(line.patient.at) > no_data_after_ms ? " old" : ""}`}
                selected={selected}
                render={(line) => <Cells patient={line.patient} alert={line.alert} onAck={set_acting} />}
              />
              <p className="field-hint">{t(data.more ? "board.more" : "board.order")}</p>
            </>
          )
        }
      </Data>
      <AcknowledgeDialog alert={acting?.alert} subject={subject} onClose={() => set_acting(undefined)} />
    </div>
  );
}
