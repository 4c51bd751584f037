// pack.mjs DIST OUT: the files of a built console, plain and compressed, as OUT/console.bin and the table of them for the server,
// OUT/console_assets.cc.

import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { dirname, extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

const [dist, out] = process.argv.slice(2);
if (!dist || !out) {
  console.error("usage: pack.mjs DIST OUT");
  process.exit(2);
}

const types = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
  ".json": "application/json",
  ".txt": "text/plain; charset=utf-8",
  ".woff2": "font/woff2",
};

const files = (at) =>
  readdirSync(join(dist, at), { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory() ? files(`${at}/${entry.name}`) : [`${at}/${entry.name}`],
  );

const pieces = [];
let size = 0;
// An empty view stands for nothing to send: none of ours is empty.
function add(bytes) {
  const view = `{blob + ${size}, ${bytes.length}}`;
  pieces.push(bytes);
  size += bytes.length;
  return view;
}

const rows = [];
for (const path of files("").sort()) {
  const type = types[extname(path)];
  if (!type) throw new Error(`${path}: of what type is that?`);
  // One level below assets/, as the router's pattern says; and a name that carries a hash.
  if (path !== "/index.html" && !/^\/assets\/[\w.-]+-[\w-]{8,}\.\w+$/.test(path)) throw new Error(`${path} has no hash in its name`);
  const plain = readFileSync(join(dist, path));
  const gzip = gzipSync(plain, { level: 9 });
  gzip.fill(0, 4, 8); // the same bytes whenever it is made
  const brotli = brotliCompressSync(plain, {
    params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: plain.length },
  });
  const tag = createHash("sha256").update(plain).digest("hex").slice(0, 20);
  rows.push(`    {"${path}", "${type}", "${tag}", ${add(plain)}, ${add(gzip)}, ${add(brotli)}},`);
}

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const screens = JSON.parse(readFileSync(join(root, "screens.json"), "utf8"));
const paths = screens.map((screen) => `    "${screen.path.replace(/:(\w+)/g, "{$1}")}",`);

const source = `// Made by console/scripts/pack.mjs.
#include "api/console_api/console_api.h"

asm(".section .rodata\\n"
    ".balign 16\\n"
    ".globl mydr24_console_bytes\\n"
    "mydr24_console_bytes:\\n"
    ".incbin \\"${join(out, "console.bin")}\\"\\n"
    ".text\\n");
extern "C" const char mydr24_console_bytes[];

namespace mydr24::console_api {
namespace {

const char* const blob = mydr24_console_bytes;

const Asset all[] = {
${rows.join("\n")}
};

constexpr std::string_view screens[] = {
${paths.join("\n")}
};

}  // namespace

std::span<const Asset> embedded_assets() { return all; }
std::span<const std::string_view> screen_paths() { return screens; }

}  // namespace mydr24::console_api
`;
mkdirSync(out, { recursive: true });
writeFileSync(join(out, "console.bin"), Buffer.concat(pieces));
writeFileSync(join(out, "console_assets.cc"), source);
