// What the way to the server does by itself.

import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { ask } from "../src/api/client";
import { ApiError } from "../src/api/error";

let asked: string[] = [];
let status = 403;
beforeEach(() => {
  vi.useFakeTimers();
  asked = [];
  vi.stubGlobal("fetch", async (path: string, { method }: { method: string }) => {
    asked.push(`${method} ${path}`);
    return new Response(JSON.stringify({ detail: "role nurse may not" }), { status: method === "GET" ? status : 200 });
  });
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

const read = (days: number) => ask("GET /api/v1/alerts/actionability", { query: { days } });

test("what was refused is not asked for again, until a minute has passed or somebody has done something", async () => {
  status = 403;
  for (const days of [7, 7, 30]) await expect(read(days)).rejects.toMatchObject({ trouble: "forbidden", message: "role nurse may not" });
  expect(asked).toHaveLength(1);
  vi.advanceTimersByTime(60_000);
  await expect(read(7)).rejects.toBeInstanceOf(ApiError);
  expect(asked).toHaveLength(2);
  await ask("POST /api/v1/break-glass", { body: { patient: "p1", reason: "unconscious" } });
  status = 200;
  await read(7);
  expect(asked).toHaveLength(4);
});

test("what was answered is asked for each time", async () => {
  status = 200;
  await read(7);
  await read(7);
  expect(asked).toHaveLength(2);
});
