import type { Budget } from "../contract/contract";

/** A budget as typed: text, so that a half-written number is neither lost nor nought. */
export type Draft = { spacing: string; windows: { calls: string; seconds: string }[]; quota: string };

export type Field = "spacing" | "quota" | `calls-${number}` | `seconds-${number}`;
export type Problem = { field: Field | null; text: string };

export function draftOf(budget: Budget): Draft {
  return {
    spacing: String(budget.spacing_ms / 1000),
    windows: budget.windows.map(({ calls, seconds }) => ({ calls: String(calls), seconds: String(seconds) })),
    quota: budget.quota ? String(budget.quota.calls) : "",
  };
}

/** The budget a draft means, or what is wrong with it. The engine has the last word; this saves it the obvious. */
export function budgetOf(draft: Draft, hours = 24): { budget: Budget } | { problem: Problem } {
  const spacing = numberOf(draft.spacing || "0");
  if (spacing === null || spacing < 0)
    return wrong("spacing", "The time between calls is a number of seconds");
  const windows: Budget["windows"] = [];
  for (const [i, window] of draft.windows.entries()) {
    const calls = numberOf(window.calls);
    if (calls === null || calls < 1 || !Number.isInteger(calls))
      return wrong(`calls-${i}`, "A window allows at least one call");
    const seconds = numberOf(window.seconds);
    if (seconds === null || seconds <= 0)
      return wrong(`seconds-${i}`, "A window lasts longer than nought seconds");
    windows.push({ seconds, calls });
  }
  const quota = draft.quota.trim() === "" ? null : numberOf(draft.quota);
  if (draft.quota.trim() !== "" && (quota === null || quota < 1 || !Number.isInteger(quota)))
    return wrong("quota", "A quota is a whole number of calls, or nothing");
  return {
    budget: {
      spacing_ms: Math.round(spacing * 1000),
      windows,
      quota: quota === null ? null : { hours, calls: quota },
    },
  };
}

/** The field an engine's message names: services.deezer.budget.windows[0].calls */
export function fieldIn(message: string): Field | null {
  const window = /windows\[(\d+)\]\.(calls|seconds)/.exec(message);
  if (window) return `${window[2] as "calls" | "seconds"}-${Number(window[1])}`;
  if (message.includes("spacing_ms")) return "spacing";
  return message.includes("quota") ? "quota" : null;
}

export function sameBudget(a: Budget, b: Budget): boolean {
  const key = ({ spacing_ms, windows, quota }: Budget): string =>
    JSON.stringify([
      spacing_ms,
      windows.map(({ seconds, calls }) => [seconds, calls]),
      quota && [quota.hours, quota.calls],
    ]);
  return key(a) === key(b);
}

/** A number as typed, with a point or a comma; null: it is none. */
export function numberOf(text: string): number | null {
  const value = Number(text.trim().replace(",", "."));
  return text.trim() === "" || !Number.isFinite(value) ? null : value;
}

function wrong(field: Field, text: string): { problem: Problem } {
  return { problem: { field, text } };
}
