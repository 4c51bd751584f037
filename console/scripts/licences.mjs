// The licences of what the console carries: they ask to go along with every copy.

import { createHash } from "node:crypto";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";

export function licences(root) {
  const { packages } = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8"));
  const texts = [];
  for (const [path, each] of Object.entries(packages).sort(([a], [b]) => a.localeCompare(b))) {
    if (!path || each.dev || path.includes("/@types/") || path.endsWith("/csstype")) continue;
    const folder = join(root, path);
    const file = readdirSync(folder).find((name) => /^licen[cs]e(\.|$)/i.test(name));
    const { author } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
    const by = typeof author === "string" ? author : (author?.name ?? "");
    const text = file ? readFileSync(join(folder, file), "utf8").trim() : `${each.license}${by ? `, ${by}` : ""}`;
    texts.push(`${path.slice(path.lastIndexOf("node_modules/") + 13)} ${each.version} (${each.license})\n\n${text}\n`);
  }
  const text = texts.join(`\n${"-".repeat(80)}\n\n`);
  return { text, path: `assets/licences-${createHash("sha256").update(text).digest("hex").slice(0, 8)}.txt` };
}
