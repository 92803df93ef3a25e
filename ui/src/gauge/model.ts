import type { BanKind, QuotaSource, ServiceRates, WindowUse } from "../contract/contract";

/** What a gauge says. Times are unix seconds, fractions 0 to 1. */
export type GaugeModel = {
  state: GaugeState;
  level: Level;
  cpm: number;
  /** the most calls the budget allows in 60 s */
  max: number;
  /** how full the fullest window is */
  fill: number;
  /** the fullest it was in the last hour */
  peak: number;
  /** the window that fills the arc, or null when the minute itself tells the same */
  binding: WindowUse | null;
  quota: QuotaLeft | null;
  lasting: Lasting;
  waiting: number;
  ban: { kind: BanKind; until: number; seconds: number; left: number } | null;
  cooldownSeconds: number | null;
};

/** A quota and when it ends at the pace of the last hour; null if it lasts its whole span. */
export type QuotaLeft = {
  used: number;
  calls: number;
  fraction: number;
  source: QuotaSource;
  endsIn: number | null;
};

/** One word for how the service stands, the gravest first. */
export type GaugeState =
  | "off"
  | "sign_in"
  | "banned"
  | "spent"
  | "paused"
  | "near"
  | "busy"
  | "cooldown"
  | "idle"
  | "room";

export type Level = "calm" | "warn" | "danger";

/** The one thing worth saying about how long it lasts. */
export type Lasting =
  | { kind: "waiting"; calls: number }
  | { kind: "quota_ends"; seconds: number }
  | { kind: "window_fills"; seconds: number }
  | { kind: "day" }
  | { kind: "hour" }
  | { kind: "idle" }
  | { kind: "room" };

export type GaugeInput = {
  rates: ServiceRates;
  now: number;
  paused: boolean;
  /** calls per minute of the last hour, the running minute last */
  hour: readonly number[];
  peak: number;
  /** how long the present ban is in all, if it is known */
  banSeconds: number | null;
};

/** Yellow above, red above. */
export const warnAbove = 0.6;
export const dangerAbove = 0.8;

/** The minute's words do for a window's arc only while the two differ by no more than this share of it. */
const misleads = 0.05;

export function gaugeModel({ rates, now, paused, hour, peak, banSeconds }: GaugeInput): GaugeModel {
  const fill = fillOf(rates);
  const apart = Math.abs(fill - ratio(rates.cpm, rates.limit));
  const binding = apart > misleads ? fullestWindow(rates.windows) : null;
  const pace = hour.length > 0 ? hour.reduce((sum, calls) => sum + calls, 0) / (hour.length * 60) : 0;
  const quota = rates.quota && quotaLeft(rates.quota, pace);
  const ban = rates.ban && rates.ban.until > now ? banLeft(rates.ban, now, banSeconds) : null;
  const cooldown =
    rates.cooldown_until !== null && rates.cooldown_until > now ? rates.cooldown_until - now : null;
  const level = levelOf(fill);
  const model = {
    level,
    cpm: rates.cpm,
    max: rates.limit,
    fill,
    peak: Math.max(fill, peak),
    binding,
    quota,
    lasting: lasting(rates, quota),
    waiting: rates.waiting,
    ban,
    cooldownSeconds: ban ? null : cooldown,
  };
  return { ...model, state: stateOf(rates, model, paused) };
}

/**
 * A window this short is full and empty again between two frames, and five calls in its one second are no
 * danger: the minute judges it, whose limit it sets.
 */
const instant = 2;

/** The fullest of the windows; of equals the longest, because it takes longest to empty. */
export function fullestWindow(windows: readonly WindowUse[]): WindowUse | null {
  let best: WindowUse | null = null;
  for (const window of windows) {
    if (window.seconds < instant) continue;
    const more = best ? ratio(window.used, window.calls) - ratio(best.used, best.calls) : 1;
    if (!best || more > 0 || (more === 0 && window.seconds > best.seconds)) best = window;
  }
  return best;
}

/** How full a service is, as its arc shows it. */
export function fillOf({ windows, cpm, limit }: ServiceRates): number {
  const fullest = fullestWindow(windows);
  const share = fullest ? ratio(fullest.used, fullest.calls) : 0;
  const byMinute = windows.length === 0 || windows.some((window) => window.seconds < instant);
  return byMinute ? Math.max(share, ratio(cpm, limit)) : share;
}

export function levelOf(fill: number): Level {
  return fill > dangerAbove ? "danger" : fill > warnAbove ? "warn" : "calm";
}

function stateOf(rates: ServiceRates, model: Omit<GaugeModel, "state">, paused: boolean): GaugeState {
  if (rates.access === "disabled") return "off";
  if (model.ban) return "banned";
  if (rates.access === "credential_needed") return "sign_in";
  if (model.quota && model.quota.used >= model.quota.calls) return "spent";
  if (paused) return "paused";
  if (model.level === "danger") return "near";
  if (model.cooldownSeconds !== null) return "cooldown";
  if (model.level === "warn") return "busy";
  return rates.cpm === 0 && rates.waiting === 0 && model.fill === 0 ? "idle" : "room";
}

function banLeft(
  ban: { kind: BanKind; until: number },
  now: number,
  whole: number | null,
): NonNullable<GaugeModel["ban"]> {
  const seconds = ban.until - now;
  return { kind: ban.kind, until: ban.until, seconds, left: whole ? ratio(seconds, whole) : 1 };
}

function quotaLeft(quota: NonNullable<ServiceRates["quota"]>, pace: number): QuotaLeft {
  const { used, calls, source, hours } = quota;
  const endsIn = secondsUntil(calls - used, pace);
  const fraction = ratio(used, calls);
  return { used, calls, source, fraction, endsIn: endsIn !== null && endsIn < hours * 3600 ? endsIn : null };
}

function lasting(rates: ServiceRates, quota: QuotaLeft | null): Lasting {
  if (rates.waiting > 0) return { kind: "waiting", calls: rates.waiting };
  if (quota && quota.endsIn !== null) return { kind: "quota_ends", seconds: quota.endsIn };
  const long = longestWindow(rates.windows);
  const fills = long ? secondsUntil(long.calls - long.used, rates.cpm / 60) : null;
  if (long && fills !== null && fills < long.seconds && long.used / long.calls > warnAbove)
    return { kind: "window_fills", seconds: fills };
  if (rates.cpm === 0) return { kind: "idle" };
  if (quota) return { kind: "day" };
  return long?.seconds === 3600 ? { kind: "hour" } : { kind: "room" };
}

function longestWindow(windows: readonly WindowUse[]): WindowUse | null {
  const long = windows.filter((window) => window.seconds > 60);
  return long.reduce<WindowUse | null>((best, w) => (best && best.seconds >= w.seconds ? best : w), null);
}

function secondsUntil(room: number, perSecond: number): number | null {
  return perSecond > 0 ? Math.max(0, room) / perSecond : null;
}

function ratio(part: number, whole: number): number {
  if (whole <= 0) return part > 0 ? 1 : 0;
  return Math.min(1, Math.max(0, part / whole));
}
