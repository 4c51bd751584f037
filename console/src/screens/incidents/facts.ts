// What is told of an incident, in the order and the words of these screens.

import { severities, type Classification, type Entry, type Incident, type Severity, type Task } from "../../api/incidents";

// The more severe of what is asked for and what the rules say, as the server decides it.
export function severity_of(asked: Severity | "", found: Classification | undefined): Severity | undefined {
  if (!asked) return found?.severity;
  if (!found?.rule) return asked;
  return severities.indexOf(asked) < severities.indexOf(found.severity) ? asked : found.severity;
}

// Steps of runbooks under their names, then what people added; each with its place among all.
export function groups_of(tasks: readonly Task[]): { runbook: string; tasks: (Task & { place: number })[] }[] {
  const groups = new Map<string, (Task & { place: number })[]>();
  tasks.forEach((task, place) => {
    const name = task.runbook ?? "";
    groups.set(name, [...(groups.get(name) ?? []), { ...task, place }]);
  });
  return [...groups].map(([runbook, of]) => ({ runbook, tasks: of })).sort((a, b) => Number(a.runbook === "") - Number(b.runbook === ""));
}

// What the platform writes when it sees it, even where it names a person.
const seen = /^(alert|change)\b/;
export const is_by_person = (entry: Entry, incident: Pick<Incident, "source">): boolean =>
  Boolean(entry.by) && !seen.test(entry.kind) && (incident.source === "person" || (entry.kind !== "opened" && entry.kind !== "joined"));
