// Changes: proposed as text and by the form, judged, approved by who must, run, and taken back by itself when a check fails.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { password, startServer } from "../clients/server.mjs";
import { launch, log_in, open_page, pause, picture, start_demo, violations } from "./browser.mjs";

let browser, demo;
const running = {};

const api = async (path, options) => {
  const answer = await fetch(`${demo.url}/api/v1/${path}`, options);
  const body = await answer.json();
  assert.ok(answer.ok, `${path}: ${answer.status} ${JSON.stringify(body)}`);
  return body;
};
const post = (path, body) => api(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
const propose = async (plan, by = "ann") => (await post("changes", { plan, by })).change;
const approve = (change, by) => post(`changes/${change.id}/approve`, { by, digest: change.digest });
const applied = async (name) => (await api(`settings/${name}`)).setting.applied;

const set_days = (value) => ({ kind: "set", setting: "alerting.clear_days", value });
const answers = { kind: "http", url: "/fhir/R4/metadata" };
const plan = (some) => ({
  title: "Clear alerts earlier",
  description: "The list of old alerts is slow on the wards' tablets",
  service: "alerting",
  checks: [answers],
  implementation: [set_days(30)],
  ...some,
});
const hours = (n) => new Date(Date.now() + n * 3_600_000).toISOString().slice(0, 19) + "Z";

before(async () => {
  demo = await start_demo(6);
  browser = await launch();
  // One that runs for as long as the tests do, one that waits, one that is planned for a time that is frozen.
  const free = { kind: "metric", metric: "disk_free_ratio", at_most: 1 };
  const writable = { kind: "metric", metric: "store_writable", at_least: 1 };
  const long = await propose(
    plan({
      title: "Keep fewer bytes",
      type: "emergency",
      service: "store",
      checks: [answers, writable],
      implementation: [
        { kind: "watch", every_s: 600, count: 3, checks: [free] },
        { kind: "set", setting: "store.limit_mib", value: 0, scope: "lab" },
        { kind: "verify", checks: [free] },
        { kind: "set", setting: "store.limit_mib", value: 0 },
      ],
      rollback_plan: "nothing else is touched",
    }),
  );
  for (const by of ["cto", "deputy-cto"]) await approve(long, by);
  // The monitor measures from its first round on.
  const measured = async () => (await api("monitor")).metrics.filter((each) => ["disk_free_ratio", "store_writable"].includes(each.name) && each.value !== undefined);
  for (let i = 0; i < 300 && (await measured()).length < 2; ++i) await pause(100);
  await post(`changes/${long.id}/start`, { by: "ann" });
  running.id = long.id;
  await propose(plan({ title: "Wait longer at each step", implementation: [{ kind: "set", setting: "alerting.escalate_after_s", value: 45 }], window: { begin: hours(2), end: hours(4) } }));
  await post("change-freezes", { begin: hours(-1), end: hours(30), why: "Audit of the year", services: ["alerting"], by: "cto" });
});
after(async () => {
  await browser?.close();
  await demo?.stop();
});

async function go(page, path, ready, query) {
  await page.goto(`${demo.url}${path}${path.includes("?") ? "&" : "?"}${query}`);
  await page.waitForSelector(ready);
  await page.waitForSelector(".live.live");
}
async function show(context, path, query, ready) {
  const page = await open_page(context, demo.url);
  await go(page, path, ready, query);
  return page;
}
async function is_sound(page, name) {
  await picture(page, name);
  assert.deepEqual(await violations(page), []);
  assert.deepEqual(page.faults, []);
}

test("each screen in each theme, in Arabic and on a phone", async () => {
  const list = ["/changes", ".change-groups [data-id]"];
  const week = ["/changes?view=calendar", ".week-change"];
  const one = [`/changes/${running.id}`, ".stage.runs"];
  const form = ["/changes/new", ".propose fieldset"];
  const text = ["/changes/new?way=text", ".plan-box textarea"];
  const wide = await browser.newContext({ viewport: { width: 1600, height: 1100 } });
  const looks = [
    ["dark", "theme=dark&lang=en", { list, week, one, form, text }],
    ["light", "theme=light&lang=en", { list, week, one, form }],
    ["arabic", "theme=dark&lang=ar", { list, week, one, form }],
    ["contrast", "theme=contrast&lang=de", { one }],
  ];
  for (const [look, query, screens] of looks) {
    const page = await open_page(wide, demo.url);
    for (const [name, screen] of Object.entries(screens)) {
      await go(page, ...screen, query);
      if (name === "one") await page.waitForSelector(".guard canvas");
      await is_sound(page, `changes-${name}-${look}`);
    }
    await page.close();
  }
  await wide.close();
  const small = await browser.newContext({ viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, hasTouch: true, isMobile: true });
  const page = await open_page(small, demo.url);
  for (const [name, screen] of Object.entries({ list, week: [week[0], ".agenda"], one })) {
    await go(page, ...screen, "theme=dark&lang=en");
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), `${name} scrolls sideways`);
    await is_sound(page, `changes-${name}-phone`);
  }
  await small.close();
});

test("proposed as text, corrected where the server says, approved by two, run, found wrong, taken back", async () => {
  const context = await browser.newContext({ viewport: { width: 1440, height: 1000 } });
  const page = await show(context, "/changes/new?way=text", "lang=en", ".plan-box textarea");
  const box = page.locator(".plan-box textarea");
  const text = (value) =>
    ["title: Clear alerts after forty days", "description: Nobody reads what is older", "type: emergency", "service: alerting", "checks:",
      "  - {kind: setting, setting: alerting.clear_days, is: \"41\", when: after}", "implementation:", "  - kind: set", "    setting: alerting.clear_days", `    value: ${value}`, ""].join("\n");
  await box.fill("title: [");
  await page.getByLabel("Your name").fill("ann");
  await page.getByRole("button", { name: "Look at its risk" }).click();
  await page.locator(".plan-lines .wrong").waitFor();
  await box.fill(text(99_999_999));
  page.forgiving = true; // what the server refuses is an error to the browser
  await page.getByRole("button", { name: "Look at its risk" }).click();
  // The server names the step; its line is marked.
  await page.locator(".plan-fault pre", { hasText: "kind: set" }).waitFor();
  page.forgiving = false;
  await is_sound(page, "changes-text-wrong");
  await box.fill(text(40));
  // Whatever happens to the page, the text is there again.
  await page.reload();
  await page.waitForSelector(".plan-box textarea");
  assert.equal(await box.inputValue(), text(40));
  await page.getByRole("button", { name: "Look at its risk" }).click();
  await page.locator(".preview .risk-score").waitFor();
  await is_sound(page, "changes-text-judged");
  const kept = (await api("changes?limit=500")).changes.length;
  await page.getByRole("button", { name: "Propose", exact: true }).click();
  await page.waitForURL(/\/changes\/[0-9a-f-]{36}/);
  assert.equal((await api("changes?limit=500")).changes.length, kept + 1);
  const id = new URL(page.url()).pathname.split("/")[2];

  const dialog = page.getByRole("dialog");
  const act = async (button, name, reason) => {
    await page.locator(".change-head").getByRole("button", { name: button, exact: true }).click();
    if (reason) await dialog.getByRole("textbox").first().fill(reason);
    await dialog.getByLabel("Your name").fill(name);
    await dialog.getByRole("button", { name: button, exact: true }).click();
    await page.waitForSelector("dialog[open]", { state: "hidden" });
  };
  // Who asked for it is offered no approval; the page is another person's now.
  assert.equal(await page.locator(".change-head").getByRole("button", { name: "Approve" }).count(), 0);
  await page.evaluate(() => localStorage.setItem("mydr24.who", "cto"));
  await page.reload();
  await page.locator(".change-head").getByRole("button", { name: "Approve" }).click();
  assert.deepEqual(await violations(page), []);
  await page.keyboard.press("Escape");
  await page.waitForSelector("dialog[open]", { state: "hidden" });
  await act("Approve", "cto");
  await page.locator(".approvals .chip.safe").waitFor();
  await page.goto(`${demo.url}/changes?state=mine&lang=en`);
  // Another one waits for this person; of this one their approval is given.
  await page.locator(".change-group.mine [data-id]").first().waitFor();
  assert.equal(await page.locator(`.change-group.mine [data-id="${id}"]`).count(), 0);
  await page.evaluate(() => localStorage.setItem("mydr24.who", "deputy-cto"));
  await page.reload();
  await page.locator(`.change-group.mine [data-id="${id}"]`).waitFor();
  await page.keyboard.press("j");
  await page.locator(`.change-group.mine a.selected[data-id="${id}"]`).waitFor();
  await page.keyboard.press("Enter");
  await page.waitForURL(/\/changes\/[0-9a-f-]{36}/);
  await act("Approve", "deputy-cto");
  await page.locator(".change-head .chip", { hasText: "approved" }).waitFor();

  await act("Start", "ann");
  await page.locator(".change-head .chip", { hasText: "validation failed" }).waitFor({ timeout: 60_000 });
  await page.locator(".way-back.done").waitFor();
  assert.equal(await page.locator(".stage.undone").count(), 1);
  assert.equal(await page.locator(".stage.failed").count(), 1);
  await page.locator(".checks .chip.urgent", { hasText: "failed" }).waitFor();
  await is_sound(page, "changes-validation-failed");
  const { change } = await api(`changes/${id}`);
  assert.equal(change.state, "validation_failed");
  assert.equal(await applied("alerting.clear_days"), "0");
  await context.close();
});

test("a live setting by the form: what is wrong is said at its field; started and rolled back by buttons", async () => {
  const context = await browser.newContext({ viewport: { width: 1440, height: 1000 } });
  await context.addInitScript(() => localStorage.setItem("mydr24.who", "ann"));
  // As the screen of the settings sends people here.
  const page = await show(context, "/changes/new?setting=alerting.close_idle_days", "lang=en", ".setting-about");
  assert.equal(await page.getByLabel("Setting", { exact: true }).inputValue(), "alerting.close_idle_days");
  await page.getByLabel("New value", { exact: true }).fill("lots");
  await page.getByLabel("Why", { exact: true }).fill("Fewer alerts that nobody speaks of");
  page.forgiving = true;
  await page.getByRole("button", { name: "Look at its risk" }).click();
  await page.locator(".field-error", { hasText: "alerting.close_idle_days" }).first().waitFor();
  page.forgiving = false;
  assert.equal(await page.getByLabel("New value", { exact: true }).getAttribute("aria-invalid"), "true");
  await page.getByLabel("New value", { exact: true }).fill("50");
  await page.getByLabel("Type").selectOption("emergency");
  await page.getByRole("button", { name: "Look at its risk" }).click();
  await page.locator(".preview .risk-score").waitFor();
  await is_sound(page, "changes-form-judged");
  await page.getByRole("button", { name: "Propose", exact: true }).click();
  await page.waitForURL(/\/changes\/[0-9a-f-]{36}/);
  const id = new URL(page.url()).pathname.split("/")[2];
  for (const by of ["cto", "deputy-cto"]) await approve((await api(`changes/${id}`)).change, by);
  // What others did comes by the stream of events.
  const start = page.locator(".change-head").getByRole("button", { name: "Start", exact: true });
  await start.click();
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("button", { name: "Start", exact: true }).click();
  await page.locator(".change-head .chip", { hasText: "successful" }).waitFor({ timeout: 60_000 });
  assert.equal(await applied("alerting.close_idle_days"), "50");
  await page.locator(".change-head").getByRole("button", { name: "Roll back" }).click();
  await dialog.getByLabel("Reason").fill("It was a test");
  await dialog.getByRole("button", { name: "Roll back" }).click();
  await page.locator(".change-head .chip", { hasText: "rolled back" }).waitFor({ timeout: 60_000 });
  assert.notEqual(await applied("alerting.close_idle_days"), "50");
  assert.deepEqual(page.faults, []);
  await context.close();
});

test("an edited plan asks anew: approvals are void, and who read the old one is told", async () => {
  const change = await propose(plan({ title: "Clear them after thirty" }));
  await approve(change, "senior-dba");
  const at_desk = async (who) => {
    const context = await browser.newContext({ viewport: { width: 1440, height: 1000 } });
    await context.addInitScript((name) => localStorage.setItem("mydr24.who", name), who);
    return show(context, `/changes/${change.id}`, "lang=en", ".approvals .chip.safe");
  };
  const page = await at_desk("ann");
  const other = await at_desk("deputy-cto");
  await other.locator(".change-head").getByRole("button", { name: "Approve" }).click();
  await other.waitForSelector("dialog[open] code");
  await page.getByRole("button", { name: "Edit" }).click();
  const box = page.locator(".plan-box textarea");
  await box.fill((await box.inputValue()).replace("value: 30", "value: 31"));
  await page.getByLabel("Your name").fill("ann");
  await page.getByRole("button", { name: "Look at its risk" }).click();
  await page.locator(".preview").waitFor();
  await page.getByRole("button", { name: "Put this plan in its place" }).click();
  await page.locator(".approvals .band").waitFor();
  assert.equal(await page.locator(".approvals .chip.safe").count(), 0);
  await other.getByRole("dialog").getByText("The plan was changed while you read it").waitFor();
  other.forgiving = true;
  await other.getByRole("dialog").getByRole("button", { name: "Approve" }).click();
  await other.getByRole("dialog").getByText("the plan is another one by now").waitFor();
  assert.deepEqual((await api(`changes/${change.id}`)).change.approvals, []);
  assert.deepEqual([...page.faults, ...other.faults], []);
  await page.context().close();
  await other.context().close();
});

test("whoever listens is told that something became of a change, and not what", async () => {
  const stop = new AbortController();
  const stream = await fetch(`${demo.url}/api/v1/events`, { signal: stop.signal });
  const change = await propose(plan({ title: "Told by the stream" }));
  let said = "";
  for await (const piece of stream.body.pipeThrough(new TextDecoderStream())) {
    said += piece;
    if (said.includes("change.proposed") && said.includes(change.id)) break;
  }
  stop.abort();
  assert.ok(!said.includes("Told by the stream"));
});

test("an edit that was begun on another plan is not sent", async () => {
  const change = await propose(plan({ title: "Edited by two" }));
  const context = await browser.newContext({ viewport: { width: 1440, height: 1000 } });
  const page = await open_page(context, demo.url);
  await page.goto(`${demo.url}/changes/${change.id}?edit=1&lang=en`);
  const text = page.getByRole("textbox", { name: "Plan as YAML or JSON" });
  await text.fill((await text.inputValue()).replace("value: 30", "value: 35"));
  await page.getByLabel("Your name").fill("ann");
  await page.getByRole("button", { name: "Look at its risk" }).click();
  await page.locator(".preview").waitFor();
  await api(`changes/${change.id}`, { method: "PUT", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ plan: plan({ title: "Edited by two", implementation: [set_days(20)] }), by: "ann" }) });
  await page.getByText("The plan was changed while you read it").waitFor();
  assert.ok(await page.getByRole("button", { name: "Put this plan in its place" }).isDisabled());
  await page.reload();
  await page.waitForFunction(() => document.querySelector("textarea")?.value.includes("value: 20"));
  assert.deepEqual(page.faults, []);
  await context.close();
});

test("an operations lead reads changes, and is not offered to propose or to freeze", async () => {
  const server = await startServer();
  try {
    server.addUser("olga", "operations-lead", "Practitioner/olga");
    const context = await browser.newContext({ viewport: { width: 1440, height: 1000 } });
    const page = await open_page(context, server.url);
    page.forgiving = true; // 403: what the frame shows is not for this role
    await page.goto(`${server.url}/changes?view=calendar&lang=en`);
    await log_in(page, "olga", password);
    await page.waitForSelector(".week");
    for (const name of ["Propose", "Freeze"]) assert.equal(await page.getByText(name, { exact: true }).count(), 0, name);
    assert.deepEqual(page.faults, []);
    await context.close();
  } finally {
    await server.stop();
  }
});
