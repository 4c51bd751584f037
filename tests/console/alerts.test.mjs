// Alerts with labels: causes, a silence with its preview until it is ended, an override of two people, what rules are worth, a silence that waits for a second person.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { password, startServer } from "../clients/server.mjs";
import { launch, log_in, open_page, pause, picture, start_demo, violations } from "./browser.mjs";

let browser, demo;

async function call(method, path, body) {
  const answer = await fetch(`${demo.url}${path}`, { method, headers: { "Content-Type": "application/json" }, ...(body ? { body: JSON.stringify(body) } : {}) });
  const text = await answer.text();
  assert.ok(answer.ok, `${method} ${path}: ${answer.status} ${text}`);
  return text === "" ? undefined : JSON.parse(text);
}

async function until(what, look) {
  for (let i = 0; i < 300; ++i) {
    const found = await look();
    if (found) return found;
    await pause(100);
  }
  throw new Error(`never: ${what}`);
}

const storm = 25;
const runbook = "https://wiki.example.org/disk-full";

before(async () => {
  demo = await start_demo(2);
  browser = await launch();
  const disks = Array.from({ length: storm }, (_, at) => ({
    labels: { alertname: "DiskFull", severity: "warning", instance: `store-${at + 1}` },
    annotations: { summary: `Disk of store-${at + 1} is 94 % full`, runbook_url: runbook },
  }));
  await call("POST", "/api/v2/alerts", [
    ...disks,
    { labels: { alertname: "LinkDown", severity: "critical", instance: "switch-2" }, annotations: { summary: "The link of ward 3 is down", runbook_url: "javascript:alert(1)" } },
    { labels: { alertname: "OxygenPressureLow", severity: "emergency", site: "north" }, annotations: { summary: "Oxygen pressure below 3.5 bar" } },
  ]);
  // What people made of the emergency, for the rules' worth.
  const alert = await until("an alert of the Book", async () => (await call("GET", "/api/v1/alerts?state=open")).alerts.find((each) => each.cause.startsWith("label/")));
  await call("POST", `/api/v1/alerts/${alert.id}/ack`, { by: "Dr. Vega", note: "second tank opened" });
});
after(async () => {
  await browser?.close();
  await demo?.stop();
});

async function show(context, query, ready) {
  const page = await open_page(context, demo.url);
  await page.goto(`${demo.url}/alerts?${query}`);
  await page.waitForSelector(ready);
  await page.waitForSelector(".live.live");
  return page;
}

// The calls to people: screens.test.mjs.
const views = { groups: "[data-cause=DiskFull]", silences: ".silences-part .state.safe", actionability: ".rule-bar" };

async function through_all(page, look) {
  for (const [view, ready] of Object.entries(views)) {
    await page.locator(`.tabs a[href$="view=${view}"]`).click();
    await page.waitForSelector(ready);
    await picture(page, `alerts-${view}-${look}`);
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), `${view} ${look} scrolls sideways`);
    assert.deepEqual(await violations(page), [], `${view} ${look}`);
  }
  assert.deepEqual(page.faults, []);
}

test("every part in light, dark, Arabic and on a phone", async () => {
  const wide = await browser.newContext({ viewport: { width: 1440, height: 1000 } });
  for (const [look, query] of [["dark", "theme=dark&lang=en"], ["light", "theme=light&lang=en"], ["arabic", "theme=dark&lang=ar"]]) {
    const page = await show(wide, query, ".tabs");
    await through_all(page, look);
    await page.close();
  }
  await wide.close();
  const small = await browser.newContext({ viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, hasTouch: true, isMobile: true });
  await through_all(await show(small, "theme=dark&lang=en", ".tabs"), "phone");
  await small.close();
});

test("a cause is silenced as its preview says, the emergency beside it is not, and it fires again when the silence is ended", async () => {
  const context = await browser.newContext({ viewport: { width: 1440, height: 1000 } });
  const page = await show(context, "view=groups&lang=en", "[data-cause=DiskFull]");
  const cause = page.locator("[data-cause=DiskFull]");
  assert.match(await cause.innerText(), new RegExp(`Storm[\\s\\S]*${storm} alerts`));
  assert.equal(await cause.getByRole("link", { name: "Runbook" }).getAttribute("href"), runbook);
  assert.equal(await page.locator("[data-cause=LinkDown]").getByRole("link", { name: "Runbook" }).count(), 0, "not an address of the web");
  const emergency = page.locator("[data-cause=OxygenPressureLow]");
  assert.match(await emergency.innerText(), /never silenced/);
  assert.equal(await emergency.getByRole("link", { name: "Silence" }).count(), 0);
  await cause.getByRole("button", { name: "Show the alerts" }).click();
  assert.match(await cause.innerText(), /Disk of store-\d+ is 94 % full/);
  assert.match(await cause.innerText(), /5 more alerts/);

  await cause.getByRole("link", { name: "Silence" }).click();
  const dialog = page.getByRole("dialog");
  const preview = dialog.locator(".silence-preview");
  await preview.getByText(`${storm} alerts that fire now`).waitFor();
  // Of everything, for an hour: that wants a second person, and the emergency stays out of it.
  await dialog.getByLabel("Comparison").selectOption("=~");
  await dialog.getByLabel("Value").fill(".+");
  await preview.getByText("A second person has to approve this").waitFor();
  await preview.getByText("1 emergency among them: it is never silenced.").waitFor();
  assert.ok(await dialog.getByLabel("Approved by").isVisible());
  await picture(page, "alerts-preview");
  assert.deepEqual(await violations(page), []);
  await dialog.getByLabel("Comparison").selectOption("=");
  await dialog.getByLabel("Value").fill("DiskFull");
  await preview.getByText(`${storm} alerts that fire now`).waitFor();
  await dialog.getByRole("button", { name: "15 min" }).click();
  const create = dialog.getByRole("button", { name: "Silence", exact: true });
  await dialog.getByLabel("Your name").fill("Ana Ruiz");
  assert.ok(await create.isDisabled(), "without a comment");
  await dialog.getByLabel("Why").fill("The new disks are built in until noon");
  await create.click();

  const line = page.locator(".silence");
  await line.getByText(`holds ${storm} alerts back`).waitFor();
  assert.match(await line.innerText(), /alertname="DiskFull"[\s\S]*The new disks are built in until noon[\s\S]*Ana Ruiz/);
  const [made] = (await call("GET", "/api/v2/silences")).filter((silence) => silence.status.state === "active");
  assert.equal(Math.round((Date.parse(made.endsAt) - Date.parse(made.startsAt)) / 60_000), 15);
  await page.getByRole("link", { name: "By cause" }).click();
  await cause.getByText("Silenced", { exact: true }).first().waitFor();
  assert.equal(await page.locator("[data-cause]").last().getAttribute("data-cause"), "DiskFull", "what nobody is told of comes last");
  await picture(page, "alerts-silenced");
  assert.deepEqual(await violations(page), []);

  await page.getByRole("link", { name: "Silences", exact: true }).click();
  await line.getByRole("button", { name: "End now" }).click();
  await page.getByText("Nothing is silenced").waitFor();
  await page.getByRole("link", { name: "By cause" }).click();
  await cause.getByRole("link", { name: "Silence" }).waitFor();
  assert.deepEqual(page.faults, []);
  await context.close();
});

test("a silence that ends within ten minutes is warned of", async () => {
  const begin = Date.now();
  const { silenceID } = await call("POST", "/api/v2/silences", {
    matchers: [{ name: "alertname", value: "LinkDown", isRegex: false, isEqual: true }],
    startsAt: new Date(begin).toISOString(),
    endsAt: new Date(begin + 9 * 60_000).toISOString(),
    createdBy: "Ana Ruiz",
    comment: "switch is being changed",
  });
  const context = await browser.newContext({ viewport: { width: 1440, height: 1000 } });
  const page = await show(context, "view=groups&lang=en", ".band.watch");
  assert.match(await page.locator(".band.watch").innerText(), /ends within 10 minutes[\s\S]*alertname="LinkDown"/);
  await call("DELETE", `/api/v2/silence/${silenceID}`);
  assert.deepEqual(page.faults, []);
  await context.close();
});

test("emergencies are held back only when a second person confirms", async () => {
  const context = await browser.newContext({ viewport: { width: 1440, height: 1000 } });
  const page = await show(context, "view=silences&lang=en", ".silences-part");
  const dialog = page.getByRole("dialog");
  await page.getByRole("button", { name: "Ask to hold emergencies back" }).click();
  await dialog.getByLabel("Cause").fill("label/*");
  await dialog.getByLabel("Why is nobody to be called?").fill("The pressure sensor is being changed");
  await dialog.getByLabel("Your name").fill("Ana Ruiz");
  await dialog.getByRole("button", { name: "Ask to hold emergencies back" }).click();
  await page.getByText("Waits for a second person").waitFor();
  const confirm = page.getByRole("button", { name: "Confirm" });
  await confirm.click();
  await dialog.getByRole("button", { name: "Confirm" }).click();
  page.forgiving = true; // the refusal
  await dialog.getByText(/somebody else must confirm it/).waitFor();
  page.forgiving = false;
  await dialog.getByLabel("Your name").fill("Ben Okoro");
  await dialog.getByRole("button", { name: "Confirm" }).click();
  await page.getByText("In force").waitFor();
  const { overrides } = await call("GET", "/api/v1/alert-overrides");
  assert.equal(overrides.find((each) => each.confirmed_by === "Ben Okoro").minutes, 10);
  await picture(page, "alerts-override");
  assert.deepEqual(await violations(page), []);
  await page.getByRole("button", { name: "End", exact: true }).click();
  await dialog.getByRole("button", { name: "End", exact: true }).click();
  await page.getByText("No emergency is held back").waitFor();
  await context.close();
});

test("what rules are worth is what the server counts, as bars and by a key as a table", async () => {
  const context = await browser.newContext({ viewport: { width: 1440, height: 1000 } });
  const page = await show(context, "view=actionability&lang=en", ".rule-bar");
  const { rules } = await call("GET", "/api/v1/alerts/actionability?days=30");
  assert.equal(await page.locator(".rule-bar").count(), rules.length);
  const acted = rules.find((rule) => rule.led_to_action > 0);
  assert.ok((await page.locator(".rule-bar").allInnerTexts()).some((text) => text.includes(acted.rule) && text.includes(`led to action ${acted.led_to_action}`)));
  await page.keyboard.press("t");
  await page.waitForSelector(".actionability tbody tr");
  assert.equal(await page.locator(".actionability tbody tr").count(), rules.length);
  assert.equal(new URL(page.url()).searchParams.get("as"), "table");
  assert.deepEqual(await violations(page), []);
  assert.deepEqual(page.faults, []);
  await context.close();
});

test("where people log in, one proposes a silence of everything, another sees it at once, declines it, and approves it the second time", async () => {
  const server = await startServer();
  try {
    server.addUser("ann", "on-call-engineer", "Practitioner/ann");
    server.addUser("lea", "operations-lead", "Practitioner/lea");
    const enter = async (name, path) => {
      const context = await browser.newContext({ viewport: { width: 1440, height: 1000 } });
      const page = await open_page(context, server.url);
      page.forgiving = true; // 403: what the frame shows of alerts is not for an engineer
      await page.goto(`${server.url}${path}`);
      await log_in(page, name, password);
      await page.waitForSelector(".silences-part");
      return page;
    };
    const as = (page, method, path, body) =>
      page.evaluate(
        async ([method, path, body]) => {
          const answer = await fetch(path, { method, headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
          return [answer.status, await answer.text()];
        },
        [method, path, body],
      );
    const everything = encodeURIComponent(JSON.stringify([["alertname", "=~", ".+"]]));
    const lea = await enter("lea", "/alerts?view=silences&lang=en");
    const ann = await enter("ann", `/alerts?view=silences&lang=en&match=${everything}`);
    assert.deepEqual(await as(ann, "POST", "/api/v2/alerts", [1, 2, 3].map((at) => ({ labels: { alertname: "LinkDown", instance: `switch-${at}` } }))), [200, ""]);
    await lea.waitForSelector(".live.live");
    const propose = async (why) => {
      await ann.goto(`${server.url}/alerts?view=silences&lang=en&match=${everything}`);
      await ann.getByRole("dialog").getByText("A second person has to approve this").waitFor();
      await ann.getByLabel("Why").fill(why);
      assert.deepEqual(await violations(ann), []);
      await ann.getByRole("button", { name: "Propose it" }).click();
      await ann.getByRole("link", { name: "Silences, 1 waiting" }).waitFor();
    };

    await propose("The monitoring is being moved");
    const line = lea.locator("[data-proposal]");
    await line.waitFor({ timeout: 4_000 });
    await line.getByText("would hold 3 alerts back now").waitFor();
    assert.match(await line.innerText(), /The monitoring is being moved[\s\S]*asked for by ann/);
    assert.equal(await lea.getByRole("link", { name: "Silences, 1 waiting" }).count(), 1);

    await ann.getByRole("button", { name: "Look at it" }).click();
    await ann.getByText("You proposed it: another person decides.").waitFor();
    assert.equal(await ann.getByRole("button", { name: "Approve" }).count(), 0);
    const address = new URL(ann.url());
    const id = address.searchParams.get("proposal");
    const [status, text] = await as(ann, "POST", `/api/v1/silences/proposals/${id}/approve`, {});
    assert.equal(status, 403);
    assert.match(text, /who approves is another person than who asks/);
    await ann.keyboard.press("Escape");

    const dialog = lea.getByRole("dialog");
    for (const [look, query] of [["light", "theme=light&lang=en"], ["arabic", "theme=dark&lang=ar"], ["dark", "theme=dark&lang=en"]]) {
      await lea.goto(`${server.url}/alerts?view=silences&proposal=${id}&${query}`);
      await dialog.locator(".preview-count").waitFor();
      await picture(lea, `alerts-proposal-${look}`);
      assert.deepEqual(await violations(lea), [], look);
      await lea.keyboard.press("Escape");
      await line.waitFor();
      await picture(lea, `alerts-proposals-${look}`);
      assert.deepEqual(await violations(lea), [], look);
    }
    await line.getByRole("button", { name: "Look at it" }).click();
    assert.match(await dialog.locator(".silence-preview").innerText(), /3\s+alerts that fire now/);
    const decline = dialog.getByRole("button", { name: "Decline" });
    assert.ok(await decline.isDisabled(), "without a reason");
    await dialog.getByLabel("Reason for declining").fill("Not before the night shift");
    await decline.click();
    await ann.getByText("declined by lea: Not before the night shift").waitFor();
    await ann.getByRole("link", { name: "Silences", exact: true }).waitFor();

    await propose("Moved at 22:00");
    assert.equal(await ann.locator("[data-proposal]").count(), 1, "in the place of what was declined");
    await line.getByText("Moved at 22:00").waitFor();
    await line.getByRole("button", { name: "Look at it" }).click();
    await dialog.getByRole("button", { name: "Approve" }).click();
    for (const page of [lea, ann]) {
      const made = page.locator("[data-silence]");
      await made.waitFor();
      assert.match(await made.innerText(), /Moved at 22:00[\s\S]*asked for by ann[\s\S]*approved by lea/);
      await page.locator("[data-proposal]").waitFor({ state: "detached" });
    }

    await propose("Once more");
    await ann.getByRole("button", { name: "Look at it" }).click();
    await ann.getByRole("button", { name: "Withdraw" }).click();
    await line.waitFor({ state: "detached" });
    for (const page of [ann, lea]) {
      assert.deepEqual(page.faults, []);
      await page.context().close();
    }
  } finally {
    await server.stop();
  }
});
