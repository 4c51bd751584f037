// Which screens a person is offered: what the server says that they may (GET /api/v1/access/me), which decides it for each request
// anew. An address that is typed in all the same shows the server's own refusal.

import type { Operation } from "../api/routes.gen";
import { useSession, type Session } from "../api/session";
import type { Me } from "../api/types";
import { screens, type Screen, type ScreenId } from "./registry";

// An operation, or a letter of "cruds" on a resource type.
export type Need = Operation | `${string}.${"c" | "r" | "u" | "d" | "s"}`;

// Any one of them opens it; a screen without any is for everybody.
const needs: Partial<Record<ScreenId, readonly Need[]>> = {
  overview: ["status"],
  board: ["vitals-board"],
  patients: ["Patient.s"],
  alerts: ["alerts", "am-groups"],
  incidents: ["incidents"],
  oncall: ["oncall-plan"],
  changes: ["change-list"],
  slos: ["monitor-slos"],
  audit: ["audit-status"],
  settings: ["setting-list"],
};

export function allows(me: Me, need: Need): boolean {
  const dot = need.indexOf(".");
  if (dot < 0) return me.operations.includes(need);
  return (me.permissions[need.slice(0, dot)] ?? "").includes(need.slice(dot + 1));
}

const me_of = (session: Session) => ("me" in session ? session.me : undefined);

export function may_open(session: Session, id: ScreenId): boolean {
  const me = me_of(session);
  const any = needs[id];
  return me === undefined || any === undefined || any.some((need) => allows(me, need));
}

export function useScreens(): readonly Screen[] {
  const session = useSession();
  return screens.filter((screen) => may_open(session, screen.id));
}

// Without access control everybody may everything.
export function useMay(): (need: Need) => boolean {
  const me = me_of(useSession());
  return (need) => me === undefined || allows(me, need);
}
