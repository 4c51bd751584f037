// Every screen of the console on a hospital that lives: in each theme, in Arabic, on a phone. No violation of WCAG 2.2 AA, no error
// in the browser's console, nothing from another host.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { launch, open_page, pause, picture, start_demo, violations } from "./browser.mjs";

let demo, browser, patient;

before(async () => {
  demo = await start_demo(24);
  browser = await launch();
  // Until the first patient deteriorates.
  for (let i = 0; i < 150 && !patient; ++i) {
    const { alerts } = await (await fetch(`${demo.url}/api/v1/alerts`)).json();
    patient = alerts.find((alert) => alert.patient && alert.severity === "emergency")?.patient.slice(8);
    await pause(200);
  }
  assert.ok(patient, "nobody deteriorated in the demo");
});

after(async () => {
  await browser?.close();
  await demo?.stop();
});

const looks = [
  { name: "dark", query: "theme=dark&lang=en", dir: "ltr" },
  { name: "light", query: "theme=light&lang=en", dir: "ltr" },
  { name: "arabic", query: "theme=dark&lang=ar", dir: "rtl" },
  { name: "contrast", query: "theme=contrast&lang=de", dir: "ltr" },
];
const screens = () => [
  { name: "overview", path: "/", ready: ".clock-value" },
  { name: "board", path: "/board", ready: ".board-rows [role=row][data-id]" },
  { name: "alerts", path: "/alerts", ready: ".alert-rows [role=row][data-id]" },
  { name: "patient", path: `/patients/${patient}`, ready: ".chart canvas" },
  { name: "patients", path: "/patients?q=a", ready: ".find" },
  { name: "patients-found", path: `/patients?q=${patient}`, ready: ".patient-rows [data-id]" },
  { name: "ward", path: "/board?view=charts", ready: ".ward-card canvas" },
  { name: "incidents", path: "/incidents", ready: ".incident-rows [data-id], .state" },
  { name: "changes", path: "/changes", ready: ".line-rows [data-id], .state" },
];

async function show(context, path, query, ready) {
  const page = await open_page(context, demo.url);
  await page.goto(`${demo.url}${path}${path.includes("?") ? "&" : "?"}${query}`);
  await page.waitForSelector(ready, { timeout: 60_000 });
  await page.waitForSelector(".live.live", { timeout: 60_000 });
  await pause(700);
  return page;
}

for (const look of looks) {
  describe(look.name, () => {
    test("every screen", async (t) => {
      const context = await browser.newContext({ viewport: { width: 1600, height: 1000 } });
      for (const screen of screens()) {
        await t.test(screen.name, async () => {
          const page = await show(context, screen.path, look.query, screen.ready);
          assert.equal(await page.evaluate(() => document.documentElement.dir), look.dir);
          await picture(page, `${screen.name}-${look.name}`);
          assert.deepEqual(await violations(page), []);
          assert.deepEqual(page.faults, []);
          await page.close();
        });
      }
      await context.close();
    });
  });
}

test("on a phone: overview, board, alerts and patient, and nothing is wider than it", async (t) => {
  const context = await browser.newContext({ viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, hasTouch: true, isMobile: true });
  for (const screen of screens().slice(0, 4)) {
    await t.test(screen.name, async () => {
      const page = await show(context, screen.path, "theme=dark&lang=en", screen.ready);
      await picture(page, `${screen.name}-phone`);
      assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), "it scrolls sideways");
      assert.deepEqual(await violations(page), []);
      assert.deepEqual(page.faults, []);
      await page.close();
    });
  }
  await context.close();
});

test("dialogs: keys, acknowledgement, an alert's history", async () => {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
  for (const theme of ["dark", "light"]) {
    const page = await show(context, "/alerts", `theme=${theme}&lang=en`, ".alert-rows [data-id]");
    await page.keyboard.press("?");
    await page.waitForSelector("dialog[open] .keys");
    assert.deepEqual(await violations(page), []);
    await page.keyboard.press("Escape");
    await page.locator(".alert-rows .link").first().click();
    await page.waitForSelector("dialog[open] .timeline");
    await picture(page, `alert-${theme}`);
    assert.deepEqual(await violations(page), []);
    await page.keyboard.press("Escape");
    await page.waitForSelector("dialog[open]", { state: "detached" }).catch(() => undefined);
    await page.keyboard.press("a");
    await page.waitForSelector("dialog[open] .ack");
    await picture(page, `acknowledge-${theme}`);
    assert.deepEqual(await violations(page), []);
    assert.deepEqual(page.faults, []);
    await page.close();
  }
  await context.close();
});
