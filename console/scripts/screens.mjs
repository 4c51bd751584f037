// Every address has its screen and every screen its address: screens.json, which the server reads, against the table of components
// (src/screens/registry.ts) and the files beside it. Part of the build.

import { readFileSync, readdirSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const folder = join(root, "src/screens");
const faults = [];

const screens = JSON.parse(readFileSync(join(root, "screens.json"), "utf8"));
for (const field of ["id", "path", "key"]) {
  const seen = new Set();
  for (const value of screens.map((screen) => screen[field]).filter(Boolean)) {
    if (seen.has(value)) faults.push(`screens.json has ${field} "${value}" twice`);
    seen.add(value);
  }
}
const ids = new Set(screens.map((screen) => screen.id));
for (const screen of screens) if (screen.in && !ids.has(screen.in)) faults.push(`screens.json: ${screen.id} is in ${screen.in}, which is no screen`);

const registry = readFileSync(join(folder, "registry.ts"), "utf8");
const components = new Set([...registry.matchAll(/^ {2}"?([\w-]+)"?: lazy\(/gm)].map((match) => match[1]));
for (const id of ids) if (!components.has(id)) faults.push(`${id} of screens.json has no component in src/screens/registry.ts`);
for (const id of components) if (!ids.has(id)) faults.push(`${id} of src/screens/registry.ts has no address in screens.json`);

// A screen, or a part that one loads when it is needed, is the default of its module.
const files = (at) =>
  readdirSync(at, { withFileTypes: true }).flatMap((entry) => (entry.isDirectory() ? files(join(at, entry.name)) : [join(at, entry.name)]));
const sources = files(folder)
  .filter((name) => /\.tsx?$/.test(name))
  .map((name) => [name, readFileSync(name, "utf8")]);
const loaded = new Set(sources.flatMap(([name, text]) => [...text.matchAll(/import\("(\.[^"]+)"\)/g)].map((match) => join(dirname(name), match[1]))));
for (const [name, text] of sources) {
  if (/^export default /m.test(text) && !loaded.has(name.replace(/\.tsx?$/, ""))) faults.push(`${relative(root, name)} is a screen that no address leads to`);
}

if (faults.length > 0) {
  for (const fault of faults) console.error(`screens: ${fault}`);
  process.exit(1);
}
console.log(`screens: ${ids.size} addresses, each with its screen`);
