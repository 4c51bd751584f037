import { expect, test } from "vitest";
import type { Me } from "../src/api/types";
import { allows, may_open } from "../src/screens/permitted";
import { screens } from "../src/screens/registry";

const me = (part: Partial<Me>): Me => ({ kind: "person", id: "user/x", roles: [], permissions: {}, operations: [], overrides: [], ...part });

test("an operation is allowed by its name, a resource type by its letter", () => {
  const nurse = me({ permissions: { Patient: "rs" }, operations: ["alerts", "alert-ack"] });
  expect(allows(nurse, "alerts")).toBe(true);
  expect(allows(nurse, "alert-move")).toBe(false);
  expect(allows(nurse, "Patient.s")).toBe(true);
  expect(allows(nurse, "Patient.d")).toBe(false);
  expect(allows(nurse, "AuditEvent.s")).toBe(false);
});

test("without access control every screen is open, to somebody without a role those that are about themselves", () => {
  const open = (session: Parameters<typeof may_open>[0]) => screens.filter((screen) => screen.group && may_open(session, screen.id)).map((screen) => screen.id);
  expect(open({ state: "open" })).toHaveLength(screens.filter((screen) => screen.group).length);
  expect(open({ state: "in", me: me({}) })).toEqual(["access"]);
  expect(open({ state: "in", me: me({ operations: ["vitals-board"] }) })).toEqual(["board", "access"]);
});
