import { createRoot } from "solid-js";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { noon } from "../../tests/sample";
import type { App } from "../app/context";
import { poll } from "../app/poll";
import type { CacheEntry, CachePage, CachePolicy, CacheStats, Forget } from "../contract/contract";
import { createEntries } from "./entries";
import { createForgetting } from "./forgetting";
import { forgottenWords, headline, leftWords, lifeWords, livesWords, resultWords } from "./words";

const stats = (more: Partial<CacheStats>): CacheStats =>
  ({ entries: 10, hits: 900, misses: 100, saved_24h: 4_312, ...more }) as CacheStats;
const policy = (life: CachePolicy["life"], seconds: number | null): CachePolicy => ({
  service: "deezer",
  endpoint: "search",
  life,
  seconds,
  heeds: "nothing",
});
const entry = (key: string, more: Partial<CacheEntry> = {}): CacheEntry => ({
  key,
  service: "deezer",
  endpoint: "search",
  question: `GET /search?q=${key}`,
  status: 200,
  found: true,
  bytes: 100,
  raw_bytes: 400,
  stored_at: noon - 3_600,
  expires_at: noon + 3_600,
  used_at: noon,
  ...more,
});

/** A page's surroundings with a host that answers as it is told. */
function appWith(call: (name: string, args: Record<string, unknown>) => unknown): {
  app: App;
  said: string[];
} {
  const said: string[] = [];
  const host = { call: async (name: string, args: Record<string, unknown>) => call(name, args) };
  const app = { feed: { host }, now: () => noon, say: (text: string) => said.push(text) } as unknown as App;
  return { app, said };
}

describe("words of the cache", () => {
  test("the headline answers whether it saves calls", () => {
    expect(headline(stats({}))).toEqual({
      title: "4,312 calls saved in 24 h",
      detail: "Since the engine started, 900 of 1,000 questions needed no call.",
    });
    expect(headline(stats({ saved_24h: 1 })).title).toBe("1 call saved in 24 h");
    expect(headline(stats({ saved_24h: 0, hits: 0, misses: 0 }))).toEqual({
      title: "No calls saved in 24 h",
      detail: "Nothing was asked since the engine started.",
    });
    expect(headline(stats({ entries: 0, hits: 0, misses: 0, saved_24h: 0 })).title).toBe(
      "Nothing is kept yet",
    );
  });

  test("a life in words", () => {
    expect(lifeWords(policy("metadata", 43_200))).toBe("12 h");
    expect(lifeWords(policy("search", 21_600))).toBe("6 h");
    expect(lifeWords(policy("forever", null))).toBe("until forgotten");
    expect(lifeWords(policy("never", null))).toBe("never kept");
    expect(lifeWords(policy("own", 30))).toBe("30 s, for your account only");
  });

  test("a service's lives, the longest first, each once, and those never kept left out", () => {
    const all = [
      policy("search", 21_600),
      policy("never", null),
      policy("forever", null),
      policy("search", 21_600),
    ];
    expect(livesWords(all)).toBe("until forgotten, 6 h");
    expect(livesWords([policy("never", null)])).toBe("never kept");
  });

  test("what is left of a life does not tick by the second", () => {
    expect(leftWords(entry("a", { expires_at: null }), noon)).toBe("kept until forgotten");
    expect(leftWords(entry("a", { expires_at: noon }), noon)).toBe("expired");
    expect(leftWords(entry("a", { expires_at: noon + 30 }), noon)).toBe("1 min left");
    expect(leftWords(entry("a", { expires_at: noon + 33_179 }), noon)).toBe("9 h 12 min left");
  });

  test("a status only where it says more than the word", () => {
    expect(resultWords(entry("a"))).toBe("found");
    expect(resultWords(entry("a", { found: false, status: 404 }))).toBe("not found");
    expect(resultWords(entry("a", { found: false, status: 200 }))).toBe("not found (200)");
  });

  test("an act is named by what it was about", () => {
    expect(forgottenWords({ scope: "key", key: "a" }, 1)).toBe("1 answer");
    expect(forgottenWords({ scope: "album", artist: "Portishead", album: "Dummy" }, 1_204)).toBe(
      "1,204 answers about Dummy",
    );
  });
});

describe("forgetting", () => {
  beforeEach(() => void vi.useFakeTimers({ now: noon * 1000 }));
  afterEach(() => void vi.useRealTimers());

  function begun() {
    const asked: [string, unknown][] = [];
    let acts = 0;
    let refused = false;
    const { app, said } = appWith((name, args) => {
      asked.push([name, args]);
      if (refused) throw { code: "failed", message: "the disk is full", retry_at: null };
      if (name === "undo_forget") return { entries: 3, undo: null };
      const { what } = args as { what: Forget };
      if (what.scope === "all") return { entries: 9, undo: null };
      acts += 1;
      return what.scope === "artist" ? { entries: 0, undo: null } : { entries: 3, undo: acts };
    });
    const changed = vi.fn(async () => undefined);
    const [forgetter, end] = createRoot((dispose) => [createForgetting(app, changed), dispose] as const);
    const refuse = (): void => {
      refused = true;
    };
    return { forgetter, end, asked, said, changed, refuse };
  }

  test("can be undone for a minute, the latest act first", async () => {
    const { forgetter, asked, said, changed } = begun();
    expect(await forgetter.forget({ scope: "key", key: "a" })).toBe(3);
    await vi.advanceTimersByTimeAsync(30_000);
    await forgetter.forget({ scope: "service", service: "deezer" });
    expect(forgetter.latest()?.words).toBe("3 answers of deezer");
    expect(await forgetter.undo()).toBe(true);
    expect(asked.at(-1)).toEqual(["undo_forget", { undo: 2 }]);
    expect(said).toEqual(["3 answers of deezer brought back"]);
    expect(forgetter.latest()?.words).toBe("3 answers");
    expect(changed).toHaveBeenCalledTimes(3);
    await vi.advanceTimersByTimeAsync(30_000);
    expect(forgetter.latest()).toBeNull();
    expect(await forgetter.undo()).toBe(false);
  });

  test("what cannot be undone is said, and nothing found too, with no Undo beside it", async () => {
    const { forgetter, said } = begun();
    await forgetter.forget({ scope: "all" });
    await forgetter.forget({ scope: "artist", artist: "Nobody" });
    expect(said).toEqual(["9 answers forgotten", "Nothing of that is kept."]);
    expect(forgetter.latest()).toBeNull();
  });

  test("refused, the engine's words stand there and nothing is taken for done", async () => {
    const { forgetter, refuse, changed } = begun();
    refuse();
    expect(await forgetter.forget({ scope: "all" })).toBeNull();
    expect(forgetter.problem()).toBe("The disk is full.");
    expect(changed).not.toHaveBeenCalled();
    forgetter.dismiss();
    expect(forgetter.problem()).toBe("");
  });

  test("leaving the page ends its timers", async () => {
    const { forgetter, end } = begun();
    await forgetter.forget({ scope: "key", key: "a" });
    expect(vi.getTimerCount()).toBe(1);
    end();
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe("the list of answers", () => {
  beforeEach(() => void vi.useFakeTimers({ now: noon * 1000 }));
  afterEach(() => void vi.useRealTimers());

  const pageOf = (from: number, next: string | null): CachePage => ({
    entries: Array.from({ length: 50 }, (_, i) => entry(`k${from + i}`)),
    next,
  });

  test("shows a few, then the rest of the page, then asks for the next one by its key", async () => {
    const asked: unknown[] = [];
    const { app } = appWith((_, args) => {
      asked.push(args.after);
      return args.after === null ? pageOf(0, "k49") : pageOf(50, null);
    });
    const list = createRoot(() => createEntries(app));
    await vi.advanceTimersByTimeAsync(1);
    expect([list.entries().length, list.hasMore(), list.fresh()]).toEqual([12, true, true]);
    await list.more();
    expect([list.entries().length, asked]).toEqual([50, [null]]);
    await list.more();
    expect([list.entries().length, list.hasMore(), list.fresh()]).toEqual([100, false, false]);
    expect(asked).toEqual([null, "k49"]);
  });

  test("waits for the typing to end, and only the latest answer counts", async () => {
    const answers: ((page: CachePage) => void)[] = [];
    const { app } = appWith((_, args) => {
      if (args.text === "") return { entries: [], next: null };
      return new Promise((done) => answers.push(done));
    });
    const list = createRoot(() => createEntries(app));
    await vi.advanceTimersByTimeAsync(1);
    list.setText("g");
    await vi.advanceTimersByTimeAsync(100);
    list.setText("ge");
    await vi.advanceTimersByTimeAsync(200);
    expect(answers).toHaveLength(1);
    list.setText("get");
    await vi.advanceTimersByTimeAsync(200);
    answers[1]?.({ entries: [entry("new")], next: null });
    await vi.advanceTimersByTimeAsync(0);
    answers[0]?.({ entries: [entry("old")], next: null });
    await vi.advanceTimersByTimeAsync(0);
    expect(list.entries().map(({ key }) => key)).toEqual(["new"]);
  });
});

describe("a look now and then", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => {
    vi.useRealTimers();
    vi.restoreAllMocks();
  });

  test("at once, every so often, not while hidden, and at once when seen again", async () => {
    const hidden = vi.spyOn(document, "hidden", "get").mockReturnValue(false);
    const run = vi.fn(async () => undefined);
    const end = createRoot((dispose) => {
      poll(run, () => 5_000);
      return dispose;
    });
    await vi.advanceTimersByTimeAsync(10_100);
    expect(run).toHaveBeenCalledTimes(3);
    hidden.mockReturnValue(true);
    document.dispatchEvent(new Event("visibilitychange"));
    await vi.advanceTimersByTimeAsync(60_000);
    expect(run).toHaveBeenCalledTimes(3);
    hidden.mockReturnValue(false);
    document.dispatchEvent(new Event("visibilitychange"));
    await vi.advanceTimersByTimeAsync(100);
    expect(run).toHaveBeenCalledTimes(4);
    end();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(run).toHaveBeenCalledTimes(4);
  });
});
