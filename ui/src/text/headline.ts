import type { Rates, ServiceId, ServiceRates } from "../contract/contract";
import { dangerAbove, fillOf } from "../gauge/model";
import { atMoment, count, duration, listOf, percent, plural } from "./format";
import { labelOf } from "./labels";

export type Tone = "ok" | "warn" | "danger" | "quiet";
export type Headline = { title: string; detail: string; tone: Tone };

type Named = { label: string; rates: ServiceRates };

/** A quota's share from which background callers stop. */
const quotaWarns = 0.8;

/**
 * Answers "am I safe?" in one sentence. The gravest thing wins: a ban, a spent quota, paused calls, a full
 * window, a quota that runs low, a cooldown; otherwise all is clear.
 */
export function headline(rates: Rates, now: number, label: (id: ServiceId) => string = labelOf): Headline {
  const services = (Object.entries(rates.services) as [ServiceId, ServiceRates][])
    .filter(([, service]) => service.access !== "disabled")
    .map(([id, service]): Named => ({ label: label(id), rates: service }));
  const found =
    bans(services, now) ??
    spent(services) ??
    (rates.paused ? pausedCalls : null) ??
    nearLimit(services) ??
    lowQuota(services) ??
    cooldown(services, now);
  if (!found) return { title: "All clear", detail: totals(services), tone: "ok" };
  const paused = rates.paused && found !== pausedCalls ? "Calls are paused. " : "";
  return { ...found, detail: paused + found.detail };
}

const pausedCalls: Headline = {
  title: "Calls are paused",
  detail: "Nothing leaves this computer until you resume. Answers still come from the cache.",
  tone: "quiet",
};

function bans(services: Named[], now: number): Headline | null {
  const until = ({ rates }: Named): number => rates.ban?.until ?? 0;
  const banned = services.filter((s) => until(s) > now).sort((a, b) => until(a) - until(b));
  const [first, second] = banned;
  if (!first) return null;
  const rest = elsewhere(services, banned);
  if (!second) {
    const why =
      first.rates.ban?.kind === "quota"
        ? `Its quota is spent; it is back ${atMoment(until(first), now)}.`
        : "";
    return {
      title: `${first.label} is banned for ${duration(until(first) - now)}`,
      detail: sentences(why, rest, totals(services)),
      tone: "danger",
    };
  }
  const last = banned[banned.length - 1] as Named;
  return {
    title:
      banned.length === 2
        ? `${first.label} and ${second.label} are banned`
        : `${banned.length} services are banned`,
    detail: sentences(
      `${first.label} is back in ${duration(until(first) - now)}, ${last.label} ${atMoment(until(last), now)}.`,
      rest,
    ),
    tone: "danger",
  };
}

function spent(services: Named[]): Headline | null {
  const empty = services.filter(({ rates: { quota } }) => quota && quota.used >= quota.calls);
  const [first] = empty;
  if (!first?.rates.quota) return null;
  const { used, calls, source } = first.rates.quota;
  const size = `${count(used)} of ${source === "assumed" ? "an assumed " : ""}${count(calls)} calls in 24 h`;
  return {
    title: empty.length === 1 ? `${first.label}'s quota is spent` : `${empty.length} quotas are spent`,
    detail: sentences(
      empty.length === 1 ? `${size}.` : `${listOf(empty.map((s) => s.label))}.`,
      "More calls risk a ban of many hours.",
      elsewhere(services, empty),
    ),
    tone: "danger",
  };
}

function nearLimit(services: Named[]): Headline | null {
  const near = services.filter((s) => fillOf(s.rates) > dangerAbove);
  const [first] = near;
  if (!first) return null;
  const waiting = near.reduce((sum, s) => sum + s.rates.waiting, 0);
  const held =
    waiting > 0
      ? `${plural(waiting, "call waits", "calls wait")} so that the limit holds.`
      : "Further calls will wait, so that the limit holds.";
  return {
    title:
      near.length === 1
        ? `${first.label} is near its limit`
        : `${near.length} services are near their limits`,
    detail: sentences(
      near.length > 1 ? `${listOf(near.map((s) => s.label))}.` : "",
      held,
      elsewhere(services, near),
    ),
    tone: "warn",
  };
}

function lowQuota(services: Named[]): Headline | null {
  const low = services.find(({ rates: { quota } }) => quota && quota.used / quota.calls >= quotaWarns);
  const quota = low?.rates.quota;
  if (!low || !quota) return null;
  return {
    title: `${low.label} has used ${percent(quota.used / quota.calls)} of its quota`,
    detail: sentences("Background calls are stopped; yours go on.", totals(services)),
    tone: "warn",
  };
}

function cooldown(services: Named[], now: number): Headline | null {
  const cooling = services.filter((s) => (s.rates.cooldown_until ?? 0) > now);
  const [first] = cooling;
  if (!first) return null;
  const until = Math.max(...cooling.map((s) => s.rates.cooldown_until ?? 0));
  return {
    title:
      cooling.length === 1
        ? `${first.label} is cooling down for ${duration(until - now)}`
        : `${cooling.length} services are cooling down`,
    detail: sentences("No background calls after the ban; yours go on.", totals(services)),
    tone: "quiet",
  };
}

/** Says that the others have room only when they have. */
function elsewhere(services: Named[], named: Named[]): string {
  const others = services.filter((s) => !named.includes(s));
  if (others.length === 0) return "";
  const tight = others.filter((s) => fillOf(s.rates) > dangerAbove);
  if (tight.length === 0) return "Everything else has room.";
  return `${listOf(tight.map((s) => s.label))} ${tight.length === 1 ? "is" : "are"} near the limit.`;
}

function totals(services: Named[]): string {
  const calls = services.reduce((sum, s) => sum + s.rates.calls_24h, 0);
  const hits = services.reduce((sum, s) => sum + s.rates.hits_24h, 0);
  if (calls + hits === 0) return "No calls in the last 24 hours.";
  return `${plural(calls, "call", "calls")} in 24 h, ${count(hits)} answered from the cache.`;
}

function sentences(...parts: string[]): string {
  return parts.filter(Boolean).join(" ");
}
