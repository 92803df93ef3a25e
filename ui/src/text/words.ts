import type { GaugeModel } from "../gauge/model";
import { atMoment, compact, count, countdown, duration, plural, roughly, windowSpan } from "./format";

/** The word in a card's corner: colour never speaks alone. */
export function badge(model: GaugeModel): string {
  switch (model.state) {
    case "off":
      return "Off";
    case "sign_in":
      return "Sign in";
    case "banned":
      return `${banWord(model)} ${shortCountdown(model.ban?.seconds ?? 0)}`;
    case "spent":
      return "Quota spent";
    case "paused":
      return "Paused";
    case "near":
      return "Near limit";
    case "cooldown":
      return `Cooldown ${shortCountdown(model.cooldownSeconds ?? 0)}`;
    case "busy":
      return "Busy";
    case "idle":
      return "Idle";
    case "room":
      return "Room";
  }
}

/** A badge stands beside a name and must leave room for it; the middle of the gauge has the minutes. */
function shortCountdown(seconds: number): string {
  return seconds < 3600 ? countdown(seconds) : roughly(seconds);
}

function banWord(model: GaugeModel): string {
  return model.ban?.kind === "quota" ? "Quota ban" : "Rate ban";
}

/** The big number and what it counts. */
export function figure(model: GaugeModel): { number: string; unit: string } {
  if (model.ban) return { number: countdown(model.ban.seconds), unit: "until it ends" };
  return { number: count(model.cpm), unit: "calls / min" };
}

/** The numbers at the arc's ends; none while the arc is a ban's time. */
export function ends(model: GaugeModel): [string, string] | null {
  return model.ban ? null : ["0", compact(model.binding?.calls ?? model.max)];
}

/** The line beneath: the window that binds, and whether it lasts. */
export function beneath(model: GaugeModel, now: number): string {
  if (model.ban) return `banned · back ${atMoment(model.ban.until, now)}`;
  if (model.state === "off") return "switched off";
  if (model.state === "sign_in") return "no calls until you sign in";
  if (model.state === "spent" && model.quota)
    return `${count(model.quota.used)} of ${count(model.quota.calls)} in 24 h`;
  const last = lasts(model);
  return last ? `${bound(model)}\u00a0· ${last}` : bound(model);
}

/** of 170/min · 44 of 45 in 5 s · 960 of 1,000 this hour */
export function bound(model: GaugeModel): string {
  const { binding } = model;
  if (!binding) return `of ${count(model.max)}/min`;
  return `${count(binding.used)} of ${count(binding.calls)} ${windowSpan(binding.seconds)}`;
}

export function lasts(model: GaugeModel): string {
  if (model.state === "cooldown") return "no background calls";
  switch (model.lasting.kind) {
    case "waiting":
      return model.lasting.calls === 1 ? "1 call waits" : `${count(model.lasting.calls)} calls wait`;
    case "quota_ends":
      return `quota ends in ${roughly(model.lasting.seconds)}`;
    case "window_fills":
      return `full in ${roughly(model.lasting.seconds)}`;
    case "day":
      return "lasts the day";
    case "hour":
      return "lasts the hour";
    case "idle":
      return "idle";
    case "room":
      return "";
  }
}

/** What a screen reader says of a gauge. Minutes, not seconds: it must not change while it is read. */
export function spoken(model: GaugeModel, now: number): string {
  if (model.ban) {
    const kind = model.ban.kind === "quota" ? "Banned, quota spent" : "Banned, too many calls";
    return `${kind}, back ${atMoment(model.ban.until, now)}, in about ${roughly(model.ban.seconds)}`;
  }
  const calls = `${plural(model.cpm, "call", "calls")} a minute, ${bound(model)}`;
  const quota = model.quota ? `, quota ${count(model.quota.used)} of ${count(model.quota.calls)}` : "";
  return `${calls}${quota}, ${spokenState(model)}`;
}

function spokenState(model: GaugeModel): string {
  if (model.state === "cooldown") return `cooling down for ${roughly(model.cooldownSeconds ?? 0)}`;
  const word = badge(model).toLowerCase();
  const last = lasts(model);
  return last && last !== word ? `${word}, ${last}` : word;
}

/** What the quota says on the detail page. */
export function quotaSentence(model: GaugeModel): string | null {
  const { quota } = model;
  if (!quota) return null;
  const used = `${count(quota.used)} of ${quota.source === "assumed" ? "about " : ""}${count(quota.calls)} used`;
  if (model.state === "spent") return `quota spent (${used})`;
  if (quota.endsIn !== null) return `quota ends in ${duration(roundUp(quota.endsIn))} (${used})`;
  return `quota lasts the day (${used})`;
}

function roundUp(seconds: number): number {
  return seconds > 3600 ? Math.ceil(seconds / 600) * 600 : Math.ceil(seconds / 60) * 60;
}
