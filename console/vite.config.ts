import react from "@vitejs/plugin-react";
import { fileURLToPath } from "node:url";
import { defineConfig, type Plugin } from "vite";
import { licences } from "./scripts/licences.mjs";

const server = "http://127.0.0.1:8024";
const carried = licences(fileURLToPath(new URL(".", import.meta.url)));
const with_licences: Plugin = {
  name: "licences",
  generateBundle() {
    this.emitFile({ type: "asset", fileName: carried.path, source: carried.text });
  },
};

// Every file but index.html carries a hash of its content, nothing is inlined: the server's content security policy allows
// neither inline scripts nor data: scripts, and hashed files are cached for good.
export default defineConfig({
  plugins: [react(), with_licences],
  define: { licences_path: JSON.stringify(`/${carried.path}`) },
  build: {
    outDir: process.env["MYDR24_CONSOLE_DIST"] ?? "dist",
    emptyOutDir: true,
    target: "es2022",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    sourcemap: false,
  },
  server: {
    proxy: Object.fromEntries(
      ["/api", "/fhir", "/login", "/logout", "/oauth", "/setup"].map((path) => [path, { target: server }]),
    ),
  },
});
