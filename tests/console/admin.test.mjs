// Access and Settings: an administrator sees who has an account and explains a decision; a nurse is refused, and told which role
// would be needed; the navigation offers what may be opened; live settings, channels and feeds of a hospital that lives.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import { password, startServer } from "../clients/server.mjs";
import { launch, log_in, open_page, picture, start_demo, violations } from "./browser.mjs";

const looks = [["light", "light", "en"], ["arabic", "dark", "ar"], ["contrast", "contrast", "de"], ["dark", "dark", "en"]];
const wide = { viewport: { width: 1600, height: 1200 }, reducedMotion: "reduce" };
let browser;
before(async () => {
  browser = await launch();
});
after(async () => browser?.close());

// The page as it is, in each theme, in Arabic, and as narrow as a phone, where it must not scroll sideways.
async function in_each_look(page, name) {
  for (const [look, theme, language] of looks) {
    await page.locator(".settings select").nth(0).selectOption(theme);
    await page.locator(".settings select").nth(1).selectOption(language);
    await page.waitForFunction(([theme, language]) => document.documentElement.dataset.theme === theme && document.documentElement.lang === language, [theme, language]);
    await picture(page, `${name}-${look}`);
    assert.deepEqual(await violations(page), [], look);
  }
  await page.setViewportSize({ width: 390, height: 844 });
  await page.waitForFunction(() => getComputedStyle(document.querySelector(".top .search")).display === "none");
  await picture(page, `${name}-phone`);
  assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), `${name} scrolls sideways`);
  assert.deepEqual(await violations(page), [], "phone");
  await page.setViewportSize(wide.viewport);
}

describe("with access control", () => {
  let server, ada, nora;

  before(async () => {
    server = await startServer();
    server.addUser("ada", "administrator", "Practitioner/ada");
    server.addUser("nora", "nurse", "Practitioner/nora");
    server.addUser("olga", "compliance-officer", "Practitioner/olga");
    server.addUser("bo", "booking-desk", "Practitioner/bo");
    ada = await browser.newContext(wide);
    nora = await browser.newContext(wide);
  });
  after(async () => {
    await ada?.close();
    await nora?.close();
    await server?.stop();
  });

  async function show(context, path, ready) {
    const page = await open_page(context, server.url);
    page.forgiving = true; // 403: what the frame shows of alerts is not for this role
    await page.goto(`${server.url}${path}`);
    await page.waitForSelector(ready);
    await page.waitForSelector(".live.live");
    return page;
  }

  test("who comes for the first time is led to the login without an error", async () => {
    for (const [context, name] of [[ada, "ada"], [nora, "nora"]]) {
      const page = await open_page(context, server.url);
      await page.goto(`${server.url}/access?lang=en`);
      await page.waitForURL("**/login?to=*");
      assert.deepEqual(page.faults, [], "nobody is refused to find out that nobody is logged in");
      page.forgiving = true;
      await log_in(page, name, password);
      await page.getByRole("heading", { name: "Access", level: 1 }).waitFor();
      await page.close();
    }
  });

  test("an administrator sees who has an account, in each theme, in Arabic and on a phone", async () => {
    const page = await show(ada, "/access?tab=people&lang=en", ".people-rows [data-id=nora]");
    await in_each_look(page, "access-people");
    await page.close();
  });

  test("people are found by role and by what their account lacks; one of them in full, with what may be done", async () => {
    const page = await show(ada, "/access?tab=people&lang=en", ".people-rows [data-id=nora]");
    // Olga's role needs one-time codes, and she never logged in.
    await page.getByRole("button", { name: "second factor missing" }).click();
    await page.waitForFunction(() => document.querySelectorAll(".people-rows .rows-body [data-id]").length === 1);
    assert.equal(await page.locator(".people-rows [data-id=olga]").count(), 1);
    assert.equal(new URL(page.url()).searchParams.get("standing"), "no_factor");
    await page.getByLabel("Account", { exact: true }).selectOption("");
    await page.getByLabel("Role", { exact: true }).selectOption("nurse");
    await page.locator(".people-rows [data-id=nora] .link").click();
    const dialog = page.getByRole("dialog");
    for (const name of ["Change", "Disable", "Invite anew"]) await dialog.getByRole("button", { name, exact: true }).waitFor();
    await dialog.getByRole("button", { name: "End", exact: true }).waitFor();
    assert.deepEqual(await violations(page), []);
    await picture(page, "access-person");
    await page.keyboard.press("Escape");
    await page.close();
  });

  test("a compliance officer sees accounts, not where others are logged in, and changes none", async () => {
    const olga = await browser.newContext(wide);
    const page = await open_page(olga, server.url);
    page.forgiving = true; // 403: alerts are not for this role
    await page.goto(`${server.url}/access?tab=people&user=nora&lang=en`);
    await log_in(page, "olga", password);
    const dialog = page.getByRole("dialog");
    await dialog.getByText("Practitioner/nora").waitFor();
    for (const name of ["Change", "Disable"]) assert.equal(await dialog.getByRole("button", { name, exact: true }).count(), 0);
    assert.equal(await page.getByRole("button", { name: "Add a person" }).count(), 0);
    assert.equal(await dialog.getByRole("heading", { name: "Logged in" }).count(), 0);
    await olga.close();
  });

  test("a nurse is added and invited, chooses a password, works, and is disabled", async () => {
    const page = await show(ada, "/access?tab=people&lang=en", ".people-rows [data-id=nora]");
    await page.getByRole("button", { name: "Add a person" }).click();
    const form = page.getByRole("dialog");
    await form.getByLabel("Logs in as").fill("Nina");
    await form.getByLabel("Name to show").fill("Nina Neu");
    await form.getByLabel("In the records").fill("Device/1");
    await form.getByRole("checkbox", { name: /^nurse/ }).check();
    await form.getByText("Cares for patients", { exact: false }).waitFor();
    await form.getByRole("button", { name: "Add and invite" }).click();
    // The field that is wrong is told, and nothing typed is lost.
    await form.locator("[aria-invalid]").waitFor();
    assert.equal(await form.getByLabel("Name to show").inputValue(), "Nina Neu");
    assert.deepEqual(await violations(page), []);
    await picture(page, "access-add");
    await form.getByLabel("In the records").fill("Practitioner/nina");
    await form.getByRole("button", { name: "Add and invite" }).click();
    await form.getByText("Invitation for Nina Neu").waitFor();
    const address = await form.locator(".command code").textContent();
    assert.ok(address.startsWith(`${server.url}/setup/`));
    assert.deepEqual(await violations(page), []);
    await picture(page, "access-invitation");
    await form.getByRole("button", { name: "Close" }).last().click();

    const other = await browser.newContext(wide);
    const nina = await open_page(other, server.url);
    nina.forgiving = true; // 401 at the end: she is disabled
    await nina.goto(address);
    assert.deepEqual(await violations(nina), []);
    await picture(nina, "access-choose");
    assert.equal(await nina.locator("input[name=user]").inputValue(), "nina");
    for (const field of ["password", "again"]) await nina.locator(`input[name=${field}]`).fill(password);
    await nina.getByRole("button", { name: "Begin" }).click();
    await nina.waitForURL("**/login");
    await log_in(nina, "nina", password);
    await nina.goto(`${server.url}/access?tab=me&lang=en`);
    await nina.getByText("Practitioner/nina").first().waitFor();
    assert.equal((await other.request.get(address)).status(), 410);
    assert.ok(!server.said().includes(address.slice(address.lastIndexOf("/") + 1)), "the log holds no invitation");

    for (const [look, theme, language] of looks) {
      await page.goto(`${server.url}/access?tab=people&user=nina&theme=${theme}&lang=${language}`);
      await page.locator(".account-actions button").first().click();
      await page.waitForSelector(".role-choice input:checked");
      await picture(page, `access-account-${look}`);
      assert.deepEqual(await violations(page), [], look);
    }
    // Somebody else is faster: what was typed stays, and is sent only after that was seen.
    await page.goto(`${server.url}/access?tab=people&user=nina&theme=light&lang=en`);
    await page.locator(".account-actions").getByRole("button", { name: "Change" }).click();
    const edit = page.getByRole("dialog").last();
    await edit.getByLabel("Name to show").fill("Nina N");
    const faster = await page.evaluate(async () => {
      const { users } = await (await fetch("/api/v1/access/users")).json();
      const headers = { "Content-Type": "application/json", "If-Match": `"${users.find((user) => user.name === "nina").version}"` };
      const body = JSON.stringify({ display: "Nina Neu", roles: ["nurse", "booking-desk"], fhirUser: "Practitioner/nina" });
      return (await fetch("/api/v1/access/users/nina", { method: "PUT", headers, body })).status;
    });
    assert.equal(faster, 200);
    await edit.getByRole("button", { name: "Save" }).click();
    await edit.getByText("Nina Neu; nurse, booking-desk; Practitioner/nina").waitFor();
    assert.equal(await edit.getByLabel("Name to show").inputValue(), "Nina N");
    assert.deepEqual(await violations(page), []);
    await picture(page, "access-meanwhile");
    await edit.getByRole("button", { name: "Go on with what I typed" }).click();
    await edit.getByLabel("Name to show").fill("Nina Neu");
    await edit.getByRole("button", { name: "Save" }).click();
    await page.getByText("The account is changed").waitFor();
    await page.close();
    const again = await show(ada, "/access?tab=people&user=nina&theme=light&lang=en", ".account-actions");
    await again.getByRole("button", { name: "Disable", exact: true }).click();
    const confirm = again.getByRole("dialog").last();
    await confirm.getByText("is logged out everywhere").waitFor();
    assert.deepEqual(await violations(again), []);
    await picture(again, "access-disable");
    await confirm.getByRole("button", { name: "Disable", exact: true }).click();
    await again.getByText("Nina Neu is disabled").waitFor();
    await again.getByRole("button", { name: "Enable", exact: true }).waitFor();
    assert.equal((await other.request.get(`${server.url}/api/v1/access/me`)).status(), 401);
    await nina.waitForSelector(".expired", { timeout: 60_000 });
    await picture(nina, "access-expired");
    await other.close();
    await again.close();
  });

  test("roles are a table at a glance and words", async () => {
    const page = await show(ada, "/access?tab=roles&role=nurse&lang=en", ".role-matrix tr.chosen");
    await in_each_look(page, "access-roles");
    await page.getByText("every kind of resource except AuditEvent").first().waitFor();
    await page.getByText("HIV hidden").waitFor();
    await page.getByRole("button", { name: "compliance-officer", exact: true }).click();
    await page.getByText("Reviews emergency overrides", { exact: false }).first().waitFor();
    assert.equal(new URL(page.url()).searchParams.get("role"), "compliance-officer");
    await page.close();
  });

  test("a decision is explained: the rule, and the roles that may", async () => {
    const page = await show(ada, "/access?tab=explain&lang=en", ".explain-form");
    assert.deepEqual(await violations(page), []);
    await page.getByLabel("As", { exact: true }).fill("nora");
    await page.getByLabel("Path", { exact: true }).fill("/fhir/R4/Patient/nobody");
    await page.getByRole("button", { name: "Explain" }).click();
    await page.getByText("role nurse may read Patient").waitFor();
    await page.getByText("you are not told whether it is there").waitFor();
    assert.equal(new URL(page.url()).searchParams.get("as"), "nora");
    await picture(page, "access-allowed");
    await page.getByLabel("Path", { exact: true }).fill("/api/v1/audit/status");
    await page.keyboard.press("Enter");
    await page.getByText("Not allowed").waitFor();
    await page.locator(".verdict.urgent dd", { hasText: /^compliance-officer$/ }).waitFor();
    await picture(page, "access-denied");
    assert.deepEqual(await violations(page), []);
    await page.getByLabel("As", { exact: true }).fill("nobody");
    await page.keyboard.press("Enter");
    await page.getByText("HTTP 404: there is no user nobody", { exact: true }).waitFor();
    await page.close();
  });

  test("the organization, its tier and its quotas", async () => {
    const page = await show(ada, "/access?tab=tenants&lang=en", ".quotas");
    await page.getByText("The server has one organization").waitFor();
    await picture(page, "access-tenant");
    assert.deepEqual(await violations(page), []);
    await page.close();
  });

  test("a nurse is offered what she may open, and told who may the rest", async () => {
    const page = await show(nora, "/access?lang=en", ".who-facts");
    const offered = await page.locator(".nav a span").allTextContents();
    for (const name of ["Emergency board", "Patients", "Alerts", "Access"]) assert.ok(offered.includes(name), `${name} is not offered`);
    for (const name of ["Audit", "SLOs", "Settings", "Changes"]) assert.ok(!offered.includes(name), `${name} is offered`);
    assert.deepEqual(await page.locator(".tabs a").allTextContents(), ["Myself"]);
    await picture(page, "access-nurse");
    assert.deepEqual(await violations(page), []);
    await page.goto(`${server.url}/access?tab=people&lang=en`);
    await page.getByText("Your role does not show this").waitFor();
    await page.getByText("role nurse may not access-users; administrator, compliance-officer may").waitFor();
    await picture(page, "access-forbidden");
    assert.deepEqual(await violations(page), []);
    await page.close();
  });

  test("a login is ended from another one, and that one is asked to log in again", async () => {
    const other = await browser.newContext();
    const there = await open_page(other, server.url);
    there.forgiving = true; // 401: its login is ended
    await there.goto(`${server.url}/access?lang=en`);
    await log_in(there, "nora", password);
    await there.waitForSelector(".who-facts");
    const page = await show(nora, "/access?tab=me&lang=en", ".lines .line");
    await page.waitForFunction(() => document.querySelectorAll(".lines .line").length === 2);
    await page.locator(".lines .line", { hasNotText: "here, now" }).getByRole("button", { name: "End" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "End this login" }).click();
    await page.getByText("The login is ended").waitFor();
    await page.waitForFunction(() => document.querySelectorAll(".lines .line").length === 1);
    await there.waitForSelector(".expired", { timeout: 60_000 });
    await other.close();
    await page.close();
  });

  test("settings of a server on which nothing was changed", async () => {
    const page = await show(ada, "/settings?lang=en", ".setting-line");
    assert.deepEqual(await page.locator(".tabs a").allTextContents(), ["Live settings", "Server"], "channels and feeds are not an administrator's");
    await page.getByRole("button", { name: "login_free_attempts" }).click();
    await page.getByRole("dialog").getByText("What is in force is what the settings file says").waitFor();
    assert.deepEqual(await violations(page), []);
    await page.close();
  });
});

describe("of a hospital that lives", () => {
  let demo, context;
  before(async () => {
    demo = await start_demo(6);
    context = await browser.newContext(wide);
  });
  after(async () => {
    await context?.close();
    await demo?.stop();
  });

  const parts = [["live", ".setting-line"], ["channels", ".figures"], ["feeds", ".feed"], ["server", ".document-list"]];
  async function show(path, ready) {
    const page = await open_page(context, demo.url);
    await page.goto(`${demo.url}${path}`);
    await page.waitForSelector(ready);
    await page.waitForSelector(".live.live");
    return page;
  }

  for (const [part, ready] of parts) {
    test(`settings, ${part}: in each theme, in Arabic and on a phone`, async () => {
      const page = await show(`/settings?tab=${part}&lang=en`, ready);
      await in_each_look(page, `settings-${part}`);
      assert.deepEqual(page.faults, []);
      await page.close();
    });
  }

  test("a setting says by which change it was set", async () => {
    const page = await show("/settings?tab=live&lang=en", ".setting-line");
    await page.getByRole("button", { name: "clear_days" }).click();
    await page.getByRole("dialog").getByText("{kind: set, setting: alerting.clear_days").waitFor();
    assert.deepEqual(await violations(page), []);
    await picture(page, "settings-one");
    assert.equal(new URL(page.url()).searchParams.get("setting"), "alerting.clear_days");
    await page.getByRole("link", { name: "Propose a change" }).click();
    await page.waitForURL("**/changes/new?setting=alerting.clear_days");
    await page.locator(".setting-about", { hasText: "After its end until an alert" }).waitFor();
    await page.close();
  });

  test("vital signs are received", async () => {
    const page = await show("/settings?tab=feeds&lang=en", ".feed");
    await page.waitForFunction(() => Number(document.querySelector("[data-feed=vitals] .feed-figure .number")?.textContent.replaceAll(",", "")) > 0, undefined, { timeout: 60_000 });
    await page.close();
  });

  test("an address needs its code, and a test page its person", async () => {
    const page = await show("/settings?tab=channels&lang=en", ".figures");
    await page.getByRole("button", { name: "Verify an address" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("Address", { exact: true }).fill("ward@hospital.example");
    page.forgiving = true; // no mail server is set: the server says so
    await dialog.getByRole("button", { name: "Send the code" }).click();
    await dialog.getByText(/^Not done: /).waitFor();
    assert.deepEqual(await violations(page), []);
    await page.keyboard.press("Escape");
    await page.getByRole("button", { name: "Send a test page" }).click();
    await page.getByRole("dialog").getByLabel("Person").waitFor();
    assert.deepEqual(await violations(page), []);
    await page.close();
  });

  test("without access control nobody is asked who they are, and the screen says so", async () => {
    const page = await show("/access?lang=en", ".access-screen .state");
    await page.getByText("Nobody is asked who they are").waitFor();
    assert.deepEqual(await violations(page), []);
    assert.deepEqual(page.faults, []);
    await page.close();
  });
});

test("each screen of the console has its place in the list that the server reads", () => {
  const screens = JSON.parse(readFileSync(new URL("../../console/screens.json", import.meta.url), "utf8"));
  for (const id of ["access", "settings"]) assert.ok(screens.some((screen) => screen.id === id && screen.group === "govern"));
  const keys = screens.flatMap((screen) => screen.key ?? []);
  assert.equal(new Set(keys).size, keys.length, "two screens have the same key");
});
