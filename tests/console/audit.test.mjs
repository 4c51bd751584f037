// The trail: what a nurse did is found by a compliance officer, as a list and as a timeline; an emergency access is reviewed; the
// chain is verified. Without access control the screen says that there is no trail.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { password, startServer } from "../clients/server.mjs";
import { launch, log_in, open_page, pause, picture, start_demo, violations } from "./browser.mjs";

let browser, server, carla, patient;

before(async () => {
  browser = await launch();
  server = await startServer();
  server.addUser("nora", "nurse", "Practitioner/nora");
  server.addUser("carla", "compliance-officer", "Practitioner/carla");
  const nora = await browser.newContext();
  const page = await nora.newPage();
  await page.goto(`${server.url}/?lang=en`);
  await log_in(page, "nora", password);
  patient = await page.evaluate(async () => {
    const ask = (path, method, body, type) => fetch(path, { method, ...(body ? { body: JSON.stringify(body), headers: { "Content-Type": type } } : {}) });
    const made = await ask("/fhir/R4/Patient", "POST", { resourceType: "Patient", name: [{ text: "Ines Walk", family: "Walk" }] }, "application/fhir+json");
    const { id } = await made.json();
    for (let i = 0; i < 3; ++i) await ask(`/fhir/R4/Patient/${id}`, "GET");
    await ask("/api/v1/break-glass", "POST", { patient: id, reason: "Unconscious in the emergency department" }, "application/json");
    await ask(`/fhir/R4/Patient/${id}`, "GET");
    return id;
  });
  await nora.close();
  carla = await browser.newContext({ viewport: { width: 1600, height: 1300 } });
  const first = await carla.newPage();
  await first.goto(`${server.url}/?lang=en`);
  await log_in(first, "carla", password);
  await first.close();
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

async function show(context, query) {
  const page = await open_page(context, server.url);
  page.forgiving = true; // 403: what the frame shows of alerts is not for this role
  await page.goto(`${server.url}/audit?${query}`);
  await page.waitForSelector(".trail-rows [data-id]");
  await page.waitForSelector(".live.live");
  await pause(700);
  return page;
}

test("in each theme, in Arabic and on a phone", async () => {
  for (const [name, query] of [["dark", "theme=dark&lang=en"], ["light", "theme=light&lang=en"], ["arabic", "theme=dark&lang=ar"], ["contrast", "theme=contrast&lang=de"]]) {
    const page = await show(carla, `patient=${patient}&${query}`);
    await picture(page, `audit-${name}`);
    assert.deepEqual(await violations(page), []);
    await page.close();
  }
  const small = await browser.newContext({ viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true, storageState: await carla.storageState() });
  const page = await show(small, "theme=dark&lang=en");
  await picture(page, "audit-phone");
  assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), "it scrolls sideways");
  assert.deepEqual(await violations(page), []);
  await small.close();
});

test("one patient's accesses are a timeline, each with who and why; the address holds the search", async () => {
  const page = await show(carla, "lang=en");
  await page.getByRole("search", { name: "Search the trail" }).getByLabel("Patient").fill(`Patient/${patient}`);
  await page.getByRole("search", { name: "Search the trail" }).getByRole("button", { name: "Search" }).click();
  await page.waitForSelector(".access-lanes");
  assert.equal(new URL(page.url()).searchParams.get("patient"), patient);
  // Her read under the override, and its beginning.
  assert.equal(await page.locator(".access-lane", { hasText: "nora" }).locator(".mark.emergency").count(), 2);
  await page.getByLabel("Who", { exact: true }).fill("nora");
  await page.keyboard.press("Enter");
  await page.waitForFunction(() => [...document.querySelectorAll(".trail-rows .cell-who strong")].every((each) => each.textContent === "nora"));
  await page.locator(".trail-rows .cell-did .link", { hasText: "read" }).first().click();
  const facts = page.getByRole("dialog");
  await facts.getByText("role nurse may read Patient").waitFor();
  assert.deepEqual(await violations(page), []);
  await page.keyboard.press("Escape");
  await page.close();
});

test("an emergency access is judged, and what was written is kept when the server refuses", async () => {
  const page = await show(carla, "lang=en");
  await page.getByText("Unconscious in the emergency department").first().waitFor();
  await page.getByRole("button", { name: "Review" }).click();
  const dialog = page.getByRole("dialog");
  const judge = dialog.getByRole("button", { name: "Justified", exact: true });
  assert.equal(await judge.isDisabled(), true);
  await dialog.getByLabel("What you found").fill("Seen in the emergency department at that time");
  assert.deepEqual(await violations(page), []);
  await picture(page, "audit-review");
  await page.route("**/review", (route) => route.fulfill({ status: 503, contentType: "application/problem+json", body: '{"title":"unavailable","status":503,"detail":"too busy"}' }), { times: 1 });
  await judge.click();
  await dialog.getByText("Not reviewed: too busy").waitFor();
  assert.equal(await dialog.getByLabel("What you found").inputValue(), "Seen in the emergency department at that time");
  await judge.click();
  await page.getByText("Nothing waits for a review").waitFor();
  await page.getByLabel("Which").selectOption("all");
  await page.locator(".audit .line", { hasText: "Justified" }).waitFor();
  await page.close();
});

test("every line is verified", async () => {
  const page = await show(carla, "lang=en");
  await page.getByRole("button", { name: "Verify every line" }).click();
  await page.getByText("The chain is whole").waitFor();
  assert.deepEqual(await violations(page), []);
  await page.close();
});

test("without access control there is no trail, and the screen says why", async () => {
  const demo = await start_demo(4);
  try {
    const context = await browser.newContext();
    const page = await open_page(context, demo.url);
    page.forgiving = true; // its routes are not there
    await page.goto(`${demo.url}/audit?lang=en`);
    await page.getByText("There is no trail").waitFor();
    assert.deepEqual(await violations(page), []);
    await context.close();
  } finally {
    await demo.stop();
  }
});
