// With MYDR24_TEST_STORE=postgres each server keeps its records in a database of its own, on the PostgreSQL server whose socket is
// in the folder MYDR24_TEST_POSTGRES (console/run starts one).
import { execFileSync } from "node:child_process";
import { randomUUID } from "node:crypto";

// Where a new server keeps its records, as a URL; nothing: in its folder.
export function lend_database() {
  if (process.env.MYDR24_TEST_STORE !== "postgres") return undefined;
  const folder = process.env.MYDR24_TEST_POSTGRES;
  if (!folder) throw new Error("MYDR24_TEST_POSTGRES must name the folder of a PostgreSQL server's socket");
  const name = `test_${randomUUID().replaceAll("-", "")}`;
  execFileSync("/usr/lib/postgresql/15/bin/createdb", ["-h", folder, "-U", "postgres", name]);
  return `postgres://postgres@/${name}?host=${encodeURIComponent(folder)}`;
}
