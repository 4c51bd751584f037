// node tests/console/measure.mjs [PART...]: what the console costs and how fast it is there, on the demo's sixty patients. Each figure
// is the median of three, with the load of the machine beside it. Prints; judges nothing.
// Parts: start alert screens charts ward board consoles.

import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import http from "node:http";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { launch, open_page, pause, start_demo } from "./browser.mjs";

const parts = process.argv.slice(2);
const is_asked = (part) => parts.length === 0 || parts.includes(part);
const runs = 3;
const viewport = { width: 1600, height: 1000 };

const demo = await start_demo(60);

// Seconds of processor time since each began (proc(5)): the machine's other work does not count.
const ticks_a_second = 100;
const stat_of = (pid) => {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").replace(/^.*\) /, "").split(" ");
  return { parent: Number(fields[1]), seconds: (Number(fields[11]) + Number(fields[12])) / ticks_a_second };
};
const server_seconds = () => stat_of(demo.process()).seconds;
// A process with all that it started.
function seconds_of_all(root) {
  const all = new Map();
  for (const name of readdirSync("/proc").filter((each) => /^\d+$/.test(each))) {
    try {
      all.set(Number(name), stat_of(name));
    } catch {
      // ended in the meantime
    }
  }
  const is_of_it = (pid) => pid === root || (all.has(pid) && is_of_it(all.get(pid).parent));
  return [...all].filter(([pid]) => is_of_it(pid)).reduce((sum, [, each]) => sum + each.seconds, 0);
}

const median = (values) => [...values].sort((a, b) => a - b)[values.length >> 1];
const percent = (share) => `${(share * 100).toFixed(1)} %`;
const say = (what, text) => console.log(`${what}: ${text}  (load ${loadavg()[0].toFixed(0)})`);

// The share of one core that goes to `cost` in a while.
async function share(cost, seconds) {
  const before = await cost();
  const began = performance.now();
  await pause(seconds * 1_000);
  return ((await cost()) - before) / ((performance.now() - began) / 1_000);
}

const browser = await launch();
const context = await browser.newContext({ viewport });

// Of a browser that nobody steers, as people have it: what looks into a page costs nearly as much as the page.
async function whole_browser(url, seconds) {
  const folder = mkdtempSync(join(tmpdir(), "mydr24-browser-"));
  const child = spawn("/usr/bin/chromium", ["--headless=new", "--no-sandbox", "--no-first-run", `--window-size=${viewport.width},${viewport.height}`, `--user-data-dir=${folder}`, url], { stdio: "ignore" });
  const ended = new Promise((done) => child.on("exit", done));
  await pause(8_000);
  const found = [];
  for (let i = 0; i < runs; ++i) found.push(await share(async () => seconds_of_all(child.pid), seconds));
  child.kill();
  await ended;
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  return median(found);
}

async function page_cost(what, url, ready, seconds = 12) {
  const page = await open_page(context, new URL(url).origin);
  await page.goto(url);
  await page.waitForSelector(ready, { timeout: 60_000 });
  await pause(3_000);
  const session = await context.newCDPSession(page);
  await session.send("Performance.enable", { timeDomain: "threadTicks" });
  const duration_of = (name) => async () => (await session.send("Performance.getMetrics")).metrics.find((each) => each.name === `${name}Duration`).value;
  const main_thread = duration_of("Task");
  const inside = Object.fromEntries(["Script", "RecalcStyle", "Layout"].map((name) => [name, duration_of(name)]));
  const found = [];
  for (let i = 0; i < runs; ++i) found.push(await share(main_thread, seconds));
  const parts = await Promise.all(Object.entries(inside).map(async ([name, duration]) => `${name} ${percent(await share(duration, seconds))}`));
  await page.close();
  say(what, `all of Chromium ${percent(await whole_browser(url, seconds))} of a core; main thread ${percent(median(found))}, of which ${parts.join(", ")}`);
}

const post = (path, resource) =>
  fetch(`${demo.url}/fhir/R4${path}`, { method: resource.id ? "PUT" : "POST", headers: { "Content-Type": "application/fhir+json" }, body: JSON.stringify(resource) });
const observation = (patient, code, value, unit) => ({
  resourceType: "Observation",
  status: "final",
  category: [{ coding: [{ system: "http://terminology.hl7.org/CodeSystem/observation-category", code: "vital-signs" }] }],
  code: { coding: [{ system: "http://loinc.org", code }] },
  subject: { reference: `Patient/${patient}` },
  effectiveDateTime: new Date().toISOString(),
  valueQuantity: { value, unit, system: "http://unitsofmeasure.org", code: unit },
});

// ---- how fast it is there

if (is_asked("start")) {
  const times = [];
  for (let i = 0; i < runs; ++i) {
    const fresh = await browser.newContext({ viewport });
    const page = await open_page(fresh, demo.url);
    const began = performance.now();
    await page.goto(`${demo.url}/?lang=en`);
    await page.waitForSelector(".clock-value");
    await page.waitForSelector(".live.live");
    times.push(performance.now() - began);
    await fresh.close();
  }
  say("overview with its numbers, nothing cached", `${median(times).toFixed(0)} ms`);
}

if (is_asked("alert")) {
  const page = await open_page(context, demo.url);
  await page.goto(`${demo.url}/board?lang=en`);
  await page.waitForSelector(".board-rows [data-id]");
  await page.waitForSelector(".live.live");
  const times = [];
  for (let i = 0; i < runs; ++i) {
    const id = `measured${i}`;
    await post(`/Patient/${id}`, { resourceType: "Patient", id, name: [{ text: "Ines Walk", given: ["Ines"], family: "Walk" }], gender: "female", birthDate: "1958-03-08" });
    await page.evaluate((who) => {
      window.seen = new Promise((done) => {
        const look = () => (document.querySelector(`[data-id="${who}"].waiting`) ? done(Date.now()) : requestAnimationFrame(look));
        look();
      });
    }, id);
    const began = Date.now();
    await post("/Observation", observation(id, "59408-5", 79, "%"));
    times.push((await page.evaluate(() => window.seen)) - began);
    await pause(3_000);
  }
  say("an emergency on the board after its Observation was posted", `${median(times)} ms`);
  await page.close();
}

// ---- what it costs the browser

if (is_asked("screens")) {
  await page_cost("overview", `${demo.url}/?lang=en`, ".clock-value");
  await page_cost("board of 60, read every 2 s", `${demo.url}/board?lang=en`, ".board-rows [data-id]");
}

// Each gets a value a second.
if (is_asked("charts")) {
  const { patients } = await (await fetch(`${demo.url}/api/v1/vitals`)).json();
  const id = patients[0].id;
  const signs = [["9279-1", 16, "/min"], ["59408-5", 97, "%"], ["8480-6", 128, "mm[Hg]"], ["8867-4", 72, "/min"], ["8310-5", 36.8, "Cel"]];
  const feeding = setInterval(() => {
    for (const [code, value, unit] of signs) void post("/Observation", observation(id, code, value + Math.round(Math.random() * 2), unit)).catch(() => undefined);
  }, 1_000);
  await page_cost("patient with seven charts, a value a second", `${demo.url}/patients/${encodeURIComponent(id)}?lang=en`, ".chart canvas");
  clearInterval(feeding);
}

// Ten minutes of a patient, a value of each sign a second.
function recorded(patient) {
  const signs = [["8867-4", 80, "/min"], ["59408-5", 97, "%"], ["9279-1", 16, "/min"]];
  const entry = [];
  for (let second = 600; second > 0; --second) {
    for (const [code, value, unit] of signs)
      entry.push({ resource: { ...observation(patient, code, value + Math.round(Math.random() * 2), unit), id: `${code}-${second}`, effectiveDateTime: new Date(Date.now() - second * 1_000).toISOString() } });
  }
  return { resourceType: "Bundle", type: "searchset", entry };
}

// The server, with a board whose every value is new at each reading, and so many events a second that say so.
async function quick_ward(hertz) {
  let board;
  do {
    await pause(300);
    board = await (await fetch(`${demo.url}/api/v1/vitals`)).json();
  } while (board.patients.length < 60);
  const timers = new Set();
  const ward = http.createServer((request, response) => {
    if (request.url === "/api/v1/events") {
      const say_event = (kind, data) => response.write(`event: ${kind}\ndata: ${JSON.stringify({ at: new Date().toISOString(), ...data })}\n\n`);
      response.writeHead(200, { "Content-Type": "text/event-stream" });
      say_event("hello");
      const mine = [setInterval(() => say_event("beat"), 2_000), setInterval(() => say_event("alert.updated"), 1_000 / hertz)];
      mine.forEach((timer) => timers.add(timer));
      response.on("close", () => mine.forEach((timer) => clearInterval(timer)));
    } else if (request.url === "/api/v1/vitals") {
      ward.readings++;
      const at = new Date().toISOString();
      for (const patient of board.patients) {
        patient.at = at;
        for (const sign of Object.values(patient.signs ?? {})) Object.assign(sign, { at, value: Math.round((sign.value + Math.random() - 0.5) * 10) / 10 });
      }
      response.writeHead(200, { "Content-Type": "application/json" }).end(JSON.stringify({ ...board, at }));
    } else if (request.url.startsWith("/fhir/R4/Observation?")) {
      response.writeHead(200, { "Content-Type": "application/fhir+json" }).end(JSON.stringify(recorded(new URLSearchParams(request.url.split("?")[1]).get("patient"))));
    } else {
      const { port } = new URL(demo.url);
      const asked = http.request({ port, host: "127.0.0.1", path: request.url, method: request.method, headers: { ...request.headers, host: `127.0.0.1:${port}` } }, (answer) => {
        response.writeHead(answer.statusCode, answer.headers);
        answer.pipe(response);
      });
      asked.on("error", () => response.destroy());
      request.pipe(asked);
    }
  });
  ward.readings = 0;
  await new Promise((done) => ward.listen(0, "127.0.0.1", done));
  return {
    url: `http://127.0.0.1:${ward.address().port}`,
    readings: () => ward.readings,
    stop() {
      timers.forEach((timer) => clearInterval(timer));
      ward.closeAllConnections();
      ward.close();
    },
  };
}

if (is_asked("ward")) {
  const ward = await quick_ward(1);
  await page_cost("the ward as charts, three courses of 600 values each, new values every second", `${ward.url}/board?view=charts&lang=en`, ".ward-card canvas");
  const page = await open_page(context, ward.url);
  await page.goto(`${ward.url}/board?view=charts&lang=en`);
  await page.waitForSelector(".ward-card canvas");
  const seen = await page.evaluate(() => {
    const frame = document.querySelector(".ward").getBoundingClientRect();
    const cards = [...document.querySelectorAll(".ward-card")].map((card) => card.getBoundingClientRect());
    return { drawn: cards.length, seen: cards.filter((card) => card.bottom > frame.top && card.top < frame.bottom).length };
  });
  console.log(`  ${seen.seen} charts are seen, ${seen.drawn} are drawn`);
  await page.close();
  ward.stop();
}

if (is_asked("board")) {
  for (const hertz of [1, 10]) {
    const ward = await quick_ward(hertz);
    const began = performance.now();
    await page_cost(`board of 60, every value new, ${hertz} events a second`, `${ward.url}/board?lang=en`, ".board-rows [data-id]");
    console.log(`  it was read ${(ward.readings() / ((performance.now() - began) / 1_000)).toFixed(1)} times a second`);
    ward.stop();
  }
}
await browser.close();

// ---- what open consoles cost the server: of each the stream, and what any tab reads by itself (api/queries.ts)

if (is_asked("consoles")) {
  const consoles = 1_000;
  const seconds = 20;
  const polled = [["/api/v1/status", 5], ["/api/v1/monitor", 5], ["/api/v1/alerts?state=open&count=500", 15], ["/api/v1/incidents?state=open&count=50", 30]];
  const agent = new http.Agent({ keepAlive: true });
  const get = (path, more) => http.get(`${demo.url}${path}`, { headers: { "X-MyDR24-Unattended": "1" }, ...more });
  const at_rest = async () => {
    const found = [];
    for (let i = 0; i < runs; ++i) found.push(await share(async () => server_seconds(), seconds));
    return median(found);
  };
  const none = await at_rest();
  say("the server, no console open", `${percent(none)} of a core`);

  let beats = 0;
  const streams = await Promise.all(
    Array.from({ length: consoles }, () =>
      new Promise((done, fail) => {
        const asked = get("/api/v1/events", { agent: false }).on("error", fail);
        asked.on("response", (answer) => {
          if (answer.statusCode !== 200) fail(new Error(`the stream was answered ${answer.statusCode}`));
          answer.on("data", () => beats++).on("error", () => undefined);
          done(asked);
        });
      }),
    ),
  );
  say(`${consoles} streams of events`, `${percent((await at_rest()) - none)} of a core more, ${beats} pieces came`);

  const answers = {};
  const timers = [];
  const starts = [];
  for (let i = 0; i < consoles; ++i) {
    for (const [path, every] of polled) {
      const read = () =>
        get(path, { agent }).on("error", () => (answers.none = (answers.none ?? 0) + 1)).on("response", (answer) => {
          answers[answer.statusCode] = (answers[answer.statusCode] ?? 0) + 1;
          answer.resume();
        });
      starts.push(setTimeout(() => timers.push(setInterval(read, every * 1_000)), Math.random() * every * 1_000));
    }
  }
  await pause(10_000);
  Object.keys(answers).forEach((status) => delete answers[status]);
  const more = (await at_rest()) - none;
  const each_second = Object.entries(answers).map(([status, n]) => `${status}: ${(n / (runs * seconds)).toFixed(0)}`);
  say(`${consoles} consoles that read as well`, `${percent(more)} of a core more; answers a second, by status: ${each_second.join(", ")}`);
  [...starts, ...timers].forEach((timer) => clearTimeout(timer));
  for (const stream of streams) stream.on("error", () => undefined).destroy();
  agent.destroy();
}
await demo.stop();
