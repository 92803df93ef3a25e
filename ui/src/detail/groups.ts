import type { History } from "./history";

/** An hour of minutes, or a day of hours: where it begins, which rows it holds, and each line's sum. */
export type Group = { at: number; indexes: number[]; sums: number[] };

/** The newest first. Hours and days are the user's own, so summer time may make one of them longer. */
export function groupsOf(history: History): Group[] {
  const groups = new Map<number, number[]>();
  history.times.forEach((at, i) => {
    const start = startOf(at, history.span);
    const indexes = groups.get(start) ?? [];
    indexes.push(i);
    groups.set(start, indexes);
  });
  return [...groups]
    .map(([at, indexes]) => ({
      at,
      indexes,
      sums: history.lines.map((line) => indexes.reduce((sum, i) => sum + (line.values[i] ?? 0), 0)),
    }))
    .sort((a, b) => b.at - a.at);
}

function startOf(unix: number, span: History["span"]): number {
  const date = new Date(unix * 1000);
  if (span === "minute") date.setMinutes(0, 0, 0);
  else date.setHours(0, 0, 0, 0);
  return date.getTime() / 1000;
}
