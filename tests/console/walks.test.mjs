// What people do: see an emergency and acknowledge it, go by keys, lose the server and find it again, log in, be logged out in the
// middle of a sentence.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { password, startServer } from "../clients/server.mjs";
import { launch, open_page, pause, picture, start_demo, violations } from "./browser.mjs";

let browser;
before(async () => {
  browser = await launch();
});
after(() => browser?.close());

const observation = (patient, code, value, unit) => ({
  resourceType: "Observation",
  status: "final",
  category: [{ coding: [{ system: "http://terminology.hl7.org/CodeSystem/observation-category", code: "vital-signs" }] }],
  code: { coding: [{ system: "http://loinc.org", code }] },
  subject: { reference: `Patient/${patient}` },
  effectiveDateTime: new Date().toISOString(),
  valueQuantity: { value, unit, system: "http://unitsofmeasure.org", code: unit },
});
const post = (url, resource) =>
  fetch(`${url}/fhir/R4/${resource.resourceType}${resource.id ? `/${resource.id}` : ""}`, {
    method: resource.id ? "PUT" : "POST",
    headers: { "Content-Type": "application/fhir+json" },
    body: JSON.stringify(resource),
  });

describe("without access control", () => {
  let demo, context;
  before(async () => {
    demo = await start_demo(12);
    context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
  });
  after(async () => {
    await context?.close();
    await demo?.stop();
  });

  test("an emergency is on the board at once, and acknowledged with two touches", async () => {
    const page = await open_page(context, demo.url);
    await page.goto(`${demo.url}/board?lang=en`);
    await page.waitForSelector(".board-rows [data-id]");
    await post(demo.url, { resourceType: "Patient", id: "walk", name: [{ text: "Ines Walk", given: ["Ines"], family: "Walk" }], gender: "female", birthDate: "1958-03-08" });
    // The page is told by its stream; the time is that of the browser's own clock.
    await page.evaluate(() => {
      window.seen = new Promise((done) => {
        const look = () => (document.querySelector('[data-id="walk"].waiting') ? done(Date.now()) : requestAnimationFrame(look));
        look();
      });
    });
    const began = Date.now();
    const written = await post(demo.url, observation("walk", "59408-5", 79, "%"));
    assert.equal(written.status, 201);
    const took = (await page.evaluate(() => window.seen)) - began;
    console.log(`posted to seen: ${took} ms`);
    assert.ok(took < 3_000, `${took} ms until it was seen`);

    const row = page.locator('[data-id="walk"]');
    await row.getByRole("button", { name: "Acknowledge" }).click();
    await page.getByLabel("Acknowledge as").fill("Dr. Blackwell");
    await page.getByRole("button", { name: "On my way" }).click();
    await page.waitForSelector("dialog[open]", { state: "hidden" });
    await row.getByText("Dr. Blackwell").waitFor();
    const { alerts } = await (await fetch(`${demo.url}/api/v1/alerts`)).json();
    const alert = alerts.find((each) => each.patient === "Patient/walk");
    assert.equal(alert.acknowledged_by, "Dr. Blackwell");
    assert.equal(alert.acknowledged_note, "On my way");
    assert.deepEqual(page.faults, []);
    await page.close();
  });

  test("by keys alone: screens, search, a row, the table of a chart", async () => {
    const page = await open_page(context, demo.url);
    await page.goto(`${demo.url}/?lang=en`);
    await page.waitForSelector(".clock-value");
    await page.keyboard.press("g");
    await page.keyboard.press("b");
    await page.waitForSelector(".board-rows [data-id]");
    assert.equal(new URL(page.url()).pathname, "/board");
    await page.keyboard.press("j");
    await page.waitForSelector(".row-line.selected");
    await page.keyboard.press("Enter");
    await page.waitForSelector(".chart canvas");
    await page.keyboard.press("t");
    await page.waitForSelector(".vitals-chart table");
    await page.keyboard.press("/");
    await page.keyboard.type("walk");
    await page.keyboard.press("Enter");
    await page.waitForSelector('.patient-rows [data-id="walk"]');
    assert.deepEqual(page.faults, []);
    await page.close();
  });

  test("initials in place of names, kept on this device", async () => {
    const page = await open_page(context, demo.url);
    await page.goto(`${demo.url}/patients?q=walk&lang=en`);
    await page.getByRole("link", { name: "Ines Walk" }).waitFor();
    await page.getByRole("button", { name: "Show initials instead of names" }).click();
    await page.getByRole("link", { name: "IW", exact: true }).waitFor();
    assert.equal(await page.getByText("Ines Walk").count(), 0);
    await page.getByRole("button", { name: "Show names" }).click();
    await page.close();
  });

  test("a server that goes away: stale, NOT LIVE, and back without a reload or a lost word", async () => {
    const page = await open_page(context, demo.url);
    await page.goto(`${demo.url}/?lang=en`);
    await page.waitForSelector(".live.live");
    await page.locator("#search").fill("half a na");
    await page.evaluate(() => (window.not_loaded_again = true));
    page.forgiving = true;
    await demo.halt();
    await page.waitForSelector(".live.stale", { timeout: 12_000 });
    assert.equal(await page.evaluate(() => getComputedStyle(document.querySelector(".live-value")).textDecorationLine), "line-through");
    await page.waitForSelector("div.not-live", { timeout: 40_000 });
    await page.getByText("Unknown: no data from the server").first().waitFor();
    await pause(500);
    await picture(page, "not-live");
    assert.deepEqual(await violations(page), []);
    await demo.start_again();
    await page.waitForSelector(".live.live", { timeout: 60_000 });
    await page.waitForSelector("div.not-live", { state: "detached" });
    await pause(1_000);
    page.forgiving = false;
    assert.equal(await page.evaluate(() => window.not_loaded_again), true);
    assert.equal(await page.locator("#search").inputValue(), "half a na");
    await pause(2_500);
    assert.deepEqual(page.faults, []);
    await page.close();
  });
});

describe("with access control", () => {
  let server, context;
  before(async () => {
    server = await startServer();
    server.addUser("nora", "nurse", "Practitioner/nora");
    server.addUser("chris", "change-manager", "Practitioner/chris");
    context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
  });
  after(async () => {
    await context?.close();
    await server?.stop();
  });

  async function log_in(page, name) {
    await page.locator("input[name=user]").fill(name);
    await page.locator("input[name=password]").fill(password);
    await page.getByRole("button", { name: "Log in" }).click();
  }

  test("the login page speaks the browser's language, and the console's once that was chosen", async () => {
    for (const [locale, title, wrong, direction] of [
      ["de-DE", "Anmelden", "Name, Passwort oder Einmalcode ist falsch", "ltr"],
      ["ar", "تسجيل الدخول", "الاسم أو كلمة المرور أو الرمز غير صحيح", "rtl"],
    ]) {
      const abroad = await browser.newContext({ viewport: { width: 800, height: 700 }, locale });
      const page = await open_page(abroad, server.url);
      page.forgiving = true; // 400 is what is looked at here
      await page.goto(`${server.url}/login`);
      await page.getByRole("heading", { name: title }).waitFor();
      assert.equal(await page.evaluate(() => document.documentElement.dir), direction);
      await page.locator("input[name=user]").fill("nobody");
      await page.locator("input[name=password]").fill("no password of anybody");
      await page.locator("button").click();
      await page.getByRole("alert").getByText(wrong).waitFor();
      await picture(page, `login-${locale}`);
      assert.deepEqual(await violations(page), []);
      await page.goto(`${server.url}/?lang=fr`);
      await page.getByRole("heading", { name: "Se connecter" }).waitFor();
      await abroad.close();
    }
  });

  test("a login leads to the screen that was asked for", async () => {
    const page = await open_page(context, server.url);
    await page.goto(`${server.url}/board?lang=en`);
    await page.waitForURL("**/login?to=*");
    assert.deepEqual(page.faults, []);
    await log_in(page, "nora");
    await page.getByRole("heading", { name: "Emergency board" }).waitFor();
    assert.equal(new URL(page.url()).pathname, "/board");
    await page.getByText("No vital sign in the last 24 hours").waitFor();
    assert.deepEqual(await violations(page), []);
    await page.close();
  });

  test("an empty hospital says so, and what a role may not see says which rule", async () => {
    const page = await open_page(context, server.url);
    page.forgiving = true; // 403 is what is looked at here
    await page.goto(`${server.url}/?lang=en`);
    await page.getByText("Your role does not show this").first().waitFor();
    await page.waitForSelector(".live.live");
    await pause(700);
    await picture(page, "overview-nurse");
    assert.deepEqual(await violations(page), []);
    await page.close();
  });

  test("a record that is not shown: emergency access needs a reason", async () => {
    const page = await open_page(context, server.url);
    page.forgiving = true;
    await page.goto(`${server.url}/patients/nobody?lang=en`);
    await page.getByRole("button", { name: "Emergency access" }).click();
    const confirm = page.getByRole("button", { name: "Open the record" });
    assert.equal(await confirm.isDisabled(), true);
    await page.getByLabel("Why must you see this record now?").fill("Unconscious in the emergency department");
    assert.deepEqual(await violations(page), []);
    await picture(page, "break-glass");
    await confirm.click();
    await page.getByText("Opened for 15 minutes. It will be reviewed.").waitFor();
    await page.close();
  });

  test("logged out in the middle of a sentence: the words are still there after the next login", async () => {
    const page = await open_page(context, server.url);
    page.forgiving = true;
    await page.goto(`${server.url}/patients?lang=en`);
    await page.waitForSelector("#find");
    await page.locator("#find").fill("half a na");
    const cookies = await context.cookies();
    await context.clearCookies();
    await page.waitForSelector(".expired", { timeout: 60_000 });
    await pause(300);
    await picture(page, "expired");
    assert.deepEqual(await violations(page), []);
    assert.ok(cookies.length > 0);
    const [window_of_login] = await Promise.all([context.waitForEvent("page"), page.getByRole("link", { name: "Log in again" }).click()]);
    await log_in(window_of_login, "nora");
    await page.waitForSelector(".expired", { state: "detached", timeout: 60_000 });
    assert.equal(await page.locator("#find").inputValue(), "half a na");
    await page.waitForSelector(".live.live", { timeout: 60_000 });
    await page.close();
  });

  test("another person does not go on with what the first one saw", async () => {
    const page = await open_page(context, server.url);
    page.forgiving = true;
    await page.goto(`${server.url}/patients?lang=en`);
    await page.locator("#find").fill("a secret");
    await context.clearCookies();
    await page.waitForSelector(".expired", { timeout: 60_000 });
    const [window_of_login] = await Promise.all([context.waitForEvent("page"), page.getByRole("link", { name: "Log in again" }).click()]);
    await log_in(window_of_login, "chris");
    await page.waitForURL(`${server.url}/`, { timeout: 60_000 });
    await page.getByText("Your role is not told of alerts").first().waitFor();
    assert.equal(await page.getByText("a secret").count(), 0);
    await page.close();
  });
});
