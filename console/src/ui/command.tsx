// What is done on the command line of the server, to be copied.

import { useState } from "react";
import { useT } from "../i18n";
import { Button } from "./basic";

export function Command({ children }: { children: string }) {
  const t = useT();
  const [copied, set_copied] = useState(false);
  return (
    <div className="command">
      <code dir="ltr">{children}</code>
      {"clipboard" in navigator && (
        <Button look="quiet" onClick={() => void navigator.clipboard.writeText(children).then(() => set_copied(true))}>
          {t(copied ? "error.copied" : "access.copy")}
        </Button>
      )}
    </div>
  );
}
