// node tests/console/measure.mjs: what the console costs and how fast it is there, on the demo's sixty patients. Prints; judges nothing.

import { launch, open_page, pause, start_demo } from "./browser.mjs";

const demo = await start_demo(60);
const browser = await launch();
const context = await browser.newContext({ viewport: { width: 1600, height: 1000 } });

// Share of one core that the page's main thread takes.
async function cost(page, seconds) {
  const session = await context.newCDPSession(page);
  await session.send("Performance.enable");
  const busy = async () => (await session.send("Performance.getMetrics")).metrics.find((each) => each.name === "TaskDuration").value;
  const before = await busy();
  const began = performance.now();
  await pause(seconds * 1_000);
  return ((await busy()) - before) / ((performance.now() - began) / 1_000);
}
const percent = (share) => `${(share * 100).toFixed(1)} %`;

for (let i = 0; i < 3; ++i) {
  const fresh = await browser.newContext({ viewport: { width: 1600, height: 1000 } });
  const page = await open_page(fresh, demo.url);
  const began = performance.now();
  await page.goto(`${demo.url}/?lang=en`);
  await page.waitForSelector(".clock-value");
  await page.waitForSelector(".live.live");
  console.log(`overview with its numbers, nothing cached: ${(performance.now() - began).toFixed(0)} ms`);
  await fresh.close();
}

const { patients } = await (await fetch(`${demo.url}/api/v1/vitals`)).json();
for (const [name, path, ready] of [
  ["overview", "/?lang=en", ".clock-value"],
  ["board of 60, read every 2 s", "/board?lang=en", ".board-rows [data-id]"],
  ["patient with seven charts", `/patients/${patients[0].id}?lang=en`, ".chart canvas"],
]) {
  const page = await open_page(context, demo.url);
  await page.goto(`${demo.url}${path}`);
  await page.waitForSelector(ready, { timeout: 60_000 });
  await pause(3_000);
  console.log(`${name}: ${percent(await cost(page, 20))} of a core`);
  await page.close();
}

// The board with every value new at each reading.
const page = await open_page(context, demo.url);
await page.route("**/api/v1/vitals", async (route) => {
  const board = structuredClone(template);
  for (const patient of board.patients) {
    patient.at = new Date().toISOString();
    for (const sign of Object.values(patient.signs ?? {})) sign.value = Math.round((sign.value + Math.random() - 0.5) * 10) / 10;
  }
  await route.fulfill({ json: { ...board, at: new Date().toISOString() } });
});
const template = await (await fetch(`${demo.url}/api/v1/vitals`)).json();
await page.goto(`${demo.url}/board?lang=en`);
await page.waitForSelector(".board-rows [data-id]");
const still = await cost(page, 10);
console.log(`board, every value new every 2 s: ${percent(still)} of a core`);

await browser.close();
await demo.stop();
