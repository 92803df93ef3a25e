import { locale } from "./locale";

const whole = new Intl.NumberFormat(locale, { maximumFractionDigits: 0 });
const tenth = new Intl.NumberFormat(locale, { maximumFractionDigits: 1 });
const short = new Intl.NumberFormat(locale, { notation: "compact", maximumFractionDigits: 1 });
const share = new Intl.NumberFormat(locale, { style: "percent", maximumFractionDigits: 0 });
/** 09:06, but 9:06 am */
const twelve = new Intl.DateTimeFormat(locale, { hour: "numeric" }).resolvedOptions().hour12;
const hour = twelve ? "numeric" : "2-digit";
const hourMinute = new Intl.DateTimeFormat(locale, { hour, minute: "2-digit" });
const hourMinuteSecond = new Intl.DateTimeFormat(locale, {
  hour,
  minute: "2-digit",
  second: "2-digit",
});
const dayMonth = new Intl.DateTimeFormat(locale, { day: "numeric", month: "short" });
const weekday = new Intl.DateTimeFormat(locale, { weekday: "short", day: "numeric", month: "short" });
const dayMonthYear = new Intl.DateTimeFormat(locale, { day: "numeric", month: "short", year: "numeric" });
const monthYear = new Intl.DateTimeFormat(locale, { month: "short", year: "numeric" });

const at = (unix: number): Date => new Date(unix * 1000);

/** 1,284 */
export const count = (n: number): string => whole.format(n);
/** 1.3M, for where a long number does not fit */
export const compact = (n: number): string => (n < 100_000 ? whole.format(n) : short.format(n));
/** 0.88 → 88 % */
export const percent = (fraction: number): string => share.format(fraction);

/** 14:06 */
export const clock = (unix: number): string => hourMinute.format(at(unix));
export const clockWithSeconds = (unix: number): string => hourMinuteSecond.format(at(unix));
export const dateShort = (unix: number): string => dayMonth.format(at(unix));
export const dateWeekday = (unix: number): string => weekday.format(at(unix));
export const dateFull = (unix: number): string => dayMonthYear.format(at(unix));
export const dateMonth = (unix: number): string => monthYear.format(at(unix));

/** 14:06 · tomorrow 07:40 · 3 Dec 07:40 */
export function moment(unix: number, now: number): string {
  const days = dayNumber(unix) - dayNumber(now);
  if (days === 0) return clock(unix);
  if (days === 1) return `tomorrow ${clock(unix)}`;
  if (days === -1) return `yesterday ${clock(unix)}`;
  return `${dateShort(unix)} ${clock(unix)}`;
}

/** The same within a sentence: at 14:06 · tomorrow 07:40 · on 3 Dec 07:40 */
export function atMoment(unix: number, now: number): string {
  const days = dayNumber(unix) - dayNumber(now);
  if (days === 0) return `at ${clock(unix)}`;
  return Math.abs(days) === 1 ? moment(unix, now) : `on ${moment(unix, now)}`;
}

function dayNumber(unix: number): number {
  const date = at(unix);
  return Math.round(Date.UTC(date.getFullYear(), date.getMonth(), date.getDate()) / 86_400_000);
}

/** 4 s · 3 min 12 s · 13 h 20 min · 2 d 4 h: two units at most, the second one dropped when it is nought. */
export function duration(seconds: number): string {
  const s = Math.max(0, Math.ceil(seconds));
  if (s < 60) return `${s} s`;
  if (s < 3600) return pair(Math.floor(s / 60), "min", s % 60, "s");
  const minutes = Math.ceil(s / 60);
  if (minutes < 1440) return pair(Math.floor(minutes / 60), "h", minutes % 60, "min");
  const hours = Math.ceil(minutes / 60);
  return pair(Math.floor(hours / 24), "d", hours % 24, "h");
}

function pair(a: number, unitA: string, b: number, unitB: string): string {
  return b === 0 ? `${a} ${unitA}` : `${a} ${unitA} ${b} ${unitB}`;
}

/** One unit, rounded up, for sentences read aloud and for badges: 3 min */
export function roughly(seconds: number): string {
  if (seconds <= 60) return "1 min";
  if (seconds < 5400) return `${Math.ceil(seconds / 60)} min`;
  if (seconds < 36 * 3600) return `${Math.round(seconds / 3600)} h`;
  return `${Math.round(seconds / 86_400)} d`;
}

/** 0:42 · 3:12 · 13 h 20, ticking */
export function countdown(seconds: number): string {
  const s = Math.max(0, Math.ceil(seconds));
  if (s < 3600) return `${Math.floor(s / 60)}:${String(s % 60).padStart(2, "0")}`;
  const minutes = Math.ceil(s / 60);
  return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, "0")}`;
}

/** How long ago, in one unit, rounded down: a moment ago · 5 min ago · 14 h ago · 3 d ago */
export function ago(seconds: number): string {
  if (seconds < 60) return "a moment ago";
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 48 * 3600) return `${Math.floor(seconds / 3600)} h ago`;
  return `${count(Math.floor(seconds / 86_400))} d ago`;
}

/** Of what time an answer is: as of 14 h ago · as of a moment ago */
export const asOf = (unix: number, now: number): string => `as of ${ago(now - unix)}`;

/** 120 B · 3.1 kB · 42 MB · 1.6 GB, in steps of 1,024 like the setting of the largest size */
export function bytes(n: number): string {
  const units = ["B", "kB", "MB", "GB"];
  let value = n;
  let unit = 0;
  // 1,023.6 kB would read "1,024 kB".
  while (Math.round(value) >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${unit > 0 && value < 9.95 ? tenth.format(value) : whole.format(value)} ${units[unit]}`;
}

/** 4.1 */
export const decimal = (n: number): string => tenth.format(n);

/** A track's length: 4:08 */
export function trackLength(milliseconds: number): string {
  const s = Math.round(milliseconds / 1000);
  return `${Math.floor(s / 60)}:${String(s % 60).padStart(2, "0")}`;
}

/** How long a window is, as it reads after "44 of 45": in 5 s · this hour · in 5 min */
export function windowSpan(seconds: number): string {
  if (seconds === 60) return "this minute";
  if (seconds === 3600) return "this hour";
  if (seconds === 86_400) return "in 24 h";
  return `in ${spell(seconds)}`;
}

/** How long a window is, as a name: 5 s · 1 min · 1 h */
export function spell(seconds: number): string {
  if (seconds < 60) return `${Number(seconds.toFixed(3))} s`;
  if (seconds < 3600) return seconds % 60 === 0 ? `${seconds / 60} min` : `${seconds} s`;
  if (seconds % 3600 === 0) return `${seconds / 3600} h`;
  return duration(seconds);
}

/** one call, 4 calls */
export function plural(n: number, one: string, many: string): string {
  return `${n === 1 ? "1" : count(n)} ${n === 1 ? one : many}`;
}

/** Deezer · Deezer and Tidal · Deezer, Tidal and Qobuz */
export function listOf(items: readonly string[]): string {
  return new Intl.ListFormat(locale, { type: "conjunction" }).format(items);
}
