import type { Rates, ServiceId, ServiceRates } from "../src/contract/contract";

/** Invented values for unit tests: a quiet service, and all twelve of them. */

export const noon = 1_795_262_400;

export const ids: ServiceId[] = [
  "spotify",
  "itunes",
  "deezer",
  "lastfm",
  "genius",
  "musicbrainz",
  "audiodb",
  "tidal",
  "qobuz",
  "discogs",
  "listenbrainz",
  "odesli",
];

export function serviceRates(more: Partial<ServiceRates> = {}): ServiceRates {
  return {
    cpm: 0,
    limit: 60,
    windows: [{ seconds: 60, calls: 60, used: 0 }],
    quota: null,
    endpoints: {},
    callers: {},
    hits: 0,
    ban: null,
    cooldown_until: null,
    waiting: 0,
    access: "open",
    this_minute: 0,
    calls_24h: 100,
    hits_24h: 300,
    ...more,
  };
}

export function ratesOf(
  some: Partial<Record<ServiceId, Partial<ServiceRates>>> = {},
  more: Partial<Rates> = {},
): Rates {
  const services = Object.fromEntries(ids.map((id) => [id, serviceRates(some[id])])) as Rates["services"];
  return { at: noon, minute: noon, paused: false, services, ...more };
}

export const banFor = (seconds: number, kind: "rate" | "quota" = "rate"): ServiceRates["ban"] => ({
  kind,
  until: noon + seconds,
  remaining_s: seconds,
  endpoint: "search",
});
