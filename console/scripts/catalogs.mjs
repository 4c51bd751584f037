// Every language says everything: the same messages, with the same values in them, and no message that nobody uses. Part of the
// build: a message without its translation is an error.

import { readFileSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const folder = join(root, "src/i18n");
const read = (file) => JSON.parse(readFileSync(join(folder, file), "utf8"));
const faults = [];

// The names of values: {n}, {n, plural, ...}. Words inside of plural forms are no names.
function values_of(text) {
  const names = new Set();
  for (const [, name] of text.matchAll(/\{\s*([a-z_0-9]+)\s*[},]/g)) names.add(name);
  return [...names].sort().join(" ");
}

function is_balanced(text) {
  let depth = 0;
  for (const c of text) {
    if (c === "{") depth++;
    if (c === "}") depth--;
    if (depth < 0) return false;
  }
  return depth === 0;
}

// The plural forms that a language needs (CLDR).
const forms = { en: ["other"], de: ["other"], fr: ["other"], es: ["other"], ar: ["one", "two", "few", "many", "other"] };

const english = read("en.json");
const ids = Object.keys(english);
for (const file of readdirSync(folder).filter((name) => name.endsWith(".json"))) {
  const language = file.slice(0, -5);
  const catalog = read(file);
  for (const id of ids) {
    const text = catalog[id];
    if (typeof text !== "string" || text === "") faults.push(`${file} has no ${id}`);
    else if (!is_balanced(text)) faults.push(`${file}: the braces of ${id} are not balanced`);
    else if (values_of(text) !== values_of(english[id])) faults.push(`${file}: ${id} has other values (${values_of(text)}) than en.json (${values_of(english[id])})`);
    else if (text.includes(", plural,")) {
      for (const form of forms[language]) if (!text.includes(`${form} {`)) faults.push(`${file}: ${id} has no plural form "${form}"`);
    }
  }
  for (const id of Object.keys(catalog)) if (!(id in english)) faults.push(`${file} has ${id}, which en.json has not`);
  if (Object.keys(catalog).join("\n") !== Object.keys(catalog).sort().join("\n")) faults.push(`${file} is not sorted by id`);
}

// The server says page.* on its own pages: by id, but for page.error.*, which are its errors in their English words.
const server = [];
for (const module of ["src/api/oauth_api", "src/guard/identity"])
  for (const file of readdirSync(join(root, "..", module)).filter((name) => name.endsWith(".cc"))) server.push(readFileSync(join(root, "..", module, file), "utf8"));
const said = server.join("\n");
const is_of_server = (id) => (id.startsWith("page.error.") ? english[id].split(/\{\w+\}/).every((words) => said.includes(words)) : said.includes(`"${id}"`));

// Used: "a.b" as a whole, or a template that begins with its first part, as `band.${...}`.
const sources = (at) =>
  readdirSync(at, { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory() ? sources(join(at, entry.name)) : /\.tsx?$/.test(entry.name) ? [readFileSync(join(at, entry.name), "utf8")] : [],
  );
const text = sources(join(root, "src")).join("\n");
const beginnings = [...text.matchAll(/`([a-z_]+\.(?:[a-z_]+\.)?)\$\{/g)].map((match) => match[1]);
for (const id of ids) {
  if (id.startsWith("page.")) {
    if (!is_of_server(id)) faults.push(`en.json: the server does not say ${id}`);
  } else if (!text.includes(`"${id}"`) && !beginnings.some((begin) => id.startsWith(begin))) faults.push(`en.json: nothing says ${id}`);
}

if (faults.length > 0) {
  for (const fault of faults) console.error(`catalogs: ${fault}`);
  process.exit(1);
}
console.log(`catalogs: ${ids.length} messages in ${readdirSync(folder).filter((name) => name.endsWith(".json")).length} languages`);
