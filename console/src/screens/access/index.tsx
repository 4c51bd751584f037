// Who may do what: people, roles, decisions explained, the tenant and its quotas; and who I am here.

import { useSession } from "../../api/session";
import { useT, type MessageId } from "../../i18n";
import { Empty } from "../../ui/states";
import { Tabs } from "../../ui/tabs";
import { useParam } from "../../ui/url";
import { useMay } from "../permitted";
import "../../theme/admin.css";
import "../../theme/access.css";
import { Explain } from "./explain";
import { Myself } from "./myself";
import { People } from "./people";
import { Roles } from "./roles";
import { TenantPart } from "./tenant";

const parts = ["people", "roles", "explain", "tenants", "me"] as const;
type Part = (typeof parts)[number];
const needs = { people: "access-users", roles: "access-policy", explain: "access-explain", tenants: "access-tenant", me: "session-list" } as const;

export default function Access() {
  const t = useT();
  const session = useSession();
  const may = useMay();
  const [tab] = useParam("tab");
  const open = parts.filter((part) => may(needs[part]));
  const current: Part = parts.find((part) => part === tab) ?? open[0] ?? "me";
  return (
    <div className="access-screen">
      <header className="screen-head">
        <h1>{t("screen.access")}</h1>
      </header>
      {session.state === "open" ? (
        <Empty title={t("access.off")} status="neutral">
          {t("access.off_why")}
        </Empty>
      ) : (
        <>
          <Tabs label={t("screen.access")} tabs={open.map((id) => ({ id, title: t(`access.tab.${id}` as MessageId) }))} current={current} />
          {current === "people" && <People />}
          {current === "roles" && <Roles />}
          {current === "explain" && <Explain />}
          {current === "tenants" && <TenantPart />}
          {current === "me" && <Myself />}
        </>
      )}
    </div>
  );
}
