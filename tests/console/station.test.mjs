// What makes a console a station: the clock of its site, a picture that can be held, a sound by choice, a display on the wall.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { launch, open_page, pause, picture, start_demo, violations } from "./browser.mjs";

// Neither the zone of any machine that runs this, nor a whole number of hours from it.
const zone = "Asia/Kathmandu";
let demo, browser;

before(async () => {
  demo = await start_demo(12, 0, ["--zone", zone]);
  browser = await launch();
});
after(async () => {
  await browser?.close();
  await demo?.stop();
});

const post = async (path, resource) => {
  const answer = await fetch(`${demo.url}/fhir/R4${path}`, {
    method: resource.id ? "PUT" : "POST",
    headers: { "Content-Type": "application/fhir+json" },
    body: JSON.stringify(resource),
  });
  assert.ok(answer.ok, `${path}: ${answer.status}`);
  return answer.json();
};
const saturation = (patient, value) =>
  post("/Observation", {
    resourceType: "Observation",
    status: "final",
    category: [{ coding: [{ system: "http://terminology.hl7.org/CodeSystem/observation-category", code: "vital-signs" }] }],
    code: { coding: [{ system: "http://loinc.org", code: "59408-5" }] },
    subject: { reference: `Patient/${patient}` },
    effectiveDateTime: new Date().toISOString(),
    valueQuantity: { value, unit: "%", system: "http://unitsofmeasure.org", code: "%" },
  });
let raised = 0;
async function raise_emergency() {
  const id = `station-${++raised}`;
  await post(`/Patient/${id}`, { resourceType: "Patient", id, name: [{ text: "Ines Walk" }] });
  await saturation(id, 78);
  return id;
}
const open_emergencies = async () => (await (await fetch(`${demo.url}/api/v1/alerts?state=open`)).json()).alerts.filter((alert) => alert.severity === "emergency" && alert.state === "open");
async function answer_all() {
  for (const alert of await open_emergencies())
    await fetch(`${demo.url}/api/v1/alerts/${alert.id}/ack`, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ by: "Ada" }) });
}

// Patients of the demo fall ill by themselves.
async function while_answered(what) {
  await answer_all();
  const timer = setInterval(() => void answer_all().catch(() => undefined), 500);
  try {
    return await what();
  } finally {
    clearInterval(timer);
  }
}

const wall = (at, options) => new Intl.DateTimeFormat("en-GB", { timeZone: zone, hourCycle: "h23", ...options }).format(at);

for (const machine of ["UTC", "America/New_York"]) {
  describe(`on a machine in ${machine}`, () => {
    let context;
    before(async () => {
      context = await browser.newContext({ viewport: { width: 1600, height: 1000 }, timezoneId: machine });
    });
    after(() => context?.close());
    const show = async (path, ready) => {
      const page = await open_page(context, demo.url);
      await page.goto(`${demo.url}${path}${path.includes("?") ? "&" : "?"}lang=en`);
      await page.waitForSelector(ready);
      await page.waitForSelector(".live.live");
      return page;
    };

    test("the clock of the site is shown, with its zone and UTC at hand", async () => {
      const page = await show("/", ".clock-value");
      const clock = page.locator(".wall-clock");
      const shown = await clock.textContent();
      const near = [-1_000, 0, 1_000].map((ms) => wall(Date.now() + ms, { hour: "2-digit", minute: "2-digit", second: "2-digit" }));
      assert.ok(near.includes(shown), `${shown} is none of ${near}`);
      assert.match(await clock.getAttribute("title"), /^Asia\/Kathmandu, \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC$/);
      assert.equal(await page.getByRole("link", { name: "MyDR24 Demo hospital" }).count(), 1);
      assert.deepEqual(page.faults, []);
      await page.close();
    });

    test("a silence until a time of the site is as long as until then", async () => {
      const page = await show(`/alerts?view=silences&match=${encodeURIComponent(JSON.stringify([["alertname", "=", "LinkDown"]]))}`, "dialog[open]");
      const dialog = page.locator("dialog[open]");
      await dialog.getByRole("button", { name: "Until" }).click();
      const asked = page.waitForRequest((request) => request.url().endsWith("/silences/preview"));
      const until = new Date(Date.now() + 3 * 3_600_000);
      const [day, time] = [wall(until, { year: "numeric", month: "2-digit", day: "2-digit" }), wall(until, { hour: "2-digit", minute: "2-digit" })];
      await dialog.locator("input[type=datetime-local]").fill(`${day.split("/").reverse().join("-")}T${time}`);
      const { startsAt, endsAt } = (await asked).postDataJSON();
      const minutes = (Date.parse(endsAt) - Date.parse(startsAt)) / 60_000;
      assert.ok(minutes > 177 && minutes < 182, `${minutes} minutes`);
      assert.equal(await dialog.locator(".field-error").count(), 0);
      assert.deepEqual(page.faults, []);
      await page.close();
    });

    test("what is typed is a time of the site, and comes back as one", async () => {
      const page = await show("/changes?view=calendar", ".week");
      const today = await page.locator(".week-column h3.today").textContent();
      assert.equal(today.match(/\d+/)[0], wall(Date.now(), { day: "2-digit" }));
      await page.getByRole("button", { name: "Freeze" }).first().click();
      await page.waitForSelector("dialog[open]");
      await page.getByText(`Time of ${zone}`).first().waitFor();
      const dialog = page.locator("dialog[open]");
      await dialog.getByLabel("Begin").fill("2031-03-04T05:06");
      await dialog.getByLabel("End").fill("2031-03-05T05:06");
      await dialog.getByLabel("Reason").fill(`Stocktaking seen from ${machine}`);
      await dialog.getByLabel("Your name").fill("Ada");
      await picture(page, `freeze-${machine.replace("/", "-")}`);
      assert.deepEqual(await violations(page), []);
      const [answer] = await Promise.all([page.waitForResponse("**/api/v1/change-freezes"), dialog.getByRole("button", { name: "Freeze" }).click()]);
      assert.equal((await answer.json()).begin.slice(0, 19), "2031-03-03T23:21:00");
      await page.getByText(`Stocktaking seen from ${machine}`).first().waitFor();
      assert.ok((await page.locator("#content").textContent()).includes("04 Mar, 05:06"));
      assert.deepEqual(page.faults, []);
      await page.close();
    });
  });
}

test("a held picture stands still, emergencies are called all the same, and acting lets it go", async () => {
  const context = await browser.newContext({ viewport: { width: 1600, height: 1000 } });
  const page = await open_page(context, demo.url);
  await page.goto(`${demo.url}/board?lang=en&theme=light`);
  await page.waitForSelector(".board-rows [data-id]");
  await page.getByRole("button", { name: "Hold the picture" }).click();
  await page.waitForSelector(".held");
  const before = await page.locator(".board-rows").textContent();
  const id = await raise_emergency();
  await page.waitForSelector(".count.emergency");
  await pause(2_500);
  assert.equal(await page.locator(`[data-id="${id}"]`).count(), 0);
  assert.equal((await page.locator(".board-rows").textContent()).includes("Ines Walk"), before.includes("Ines Walk"));
  await picture(page, "held");
  assert.deepEqual(await violations(page), []);
  await page.locator(".held").getByRole("button", { name: "Go on" }).click();
  await page.waitForSelector(`[data-id="${id}"]`);
  // Space holds while it is pressed.
  await page.locator("#content").focus();
  await page.keyboard.down(" ");
  await page.waitForSelector(".held");
  await page.keyboard.up(" ");
  await page.waitForSelector(".held", { state: "detached" });
  // Who acts while it is held sees what became of it.
  await page.getByRole("button", { name: "Hold the picture" }).click();
  await page.locator(`[data-id="${id}"]`).getByRole("button", { name: "Acknowledge" }).click();
  await page.getByLabel("Acknowledge as").fill("Ada");
  await page.getByRole("button", { name: "On my way" }).click();
  await page.waitForSelector(".held", { state: "detached" });
  await page.waitForSelector(`[data-id="${id}"] .cell-owner .icon`);
  assert.deepEqual(page.faults, []);
  await context.close();
});

test("sound is off until somebody wants it, then sounds for each new emergency", async () => {
  await answer_all();
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
  await context.addInitScript(() => {
    window.pulses = 0;
    const start = OscillatorNode.prototype.start;
    OscillatorNode.prototype.start = function (...when) {
      window.pulses++;
      return start.apply(this, when);
    };
  });
  const page = await open_page(context, demo.url);
  await page.goto(`${demo.url}/?lang=en`);
  await page.waitForSelector(".live.live");
  const pulses = () => page.evaluate(() => window.pulses);
  await raise_emergency();
  await page.waitForSelector(".count.emergency");
  await pause(500);
  assert.equal(await pulses(), 0);
  await answer_all();
  await page.waitForSelector(".count:not(.emergency)");
  await page.getByRole("button", { name: "Sound for emergencies: off" }).click();
  await page.getByRole("button", { name: "Sound for emergencies: on" }).waitFor();
  await pause(500);
  assert.equal(await pulses(), 0);
  await raise_emergency();
  await page.waitForFunction(() => window.pulses === 10);
  await raise_emergency();
  await page.waitForFunction(() => window.pulses === 20);
  assert.deepEqual(await violations(page), []);
  // The choice is the station's.
  await page.reload();
  await page.waitForSelector(".live.live");
  assert.equal(await page.locator('.settings [aria-pressed="true"]').count(), 1);
  assert.deepEqual(page.faults, []);
  await context.close();
});

test("a display on the wall goes from screen to screen, and stays at the board while an emergency waits", async () => {
  const context = await browser.newContext({ viewport: { width: 1920, height: 1080 } });
  const page = await open_page(context, demo.url);
  await page.goto(`${demo.url}/?kiosk=1&rotate=5&screens=overview,incidents&lang=en`);
  await page.waitForSelector(".kiosk .live.live");
  assert.equal(await page.locator(".nav").isVisible(), false);
  await while_answered(async () => {
    await page.waitForSelector(".hero");
    await picture(page, "kiosk");
    assert.deepEqual(await violations(page), []);
    await page.waitForURL("**/incidents?kiosk=1&rotate=5*");
    await page.waitForURL((url) => url.pathname === "/");
  });
  await raise_emergency();
  await page.waitForURL("**/board?kiosk=1*", { timeout: 10_000 });
  await pause(6_000);
  assert.equal(new URL(page.url()).pathname, "/board");
  await picture(page, "kiosk-board");
  assert.equal(await page.evaluate(() => getComputedStyle(document.documentElement).fontSize), "24px");
  const cut = await page.evaluate(() => [...document.querySelectorAll(".board-rows .score, .board-rows .button")].filter((each) => each.getBoundingClientRect().right > each.closest("[role=cell]").getBoundingClientRect().right + 1).length);
  assert.equal(cut, 0, "something is cut off");
  await while_answered(() => page.waitForURL((url) => url.pathname !== "/board"));
  assert.deepEqual(page.faults, []);
  await context.close();
});

test("an incident is found by its id", async () => {
  const context = await browser.newContext();
  const page = await open_page(context, demo.url);
  let incident;
  for (let i = 0; i < 50 && !incident; ++i, await pause(200)) {
    for (const state of ["open", "over"]) incident ??= (await (await fetch(`${demo.url}/api/v1/incidents?state=${state}`)).json()).incidents[0];
  }
  await page.goto(`${demo.url}/?lang=en`);
  await page.waitForSelector(".live.live");
  await page.keyboard.press("/");
  await page.keyboard.type(incident.id);
  await page.keyboard.press("Enter");
  await page.waitForURL(`**/incidents/${incident.id}`);
  await context.close();
});

test("the ward as charts: each patient in their place, with what came while nobody looked, and acknowledged there", async () => {
  const context = await browser.newContext({ viewport: { width: 1600, height: 1000 } });
  const page = await open_page(context, demo.url);
  const id = await raise_emergency();
  await page.goto(`${demo.url}/board?lang=en`);
  await page.waitForSelector(".board-rows [data-id]");
  await page.keyboard.press("t");
  await page.waitForSelector(".ward-card canvas");
  assert.equal(new URL(page.url()).searchParams.get("view"), "charts");
  const places = (await page.locator(".ward-place").allTextContents()).filter((place) => place !== "-");
  assert.deepEqual(places, [...places].sort((a, b) => a.localeCompare(b, undefined, { numeric: true })));
  const card = page.locator(`.ward-card[data-id="${id}"]`);
  await card.scrollIntoViewIfNeeded();
  await card.locator(".sign", { hasText: "78 %" }).waitFor();
  await picture(page, "ward");
  const cut = await page.evaluate(() => [...document.querySelectorAll(".ward-card :is(.button, .sign, .score)")].filter((each) => each.getBoundingClientRect().right > each.closest(".ward-card").getBoundingClientRect().right - 4).length);
  assert.equal(cut, 0, "something is cut off");
  await card.getByRole("button", { name: "Acknowledge" }).click();
  await page.getByLabel("Acknowledge as").fill("Ada");
  await page.getByRole("button", { name: "On my way" }).click();
  await card.locator(".ward-owner", { hasText: "Ada" }).waitFor();
  assert.deepEqual(page.faults, []);
  await context.close();
});
