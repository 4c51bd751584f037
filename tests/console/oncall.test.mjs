// On-call: bars of duty with their gaps, somebody stands in with two touches, two swap, a test page, a calendar.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { launch, open_page, pause, picture, start_demo, violations } from "./browser.mjs";

let browser, demo;

const day = (days, hour) => {
  const at = new Date();
  at.setUTCHours(hour, 0, 0, 0);
  at.setUTCDate(at.getUTCDate() + days);
  return `${at.toISOString().slice(0, 19)}Z`;
};
const person = (role) => ({ role, availability: "always", methods: [{ kind: "console" }] });
const parts = {
  "contact/Dr. Ann Karlsson": { ...person("Registrar"), leave: [{ begin: day(5, 0), end: day(6, 0), deputy: "Dr. Bob Mwangi" }] },
  "contact/Dr. Bob Mwangi": person("Registrar"),
  "contact/Dr. Eve Nakamura": person("Consultant"),
  "schedule/Ward on call": {
    zone: "Etc/UTC",
    layers: [
      { name: "Day", members: ["Dr. Ann Karlsson", "Dr. Bob Mwangi"], every: "day", length: 1, start: "2026-01-05T08:00", windows: [{ from: "08:00", to: "20:00" }] },
      { name: "Night", members: ["Dr. Eve Nakamura"], every: "week", length: 1, start: "2026-01-05T20:00", windows: [{ days: "sun-thu", from: "20:00", to: "08:00" }] },
    ],
  },
  "policy/ward": { people_min: 1, steps: [{ targets: ["schedule:Ward on call"], delay_s: 30 }] },
  "defaults/main": { policy: { emergency: "ward", urgent: "ward", advisory: "default" } },
};

const api = async (path, options) => {
  const answer = await fetch(`${demo.url}/api/v1/oncall/${path}`, options);
  assert.ok(answer.ok, `${path}: ${answer.status}`);
  return answer.json();
};
const shifts = () => api(`shifts?schedule=${encodeURIComponent("Ward on call")}&from=${day(1, 0)}&to=${day(5, 0)}`);

before(async () => {
  demo = await start_demo(6);
  browser = await launch();
  await api("plan", { method: "PUT", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ by: "test", parts }) });
});
after(async () => {
  await browser?.close();
  await demo?.stop();
});

async function show(context, query) {
  const page = await open_page(context, demo.url);
  await page.goto(`${demo.url}/oncall?${query}`);
  await page.waitForSelector(".gantt-bar, .oncall table");
  await page.waitForSelector(".live.live");
  await pause(700);
  return page;
}

test("in each theme, in Arabic and on a phone", async () => {
  const wide = await browser.newContext({ viewport: { width: 1600, height: 1000 } });
  for (const [name, query] of [["dark", "theme=dark&lang=en"], ["light", "theme=light&lang=en"], ["arabic", "theme=dark&lang=ar"], ["contrast", "theme=contrast&lang=de"]]) {
    const page = await show(wide, query);
    // Friday and Saturday nights have nobody, and the screen says so.
    assert.ok((await page.locator(".final .gantt-bar.gap").count()) > 0, "no gap is shown");
    assert.ok((await page.locator(".gantt-bar.rotation").count()) > 10, "the layers are empty");
    await picture(page, `oncall-${name}`);
    assert.deepEqual(await violations(page), []);
    assert.deepEqual(page.faults, []);
    await page.close();
  }
  await wide.close();
  const small = await browser.newContext({ viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, hasTouch: true, isMobile: true });
  const page = await show(small, "theme=dark&lang=en");
  await picture(page, "oncall-phone");
  assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), "it scrolls sideways");
  assert.deepEqual(await violations(page), []);
  assert.deepEqual(page.faults, []);
  await small.close();
});

test("two touches let somebody stand in, two swap, and an end of it gives the rotation back", async () => {
  const context = await browser.newContext({ viewport: { width: 1440, height: 1000 } });
  const page = await show(context, "lang=en&days=7");
  await page.evaluate(() => localStorage.setItem("mydr24.who", "Bob"));
  await page.reload();
  await page.waitForSelector(".gantt-bar");
  const before = await shifts();
  const first = before.shifts.find((shift) => shift.who === "Dr. Ann Karlsson");
  assert.ok(first);
  const bar = page.locator(".final button.gantt-bar.duty", { hasText: "AK" }).last();
  await bar.click();
  await page.waitForSelector("dialog[open] .stand-in");
  await picture(page, "oncall-stand-in");
  assert.deepEqual(await violations(page), []);
  await page.getByRole("dialog").getByRole("button", { name: "Dr. Eve Nakamura" }).click();
  await page.waitForSelector(".final .gantt-bar.override");
  const plan = await api("parts/override");
  const [given] = Object.values(plan.parts);
  assert.equal(given.add, "Dr. Eve Nakamura");
  assert.equal(given.remove, "Dr. Ann Karlsson");
  assert.equal(given.by, "Bob");

  await page.getByRole("button", { name: "End it" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "End it" }).click();
  await page.waitForSelector(".final .gantt-bar.override", { state: "detached" });
  assert.deepEqual((await api("parts/override")).parts, {});

  await page.locator(".final button.gantt-bar.duty", { hasText: "AK" }).first().click();
  const others = page.getByLabel("Swap with another shift");
  await others.selectOption({ index: 1 });
  await page.getByRole("button", { name: "Swap", exact: true }).click();
  await page.waitForSelector("dialog[open]", { state: "hidden" });
  assert.equal(Object.keys((await api("parts/override")).parts).length, 2);
  assert.deepEqual(page.faults, []);
  await context.close();
});

test("a test page says what became of it; a calendar's address gives the shifts", async () => {
  const context = await browser.newContext({ viewport: { width: 1440, height: 1000 } });
  const page = await show(context, "lang=en");
  await page.getByRole("button", { name: "Test page" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Person").selectOption("Dr. Bob Mwangi");
  await dialog.getByRole("button", { name: "Send a test page" }).click();
  await dialog.getByText("Write your name").waitFor();
  await dialog.getByLabel("Your name").fill("Bob");
  await dialog.getByRole("button", { name: "Send a test page" }).click();
  await dialog.getByText("delivered").first().waitFor();
  assert.deepEqual(await violations(page), []);
  await page.keyboard.press("Escape");

  await page.getByRole("button", { name: "New calendar" }).click();
  await dialog.getByRole("button", { name: "Make the address" }).click();
  const address = await dialog.getByLabel("Address of the calendar").inputValue();
  const calendar = await (await fetch(address)).text();
  assert.match(calendar, /^BEGIN:VCALENDAR/);
  assert.match(calendar, /Dr\. Ann Karlsson/);
  assert.deepEqual(page.faults, []);
  await context.close();
});

test("as a list by a key, and the address keeps it", async () => {
  const context = await browser.newContext({ viewport: { width: 1440, height: 1000 } });
  const page = await show(context, "lang=en");
  await page.keyboard.press("t");
  await page.waitForSelector(".oncall table tbody tr");
  assert.equal(new URL(page.url()).searchParams.get("view"), "list");
  await page.reload();
  await page.waitForSelector(".oncall table tbody tr");
  await context.close();
});
