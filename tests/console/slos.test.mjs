// Objectives: budgets, burn rates, the course of a budget; rules, synthetic emergencies and metrics below.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { launch, open_page, pause, picture, start_demo, violations } from "./browser.mjs";

let browser, demo;

before(async () => {
  demo = await start_demo(6);
  browser = await launch();
  // Until the history has two samples of an objective.
  for (let i = 0; i < 200; ++i) {
    const end = Date.now() / 1_000;
    const query = encodeURIComponent("sum(increase(mydr24_slo_events_total[30s]))");
    const { data } = await (await fetch(`${demo.url}/api/v1/query_range?query=${query}&start=${end - 60}&end=${end}&step=15`)).json();
    if ((data.result[0]?.values ?? []).length >= 2) break;
    await pause(300);
  }
});
after(async () => {
  await browser?.close();
  await demo?.stop();
});

async function show(context, query) {
  const page = await open_page(context, demo.url);
  await page.goto(`${demo.url}/slos?${query}`);
  await page.waitForSelector(".slo-card");
  await page.waitForSelector(".metric-rows [data-id]");
  await page.waitForSelector(".live.live");
  await pause(700);
  return page;
}

test("in each theme, in Arabic and on a phone", async () => {
  const wide = await browser.newContext({ viewport: { width: 1600, height: 1400 } });
  for (const [name, query] of [["dark", "theme=dark&lang=en"], ["light", "theme=light&lang=en"], ["arabic", "theme=dark&lang=ar"], ["contrast", "theme=contrast&lang=de"]]) {
    const page = await show(wide, `span=1h&${query}`);
    await picture(page, `slos-${name}`);
    assert.deepEqual(await violations(page), []);
    assert.deepEqual(page.faults, []);
    await page.close();
  }
  await wide.close();
  const small = await browser.newContext({ viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, hasTouch: true, isMobile: true });
  const page = await show(small, "theme=dark&lang=en");
  await picture(page, "slos-phone");
  assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), "it scrolls sideways");
  assert.deepEqual(await violations(page), []);
  assert.deepEqual(page.faults, []);
  await small.close();
});

test("an objective is chosen, its course is shown and is a table by a key; the figures are those of the server", async () => {
  const context = await browser.newContext({ viewport: { width: 1440, height: 1000 } });
  const page = await show(context, "lang=en&span=1h");
  await page.getByRole("button", { name: "Emergencies can be taken, stored and sent" }).click();
  assert.equal(new URL(page.url()).searchParams.get("slo"), "emergency-availability");
  await page.waitForSelector(".burn-down .chart canvas", { timeout: 60_000 });
  await page.keyboard.press("t");
  await page.waitForSelector(".burn-down table tbody tr");
  const { slos } = await (await fetch(`${demo.url}/api/v1/monitor/slos`)).json();
  const rates = slos.find((slo) => slo.name === "emergency-availability").objectives[0].burn_rates;
  assert.equal(await page.locator(".slo-detail section tbody tr").count(), rates.length);
  assert.equal(await page.locator(".slo-card").count(), slos.length);
  assert.ok(await page.getByText("EmergencyResponseSlow").isVisible());
  assert.ok((await page.getByText("webhook loopback").count()) > 0);
  assert.deepEqual(await violations(page), []);
  assert.deepEqual(page.faults, []);
  await context.close();
});
