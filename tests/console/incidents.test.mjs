// Incidents: one is declared, its roles are taken, people write, it is resolved, its review is closed when every action has owner and
// date; another is found to be the same. Every screen in each theme, in Arabic and on a phone.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { password, startServer } from "../clients/server.mjs";
import { launch, log_in, open_page, pause, picture, start_demo, violations } from "./browser.mjs";

let browser, demo;

const api = async (path, body) => {
  const answer = await fetch(`${demo.url}/api/v1/${path}`, body ? { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) } : {});
  const text = await answer.text();
  assert.ok(answer.ok, `${path}: ${answer.status} ${text}`);
  return JSON.parse(text);
};
const fhir = async (path, resource) => {
  const answer = await fetch(`${demo.url}/fhir/R4/${path}`, { method: "PUT", headers: { "Content-Type": "application/fhir+json" }, body: JSON.stringify(resource) });
  assert.ok(answer.ok, `${path}: ${answer.status}`);
};
const eventually = async (what, holds) => {
  for (let i = 0; i < 600; ++i) {
    if (await holds()) return;
    await new Promise((done) => setTimeout(done, 50));
  }
  assert.fail(`it did not come true: ${what}`);
};

// A ward that depends on the records, with three patients in it.
async function make_ward() {
  await fhir("Location/ward-7", { resourceType: "Location", id: "ward-7", name: "Ward 7, Cardiology" });
  for (const n of [1, 2, 3]) {
    await fhir(`Patient/in-ward-${n}`, { resourceType: "Patient", id: `in-ward-${n}` });
    await fhir(`Encounter/in-ward-${n}`, {
      resourceType: "Encounter",
      id: `in-ward-${n}`,
      status: "in-progress",
      class: { system: "http://terminology.hl7.org/CodeSystem/v3-ActCode", code: "IMP" },
      subject: { reference: `Patient/in-ward-${n}` },
      location: [{ location: { reference: "Location/ward-7" } }],
    });
  }
  const { setup } = await api("incident-setup");
  setup.services.find((service) => service.name === "records").wards = ["ward-7"];
  const { version } = await api("incident-setup", setup);
  await api(`incident-setup/versions/${version}/dry-run`, {});
  await api(`incident-setup/versions/${version}/activate`, {});
}

let critical, late, reviewed;

before(async () => {
  demo = await start_demo(6);
  browser = await launch();
  await make_ward();
  critical = (await api("incidents", { by: "Dr. Ann Karlsson", title: "database of the records", text: "Ward 7 cannot read charts since 14:00.", status: "down", service: "database" })).id;
  // Who acknowledges at once is faster than the call, of which the timeline then has nothing.
  await eventually("a call is delivered", async () => (await api(`incidents/${critical}/timeline`)).timeline.some(({ entry }) => entry.kind === "alert.delivered"));
  await api(`incidents/${critical}/ack`, { by: "Bob Mwangi" });
  await api(`incidents/${critical}/roles`, { by: "Bob Mwangi", role: "commander", person: "Bob Mwangi" });
  await api(`incidents/${critical}/notes`, { by: "Bob Mwangi", text: "The disk of the first server is full. We make room." });
  await api(`incidents/${critical}/tasks/0/done`, { by: "Eve Nakamura" });
  await api(`incidents/${critical}/links`, { by: "Eve Nakamura", link: "https://status.example.org/disks" });
  await api(`incidents/${critical}/publish`, { by: "Eve Nakamura", text: "Records can be read, not written." });
  late = (await api("incidents", { by: "Eve Nakamura", title: "the label printer of ward 7", severity: "medium" })).id;
  await api(`incidents/${late}/ack`, { by: "Eve Nakamura" });
  await api(`incidents/${late}/pause`, { by: "Eve Nakamura", reason: "a spare part comes tomorrow" });
  reviewed = (await api("incidents", { by: "Dr. Ann Karlsson", title: "emergency gateway", status: "down", service: "login" })).id;
  await api(`incidents/${reviewed}/ack`, { by: "Bob Mwangi" });
  await api(`incidents/${reviewed}/resolve`, { by: "Bob Mwangi", how: "The gateway was restarted." });
  await api(`incidents/${reviewed}/review`, { by: "Bob Mwangi", owner: "Bob Mwangi", summary: "The gateway refused logins for four minutes." });
  await api(`incidents/${reviewed}/review/actions`, { by: "Bob Mwangi", text: "A second gateway", owner: "Carla Rossi", due: "2030-06-01" });
  await api(`incidents/${reviewed}/review/actions`, { by: "Bob Mwangi", text: "An alarm when logins are refused" });
});
after(async () => {
  await browser?.close();
  await demo?.stop();
});

const screens = () => [
  { name: "list", path: "/incidents", ready: `[data-id="${critical}"]` },
  { name: "over", path: "/incidents?state=over", ready: `[data-id="${reviewed}"]` },
  { name: "room", path: `/incidents/${critical}`, ready: ".incident-entries [data-kind=note]" },
  { name: "review", path: `/incidents/${reviewed}?view=review`, ready: ".incident-action" },
];

async function show(context, path, query, ready) {
  const page = await open_page(context, demo.url);
  await page.goto(`${demo.url}${path}${path.includes("?") ? "&" : "?"}${query}`);
  await page.waitForSelector(ready);
  await page.waitForSelector(".live.live");
  await page.waitForFunction(() => document.querySelectorAll(".skeleton").length === 0);
  return page;
}

const looks = [
  { name: "dark", query: "theme=dark&lang=en", dir: "ltr", of: ["list", "over", "room", "review"] },
  { name: "light", query: "theme=light&lang=en", dir: "ltr", of: ["list", "over", "room", "review"] },
  { name: "arabic", query: "theme=dark&lang=ar", dir: "rtl", of: ["list", "room", "review"] },
  { name: "contrast", query: "theme=contrast&lang=de", dir: "ltr", of: ["list", "room"] },
];
for (const look of looks) {
  test(`the screens, ${look.name}`, async () => {
    const context = await browser.newContext({ viewport: { width: 1600, height: 1100 } });
    for (const screen of screens().filter(({ name }) => look.of.includes(name))) {
      const page = await show(context, screen.path, look.query, screen.ready);
      assert.equal(await page.evaluate(() => document.documentElement.dir), look.dir);
      await picture(page, `incident-${screen.name}-${look.name}`);
      assert.deepEqual(await violations(page), [], screen.name);
      assert.deepEqual(page.faults, []);
      await page.close();
    }
    await context.close();
  });
}

test("on a phone nothing is wider than it", async () => {
  const context = await browser.newContext({ viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, hasTouch: true, isMobile: true });
  for (const screen of screens()) {
    const page = await show(context, screen.path, "theme=dark&lang=en", screen.ready);
    await picture(page, `incident-${screen.name}-phone`);
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), `${screen.name} scrolls sideways`);
    assert.deepEqual(await violations(page), [], screen.name);
    assert.deepEqual(page.faults, []);
    await page.close();
  }
  await context.close();
});

test("the list says what is left, who commands and what is affected; it is searched and gone through by keys", async () => {
  const context = await browser.newContext({ viewport: { width: 1600, height: 1000 } });
  const page = await show(context, "/incidents", "lang=en", `[data-id="${critical}"]`);
  const row = page.locator(`[data-id="${critical}"]`);
  await row.getByText("kept").waitFor(); // the response
  await row.getByText("in time").waitFor(); // the resolution
  await row.getByText("Bob Mwangi").waitFor();
  await row.getByText("Database", { exact: true }).waitFor();
  await page.locator(`[data-id="${late}"]`).getByText("paused").waitFor();
  await page.getByRole("searchbox", { name: "Title, service or person" }).fill("printer");
  await row.waitFor({ state: "detached" });
  assert.equal(new URL(page.url()).searchParams.get("q"), "printer");
  await page.getByRole("searchbox", { name: "Title, service or person" }).fill("");
  await page.getByRole("group", { name: "By severity" }).getByRole("button", { name: "critical" }).click();
  await page.locator(`[data-id="${late}"]`).waitFor({ state: "detached" });
  assert.equal(new URL(page.url()).searchParams.get("severity"), "critical");
  await page.keyboard.press("j");
  await page.waitForSelector(".row-line.selected");
  await page.keyboard.press("Enter");
  await page.waitForSelector(".incident-head");
  assert.match(new URL(page.url()).pathname, /^\/incidents\/./);
  assert.deepEqual(page.faults, []);
  await context.close();
});

test("the war room says whom it touches, by which rule, and what came of itself", async () => {
  const context = await browser.newContext({ viewport: { width: 1600, height: 1000 } });
  const page = await show(context, `/incidents/${critical}`, "lang=en", ".incident-entries [data-kind=note]");
  await page.getByText("Rule “Database Failure” decides: keyword:database, status:down").waitFor();
  await page.getByText("Ward 7, Cardiology").waitFor();
  await page.getByText("3 patients", { exact: true }).waitFor();
  await page.locator(".incident-impact", { hasText: "about 3" }).waitFor();
  await page.getByText("Patient records", { exact: true }).waitFor(); // depends on the database
  assert.equal(await page.locator(".incident-entries [data-kind=note]").getAttribute("class").then((names) => names.includes("by-person")), true);
  await page.locator(".incident-entries .by-itself[data-kind='alert.delivered']").first().waitFor();
  await page.getByRole("group", { name: "Entries shown" }).getByRole("button", { name: "By people" }).click();
  await page.waitForFunction(() => document.querySelectorAll(".incident-entries .by-itself").length === 0);
  assert.equal(new URL(page.url()).searchParams.get("show"), "people");
  await page.getByRole("button", { name: "Verify" }).click();
  await page.getByText(/^Unaltered, \d+ entries$/).waitFor();
  // What is published is for everybody.
  const status = await (await fetch(`${demo.url}/status.json`)).json();
  assert.ok(status.incidents.some((each) => each.text === "Records can be read, not written."));
  assert.deepEqual(page.faults, []);
  await context.close();
});

test("declared, taken, written about, resolved, reviewed and closed", async () => {
  const context = await browser.newContext({ viewport: { width: 1440, height: 1000 } });
  const page = await show(context, "/incidents", "lang=en", `[data-id="${critical}"]`);
  await page.getByRole("button", { name: "Declare incident" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("What is wrong?").fill("database replica of the archive");
  await dialog.getByLabel("State", { exact: true }).selectOption("down");
  await dialog.getByLabel("Service", { exact: true }).selectOption("records");
  await dialog.getByText("Its wards: Ward 7, Cardiology").waitFor();
  await dialog.getByText("Rule “Database Failure” decides: keyword:database, status:down").waitFor();
  // Less than the rules say is not to be had.
  await dialog.getByRole("radio", { name: /^low/ }).check();
  await dialog.getByText("The rules ask for more than was chosen.").waitFor();
  assert.deepEqual(await violations(page), []);
  await picture(page, "incident-declare");
  await dialog.getByRole("button", { name: "Declare incident" }).click();
  await dialog.getByText("Write your name").waitFor();
  await dialog.getByLabel("Your name").fill("Ann");
  await dialog.getByRole("button", { name: "Declare incident" }).click();
  await page.getByRole("heading", { name: "database replica of the archive" }).waitFor();
  const id = decodeURIComponent(new URL(page.url()).pathname.split("/")[2]);
  const read = () => api(`incidents/${id}`);
  assert.equal((await read()).severity, "critical");

  await page.keyboard.press("a");
  await eventually("it is acknowledged", async () => (await read()).acknowledged_by === "Ann");
  await page.getByRole("button", { name: "Take it: Commander" }).click();
  await page.locator(".incident-roles li", { hasText: "Commander" }).getByText("Ann").waitFor();
  await page.getByRole("button", { name: "Assign: Scribe" }).click();
  await dialog.getByLabel("Person").fill("Eve Nakamura");
  await dialog.getByRole("button", { name: "Assign" }).click();
  await page.locator(".incident-roles li", { hasText: "Scribe" }).getByText("Eve Nakamura").waitFor();
  assert.deepEqual((await read()).roles, { commander: "Ann", scribe: "Eve Nakamura" });

  await page.getByLabel("Task", { exact: true }).fill("Call the archive");
  await page.locator("form", { has: page.getByLabel("Task", { exact: true }) }).getByRole("button", { name: "Add" }).click();
  const task = page.getByRole("checkbox", { name: "Call the archive" });
  await task.click();
  await page.getByText("done by Ann").waitFor();

  await page.keyboard.press("Escape");
  await page.keyboard.press("u");
  await page.keyboard.type("The replica is being built again.");
  await page.keyboard.press("Control+Enter");
  await page.locator(".incident-entries .by-person", { hasText: "The replica is being built again." }).waitFor();

  // Less severe needs a reason.
  await page.getByRole("button", { name: "Change severity" }).click();
  await dialog.getByRole("radio", { name: /^high/ }).check();
  const confirm = dialog.getByRole("button", { name: "Change severity" });
  assert.equal(await confirm.isDisabled(), true);
  await dialog.getByRole("radio", { name: /^emergency/ }).check();
  await confirm.click();
  await page.locator(".incident-entries", { hasText: "critical became emergency" }).waitFor();
  await page.getByRole("button", { name: "Acknowledge" }).click(); // others are called
  await eventually("it is acknowledged again", async () => (await read()).state === "acknowledged");

  await page.getByRole("button", { name: "Resolve", exact: true }).click();
  assert.equal(await dialog.getByRole("button", { name: "Resolve" }).isDisabled(), true);
  await dialog.getByLabel("What ended it").fill("The replica was built again.");
  assert.deepEqual(await violations(page), []);
  await dialog.getByRole("button", { name: "Resolve" }).click();
  await page.locator(".banner").getByRole("button", { name: "Review" }).click();

  await page.getByLabel("In a few sentences, for somebody who was not there").fill("The archive could not be read for a while.");
  await page.getByRole("region", { name: "What happened" }).getByRole("button", { name: "Save" }).click();
  await page.getByRole("region", { name: "What happened" }).getByText("said").waitFor();
  const close = page.getByRole("button", { name: "Close the review" });
  await close.click();
  await page.getByText("Not done: the review says nothing of its root_cause").waitFor();
  await page.getByLabel("What made it possible, not who").fill("One disk had no spare.");
  await page.getByRole("region", { name: "Why it happened" }).getByRole("button", { name: "Save" }).click();
  await page.getByRole("region", { name: "Why it happened" }).getByText("said").waitFor();

  const fresh = page.getByRole("form", { name: "New action" });
  await fresh.getByLabel("Action").fill("A spare disk");
  await fresh.getByRole("button", { name: "Add" }).click();
  await page.locator(".incident-action", { hasText: "owner or date missing" }).waitFor();
  await close.click();
  await page.getByText('Not done: action 0 ("A spare disk") has no owner').waitFor();
  await picture(page, "incident-review-refused");
  assert.deepEqual(await violations(page), []);
  await page.locator(".incident-action").getByRole("button", { name: "Change" }).click();
  const edit = page.getByRole("form", { name: "A spare disk" });
  await edit.getByLabel("Owner").fill("Carla Rossi");
  await edit.getByLabel("Due").fill("2030-06-01");
  await edit.getByRole("button", { name: "Save" }).click();
  await page.locator(".incident-action", { hasText: "Carla Rossi" }).waitFor();
  await close.click();
  await page.getByText("Closed by Ann").waitFor();
  await page.getByRole("button", { name: "Close incident" }).click();
  await eventually("it is closed", async () => (await read()).state === "closed");
  const { whole, problems } = await api(`incidents/${id}/verify`);
  assert.ok(whole, problems);
  const { review } = await read();
  assert.equal(review.actions[0].owner, "Carla Rossi");
  assert.equal(review.closed_by, "Ann");
  assert.deepEqual(page.faults.filter((fault) => !/status of 409/.test(fault)), []); // the two refusals
  await context.close();
});

test("what is typed stays while others change the incident, is sent once, and goes to no other incident", async () => {
  const [id, other] = await Promise.all(["the pharmacy robot", "the blood fridge"].map(async (title) => (await api("incidents", { by: "Ann", title, severity: "medium" })).id));
  const context = await browser.newContext({ viewport: { width: 1440, height: 1000 } });
  const page = await show(context, `/incidents/${id}`, "lang=en", ".incident-entries li");
  await page.getByLabel("Your name").fill("Ann");
  await page.getByRole("button", { name: "Resolve", exact: true }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("textbox").first().fill("The robot was started again");
  // A reading that fails greys what is shown, and takes nothing that was typed.
  page.forgiving = true;
  const refuses = (route) => route.fulfill({ status: 503, contentType: "application/problem+json", body: '{"title":"Busy","status":503,"detail":"too much to do"}' });
  await page.route(`**/api/v1/incidents/${id}`, refuses);
  await api(`incidents/${id}/notes`, { by: "Bob Mwangi", text: "I look at it." });
  await page.waitForSelector(".greyed .incident-head");
  assert.equal(await dialog.getByRole("textbox").first().inputValue(), "The robot was started again");
  await page.unroute(`**/api/v1/incidents/${id}`, refuses);
  await page.waitForSelector(".as-read .incident-head");
  page.forgiving = false;
  await api(`incidents/${id}/ack`, { by: "Bob Mwangi" });
  await page.locator(".incident-entries [data-kind=acknowledged]").waitFor();
  assert.equal(await dialog.getByRole("textbox").first().inputValue(), "The robot was started again");
  await page.keyboard.press("Escape");

  await page.route("**/notes", async (route) => {
    await pause(500);
    await route.continue();
  });
  const update = page.getByLabel("Update");
  await update.fill("Drawer 4 is stuck");
  await update.press("Control+Enter");
  await update.press("Control+Enter");
  await update.press("End");
  await update.pressSequentially(" and 5");
  await page.locator(".incident-entries [data-kind=note]").waitFor();
  assert.equal(await update.inputValue(), "Drawer 4 is stuck and 5");
  const { timeline } = await api(`incidents/${id}/timeline`);
  assert.equal(timeline.filter(({ entry }) => entry.kind === "note").length, 1);

  // The other one has been read before: nothing is loaded on the way.
  for (const each of [other, id]) {
    await page.evaluate((path) => (history.pushState(null, "", path), dispatchEvent(new PopStateEvent("popstate"))), `/incidents/${each}`);
    await page.getByRole("heading", { name: each === id ? "the pharmacy robot" : "the blood fridge" }).waitFor();
  }
  assert.equal(await update.inputValue(), "");
  assert.deepEqual(page.faults, []);
  await context.close();
});

test("a duplicate is merged, and leads to the one that goes on", async () => {
  const twin = (await api("incidents", { by: "Ann", title: "charts cannot be opened", severity: "medium" })).id;
  const context = await browser.newContext({ viewport: { width: 1440, height: 1000 } });
  const page = await show(context, `/incidents/${twin}`, "lang=en", ".incident-entries li");
  await page.getByLabel("Your name").fill("Ann");
  await page.getByRole("button", { name: "Merge duplicate" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("radio", { name: /database of the records/ }).check();
  await dialog.getByRole("button", { name: "Merge duplicate" }).click();
  await page.waitForURL(`**/incidents/${critical}`);
  await page.getByRole("link", { name: "charts cannot be opened" }).click();
  await page.getByText("It is a duplicate: another incident goes on.").waitFor();
  await page.getByRole("link", { name: "Open that one" }).click();
  await page.getByRole("heading", { name: "database of the records" }).waitFor();
  assert.deepEqual(page.faults, []);
  await context.close();
});

test("a nurse declares one by what she knows; what her role does not show says so", async () => {
  const server = await startServer();
  try {
    server.addUser("nora", "nurse", "Practitioner/nora");
    const context = await browser.newContext({ viewport: { width: 1440, height: 1000 } });
    const page = await open_page(context, server.url);
    page.forgiving = true; // 403 is what is looked at here
    await page.goto(`${server.url}/incidents?lang=en`);
    await log_in(page, "nora", password);
    await page.getByText("No incident is open").waitFor();
    await page.getByRole("button", { name: "Declare incident" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("What is wrong?").fill("the lift of building B");
    await dialog.getByLabel("Service", { exact: true }).fill("lifts"); // she may not read the map of services
    await dialog.getByText("The rules decide when it is declared").waitFor();
    await dialog.getByRole("button", { name: "Declare incident" }).click();
    await page.getByRole("heading", { name: "the lift of building B" }).waitFor();
    assert.equal(await page.getByLabel("Your name").count(), 0); // it is known
    await page.getByText("opened by nora").waitFor();
    await page.getByRole("region", { name: "Timeline" }).getByText("Your role does not show this").waitFor();
    await page.getByLabel("Update").fill("Two patients wait in it.");
    await page.getByRole("button", { name: "Add update" }).click();
    await page.waitForFunction(() => document.querySelector("[data-update]").value === "");
    // Hers is to write; what is not is not offered.
    for (const name of ["Acknowledge", "Resolve", "Me", "Publish"]) assert.equal(await page.getByRole("button", { name, exact: true }).count(), 0, name);
    await picture(page, "incident-nurse");
    assert.deepEqual(await violations(page), []);
    await context.close();
  } finally {
    await server.stop();
  }
});
