// The show of the demo: the script goes through - a patient gets worse, is paged about, an incident opens itself, a change fails and is
// rolled back -, a drill starts from the Overview and ends, and a patient's timeline tells what happened.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { launch, open_page, pause, picture, start_demo, violations } from "./browser.mjs";

let browser, demo;

before(async () => {
  demo = await start_demo(12, 20);
  browser = await launch();
});
after(async () => {
  await browser?.close();
  await demo?.stop();
});

const get = async (path) => {
  const answer = await fetch(`${demo.url}${path}`);
  return answer.ok ? answer.json() : undefined; // a server in a drill refuses what can wait
};
const send = async (method, path, body) =>
  fetch(`${demo.url}${path}`, { method, headers: { "Content-Type": path.startsWith("/fhir") ? "application/fhir+json" : "application/json" }, ...(body ? { body: JSON.stringify(body) } : {}) });

// What is to be seen, however long this machine takes for it.
async function until(what, look, tries = 600) {
  for (let i = 0; i < tries; ++i) {
    const found = await look();
    if (found) return found;
    await pause(200);
  }
  assert.fail(`never: ${what}: ${JSON.stringify(await get("/api/v1/demo"))}`);
}

async function show(context, path, ready) {
  const page = await open_page(context, demo.url);
  await page.goto(`${demo.url}${path}`);
  await page.waitForSelector(ready, { timeout: 60_000 });
  await page.waitForSelector(".live.live", { timeout: 60_000 });
  return page;
}

test("a patient gets worse, is paged about, and the incident opens itself and is closed", async () => {
  const { patient } = await until("a patient of the script", async () => (await get("/api/v1/demo"))?.story?.patient && (await get("/api/v1/demo")).story);
  const page = await until("a page about an emergency", async () => (await get("/api/v1/demo"))?.pages.find((each) => each.severity === "emergency"));
  assert.equal(page.contact, "ward nurse");
  const detail = await get(`/api/v1/alerts/${page.alert}`);
  assert.equal(detail.alert.patient, `Patient/${patient}`);
  await until("the delivery's record", async () =>
    (await get(`/api/v1/alerts/${page.alert}`))?.deliveries.some((each) => each.contact === "ward nurse" && each.medium === "webhook" && each.state === "delivered"),
  );
  const incident = await until("its incident", async () => {
    const lists = [await get("/api/v1/incidents?state=open"), await get("/api/v1/incidents?state=over")];
    return lists.flatMap((list) => list?.incidents ?? []).find((each) => each.severity === "emergency");
  });
  const opened = await get(`/api/v1/incidents/${incident.id}`);
  assert.equal(opened.source, "alerts");
  assert.ok(opened.alerts.includes(page.alert));
  // Nobody else answers here: the people of the demo do.
  const answered = await until("an answer", async () => {
    const { alert } = (await get(`/api/v1/alerts/${page.alert}`)) ?? {};
    return alert?.acknowledged_by && alert;
  });
  assert.match(answered.acknowledged_by, /\(simulated\)$/);
  const closed = await until("the incident's end", async () => {
    const now = await get(`/api/v1/incidents/${incident.id}`);
    return now?.state === "closed" && now;
  });
  assert.equal(closed.closed_by, "duty coordinator (simulated)");
  assert.equal((await get(`/api/v1/alerts/${page.alert}`)).alert.state, "resolved");
});

test("the change is approved, fails its check, and goes back by itself", async () => {
  const id = await until("a change", async () => {
    const list = await get("/api/v1/changes?limit=20");
    return list?.changes.find((each) => each.state === "validation_failed" || each.state === "failed")?.id;
  });
  const { change } = await get(`/api/v1/changes/${id}`);
  assert.equal(change.requested_by, "change manager (simulated)");
  assert.ok(change.approvals.length > 0);
  assert.match(change.run.because, /\$everything/);
  const { setting } = await get("/api/v1/settings/feature.everything");
  assert.equal(setting.applied, "true");
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
  const page = await show(context, "/changes?lang=en", ".rows");
  await page.getByText("Switch off whole-record queries").first().waitFor();
  assert.deepEqual(page.faults, []);
  await context.close();
});

test("a drill starts from the Overview, is seen there, and ends", async () => {
  const context = await browser.newContext({ viewport: { width: 1440, height: 1300 } });
  const page = await show(context, "/?lang=en&theme=dark", ".show-drill");
  await page.getByRole("button", { name: "Start a drill" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByText("This server is sent 100 times the requests").waitFor();
  assert.deepEqual(await violations(page), []);
  await picture(page, "show-start");
  await dialog.getByRole("button", { name: "Start: 60 s" }).click();
  await page.locator(".show-drill .chip", { hasText: "Running" }).waitFor({ timeout: 90_000 });
  await page.locator(".show-drill").getByText(/left/).waitFor();
  assert.equal((await send("POST", "/api/v1/demo/scenarios", { scenario: "pandemic" })).status, 409);
  // The four classes of requests tell of it: by the server's own figures, and on the screen.
  await until("urgent requests by the dozen", async () => {
    const answer = await get(`/api/v1/query?query=${encodeURIComponent('sum(rate(mydr24_admission_admitted_total{class="emergency"}[1m]))')}`);
    return Number(answer?.data.result[0]?.value[1] ?? 0) > 5;
  });
  await picture(page, "show-running");
  await page.getByRole("button", { name: "End the drill" }).click();
  await page.locator(".show-drill .chip", { hasText: "Over" }).waitFor({ timeout: 90_000 });
  assert.equal(await page.locator(".show-drill .field-error").count(), 0);
  // Its patients are treated: nobody is called about them any more.
  await until("the end of its emergencies", async () => {
    const list = await get("/api/v1/alerts?state=open&count=500");
    return list && !list.alerts.some((each) => each.patient?.startsWith("Patient/sim-"));
  });
  assert.deepEqual(page.faults, []);
  await context.close();
});

test("a drill that runs to its end says what became of each class", async () => {
  const begun = await send("POST", "/api/v1/demo/scenarios", { scenario: "normal-day", seconds: 10 });
  assert.equal(begun.status, 202, await begun.text());
  const drill = await until("its end", async () => {
    const now = (await get("/api/v1/demo"))?.drill;
    return now?.phase === "over" && now;
  });
  assert.equal(drill.problem, undefined);
  assert.deepEqual(drill.classes.map((each) => each.class), ["emergency", "urgent", "routine", "background"]);
  for (const each of drill.classes) assert.equal(each.offered, each.served + each.refused + each.failed);
  assert.ok(drill.classes.reduce((sum, each) => sum + each.served, 0) > 0);
});

test("the timeline of a patient: each kind, in the order of time, by keys, as an address", async () => {
  const at = (hours) => new Date(Date.now() - hours * 3_600_000).toISOString();
  const put = async (type, id, resource) => {
    for (let i = 0; i < 50; ++i) {
      const answer = await send("PUT", `/fhir/R4/${type}/${id}`, { resourceType: type, id, ...resource });
      if (answer.ok) return;
      assert.ok(answer.status === 429 || answer.status === 503, `${type}: ${answer.status} ${await answer.text()}`);
      await pause(300);
    }
    assert.fail(`${type} was refused again and again`);
  };
  const subject = { reference: "Patient/line" };
  await put("Patient", "line", { name: [{ text: "Inés Line" }], gender: "female", birthDate: "1958-03-08" });
  await put("Encounter", "line-e", { status: "in-progress", class: { system: "http://terminology.hl7.org/CodeSystem/v3-ActCode", code: "IMP", display: "inpatient encounter" }, subject, period: { start: at(30) } });
  await put("MedicationRequest", "line-m", { status: "active", intent: "order", subject, authoredOn: at(20), medicationCodeableConcept: { text: "Amoxicillin" }, dosageInstruction: [{ text: "500 mg, three times a day" }] });
  await put("DiagnosticReport", "line-r", { status: "final", subject, code: { text: "Chest X-ray" }, effectiveDateTime: at(10), conclusion: "Infiltrate, lower right lobe" });
  await put("Observation", "line-k", { status: "final", subject, code: { text: "Potassium" }, effectiveDateTime: at(5), valueQuantity: { value: 4.1, unit: "mmol/L", system: "http://unitsofmeasure.org", code: "mmol/L" } });
  await put("Observation", "line-s", {
    status: "final",
    subject,
    category: [{ coding: [{ system: "http://terminology.hl7.org/CodeSystem/observation-category", code: "vital-signs" }] }],
    code: { coding: [{ system: "http://loinc.org", code: "2708-6", display: "Oxygen saturation in Arterial blood" }, { system: "http://loinc.org", code: "59408-5" }] },
    effectiveDateTime: at(0),
    valueQuantity: { value: 79, unit: "%", system: "http://unitsofmeasure.org", code: "%" },
  });
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
  const page = await show(context, "/patients/line?lang=en", ".parts-nav");
  await page.getByRole("link", { name: "Timeline" }).click();
  await page.waitForSelector(".timeline-rows .row-line.encounter");
  await until("the alert in the record", async () => {
    await page.reload();
    await page.waitForSelector(".timeline-rows .row-line.encounter");
    return (await page.locator(".timeline-rows .row-line.alert").count()) > 0;
  }, 30);
  const shown = await page.locator(".timeline-rows .rows-body .row-line").evaluateAll((rows) => rows.map((row) => row.className.split(" ")[1]));
  assert.deepEqual([...new Set(shown)].sort(), ["alert", "encounter", "medicine", "report", "result", "vitals"]);
  assert.deepEqual(shown.slice(-4), ["result", "report", "medicine", "encounter"]);
  await page.getByText("500 mg, three times a day").waitFor();
  await page.keyboard.press("j");
  await page.waitForSelector(".timeline-rows .row-line.selected");
  await page.getByLabel("Show", { exact: true }).selectOption("report");
  await page.waitForSelector(".timeline-rows .row-line.medicine", { state: "detached" });
  assert.equal(new URL(page.url()).searchParams.get("kind"), "report");
  assert.equal(new URL(page.url()).searchParams.get("part"), "timeline");
  assert.deepEqual(page.faults, []);
  await context.close();
});

test("what was added, in each theme, in Arabic and on a phone", async () => {
  const wide = await browser.newContext({ viewport: { width: 1440, height: 1300 } });
  for (const [name, query] of [["dark", "theme=dark&lang=en"], ["light", "theme=light&lang=en"], ["arabic", "theme=dark&lang=ar"]]) {
    for (const [screen, path, ready] of [["show", "/?", ".show-scenes li.now"], ["timeline", "/patients/line?part=timeline&", ".timeline-rows .row-line.encounter"]]) {
      const page = await show(wide, `${path}${query}`, ready);
      await pause(500);
      await picture(page, `${screen}-${name}`);
      assert.deepEqual(await violations(page), []);
      assert.deepEqual(page.faults, []);
      await page.close();
    }
  }
  await wide.close();
  const small = await browser.newContext({ viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, hasTouch: true, isMobile: true });
  for (const [screen, path, ready] of [["show", "/?", ".show-scenes li.now"], ["timeline", "/patients/line?part=timeline&", ".timeline-rows .row-line.encounter"]]) {
    const page = await show(small, `${path}theme=dark&lang=en`, ready);
    await pause(500);
    await picture(page, `${screen}-phone`);
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), `${screen} scrolls sideways`);
    assert.deepEqual(await violations(page), []);
    assert.deepEqual(page.faults, []);
    await page.close();
  }
  await small.close();
});

test("after a restart with --keep the script goes on", async () => {
  const before = (await until("the show", () => get("/api/v1/incidents?state=over"))).incidents.length;
  await demo.halt();
  await demo.start_again();
  await until("a page", async () => (await get("/api/v1/demo"))?.pages.length > 0);
  assert.ok((await until("the incidents of before", () => get("/api/v1/incidents?state=over&count=200"))).incidents.length >= before);
});
