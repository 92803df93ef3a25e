import { clock, count, dateWeekday, plural } from "../text/format";
import type { History, Line, Mark } from "./history";

export type Point = { title: string; calls: number; parts: { line: Line; value: number }[]; marks: Mark[] };

const partsShown = 12;

/** What is to be said of one minute or hour: its total, and the shown lines that are not nought. */
export function pointOf(history: History, shown: ReadonlySet<string>, index: number): Point {
  const at = history.times[index] ?? 0;
  const length = history.span === "minute" ? 60 : 3600;
  const total = history.lines.find((line) => line.role === "total");
  const parts = history.lines
    .filter((line) => line.role !== "total" && shown.has(line.key))
    .map((line) => ({ line, value: line.values[index] ?? 0 }))
    .filter(({ value }) => value > 0)
    .sort((a, b) => b.value - a.value)
    .slice(0, partsShown);
  return {
    title: history.span === "minute" ? clock(at) : `${dateWeekday(at)}, ${clock(at)}`,
    calls: total?.values[index] ?? 0,
    parts,
    marks: history.marks.filter((mark) => mark.at >= at && mark.at < at + length),
  };
}

export function spokenPoint(history: History, shown: ReadonlySet<string>, index: number): string {
  const point = pointOf(history, shown, index);
  const parts = point.parts.map(({ line, value }) => `${line.label} ${count(value)}`);
  const marks = point.marks.map((mark) => mark.text);
  return [`${point.title}, ${plural(point.calls, "call", "calls")}`, ...parts, ...marks].join(", ");
}
