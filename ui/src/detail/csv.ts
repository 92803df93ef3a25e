import type { History } from "./history";

/** RFC 4180, times in UTC: the same text is saved and copied. */
export function toCsv(history: History): string {
  const head = ["time_utc", ...history.lines.map((line) => line.label)];
  const rows = history.times.map((at, i) => [
    new Date(at * 1000).toISOString().replace(".000Z", "Z"),
    ...history.lines.map((line) => String(line.values[i] ?? 0)),
  ]);
  return `${[head, ...rows].map((row) => row.map(field).join(",")).join("\r\n")}\r\n`;
}

function field(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** spotify-2026-11-21-minutes.csv */
export function csvName(service: string, history: History): string {
  const last = history.times[history.times.length - 1] ?? 0;
  return `${service}-${new Date(last * 1000).toISOString().slice(0, 10)}-${history.span}s.csv`;
}
