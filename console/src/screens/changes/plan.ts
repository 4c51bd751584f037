// A plan from the form for a live setting, and where in its text something is that the server does not understand.

import { LineCounter, parseDocument, stringify, isMap, isNode, isPair, isSeq, type Document, type Node } from "yaml";
import type { Check, Plan, Step } from "../../api/changes";
import type { Setting } from "../../api/platform";

export interface CheckWords {
  on: boolean;
  metric: string;
  side: "at_most" | "at_least";
  limit: string;
}
export interface Words {
  setting: string;
  value: string;
  scope: string;
  type: "standard" | "normal" | "emergency";
  title: string;
  description: string;
  evidence: string;
  in_force: boolean; // checked afterwards
  answers: boolean; // the server answers, before and after
  metric: CheckWords;
  watch_min: string; // how long the metric is watched before it counts as done; empty: not
}
export const no_words: Words = {
  setting: "",
  value: "",
  scope: "",
  type: "normal",
  title: "",
  description: "",
  evidence: "",
  in_force: true,
  answers: true,
  metric: { on: false, metric: "", side: "at_most", limit: "" },
  watch_min: "",
};

export const words_for = (setting: Setting): Words => ({
  ...no_words,
  setting: setting.name,
  title: setting.name,
  type: setting.standard_change ? "standard" : "normal",
});

const every_s = 10;

// What is no number is sent as it was typed: the server says so.
const number_of = (text: string): string | number => (Number.isFinite(Number(text)) ? Number(text) : text);

function value_of(setting: Setting | undefined, typed: string): string | number | boolean | null {
  const text = typed.trim();
  if (text === "") return null;
  if (setting?.type === "boolean") return text === "true";
  return setting?.type === "integer" || setting?.type === "number" ? number_of(text) : text;
}

// Of a metric that is checked: also where it is watched.
function metric_check(words: Words): Check[] {
  const { on, metric, side, limit } = words.metric;
  if (!on) return [];
  // Without a limit it is none, not zero.
  return [{ kind: "metric", metric, ...(limit === "" ? {} : { [side]: number_of(limit) }) }];
}

export function plan_of(words: Words, setting: Setting | undefined): Plan {
  const value = value_of(setting, words.value);
  const scope = words.scope.trim();
  const everywhere = scope === "" || scope === "all";
  const set: Step = { kind: "set", setting: words.setting, value, ...(everywhere ? {} : { scope }) };
  const minutes = number_of(words.watch_min);
  const count = typeof minutes === "number" ? Math.round((minutes * 60) / every_s) || 1 : minutes;
  const watch: Step[] = words.metric.on && minutes !== 0 ? [{ kind: "watch", every_s, count, checks: metric_check(words) } as Step] : [];
  const checks: Check[] = [
    ...(words.in_force && everywhere ? [{ kind: "setting", setting: words.setting, is: value === null ? (setting?.default ?? "") : String(value), when: "after" } as Check] : []),
    ...(words.answers ? [{ kind: "http", url: "/fhir/R4/metadata" } as Check] : []),
    ...metric_check(words),
  ];
  return {
    title: words.title,
    description: words.description,
    type: words.type,
    service: words.setting.split(".")[0] ?? "",
    ...(words.evidence ? { test: { passed: true, evidence: words.evidence } } : {}),
    checks,
    implementation: [set, ...watch],
  };
}

// The field of the form that a member of the plan came from; "": none of them.
export function field_of(where: string): keyof Words | "check" | "" {
  if (where === "title" || where === "description" || where === "type") return where;
  if (where.startsWith("test")) return "evidence";
  if (where.startsWith("implementation[1]")) return "watch_min";
  if (where.endsWith(".scope")) return "scope";
  if (where.startsWith("implementation[0]")) return "value";
  if (where === "service") return "setting";
  return where.startsWith("checks") ? "check" : "";
}

export const text_of = (plan: Plan): string => stringify(plan, { lineWidth: 0 });

export interface Read {
  plan?: unknown;
  document: Document;
  lines: LineCounter;
  fault?: { text: string; line: number };
}
// YAML 1.2, of which JSON is a part. Aliases are refused: a small text must not become a large plan.
export function read_text(text: string): Read {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const error = document.errors[0];
  if (error) return { document, lines, fault: { text: error.message, line: lines.linePos(error.pos[0]).line } };
  if (!isMap(document.contents)) return { document, lines, fault: { text: "", line: 1 } };
  try {
    return { document, lines, plan: document.toJS({ maxAliasCount: 0 }) as unknown };
  } catch (problem) {
    return { document, lines, fault: { text: problem instanceof Error ? problem.message : "", line: 1 } };
  }
}

// The line on which "implementation[0].value" stands, or what is nearest above it when it is missing.
export function line_of(read: Read, where: string): number | undefined {
  if (!where) return undefined;
  let node: unknown = read.document.contents;
  let at: Node | undefined;
  for (const part of where.split(/[.[\]]+/).filter(Boolean)) {
    if (isMap(node)) {
      const pair = node.items.find((each) => String(isNode(each.key) ? each.key.toJSON() : each.key) === part);
      if (!isPair(pair)) break;
      if (isNode(pair.key)) at = pair.key;
      node = pair.value;
    } else if (isSeq(node)) {
      node = node.items[Number(part)];
      if (isNode(node)) at = node;
    } else {
      break;
    }
  }
  return at?.range ? read.lines.linePos(at.range[0]).line : undefined;
}
