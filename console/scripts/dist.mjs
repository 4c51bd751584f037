// dist.mjs DIST: what a built console must keep to. Exit 1 names what it does not.
//   - the JavaScript that the first screen loads is at most 200 kB, its style at most 20 kB (gzip)
//   - no address of another host, no eval, no inline script or style

import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

const dist = process.argv[2];
if (!dist) {
  console.error("usage: dist.mjs DIST");
  process.exit(2);
}
const script_max = 200_000;
const style_max = 20_000;
const faults = [];
const read = (path) => readFileSync(join(dist, path), "utf8");
const gzip_bytes = (path) => gzipSync(readFileSync(join(dist, path)), { level: 9 }).length;

const index = read("index.html");
const assets = readdirSync(join(dist, "assets"));
for (const [what] of index.matchAll(/<style|<script>|\sstyle=|\son\w+=|javascript:/g)) faults.push(`index.html has ${what}`);

// What the page names, what that imports at once, and the first screen with its texts.
const first = new Set([...index.matchAll(/(?:src|href)="\/(assets\/[^"]+)"/g)].map((match) => match[1]));
for (const name of assets) if (/^(overview|en)-[\w-]+\.(js|css)$/.test(name)) first.add(`assets/${name}`);
for (const path of first) {
  if (!path.endsWith(".js")) continue;
  for (const [, name] of read(path).matchAll(/(?:from|import)\s*"\.\/([\w.-]+\.js)"/g)) first.add(`assets/${name}`);
}
const sum = (ending) => [...first].filter((path) => path.endsWith(ending)).reduce((bytes, path) => bytes + gzip_bytes(path), 0);
const script = sum(".js");
const style = sum(".css");
if (script > script_max) faults.push(`the first screen loads ${script} bytes of JavaScript (gzip), at most ${script_max}`);
if (style > style_max) faults.push(`the first screen loads ${style} bytes of style (gzip), at most ${style_max}`);

// Names of namespaces and of licences are no addresses that anything is loaded from.
const harmless = /^https?:\/\/(www\.w3\.org|mydr24\.org|react\.dev|loinc\.org|snomed\.info|hl7\.org|terminology\.hl7\.org|unitsofmeasure\.org|formatjs\.(io|github\.io)|tanstack\.com|github\.com)\b/;
for (const name of assets) {
  if (name.endsWith(".txt")) continue;
  const text = read(`assets/${name}`);
  for (const [address] of text.matchAll(/https?:\/\/[a-z0-9.-]+\.[a-z]{2,}/g)) if (!harmless.test(address)) faults.push(`${name} names ${address}`);
  if (name.endsWith(".js") && /\beval\(|new Function\(/.test(text)) faults.push(`${name} has eval`);
  if (name.endsWith(".css") && /@import|url\((?!["']?(#|\/assets\/))/.test(text)) faults.push(`${name} loads something`);
}

if (faults.length > 0) {
  for (const fault of faults) console.error(`dist: ${fault}`);
  process.exit(1);
}
console.log(`dist: first screen ${(script / 1000).toFixed(1)} kB of JavaScript, ${(style / 1000).toFixed(1)} kB of style (gzip)`);
