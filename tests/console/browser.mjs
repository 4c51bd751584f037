// Chromium, axe, and servers of one's own.

import { spawn } from "node:child_process";
import { createHmac } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import net from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { lend_database } from "../support/database.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const of_console = createRequire(join(here, "../../console/package.json"));
const { chromium } = of_console("playwright-core");
const axe = readFileSync(of_console.resolve("axe-core/axe.min.js"), "utf8");
const binary = process.env.MYDR24_BINARY ?? join(here, "../../build/release/mydr24");
const pictures = process.env.MYDR24_PICTURES ?? join(here, "../../build/console");

export const launch = () => chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox"] });
export const pause = (ms) => new Promise((done) => setTimeout(done, ms));

// The first of four that are free, below those that the system gives to connections: a demo listens at all of them.
async function four_free_ports() {
  for (;;) {
    const first = 15_000 + Math.floor(Math.random() * 15_000);
    const taken = await Promise.all(
      [0, 1, 2, 3].map(
        (more) =>
          new Promise((done) => {
            const one = net.createServer();
            one.on("error", () => done(true));
            one.listen(first + more, "127.0.0.1", () => one.close(() => done(false)));
          }),
      ),
    );
    if (!taken.includes(true)) return first;
  }
}

// `mydr24 demo`: a hospital that lives, without a login. `pace`: of its script; 0: no script, what happens is the test's.
export async function start_demo(patients = 24, pace = 0, more_options = []) {
  const folder = mkdtempSync(join(tmpdir(), "mydr24-console-"));
  const port = await four_free_ports();
  const database = lend_database();
  const store = database ? ["--store", database] : [];
  let child;
  const start = async (more) => {
    let said = "";
    child = spawn(binary, ["demo", "--patients", String(patients), "--port", String(port), "--pace", String(pace), "--data", join(folder, "data"), ...store, ...more_options, ...more], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    for (const out of [child.stdout, child.stderr]) out.on("data", (text) => (said += text));
    for (let i = 0; ; ++i) {
      try {
        if ((await fetch(`http://127.0.0.1:${port}/api/v1/status`)).ok) return;
      } catch {
        // not yet
      }
      if (i === 300 || child.exitCode !== null) throw new Error(`the demo did not start:\n${said}`);
      await pause(100);
    }
  };
  const end = async () => {
    const ended = new Promise((done) => child.on("exit", done));
    child.kill("SIGTERM");
    await ended;
  };
  await start([]);
  return {
    url: `http://127.0.0.1:${port}`,
    process: () => child.pid,
    halt: end,
    start_again: () => start(["--keep"]),
    async stop() {
      if (child.exitCode === null) await end();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

// A page that keeps account of what must not happen: errors in its console, faults, requests to another host.
export async function open_page(context, url) {
  const page = await context.newPage();
  page.setDefaultTimeout(60_000); // a machine may be busy; what must be quick is measured by itself
  page.faults = [];
  page.forgiving = false; // while a server is away on purpose
  page.on("console", (message) => {
    // A machine that is too busy refuses work that can wait (429, 503): the console shows what it knew and tries again.
    const is_refusal = /status of (429|503)/.test(message.text());
    if (message.type() === "error" && !page.forgiving && !is_refusal) page.faults.push(`console: ${message.text()}`);
  });
  page.on("pageerror", (error) => page.faults.push(`page: ${error.message}`));
  page.on("request", (request) => {
    if (!request.url().startsWith(url) && !request.url().startsWith("blob:")) page.faults.push(`another host: ${request.url()}`);
  });
  return page;
}

const rules = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];
export async function violations(page) {
  if (!(await page.evaluate(() => "axe" in window))) await page.evaluate(axe);
  const found = await page.evaluate((tags) => window.axe.run(document, { runOnly: { type: "tag", values: tags } }), rules);
  return found.violations.flatMap((violation) =>
    violation.nodes.map((node) => `${violation.id}: ${node.target.join(" ")} ${node.failureSummary.split("\n").slice(1).join(" ").trim()}`),
  );
}

export const picture = (page, name) => page.screenshot({ path: join(pictures, `${name}.png`) });

// RFC 6238: six digits, of 30 seconds, by SHA-1.
function one_time_code(secret) {
  let bits = "";
  for (const letter of secret) bits += "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(letter).toString(2).padStart(5, "0");
  const key = Buffer.from(bits.match(/.{8}/g).map((byte) => Number.parseInt(byte, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000)));
  const digest = createHmac("sha1", key).update(counter).digest();
  const at = digest[19] & 15;
  return String((digest.readUInt32BE(at) & 0x7fffffff) % 1_000_000).padStart(6, "0");
}

// On the server's login page. Roles that are privileged are given a secret for one-time codes at their first login.
export async function log_in(page, name, password) {
  await page.locator("input[name=user]").fill(name);
  await page.locator("input[name=password]").fill(password);
  await page.getByRole("button", { name: "Log in" }).click();
  await page.waitForSelector(".frame, input[name=code]", { timeout: 60_000 });
  if ((await page.locator("input[name=code]").count()) === 0) return;
  await page.locator("input[name=code]").fill(one_time_code(await page.locator("main code").textContent()));
  await page.getByRole("button", { name: "Confirm" }).click();
  await page.waitForSelector(".frame", { timeout: 60_000 });
}
