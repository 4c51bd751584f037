import { QueryClientProvider } from "@tanstack/react-query";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { note_input } from "./api/client";
import { client } from "./api/queries";
import { App } from "./app";
import { Texts } from "./i18n";
import "./preferences";
import "./theme/tokens.css";
import "./theme/console.css";

for (const kind of ["pointerdown", "keydown", "wheel", "touchstart"]) {
  addEventListener(kind, note_input, { passive: true, capture: true });
}

createRoot(document.getElementById("root")!).render(
  <StrictMode>
    <QueryClientProvider client={client}>
      <Texts>
        <App />
      </Texts>
    </QueryClientProvider>
  </StrictMode>,
);
