// api.mjs [--check] OPENAPI.json: the server's routes below /api as types (src/api/routes.gen.ts), and the operations that roles may,
// made from what it says of itself
// (`mydr24 openapi`). With --check nothing is written: exit 1 when the file is of another server.
//
//   build/release/mydr24 openapi > build/openapi.json && node console/scripts/api.mjs build/openapi.json

import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const check = process.argv[2] === "--check";
const from = process.argv[check ? 3 : 2];
if (!from) {
  console.error("usage: api.mjs [--check] OPENAPI.json");
  process.exit(2);
}
const to = join(dirname(fileURLToPath(import.meta.url)), "../src/api/routes.gen.ts");
const { paths } = JSON.parse(readFileSync(from, "utf8"));

const rows = [];
const operations_of_roles = new Set();
for (const [path, operations] of Object.entries(paths)) {
  if (!path.startsWith("/api/")) continue;
  for (const [method, operation] of Object.entries(operations)) {
    if (!["get", "post", "put", "patch", "delete"].includes(method)) continue;
    const names = (operation.parameters ?? []).filter((each) => each.in === "path").map((each) => `"${each.name}"`);
    if (!operation["x-mydr24-open"]) operations_of_roles.add(operation["x-mydr24-interaction"]);
    rows.push(`  "${method.toUpperCase()} ${path}": ${names.join(" | ") || "never"};`);
  }
}
const text = `// Made by scripts/api.mjs from the server's OpenAPI document. The value is the names in the path.

export interface Routes {
${rows.sort().join("\n")}
}

export type Route = keyof Routes;

// What a role may or may not: one name for each route, or for several that belong together.
export type Operation =
${[...operations_of_roles].sort().map((name) => `  | "${name}"`).join("\n")};
`;

if (!check) {
  writeFileSync(to, text);
} else if (readFileSync(to, "utf8") !== text) {
  console.error("console/src/api/routes.gen.ts is of another server: build/release/mydr24 openapi > build/openapi.json && node console/scripts/api.mjs build/openapi.json");
  process.exit(1);
}
