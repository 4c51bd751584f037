#include "api/desk_api/page.h"

namespace mydr24::desk_api {

const std::string_view page_js = R"js("use strict";
// The feed says that something changed; what is shown is always read from the server. Nothing is ever made up here:
// when the feed is silent for more than 8 seconds (it beats every 5), the page says so instead of showing old values as
// present ones.
const element = (id) => document.getElementById(id);
const silent_after_ms = 8000;
const state = { alerts: [], unrecorded: 0, names: new Map(), seen: 0, clock_offset: 0, busy: new Set() };

const now = () => Date.now() + state.clock_offset;

function make(tag, classes, text) {
  const node = document.createElement(tag);
  if (classes) node.className = classes;
  if (text !== undefined) node.textContent = text;
  return node;
}

function age(iso) {
  const seconds = Math.max(0, Math.round((now() - Date.parse(iso)) / 1000));
  if (seconds < 90) return `${seconds} s ago`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min ago`;
  return `${Math.round(seconds / 3600)} h ago`;
}

const milliseconds = (value) => (value < 10 ? value.toFixed(1) : Math.round(value)) + " ms";

async function read(path) {
  // The page asks by itself: that keeps nobody logged in.
  const answer = await fetch(path, { headers: { Accept: "application/json", "X-MyDR24-Unattended": "1" },
    signal: AbortSignal.timeout(silent_after_ms) });
  if (answer.status === 401) location.assign("/login");
  if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
  return answer.json();
}

async function acknowledge(id) {
  const who = element("who").value.trim();
  if (!who) {
    element("who").focus();
    say("Write your name first: an acknowledgement has to say who goes to the patient.");
    return;
  }
  localStorage.setItem("mydr24.who", who);
  state.busy.add(id);
  show_alerts();
  try {
    const answer = await fetch(`/api/v1/alerts/${encodeURIComponent(id)}/ack`, {
      method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ by: who }),
    });
    if (!answer.ok) throw new Error((await answer.json()).detail || `status ${answer.status}`);
    say("");
  } catch (error) {
    say(`Not acknowledged: ${error.message}`);
  }
  state.busy.delete(id);
  refresh();
}

function say(text) {
  element("band").textContent = text;
  element("band").hidden = !text;
}

function times_of(alert) {
  const raised = `raised ${age(alert.raised_at)}`;
  if (alert.state === "acknowledged") return `${raised}, acknowledged by ${alert.acknowledged_by} ${age(alert.acknowledged_at)}`;
  if (!alert.next_due) return raised;
  const left = Math.max(0, Math.ceil((Date.parse(alert.next_due) - now()) / 1000));
  return `${raised}, call ${alert.round + 1} made, next one in ${left} s`;
}

// All that a row shows but the times, which are brought up to date in place: a button must not go away under a finger.
function key_of(alert) {
  const patient = state.names.get((alert.patient || "").replace("Patient/", ""));
  return JSON.stringify([alert.id, alert.severity, alert.state, alert.reason, alert.acknowledged_by, patient?.name,
    patient?.place, state.busy.has(alert.id)]);
}

function alert_row(alert) {
  const acknowledged = alert.state === "acknowledged";
  const row = make("li", `${alert.severity}${acknowledged ? " acknowledged" : ""}`);
  row.dataset.key = key_of(alert);
  row.append(make("span", "severity", acknowledged ? "acknowledged" : alert.severity));
  const middle = make("div");
  const id = (alert.patient || "").replace("Patient/", "");
  const patient = state.names.get(id);
  middle.append(make("div", "who", patient ? `${patient.name}${patient.place ? ", " + patient.place : ""}` : alert.patient || alert.title));
  middle.append(make("div", "why", alert.reason || alert.title));
  middle.append(make("div", "when", times_of(alert)));
  row.append(middle);
  if (!acknowledged) {
    const button = make("button", "", "Acknowledge");
    button.disabled = state.busy.has(alert.id);
    button.dataset.id = alert.id;
    button.addEventListener("click", () => acknowledge(alert.id));
    row.append(button);
  }
  return row;
}

const is_live = () => state.seen > 0 && Date.now() - state.seen < silent_after_ms;

// That nobody waits may only be said by a server that has just said so: silence is not an answer.
function show_verdict() {
  const open = state.alerts.filter((alert) => alert.state === "open");
  const emergencies = open.filter((alert) => alert.severity === "emergency");
  const patients = new Set(emergencies.filter((alert) => alert.patient).map((alert) => alert.patient)).size;
  const others = emergencies.filter((alert) => !alert.patient).length;
  // They are in no list: nothing could be written down about them.
  const unwritten = state.unrecorded === 1 ? "1 emergency cannot be written down: people are called, nobody can answer here"
    : `${state.unrecorded} emergencies cannot be written down: people are called, nobody can answer here`;
  const waiting = state.unrecorded > 0 ? unwritten : patients > 0 ? `${patients} ${patients === 1 ? "patient needs" : "patients need"} help now`
    : others > 0 ? `${others} ${others === 1 ? "emergency" : "emergencies"} without an answer`
    : open.length > 0 ? `${open.length} urgent ${open.length === 1 ? "alert" : "alerts"} without an answer` : "";
  const text = !state.seen ? "Waiting for data" : waiting || (is_live() ? "Nobody is waiting for help" : "Unknown who is waiting: no data");
  const verdict = element("verdict");
  if (verdict.textContent !== text) verdict.textContent = text;
  verdict.className = emergencies.length > 0 || state.unrecorded > 0 ? "emergency" : open.length > 0 ? "urgent" : is_live() ? "safe" : "";
  element("no-alerts").hidden = state.alerts.length > 0 || state.unrecorded > 0 || !is_live();
  if (state.seen) element("clock-open").textContent = open.length;
}

function show_alerts() {
  const list = element("alerts");
  const shown = new Map([...list.children].map((row) => [row.dataset.key, row]));
  // The patient before the incident that it is for the platform.
  const rank = (alert) => (alert.source === "incidents" ? 1 : 0);
  const alerts = state.alerts.toSorted((a, b) => (a.severity === b.severity ? rank(a) - rank(b) : 0));
  const rows = alerts.map((alert) => {
    const row = shown.get(key_of(alert)) || alert_row(alert);
    row.querySelector(".when").textContent = times_of(alert);
    return row;
  });
  if (rows.length !== list.children.length || rows.some((row, i) => row !== list.children[i])) list.replaceChildren(...rows);
  show_verdict();
}

const letters = { 0: "A", 1: "C", 2: "V", 3: "P", 4: "U" };
const columns = [
  ["respiration", (v) => v], ["spo2", (v) => v], ["oxygen", (v) => (v ? "oxygen" : "air")], ["systolic", (v) => v],
  ["pulse", (v) => v], ["consciousness", (v) => letters[v] ?? v], ["temperature", (v) => Number(v).toFixed(1)],
];

function patient_row(patient) {
  const row = make("tr");
  const first = make("td");
  const points = patient.complete ? patient.points : `at least ${patient.points}`;
  first.append(make("span", `chip ${patient.band}`, `${points} ${patient.band}`));
  row.append(first);
  row.append(make("td", "", patient.name || patient.id));
  row.append(make("td", "", patient.place || ""));
  for (const [name, format] of columns) {
    const cell = make("td");
    const sign = (patient.signs || {})[name];
    if (sign) {
      const value = make("span", sign.points ? `p${sign.points}` : "", String(format(sign.value)));
      value.title = `${sign.points ?? "no"} points, measured ${age(sign.at)}`;
      cell.append(value);
    } else {
      cell.append(make("span", "old", "-"));
    }
    row.append(cell);
  }
  row.append(make("td", "old", age(patient.at)));
  return row;
}

function show_board(board) {
  state.clock_offset = Date.parse(board.at) - Date.now();
  state.names = new Map(board.patients.map((patient) => [patient.id, patient]));
  element("patients").replaceChildren(...board.patients.map(patient_row));
  element("no-patients").hidden = board.patients.length > 0;
  element("patients-count").textContent = board.patients.length ? `${board.patients.length}${board.more ? "+" : ""} patients` : "";
}

function show_status(status) {
  state.unrecorded = status.alerts.unrecorded;
  show_verdict();
  element("demo").hidden = !status.demo;
  const late = (id, ms) => element(id).parentElement.classList.toggle("late", ms > 2000);
  const has = status.alerts.delivered > 0;
  element("clock-deliver").textContent = has ? milliseconds(status.alerts.delivery_ms_last) : "-";
  element("clock-deliver-max").textContent = has ? milliseconds(status.alerts.delivery_ms_max) : "-";
  late("clock-deliver", status.alerts.delivery_ms_last);
  late("clock-deliver-max", status.alerts.delivery_ms_max);
  element("clock-escalated").textContent =
    `${status.alerts.escalated} further calls, one every ${status.escalate_after_s} s without an answer`;
  element("clock-commit").textContent = milliseconds(status.store.commit_ms_last);
  element("clock-writes").textContent = `${status.store.writes.toLocaleString("en")} writes since start`;
}

// Each is read by itself: alerts do not wait for the rest, and are shown although the rest cannot be read.
const parts = [
  { path: "/api/v1/alerts?count=100", show: (answer) => {
    // Who still waits for an answer comes first.
    state.alerts = answer.alerts.sort((a, b) => (a.state === "open" ? 0 : 1) - (b.state === "open" ? 0 : 1));
    state.seen = Date.now();
    show_alerts();
    show_live();
  } },
  { path: "/api/v1/vitals", show: (answer) => { show_board(answer); show_alerts(); } },
  { path: "/api/v1/status", show: show_status },
];

async function refresh_part(part) {
  if (part.reading) { part.again = true; return; }
  part.reading = true;
  try {
    part.show(await read(part.path));
  } catch (error) {
    console.warn(error.message);
  }
  part.reading = false;
  if (part.again) { part.again = false; setTimeout(() => refresh_part(part), 250); }
}

const refresh = () => parts.forEach(refresh_part);

function show_live() {
  const quiet = Date.now() - state.seen;
  const live = is_live();
  element("live").className = live ? "" : "stale";
  element("live-text").textContent = live ? `Live, data ${(quiet / 1000).toFixed(0)} s old`
    : state.seen ? `NOT LIVE since ${new Date(state.seen).toISOString().slice(11, 19)} UTC` : "Not live yet";
  document.body.classList.toggle("offline", !live && state.seen > 0);
}

function listen() {
  const feed = new EventSource("/api/v1/events");
  for (const kind of ["alert.raised", "alert.updated", "alert.escalated", "alert.severity_raised", "alert.acknowledged",
    "alert.resolved", "alert.call", "alert.unrecorded", "reset", "hello"]) {
    feed.addEventListener(kind, refresh);
  }
}

element("who").value = localStorage.getItem("mydr24.who") || "";
listen();
refresh();
setInterval(refresh, 2000);
setInterval(() => { show_live(); show_alerts(); }, 1000);
)js";

}  // namespace mydr24::desk_api
