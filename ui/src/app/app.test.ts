import { createRoot } from "solid-js";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { banFor, ids, noon, ratesOf } from "../../tests/sample";
import type { ApiError, LastHour, Rates, ServiceId } from "../contract/contract";
import type { Args, CallName, Host, Result } from "../platform/host";
import { banNews } from "./Announcer";
import { createFeed } from "./feed";
import { advanceHour } from "./hour";
import { openPreferences, readPreferences } from "./preferences";
import { parseRoute, type Route, routeHash } from "./router";

const hourOf = (calls: number[]): LastHour => ({
  minute: noon,
  services: Object.fromEntries(ids.map((id) => [id, calls])) as Record<ServiceId, number[]>,
});

describe("the last hour", () => {
  test("the running minute's bar follows the rates", () => {
    const next = advanceHour(hourOf([1, 2, 3]), ratesOf({ deezer: { this_minute: 9 } }));
    expect(next.services.deezer).toEqual([1, 2, 9]);
  });

  test("a new minute moves the others to the left, missed ones count nought", () => {
    const rates = ratesOf({ deezer: { this_minute: 5 } }, { minute: noon + 120 });
    expect(advanceHour(hourOf([1, 2, 3]), rates).services.deezer).toEqual([3, 0, 5]);
  });

  test("after a long sleep the hour is empty but for the running minute", () => {
    const rates = ratesOf({ deezer: { this_minute: 5 } }, { minute: noon + 86_400 });
    expect(advanceHour(hourOf([1, 2, 3]), rates).services.deezer).toEqual([0, 0, 5]);
  });

  test("an older frame changes nothing, an equal one keeps the same bars", () => {
    const hour = hourOf([1, 2, 3]);
    expect(advanceHour(hour, ratesOf({}, { minute: noon - 60 }))).toBe(hour);
    expect(advanceHour(hour, { minute: noon, services: null }).services.deezer).toBe(hour.services.deezer);
  });
});

describe("the live region", () => {
  test("speaks of bans that begin and end, and of nothing else", () => {
    expect(banNews({}, { deezer: noon + 60 }, noon)).toMatch(/^deezer is banned, back at /);
    expect(banNews({ deezer: noon + 60 }, {}, noon)).toBe("deezer's ban is over.");
    expect(banNews({ deezer: noon + 60 }, { deezer: noon + 60 }, noon)).toBe("");
  });

  test("bans that stand when the window opens are told; losing the engine ends none", () => {
    expect(banNews(null, { deezer: noon + 60 }, noon)).toMatch(/banned/);
    expect(banNews({ deezer: noon + 60 }, null, noon)).toBe("");
  });
});

describe("preferences", () => {
  test("nonsense falls back to the defaults", () => {
    for (const stored of [null, 7, "x", [], { theme: "pink", order: 3, hand: "spotify", hidden: [1] }])
      expect(readPreferences(stored)).toEqual({ theme: "system", order: "use", hand: [], hidden: [] });
  });

  test("a host that can neither read nor write does not stop the window", async () => {
    const fails = () => Promise.reject(new Error("no"));
    const store = await openPreferences({ preferences: { get: fails, set: fails } } as unknown as Host);
    store.set("theme", "light");
    expect(store.get().theme).toBe("light");
  });
});

test("every route survives its address", () => {
  const routes: Route[] = [
    { page: "meters" },
    { page: "service", service: "deezer" },
    { page: "lookup" },
    { page: "cache" },
    { page: "settings", part: "cache", service: null },
    { page: "settings", part: "gateway", service: null },
    { page: "settings", part: "connections", service: null },
    { page: "settings", part: "connections", service: "spotify" },
    { page: "settings", part: "limits", service: "tidal" },
    { page: "settings", part: "appearance", service: null },
  ];
  for (const route of routes) expect(parseRoute(routeHash(route))).toEqual(route);
  expect(parseRoute("#/nowhere")).toEqual({ page: "meters" });
  expect(parseRoute("#/settings")).toEqual({ page: "settings", part: "connections", service: null });
});

describe("feed", () => {
  beforeEach(() => void vi.useFakeTimers({ now: noon * 1000 }));
  afterEach(() => void vi.useRealTimers());

  function engine() {
    let rates: Rates = ratesOf();
    let error: ApiError | null = null;
    let frames: (rates: Rates) => void = () => undefined;
    let line: (up: boolean) => void = () => undefined;
    const answers = {
      catalogue: () => [],
      status: () => ({ version: "0", data_dir: "", address: null, started_at: 0, notices: [] }),
      rates: () => rates,
      last_hour: () => hourOf([0, 0, 0]),
      events: () => [],
    } as unknown as { [K in CallName]: () => Result<K> };
    const host = {
      kind: "web",
      call: async <K extends CallName>(name: K, _: Args<K>): Promise<Result<K>> => {
        if (error) throw error;
        return answers[name]();
      },
      onRates: (seen: (rates: Rates) => void) => {
        frames = seen;
        return () => undefined;
      },
      onNotices: () => () => undefined,
      onConnection: (seen: (up: boolean) => void) => {
        line = seen;
        return () => undefined;
      },
    } as unknown as Host;
    return {
      host,
      send: (next: Rates) => {
        rates = next;
        frames(next);
      },
      fail: (code: ApiError["code"] | null) => {
        error = code && { code, message: "told so", retry_at: null };
      },
      line: (up: boolean) => line(up),
    };
  }

  const running = async (e: ReturnType<typeof engine>) => {
    const [feed, dispose] = createRoot((dispose) => [createFeed(e.host), dispose] as const);
    const stop = feed.start();
    await vi.advanceTimersByTimeAsync(0);
    return { feed, end: () => [stop, dispose].map((each) => each()) };
  };

  test("ready after its first answers, and it follows the frames", async () => {
    const e = engine();
    const { feed, end } = await running(e);
    expect(feed.phase()).toBe("ready");
    e.send(ratesOf({ deezer: { cpm: 7, this_minute: 7 } }));
    expect(feed.live.rates?.services.deezer.cpm).toBe(7);
    expect(feed.hour()?.services.deezer.at(-1)).toBe(7);
    end();
  });

  test("unreachable at first: offline, and it keeps trying", async () => {
    const e = engine();
    e.fail("unreachable");
    const { feed, end } = await running(e);
    expect(feed.phase()).toBe("offline");
    e.fail(null);
    await vi.advanceTimersByTimeAsync(3_100);
    expect(feed.phase()).toBe("ready");
    end();
  });

  test("cut off later: the last numbers stay, and it recovers by itself", async () => {
    const e = engine();
    const { feed, end } = await running(e);
    e.fail("unreachable");
    e.line(false);
    expect([feed.phase(), feed.connected()]).toEqual(["ready", false]);
    expect(feed.live.rates).not.toBeNull();
    e.fail(null);
    await vi.advanceTimersByTimeAsync(3_100);
    expect(feed.connected()).toBe(true);
    end();
  });

  test("an engine that says it stopped is not asked again by itself", async () => {
    const e = engine();
    e.fail("engine_stopped");
    const { feed, end } = await running(e);
    expect([feed.phase(), feed.error()?.message]).toEqual(["stopped", "told so"]);
    e.fail(null);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(feed.phase()).toBe("stopped");
    await feed.load();
    expect(feed.phase()).toBe("ready");
    end();
  });

  test("a stopped engine is started again where the host can, and asked again in any case", async () => {
    for (const restart of [vi.fn(() => Promise.resolve()), vi.fn(() => Promise.reject("no such command"))]) {
      const e = engine();
      e.fail("engine_stopped");
      Object.assign(e.host, { restart });
      const { feed, end } = await running(e);
      expect(restart).not.toHaveBeenCalled();
      e.fail(null);
      await feed.restart();
      expect([restart.mock.calls.length, feed.phase()]).toEqual([1, "ready"]);
      end();
    }
  });

  test("an engine elsewhere stays where it is until it is taken over", async () => {
    const e = engine();
    e.fail("engine_elsewhere");
    const takeOver = vi.fn(async () => e.fail(null));
    Object.assign(e.host, { takeOver });
    const { feed, end } = await running(e);
    await vi.advanceTimersByTimeAsync(60_000);
    expect([feed.phase(), takeOver.mock.calls.length]).toEqual(["stopped", 0]);
    await feed.takeOver();
    expect([feed.phase(), takeOver.mock.calls.length]).toEqual(["ready", 1]);
    end();
  });

  test("one that does not end stays where it is, and its last word is shown", async () => {
    const e = engine();
    e.fail("engine_elsewhere");
    Object.assign(e.host, { takeOver: () => Promise.reject("it did not end") });
    const { feed, end } = await running(e);
    await feed.takeOver();
    expect([feed.phase(), feed.error()?.message]).toEqual(["stopped", "told so"]);
    end();
  });

  test("a ban first seen halfway counts as whole from then on", async () => {
    const e = engine();
    const { feed, end } = await running(e);
    e.send(ratesOf({ deezer: { ban: banFor(192) } }));
    expect(feed.banSeconds("deezer")).toBe(192);
    e.send(ratesOf({ deezer: { ban: banFor(192) } }, { at: noon + 100 }));
    expect(feed.banSeconds("deezer")).toBe(192);
    end();
  });

  test("minutes go by without frames", async () => {
    const e = engine();
    const { feed, end } = await running(e);
    e.send(ratesOf({ deezer: { this_minute: 7 } }));
    feed.tickMinute(noon + 61);
    expect(feed.hour()?.services.deezer).toEqual([0, 7, 0]);
    end();
  });
});
