import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { banFor, ids, noon, ratesOf, serviceRates } from "../../tests/sample";
import type { ServiceId, ServiceRates } from "../contract/contract";
import { gaugeModel } from "../gauge/model";
import {
  ago,
  asOf,
  atMoment,
  bytes,
  countdown,
  duration,
  moment,
  roughly,
  spell,
  trackLength,
  windowSpan,
} from "./format";
import { headline } from "./headline";
import { badge, beneath, bound, ends, figure, quotaSentence, spoken } from "./words";

const label = (id: ServiceId): string => id[0]?.toUpperCase() + id.slice(1);
const say = (...args: Parameters<typeof ratesOf>) => headline(ratesOf(...args), noon, label);
const full = (more: Partial<ServiceRates> = {}): Partial<ServiceRates> => ({
  cpm: 59,
  windows: [{ seconds: 60, calls: 60, used: 59 }],
  ...more,
});
const quota = (used: number, source: "assumed" | "learned" = "assumed") => ({
  hours: 24,
  calls: 800,
  used,
  source,
});

describe("headline", () => {
  test("all clear, with the day in numbers", () => {
    expect(say()).toEqual({
      title: "All clear",
      detail: "1,200 calls in 24 h, 3,600 answered from the cache.",
      tone: "ok",
    });
  });

  test("a first start says so", () => {
    const none = Object.fromEntries(ids.map((id) => [id, { calls_24h: 0, hits_24h: 0 }]));
    expect(say(none).detail).toBe("No calls in the last 24 hours.");
  });

  test("one ban: who and how long", () => {
    const { title, detail, tone } = say({ deezer: { ban: banFor(192) } });
    expect(title).toBe("Deezer is banned for 3 min 12 s");
    expect(detail).toMatch(/^Everything else has room\. /);
    expect(tone).toBe("danger");
  });

  test("it does not say that everything else has room when it has not", () => {
    expect(say({ deezer: { ban: banFor(192) }, tidal: full() }).detail).toMatch(/^Tidal is near the limit\./);
  });

  test("a quota ban names its reason", () => {
    const { detail } = say({ spotify: { ban: banFor(7200, "quota") } });
    expect(detail).toMatch(/^Its quota is spent; it is back (at|tomorrow) /);
  });

  test("two bans name both, three are counted; the soonest back comes first", () => {
    const two = say({ deezer: { ban: banFor(600) }, tidal: { ban: banFor(60) } });
    expect(two.title).toBe("Tidal and Deezer are banned");
    expect(two.detail).toMatch(/^Tidal is back in 1 min, Deezer /);
    const bans = { deezer: { ban: banFor(600) }, tidal: { ban: banFor(60) }, itunes: { ban: banFor(60) } };
    expect(say(bans).title).toBe("3 services are banned");
  });

  test("the gravest wins: ban, spent quota, pause, full window, low quota, cooldown", () => {
    const cooling = { odesli: { cooldown_until: noon + 1460 } };
    const low = { ...cooling, qobuz: { quota: quota(680) } };
    const near = { ...low, tidal: full({ waiting: 4 }) };
    const spent = { ...near, spotify: { quota: quota(800) } };
    const banned = { ...spent, deezer: { ban: banFor(192) } };
    expect(say(cooling).title).toBe("Odesli is cooling down for 24 min 20 s");
    expect(say(low).title).toMatch(/^Qobuz has used 85\s?% of its quota$/);
    expect(say(near).title).toBe("Tidal is near its limit");
    expect(say(near).detail).toMatch(/^4 calls wait so that the limit holds\./);
    expect(say(near, { paused: true }).title).toBe("Calls are paused");
    expect(say(spent, { paused: true }).title).toBe("Spotify's quota is spent");
    expect(say(spent).detail).toMatch(/^800 of an assumed 800 calls in 24 h\./);
    expect(say(banned).title).toBe("Deezer is banned for 3 min 12 s");
    expect(say(banned, { paused: true }).detail).toMatch(/^Calls are paused\. /);
  });

  test("a ban that has run out, and a service that is off, say nothing", () => {
    expect(say({ deezer: { ban: banFor(0) }, tidal: full({ access: "disabled" }) }).title).toBe("All clear");
  });

  test("never empty, never two sentences in the title", () => {
    const some = fc.record({
      cpm: fc.nat(60),
      waiting: fc.nat(3),
      ban: fc.option(fc.integer({ min: -50, max: 90_000 }).map((s) => banFor(s))),
      quota: fc.option(fc.nat(900).map((used) => quota(used))),
      cooldown_until: fc.option(fc.integer({ min: noon - 10, max: noon + 2000 })),
    });
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom(...ids), some), fc.boolean(), (services, paused) => {
        const { title, detail } = say(services, { paused });
        expect(title.length).toBeGreaterThan(5);
        expect(title).not.toMatch(/\. |undefined|NaN/);
        expect(detail).not.toMatch(/undefined|NaN| {2}/);
      }),
    );
  });
});

describe("words of a gauge", () => {
  const model = (rates: Partial<ServiceRates>, more = {}) =>
    gaugeModel({
      rates: serviceRates(rates),
      now: noon,
      paused: false,
      hour: [],
      peak: 0,
      banSeconds: null,
      ...more,
    });

  test("the window that binds", () => {
    expect(bound(model({ cpm: 43, limit: 170, windows: [{ seconds: 30, calls: 85, used: 25 }] }))).toBe(
      "of 170/min",
    );
    expect(bound(model({ cpm: 44, limit: 540, windows: [{ seconds: 5, calls: 45, used: 44 }] }))).toBe(
      "44 of 45 in 5 s",
    );
    expect(bound(model({ cpm: 16, limit: 170, windows: [{ seconds: 3600, calls: 1000, used: 960 }] }))).toBe(
      "960 of 1,000 this hour",
    );
  });

  test("the arc ends at the maximum of the window that fills it; a ban's time has no such ends", () => {
    const windows = [{ seconds: 5, calls: 45, used: 12 }];
    expect(ends(model({ cpm: 45, limit: 540, windows }))).toEqual(["0", "45"]);
    expect(ends(model({ cpm: 24, limit: 540, windows: [] }))).toEqual(["0", "540"]);
    expect(ends(model({ ban: banFor(192) }))).toBeNull();
  });

  test("banned: kind, countdown and the time it is back", () => {
    const m = model({ ban: banFor(192) });
    expect(badge(m)).toBe("Rate ban 3:12");
    expect(badge(model({ ban: banFor(48_000, "quota") }))).toBe("Quota ban 13 h");
    expect(figure(m)).toEqual({ number: "3:12", unit: "until it ends" });
    expect(beneath(m, noon)).toMatch(/^banned · back at \d\d?:\d\d/);
  });

  test("every state has its own word", () => {
    const words = [
      model({ access: "disabled" }),
      model({ access: "credential_needed" }),
      model({ ban: banFor(9) }),
      model({ quota: quota(800) }),
      model({}, { paused: true }),
      model(full()),
      model({ cpm: 40, windows: [{ seconds: 60, calls: 60, used: 40 }] }),
      model({ cooldown_until: noon + 90 }),
      model({}),
      model({ cpm: 3 }),
    ].map(badge);
    expect(words).toEqual([
      "Off",
      "Sign in",
      "Rate ban 0:09",
      "Quota spent",
      "Paused",
      "Near limit",
      "Busy",
      "Cooldown 1:30",
      "Idle",
      "Room",
    ]);
  });

  test("one call waits, four calls wait", () => {
    expect(beneath(model({ cpm: 3, waiting: 1 }), noon)).toMatch(/1 call waits$/);
    expect(beneath(model({ cpm: 3, waiting: 4 }), noon)).toMatch(/4 calls wait$/);
  });

  test("spoken in whole minutes, so that it holds still while it is read", () => {
    expect(spoken(model({ ban: banFor(192) }), noon)).toBe(spoken(model({ ban: banFor(181) }), noon));
    expect(spoken(model({ cpm: 3 }), noon)).toBe("3 calls a minute, of 60/min, room");
  });

  test("the quota's sentence says when it is only assumed", () => {
    expect(quotaSentence(model({ quota: quota(410) }))).toBe("quota lasts the day (410 of about 800 used)");
    expect(quotaSentence(model({ quota: quota(410, "learned") }))).toBe(
      "quota lasts the day (410 of 800 used)",
    );
    expect(quotaSentence(model({}))).toBeNull();
    const busy = model({ quota: quota(410), waiting: 3 }, { hour: Array<number>(60).fill(10) });
    expect(quotaSentence(busy)).toBe("quota ends in 39 min (410 of about 800 used)");
  });
});

describe("ages and sizes", () => {
  test.each([
    [0, "a moment ago"],
    [59, "a moment ago"],
    [60, "1 min ago"],
    [3_599, "59 min ago"],
    [14 * 3_600 + 3_599, "14 h ago"],
    [47 * 3_600, "47 h ago"],
    [3 * 86_400, "3 d ago"],
  ])("%i s is %s: an answer is never called younger than it is by a whole unit", (seconds, text) => {
    expect(ago(seconds)).toBe(text);
    expect(asOf(noon - seconds, noon)).toBe(`as of ${text}`);
  });

  test.each([
    [0, "0 B"],
    [1_023, "1,023 B"],
    [1_024, "1 kB"],
    [3_174, "3.1 kB"],
    [1_048_064, "1 MB"],
    [44_040_192, "42 MB"],
    [256 * 1_048_576, "256 MB"],
    [1_717_986_918, "1.6 GB"],
  ])("%i bytes are %s", (n, text) => {
    expect(bytes(n)).toBe(text);
  });
});

describe("formats", () => {
  test("durations have two units at most", () => {
    expect([0, 4, 60, 192, 3600, 48_000, 86_400, 190_000].map(duration)).toEqual([
      "0 s",
      "4 s",
      "1 min",
      "3 min 12 s",
      "1 h",
      "13 h 20 min",
      "1 d",
      "2 d 5 h",
    ]);
  });

  test("a countdown ticks in seconds within the hour, in minutes above", () => {
    expect([9, 192, 3599, 3600, 48_925].map(countdown)).toEqual([
      "0:09",
      "3:12",
      "59:59",
      "1 h 00",
      "13 h 36",
    ]);
  });

  test("windows, spans and lengths", () => {
    expect([1, 5, 60, 300, 3600, 86_400].map(windowSpan)).toEqual([
      "in 1 s",
      "in 5 s",
      "this minute",
      "in 5 min",
      "this hour",
      "in 24 h",
    ]);
    expect([1.05, 90, 300, 7200].map(spell)).toEqual(["1.05 s", "90 s", "5 min", "2 h"]);
    expect([30, 61, 5400, 100_000, 200_000].map(roughly)).toEqual(["1 min", "2 min", "2 h", "28 h", "2 d"]);
    expect(trackLength(248_000)).toBe("4:08");
  });

  test("another day is named", () => {
    expect(moment(noon + 86_400, noon)).toMatch(/^tomorrow /);
    expect(moment(noon - 86_400, noon)).toMatch(/^yesterday /);
    expect(moment(noon + 5 * 86_400, noon)).toMatch(/[A-Z][a-z]{2}/);
  });

  test("a time within a sentence reads as one", () => {
    expect(atMoment(noon, noon)).toMatch(/^at \d/);
    expect(atMoment(noon + 86_400, noon)).toMatch(/^tomorrow /);
    expect(atMoment(noon + 5 * 86_400, noon)).toMatch(/^on /);
  });

  test("a duration is never shorter than what it tells of", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 400_000 }), (s) => {
        const units: Record<string, number> = { s: 1, min: 60, h: 3600, d: 86_400 };
        const told = [...duration(s).matchAll(/(\d+) (\w+)/g)].reduce(
          (sum, m) => sum + Number(m[1]) * (units[m[2] ?? ""] ?? 0),
          0,
        );
        expect(told).toBeGreaterThanOrEqual(s);
      }),
    );
  });
});
