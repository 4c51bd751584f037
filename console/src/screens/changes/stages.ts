// How far a change has come: its checks before, its steps, its checks after, and the way back, from what the run wrote down.

import { over_states, type Change, type LogEntry, type Step } from "../../api/changes";

export type StageState = "waits" | "runs" | "held" | "paused" | "done" | "failed" | "undone" | "skipped";
export interface Stage {
  key: string;
  kind: Step["kind"] | "before" | "after";
  name: string;
  scope?: string; // who is exposed from here on
  state: StageState;
  at?: string; // when it ended
  entries: LogEntry[];
  step?: Step;
}
export type WayBackState = "ready" | "none" | "runs" | "done" | "failed";
export interface Rollout {
  stages: Stage[];
  way_back: { state: WayBackState; because: string; entries: LogEntry[] };
}

export function name_of_step(step: Step): string {
  if (step.name) return step.name;
  return [step.kind, step.setting ?? step.command ?? step.scale ?? step.metric ?? step.url].filter(Boolean).join(" ");
}

// The number of stages that were passed, checks before included; which one was under way when it ended, if it did not pass.
function reached(change: Change): { passed: number; fell: number } {
  const run = change.run;
  const steps = change.plan.implementation.length;
  if (!run) return { passed: 0, fell: -1 };
  if (run.phase === "before") return { passed: 0, fell: over_states.has(change.state) ? 0 : -1 };
  if (run.phase === "steps") return { passed: 1 + run.step, fell: -1 };
  const after = run.log.filter((entry) => entry.phase === "after");
  if (run.phase === "after") return change.state === "successful" ? { passed: steps + 2, fell: -1 } : { passed: steps + 1, fell: -1 };
  if (after.length > 0) return after.every((entry) => entry.ok) ? { passed: steps + 2, fell: -1 } : { passed: steps + 1, fell: steps + 1 };
  const last = run.log.filter((entry) => entry.phase === "steps").at(-1);
  const begun = last ? (last.ok ? last.step + 1 : last.step) : 0;
  if (begun >= steps) return { passed: steps + 1, fell: steps + 1 };
  return { passed: begun + 1, fell: begun + 1 };
}

export function rollout_of(change: Change, held: boolean): Rollout {
  const run = change.run;
  const over = over_states.has(change.state);
  const back = run?.phase === "way_back" || run?.phase === "verify_way_back";
  const put_back = back && (run.phase === "verify_way_back" || run.undo.length === 0);
  const { passed, fell } = reached(change);
  const state_of = (place: number, kind: Stage["kind"]): StageState => {
    if (place === fell) return "failed";
    if (place < passed) return (kind === "set" || kind === "scale") && put_back ? "undone" : "done";
    if (back || over) return "skipped";
    if (place > passed || !run) return "waits";
    return change.state === "paused" ? "paused" : held && !run.begun ? "held" : "runs";
  };
  const stage = (place: number, kind: Stage["kind"], name: string, entries: LogEntry[], step?: Step): Stage => {
    const state = state_of(place, kind);
    const last = entries.at(-1);
    return {
      key: `${place}`,
      kind,
      name,
      state,
      entries,
      ...(kind === "set" ? { scope: step?.scope ?? "all" } : {}),
      ...(last && (state === "done" || state === "failed" || state === "undone") ? { at: last.at } : {}),
      ...(step ? { step } : {}),
    };
  };
  const log = run?.log ?? [];
  const steps = change.plan.implementation;
  const stages = [
    stage(0, "before", "", log.filter((entry) => entry.phase === "before")),
    ...steps.map((step, at) =>
      stage(
        at + 1,
        step.kind,
        name_of_step(step),
        log.filter((entry) => entry.phase === "steps" && entry.step === at),
        step,
      ),
    ),
    stage(steps.length + 1, "after", "", log.filter((entry) => entry.phase === "after")),
  ];
  const way_back: WayBackState =
    change.state === "rollback_failed" ? "failed" : change.state === "rolling_back" ? "runs" : back && over ? "done" : change.plan.irreversible ? "none" : "ready";
  return {
    stages,
    way_back: {
      state: way_back,
      because: run?.because ?? "",
      entries: log.filter((entry) => entry.phase === "way_back" || entry.phase === "verify_way_back"),
    },
  };
}
