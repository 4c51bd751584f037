// Every pair of text and ground in every theme: WCAG 2.2, 1.4.3 (4.5:1 for text) and 1.4.11 (3:1 for what shows where a control
// is, or that something has a status).

import { readFileSync } from "node:fs";
import { expect, test } from "vitest";

const sheet = readFileSync(new URL("../src/theme/tokens.css", import.meta.url), "utf8");
const themes = ["dark", "light", "contrast"] as const;

function tokens_of(theme: string): Map<string, string> {
  const block = new RegExp(`\\[data-theme="${theme}"\\] \\{([^}]*)\\}`).exec(sheet)?.[1] ?? "";
  return new Map([...block.matchAll(/--([\w-]+): (#[0-9a-f]{6});/g)].map((match) => [match[1]!, match[2]!]));
}

// WCAG 2.2, "relative luminance".
function luminance(colour: string): number {
  const [r, g, b] = [1, 3, 5].map((at) => {
    const part = parseInt(colour.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  }) as [number, number, number];
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}
function contrast(a: string, b: string): number {
  const [high, low] = [luminance(a), luminance(b)].sort((x, y) => y - x) as [number, number];
  return (high + 0.05) / (low + 0.05);
}

const statuses = ["safe", "watch", "urgent", "emergency", "info", "neutral"];
const grounds = ["ground", "panel", "raised"];

const text_pairs: [string, string][] = [
  ...grounds.flatMap((ground): [string, string][] => [
    ["text", ground],
    ["muted", ground],
    ["accent", ground],
    ...statuses.map((status): [string, string] => [`${status}-fg`, ground]),
  ]),
  ["on-accent", "accent"],
  ...statuses.flatMap((status): [string, string][] => [
    [`${status}-fg`, `${status}-bg`],
    [`${status}-on`, `${status}-solid`],
    ["text", `${status}-bg`],
    ["muted", `${status}-bg`],
    ["accent", `${status}-bg`],
  ]),
];
const edge_pairs: [string, string][] = [
  ...grounds.flatMap((ground): [string, string][] => [
    ["edge", ground],
    ["focus", ground],
    ...statuses.map((status): [string, string] => [`${status}-border`, ground]),
    ...statuses.map((status): [string, string] => [`${status}-solid`, ground]),
  ]),
  ...statuses.map((status): [string, string] => ["focus", `${status}-bg`]),
];

test.each(themes)("the theme %s has every token that the first one has", (theme) => {
  expect([...tokens_of(theme).keys()].sort()).toEqual([...tokens_of("dark").keys()].sort());
  expect(tokens_of(theme).size).toBeGreaterThan(35);
});

test.each(themes)("text can be read in the theme %s", (theme) => {
  const tokens = tokens_of(theme);
  const faults = text_pairs.flatMap(([text, ground]) => {
    const ratio = contrast(tokens.get(text)!, tokens.get(ground)!);
    return ratio >= 4.5 ? [] : [`${text} on ${ground}: ${ratio.toFixed(2)}`];
  });
  expect(faults).toEqual([]);
});

test.each(themes)("edges can be seen in the theme %s", (theme) => {
  const tokens = tokens_of(theme);
  const faults = edge_pairs.flatMap(([edge, ground]) => {
    const ratio = contrast(tokens.get(edge)!, tokens.get(ground)!);
    return ratio >= 3 ? [] : [`${edge} on ${ground}: ${ratio.toFixed(2)}`];
  });
  expect(faults).toEqual([]);
});

test("black and white have the contrast that the standard gives them", () => {
  expect(contrast("#000000", "#ffffff")).toBeCloseTo(21, 5);
  expect(contrast("#777777", "#ffffff")).toBeCloseTo(4.48, 2);
});

test("nothing but the tokens names a colour, and nothing names left or right", () => {
  const console_css = readFileSync(new URL("../src/theme/console.css", import.meta.url), "utf8");
  expect(console_css.match(/#[0-9a-f]{3,8}\b|rgba?\(|hsl/g)).toBeNull();
  expect(console_css.match(/(margin|padding|border|inset)-(left|right)|^\s+(left|right|width|height|top|bottom):|text-align: (left|right)/gm)).toBeNull();
});
