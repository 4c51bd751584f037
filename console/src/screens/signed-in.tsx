// Where a login that was begun in a window of its own ends.

import { useEffect } from "react";
import { tell_signed_in } from "../api/session";
import { useT } from "../i18n";
import { Empty } from "../ui/states";

export default function SignedIn() {
  const t = useT();
  useEffect(() => {
    tell_signed_in();
    const timer = setTimeout(() => window.close(), 300);
    return () => clearTimeout(timer);
  }, []);
  return <Empty title={t("signed_in.title")}>{t("signed_in.text")}</Empty>;
}
