// A policy in words: operations by the area of work they belong to, permissions by their verbs.

import { useIntl } from "react-intl";
import type { AccessPolicy, Grant, Role } from "../../api/access";
import { useT, type MessageId } from "../../i18n";

export const areas = ["care", "alerts", "oncall", "incidents", "changes", "monitoring", "audit", "access", "other"] as const;
export type Area = (typeof areas)[number];

// By the first word of the operation's name.
const area_of_word: Record<string, Area> = {
  vitals: "care",
  break: "care",
  actionability: "care",
  alert: "alerts",
  alerts: "alerts",
  am: "alerts",
  silence: "alerts",
  webhook: "alerts",
  generic: "alerts",
  pagerduty: "alerts",
  events: "alerts",
  oncall: "oncall",
  address: "oncall",
  addresses: "oncall",
  incident: "incidents",
  incidents: "incidents",
  change: "changes",
  setting: "changes",
  status: "monitoring",
  monitor: "monitoring",
  series: "monitoring",
  remote: "monitoring",
  audit: "audit",
  rights: "audit",
  breach: "audit",
  processing: "audit",
  access: "access",
  account: "access",
};
const own_area: Record<string, Area> = { "break-glass-list": "audit", "break-glass-review": "audit" };
export const area_of = (operation: string): Area => own_area[operation] ?? area_of_word[operation.split("-")[0]!] ?? "other";

export interface Share {
  area: Area;
  sees: string[]; // operations that read
  does: string[];
  all: number; // operations there are in that area
}

// What a role may of each area; areas of which it may nothing are there, too.
export function shares_of(role: Role, policy: AccessPolicy): Share[] {
  const may = new Set(role.operations);
  return areas.map((area) => {
    const inside = policy.operations.filter((each) => area_of(each.name) === area);
    const named = (reads: boolean) => [...new Set(inside.filter((each) => may.has(each.name) && (each.method === "GET") === reads).map((each) => each.name))];
    const sees = named(true);
    return { area, sees, does: named(false).filter((name) => !sees.includes(name)), all: new Set(inside.map((each) => each.name)).size };
  });
}

const letters = [..."rscud"] as const;

export interface Words {
  permissions: (letters: string) => string; // reads, searches and changes
  types: (grant: Grant) => string;
  list: (texts: readonly string[]) => string;
}
export function useWords(): Words {
  const t = useT();
  const intl = useIntl();
  const list = (texts: readonly string[]) => intl.formatList(texts as string[], { type: "conjunction" });
  return {
    list,
    permissions: (may) => list(letters.filter((letter) => may.includes(letter)).map((letter) => t(`access.may.${letter}` as MessageId))),
    types: (grant) => {
      const named = grant.types.includes("*") ? t("access.everything") : grant.types.join(", ");
      return grant.not_types ? t("access.except", { what: named, not: grant.not_types.join(", ") }) : named;
    },
  };
}

// "http://terminology.hl7.org/CodeSystem/v3-ActCode|HIV" is HIV to people.
export const label_word = (label: string) => label.slice(label.lastIndexOf("|") + 1);
