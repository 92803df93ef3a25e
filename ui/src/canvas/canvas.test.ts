import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { recordedContext } from "../../tests/recorded";
import { contrast, legible, parseColour, withAlpha } from "./colour";
import { watchPixelRatio } from "./dpr";
import { Eased, easeMs, easeOut } from "./motion";
import { Scheduler } from "./scheduler";
import { snap, withScope } from "./scope";

function frames() {
  const asked: ((now: number) => void)[] = [];
  let cancelled = 0;
  return {
    source: {
      request: (frame: (now: number) => void) => asked.push(frame),
      cancel: () => {
        cancelled += 1;
        asked.pop();
      },
    },
    run(now: number) {
      for (const frame of asked.splice(0)) frame(now);
    },
    asked: () => asked.length,
    cancelled: () => cancelled,
  };
}

function drawable(more = 0) {
  const drawn: number[] = [];
  return {
    drawn,
    draw(now: number) {
      drawn.push(now);
      return drawn.length <= more;
    },
  };
}

describe("scheduler", () => {
  test("many invalidations of many drawables are one frame and one draw each", () => {
    const f = frames();
    const scheduler = new Scheduler(f.source);
    const [a, b] = [drawable(), drawable()];
    for (let i = 0; i < 5; i++) {
      scheduler.invalidate(a);
      scheduler.invalidate(b);
    }
    expect(f.asked()).toBe(1);
    f.run(16);
    expect([a.drawn, b.drawn]).toEqual([[16], [16]]);
  });

  test("no frame is asked for once nothing moves", () => {
    const f = frames();
    const scheduler = new Scheduler(f.source);
    const moving = drawable(2);
    scheduler.invalidate(moving);
    for (let now = 16; f.asked() > 0; now += 16) f.run(now);
    expect(moving.drawn).toEqual([16, 32, 48]);
    expect(f.asked()).toBe(0);
  });

  test("forgetting the last drawable gives the frame back", () => {
    const f = frames();
    const scheduler = new Scheduler(f.source);
    const gone = drawable();
    scheduler.invalidate(gone);
    scheduler.forget(gone);
    f.run(16);
    expect(f.cancelled()).toBe(1);
    expect(gone.drawn).toEqual([]);
  });
});

describe("scope", () => {
  test("draws in CSS pixels on a cleared bitmap and leaves the context as it was", () => {
    const { ctx, calls, entries } = recordedContext();
    const size = { width: 100, height: 50, bitmapWidth: 150, bitmapHeight: 75 };
    withScope(ctx, size, ({ ratioX, ratioY }) => expect([ratioX, ratioY]).toEqual([1.5, 1.5]));
    expect(calls("clearRect")).toEqual([[0, 0, 150, 75]]);
    expect(calls("setTransform")).toEqual([
      [1, 0, 0, 1, 0, 0],
      [1.5, 0, 0, 1.5, 0, 0],
    ]);
    expect(entries.at(-1)?.op).toBe("restore");
  });

  test("restores even if the renderer throws", () => {
    const { ctx, entries } = recordedContext();
    const size = { width: 1, height: 1, bitmapWidth: 1, bitmapHeight: 1 };
    const broken = () => {
      throw new Error("broken");
    };
    expect(() => withScope(ctx, size, broken)).toThrow("broken");
    expect(entries.at(-1)?.op).toBe("restore");
  });

  test("snapped edges lie on device pixels", () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0, max: 4000, noNaN: true }),
        fc.constantFrom(1, 1.25, 1.5, 2, 3),
        (x, ratio) => {
          const edge = snap(x, ratio) * ratio;
          expect(Math.abs(edge - Math.round(edge))).toBeLessThan(1e-6);
          expect(Math.abs(snap(x, ratio) - x)).toBeLessThanOrEqual(0.5 / ratio + 1e-9);
        },
      ),
    );
  });
});

test("the pixel-ratio watcher arms itself anew after each change, and stops", () => {
  const queries: { text: string; listeners: Set<() => void> }[] = [];
  const view = {
    devicePixelRatio: 1,
    matchMedia(text: string) {
      const listeners = new Set<() => void>();
      queries.push({ text, listeners });
      return {
        addEventListener: (_: string, listener: () => void) => listeners.add(listener),
        removeEventListener: (_: string, listener: () => void) => listeners.delete(listener),
      };
    },
  };
  const seen: number[] = [];
  const stop = watchPixelRatio((ratio) => seen.push(ratio), view as unknown as Window);
  for (const ratio of [2, 1.5]) {
    view.devicePixelRatio = ratio;
    for (const listener of queries.at(-1)?.listeners ?? []) listener();
  }
  expect(seen).toEqual([2, 1.5]);
  expect(queries.map((query) => query.text)).toEqual([
    "(resolution: 1dppx)",
    "(resolution: 2dppx)",
    "(resolution: 1.5dppx)",
  ]);
  stop();
  expect(queries.every((query) => query.listeners.size === 0)).toBe(true);
});

describe("motion", () => {
  const share = fc.double({ min: 0, max: 1, noNaN: true });

  test("easing starts at 0, ends at 1 and never turns back", () => {
    expect([easeOut(-1), easeOut(0), easeOut(1), easeOut(9)]).toEqual([0, 0, 1, 1]);
    fc.assert(fc.property(share, share, (a, b) => easeOut(Math.min(a, b)) <= easeOut(Math.max(a, b))));
  });

  test("a value is there after 600 ms and stays between its ends until then", () => {
    fc.assert(
      fc.property(share, share, fc.nat(easeMs), (from, to, ms) => {
        const value = new Eased(from);
        value.to(to, 1000);
        const now = value.at(1000 + ms);
        expect(now).toBeGreaterThanOrEqual(Math.min(from, to) - 1e-12);
        expect(now).toBeLessThanOrEqual(Math.max(from, to) + 1e-12);
        expect(value.at(1000 + easeMs)).toBe(to);
        expect(value.moving(1000 + easeMs)).toBe(false);
      }),
    );
  });

  test("sent elsewhere under way, it does not jump", () => {
    const value = new Eased(0);
    value.to(1, 0);
    const before = value.at(200);
    value.to(0.2, 200);
    expect(value.at(200)).toBeCloseTo(before, 10);
  });
});

describe("colour", () => {
  test("reads the forms a stylesheet gives", () => {
    expect(parseColour("#fff")).toEqual([255, 255, 255]);
    expect(parseColour("#1DB954")).toEqual([29, 185, 84]);
    expect(parseColour("rgb(1, 2, 3)")).toEqual([1, 2, 3]);
    expect(withAlpha("#0d0f12", 0.5)).toBe("rgba(13, 15, 18, 0.5)");
  });

  test("every brand stands out from both panels by 3:1", () => {
    const brands = [
      "#1DB954",
      "#FC3C44",
      "#A238FF",
      "#D51007",
      "#FFFF64",
      "#BA478F",
      "#00BCD4",
      "#00FFFF",
      "#FF6B35",
      "#D4A574",
      "#EB743B",
      "#FF4B8B",
    ];
    for (const brand of brands)
      for (const panel of ["#ffffff", "#15181d"])
        expect(
          contrast(parseColour(legible(brand, panel)), parseColour(panel)),
          `${brand} on ${panel}`,
        ).toBeGreaterThanOrEqual(3);
  });

  test("any colour can be made legible, and a legible one is left alone", () => {
    const byte = fc.integer({ min: 0, max: 255 });
    fc.assert(
      fc.property(byte, byte, byte, fc.constantFrom("#ffffff", "#15181d"), (r, g, b, panel) => {
        const given = `rgb(${r}, ${g}, ${b})`;
        const made = legible(given, panel);
        expect(contrast(parseColour(made), parseColour(panel))).toBeGreaterThanOrEqual(3);
        if (contrast([r, g, b], parseColour(panel)) >= 3) expect(made).toBe(given);
      }),
    );
  });
});
