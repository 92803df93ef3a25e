import type { DeepHistory, Event, ServiceDay, WindowUse } from "../contract/contract";
import { count } from "../text/format";
import { t } from "../text/strings";

/** What a chart, its table and its export have in common: times, and one value per time and line. */
export type History = {
  span: "minute" | "hour";
  /** unix seconds at which each minute or hour began */
  times: number[];
  lines: Line[];
  limit: { value: number; name: string } | null;
  marks: Mark[];
};

export type Line = { key: string; label: string; role: "total" | "part" | "hits" | "bad"; values: number[] };
export type Mark = { at: number; until: number | null; text: string };
export type Range = "day" | "week" | "month" | "year";

export const rangeDays: Record<Range, number> = { day: 1, week: 7, month: 30, year: 396 };
export const rangeNames: Record<Range, string> = {
  day: "24 h",
  week: "7 days",
  month: "30 days",
  year: "13 months",
};

/** Hidden until asked for: hits often outnumber calls and would press their lines flat. */
export const hiddenAtFirst: readonly string[] = ["hits"];

/** Twenty-four hours at true minutes: nothing is averaged. */
export function dayHistory(day: ServiceDay, events: readonly Event[]): History {
  const times = day.calls.map((_, i) => day.start + 60 * i);
  const parts = busiestFirst(day.endpoints).map(
    ([name, values]): Line => ({ key: `endpoint:${name}`, label: name, role: "part", values }),
  );
  return {
    span: "minute",
    times,
    lines: [
      { key: "total", label: t.detail.allCalls, role: "total", values: day.calls },
      ...parts,
      { key: "hits", label: t.detail.fromCache, role: "hits", values: day.hits },
    ],
    limit: { value: day.limit, name: `Budget ${count(day.limit)} / min` },
    marks: marksIn(events, day.service, times),
  };
}

/** Whole hours, from the roll-ups. A budget by the hour is the only one that can be drawn across them. */
export function deepHistory(
  deep: DeepHistory,
  windows: readonly WindowUse[],
  events: readonly Event[],
): History {
  const rows = everyHour(deep.hours);
  const column = (index: 1 | 2 | 3 | 4): number[] => rows.map((row) => row[index]);
  const times = rows.map((row) => row[0]);
  const hourly = windows.find((window) => window.seconds === 3600);
  return {
    span: "hour",
    times,
    lines: [
      { key: "total", label: t.detail.allCalls, role: "total", values: column(1) },
      { key: "refused", label: "Refused", role: "bad", values: column(3) },
      { key: "failed", label: "Failed", role: "part", values: column(4) },
      { key: "hits", label: t.detail.fromCache, role: "hits", values: column(2) },
    ],
    limit: hourly ? { value: hourly.calls, name: `Budget ${count(hourly.calls)} / h` } : null,
    marks: marksIn(events, deep.service, times),
  };
}

/** Hours without calls are not sent; on a time line they are nought, not a slope between their neighbours. */
function everyHour(rows: DeepHistory["hours"]): DeepHistory["hours"] {
  const known = new Map(rows.map((row) => [row[0], row]));
  const first = rows[0]?.[0] ?? 0;
  const last = rows[rows.length - 1]?.[0] ?? -1;
  const filled: DeepHistory["hours"] = [];
  for (let at = first; at <= last; at += 3600) filled.push(known.get(at) ?? [at, 0, 0, 0, 0]);
  return filled;
}

/** The running minute's count as the meters know it, ahead of the next full answer. */
export function withRunning(day: ServiceDay, minute: number, calls: number): ServiceDay {
  const last = day.calls.length - 1;
  if (last < 0 || day.start + 60 * last !== minute || day.calls[last] === calls) return day;
  return { ...day, calls: [...day.calls.slice(0, last), calls] };
}

export function busiestFirst(parts: Record<string, number[]>): [string, number[]][] {
  const total = (values: number[]): number => values.reduce((sum, n) => sum + n, 0);
  return Object.entries(parts).sort(([a, x], [b, y]) => total(y) - total(x) || a.localeCompare(b));
}

function marksIn(events: readonly Event[], service: string, times: number[]): Mark[] {
  const first = times[0] ?? Number.POSITIVE_INFINITY;
  return events
    .filter((e) => e.kind === "ban" && e.service === service && e.at >= first)
    .map((e) => ({ at: e.at, until: e.until, text: e.text }));
}

/** Nothing was called, nothing was answered from the cache, nothing was banned: there is nothing to draw. */
export function isEmpty({ lines, marks }: History): boolean {
  return marks.length === 0 && lines.every((line) => line.values.every((value) => value === 0));
}

export function sum(values: readonly number[]): number {
  return values.reduce((total, n) => total + n, 0);
}

/** Index of the largest value; the first of equals, or -1 if there is nothing above nought. */
export function busiest(values: readonly number[]): number {
  let best = -1;
  values.forEach((value, i) => {
    if (value > 0 && (best < 0 || value > (values[best] ?? 0))) best = i;
  });
  return best;
}
