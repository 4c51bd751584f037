// The messages of the server's own pages (page.*: login, invitation, agreement) from the catalogs, as a table in C++.
//   node scripts/pages.mjs FILE

import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const folder = join(dirname(fileURLToPath(import.meta.url)), "../src/i18n");
const rows = [];
for (const file of readdirSync(folder).filter((name) => name.endsWith(".json")).sort()) {
  const catalog = JSON.parse(readFileSync(join(folder, file), "utf8"));
  for (const [id, text] of Object.entries(catalog)) if (id.startsWith("page.")) rows.push([file.slice(0, -5), id, text]);
}
writeFileSync(
  process.argv[2],
  `// Made by console/scripts/pages.mjs.
#include <array>

#include "api/oauth_api/detail/texts.h"

namespace mydr24::oauth_api {

std::span<const Message> page_messages() {
  static constexpr std::array<Message, ${rows.length}> all{{
${rows.map((row) => `      {${row.map((text) => JSON.stringify(text)).join(", ")}},`).join("\n")}
  }};
  return all;
}

}  // namespace mydr24::oauth_api
`,
);
