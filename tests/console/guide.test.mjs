// The pictures of docs/guide, made of what a user sees there: MYDR24_PICTURES/guide/*.webp. To renew them:
//   tests/console/run guide.test.mjs && cp build/console/guide/*.webp docs/guide/pictures

import assert from "node:assert/strict";
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { password, startServer } from "../clients/server.mjs";
import { launch, log_in, open_page, pause, start_demo, violations } from "./browser.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const guide = join(here, "../../docs/guide");
const folder = join(process.env.MYDR24_PICTURES ?? join(here, "../../build/console"), "guide");
const width = 1440;
const bytes_max = 120_000;
const all_bytes_max = 1_500_000;
const made = new Set();

let browser, ward, script, server, encoder;

before(async () => {
  mkdirSync(folder, { recursive: true });
  browser = await launch();
  encoder = await browser.newPage();
  // A ward where nobody answers, for pictures of what waits; and the demo as it plays.
  [ward, script] = await Promise.all([start_demo(12), start_demo(12, 10)]);
});
after(async () => {
  await browser?.close();
  await ward?.stop();
  await script?.stop();
  await server?.stop();
});

const get = async (demo, path) => (await fetch(`${demo.url}${path}`)).json();
async function until(what, look) {
  for (let i = 0; i < 600; ++i) {
    const found = await look();
    if (found) return found;
    await pause(200);
  }
  assert.fail(`never: ${what}`);
}

// Chromium's own encoder makes WebP of what it has drawn.
async function keep(page, name) {
  const png = await page.screenshot();
  const base64 = await encoder.evaluate(async (text) => {
    const bitmap = await createImageBitmap(await (await fetch(`data:image/png;base64,${text}`)).blob());
    const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
    canvas.getContext("2d").drawImage(bitmap, 0, 0);
    const bytes = new Uint8Array(await (await canvas.convertToBlob({ type: "image/webp", quality: 0.82 })).arrayBuffer());
    return btoa(bytes.reduce((all, byte) => all + String.fromCharCode(byte), ""));
  }, png.toString("base64"));
  writeFileSync(join(folder, `${name}.webp`), Buffer.from(base64, "base64"));
  made.add(`${name}.webp`);
}

async function show(context, demo, path, ready, height = 900) {
  const page = await open_page(context, demo.url);
  await page.setViewportSize({ width, height });
  await page.goto(`${demo.url}${path}${path.includes("?") ? "&" : "?"}lang=en&theme=light`);
  await page.waitForSelector(ready, { timeout: 60_000 });
  await page.waitForSelector(".live.live", { timeout: 60_000 });
  await pause(700);
  return page;
}

test("with access control: the login, and the trail of who saw what", async () => {
  server = await startServer();
  server.addUser("nora", "nurse", "Practitioner/nora");
  server.addUser("carla", "compliance-officer", "Practitioner/carla");
  const nora = await browser.newContext({ viewport: { width, height: 520 } });
  const page = await nora.newPage();
  await page.goto(`${server.url}/?lang=en&theme=light`);
  await page.waitForSelector("input[name=user]");
  await keep(page, "login");
  await log_in(page, "nora", password);
  const patient = await page.evaluate(async () => {
    const send = (path, method, body, type) => fetch(path, { method, ...(body ? { body: JSON.stringify(body), headers: { "Content-Type": type } } : {}) });
    const { id } = await (await send("/fhir/R4/Patient", "POST", { resourceType: "Patient", name: [{ text: "Ines Walk", family: "Walk" }] }, "application/fhir+json")).json();
    await send(`/fhir/R4/Patient/${id}`, "GET");
    await send("/api/v1/break-glass", "POST", { patient: id, reason: "Unconscious in the emergency department" }, "application/json");
    await send(`/fhir/R4/Patient/${id}`, "GET");
    return id;
  });
  await nora.close();
  const carla = await browser.newContext({ viewport: { width, height: 1000 } });
  const first = await carla.newPage();
  await first.goto(`${server.url}/audit?patient=${patient}&lang=en&theme=light`);
  await log_in(first, "carla", password);
  await first.waitForSelector(".trail-rows [data-id]", { timeout: 60_000 });
  await pause(700);
  await keep(first, "audit");
  await carla.close();
});

test("the show: the Overview, a drill, a change that went back", async () => {
  const context = await browser.newContext();
  const page = await show(context, script, "/", ".show-scenes li.now", 1150);
  await until("a page", async () => (await get(script, "/api/v1/demo")).pages.length > 0);
  await page.waitForSelector(".show-pager .line");
  await keep(page, "overview");
  await until("a change that failed", async () => (await get(script, "/api/v1/changes?limit=10")).changes.some((each) => each.state === "failed" || each.state === "validation_failed"));
  const changes = await show(context, script, "/changes", ".rows .row-line", 420);
  await keep(changes, "changes");
  await changes.close();
  await page.getByRole("button", { name: "Start a drill" }).click();
  await page.getByRole("dialog").getByRole("button", { name: /^Start:/ }).click();
  await page.locator(".show-drill .chip", { hasText: "Running" }).waitFor({ timeout: 90_000 });
  await until("its load", async () => {
    const answer = await fetch(`${script.url}/api/v1/query?query=${encodeURIComponent('sum(rate(mydr24_admission_admitted_total{class="urgent"}[1m]))')}`);
    return answer.ok && Number((await answer.json()).data.result[0]?.value[1] ?? 0) > 20;
  });
  // Figures of the load; or that they cannot be read now, which a machine that is too busy for both says; or it is over already.
  await page.waitForFunction(
    () =>
      [...document.querySelectorAll(".class-row .number")].some((cell) => Number(cell.textContent) > 20) ||
      document.querySelector(".panel .band.watch") !== null ||
      !document.querySelector(".show-drill .chip.solid"),
    null,
    { timeout: 120_000 },
  );
  await keep(page, "drill");
  await fetch(`${script.url}/api/v1/demo/scenarios`, { method: "DELETE" });
  await page.locator(".show-drill .chip", { hasText: "Over" }).waitFor({ timeout: 90_000 });
  assert.deepEqual(page.faults, []);
  await context.close();
});

test("on the ward: the board, an answer, a patient, the timeline, an alert, an incident, duty, objectives", async () => {
  const alert = await until("an emergency", async () => (await get(ward, "/api/v1/alerts")).alerts.find((each) => each.patient && each.severity === "emergency"));
  await until("its incident", async () => (await get(ward, "/api/v1/incidents?state=open")).incidents.length > 0);
  const patient = alert.patient.slice(8);
  const context = await browser.newContext();
  const page = await show(context, ward, "/board", ".board-rows .row-line.emergency");
  await keep(page, "board");
  await page.getByRole("button", { name: "Acknowledge" }).first().click();
  await page.getByRole("dialog").getByLabel("Acknowledge as").fill("Nora");
  await keep(page, "acknowledge");
  assert.deepEqual(await violations(page), []);
  await page.close();
  for (const [name, path, ready, height] of [
    ["patient", `/patients/${patient}`, ".patient-course canvas", 1100],
    ["timeline", `/patients/${patient}?part=timeline`, ".timeline-rows .row-line.alert", 700],
    ["alert", `/alerts?alert=${alert.id}`, "dialog[open] .timeline li", 700],
    ["incidents", "/incidents", ".rows .row-line", 420],
    ["oncall", "/oncall", ".oncall", 1000],
    ["slos", "/slos", ".slos", 900],
  ]) {
    const shown = await show(context, ward, path, ready, height);
    await keep(shown, name);
    assert.deepEqual(shown.faults, []);
    await shown.close();
  }
  await context.close();
});

test("the guide shows these pictures, and they are small", () => {
  const pages = readdirSync(guide).filter((name) => name.endsWith(".md"));
  const shown = new Set(pages.flatMap((name) => [...readFileSync(join(guide, name), "utf8").matchAll(/\(pictures\/([\w-]+\.webp)\)/g)].map((match) => match[1])));
  assert.deepEqual([...shown].sort(), [...made].sort());
  assert.deepEqual(readdirSync(join(guide, "pictures")).sort(), [...made].sort());
  let all = 0;
  for (const name of made) {
    for (const at of [folder, join(guide, "pictures")]) {
      const { size } = statSync(join(at, name));
      assert.ok(size < bytes_max, `${join(at, name)} has ${size} bytes`);
      if (at !== folder) all += size;
    }
  }
  assert.ok(all < all_bytes_max, `the pictures have ${all} bytes`);
});
