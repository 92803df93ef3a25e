import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { recordedContext } from "../../tests/recorded";
import { banFor, noon, serviceRates } from "../../tests/sample";
import type { Palette } from "../canvas/palette";
import type { Scope } from "../canvas/scope";
import type { ServiceRates } from "../contract/contract";
import { barsView, drawBars, sameBars } from "./bars";
import { fillOf, fullestWindow, type GaugeModel, gaugeModel, levelOf } from "./model";
import { PeakHold } from "./peaks";
import { drawGauge } from "./renderer";
import { angleAt, arcStart, arcSweep, gaugeView, sameView, targets } from "./view";

const palette: Palette = {
  ground: "rgb(13, 15, 18)",
  panel: "rgb(21, 24, 29)",
  raised: "rgb(28, 32, 39)",
  line: "rgb(42, 47, 56)",
  text: "rgb(236, 239, 243)",
  dim: "rgb(154, 164, 177)",
  track: "rgb(38, 43, 51)",
  warn: "rgb(234, 179, 8)",
  danger: "rgb(239, 68, 68)",
  ok: "rgb(52, 211, 153)",
  quota: "rgb(125, 211, 252)",
  forced: false,
};
const box = { width: 236, height: 194 };
const green = "rgb(29, 185, 84)";

function model(
  rates: Partial<ServiceRates>,
  more: Partial<Parameters<typeof gaugeModel>[0]> = {},
): GaugeModel {
  return gaugeModel({
    rates: serviceRates(rates),
    now: noon,
    paused: false,
    hour: [],
    peak: 0,
    banSeconds: null,
    ...more,
  });
}

describe("model", () => {
  test("the fullest window fills the arc, whatever the minute says", () => {
    const m = model({ cpm: 44, limit: 540, windows: [{ seconds: 5, calls: 45, used: 44 }] });
    expect(m.fill).toBeCloseTo(44 / 45);
    expect(m.binding?.seconds).toBe(5);
    expect(m.state).toBe("near");
  });

  test("an hour that is nearly used up binds although the minute is calm", () => {
    const windows = [
      { seconds: 30, calls: 85, used: 8 },
      { seconds: 3600, calls: 1000, used: 960 },
    ];
    const m = model({ cpm: 16, limit: 170, windows });
    expect(m.binding).toEqual({ seconds: 3600, calls: 1000, used: 960 });
    expect(m.level).toBe("danger");
  });

  test("a minute's own window, and one that tells the same as the minute, are not named", () => {
    expect(model({ cpm: 50, limit: 60, windows: [{ seconds: 60, calls: 60, used: 50 }] }).binding).toBeNull();
    expect(
      model({ cpm: 43, limit: 170, windows: [{ seconds: 30, calls: 85, used: 25 }] }).binding,
    ).toBeNull();
  });

  test("a window of a second is judged by its minute: five calls at once are no danger", () => {
    const windows = [
      { seconds: 1, calls: 5, used: 5 },
      { seconds: 300, calls: 1500, used: 150 },
    ];
    const m = model({ cpm: 30, limit: 300, windows });
    expect([m.fill, m.binding, m.state]).toEqual([0.1, null, "room"]);
    expect(model({ cpm: 280, limit: 300, windows }).state).toBe("near");
  });

  test("the window that fills the arc is named, also when it has room", () => {
    const five = (used: number) => [{ seconds: 5, calls: 45, used }];
    expect(model({ cpm: 45, limit: 540, windows: five(12) }).binding).toEqual(five(12)[0]);
    expect(model({ cpm: 200, limit: 540, windows: five(0) }).binding).toEqual(five(0)[0]);
    expect(model({ cpm: 24, limit: 540, windows: five(3) }).binding).toBeNull();
  });

  test("the words and the arc never differ by more than can be seen", () => {
    const n = fc.integer({ min: 0, max: 600 });
    fc.assert(
      fc.property(n, n, n, (cpm, short, long) => {
        const windows = [
          { seconds: 5, calls: 45, used: Math.min(45, short) },
          { seconds: 3600, calls: 1000, used: long },
        ];
        const m = model({ cpm: Math.min(540, cpm), limit: 540, windows });
        const told = m.binding ? m.binding.used / m.binding.calls : m.cpm / m.max;
        expect(Math.abs(told - m.fill)).toBeLessThanOrEqual(0.05);
      }),
    );
  });

  test("spacing alone: calls a minute of the limit", () => {
    expect(model({ cpm: 38, limit: 57, windows: [] }).fill).toBeCloseTo(38 / 57);
  });

  test("of equally full windows the longest binds", () => {
    const windows = [
      { seconds: 5, calls: 10, used: 5 },
      { seconds: 300, calls: 100, used: 50 },
    ];
    expect(fullestWindow(windows)?.seconds).toBe(300);
  });

  test("yellow above 60 %, red above 80 %", () => {
    expect([0.6, 0.601, 0.8, 0.801].map(levelOf)).toEqual(["calm", "warn", "warn", "danger"]);
  });

  test("one word, the gravest first", () => {
    const full = { windows: [{ seconds: 60, calls: 60, used: 59 }], cpm: 59 };
    const spent = { hours: 24, calls: 800, used: 800, source: "assumed" } as const;
    expect(model({ access: "disabled", ban: banFor(9) }).state).toBe("off");
    expect(model({ ...full, ban: banFor(9), quota: spent }).state).toBe("banned");
    expect(model({ ...full, access: "credential_needed" }).state).toBe("sign_in");
    expect(model({ ...full, quota: spent }).state).toBe("spent");
    expect(model(full, { paused: true }).state).toBe("paused");
    expect(model({ ...full, cooldown_until: noon + 60 }).state).toBe("near");
    expect(model({ cooldown_until: noon + 60 }).state).toBe("cooldown");
    expect(model({}).state).toBe("idle");
    expect(model({ cpm: 1 }).state).toBe("room");
  });

  test("a ban that is over is no ban, and a cooldown that is over no cooldown", () => {
    const m = model({ ban: banFor(0), cooldown_until: noon });
    expect([m.ban, m.cooldownSeconds, m.state]).toEqual([null, null, "idle"]);
  });

  test("the ban drains from whole to nothing", () => {
    expect(model({ ban: banFor(300) }, { banSeconds: 300 }).ban?.left).toBe(1);
    expect(model({ ban: banFor(75) }, { banSeconds: 300 }).ban?.left).toBe(0.25);
    expect(model({ ban: banFor(75) }).ban?.left).toBe(1);
  });

  test("whether it lasts, at the pace of the last hour", () => {
    const quota = { hours: 24, calls: 800, used: 410, source: "assumed" } as const;
    const slow = Array<number>(60)
      .fill(0)
      .map((_, i) => (i % 10 === 0 ? 1 : 0));
    const fast = Array<number>(60).fill(10);
    expect(model({ quota, cpm: 1 }, { hour: slow }).lasting).toEqual({ kind: "day" });
    expect(model({ quota, cpm: 9 }, { hour: fast }).lasting).toEqual({ kind: "quota_ends", seconds: 2340 });
    expect(model({ waiting: 4, quota }, { hour: fast }).lasting).toEqual({ kind: "waiting", calls: 4 });
    const hourly = { windows: [{ seconds: 3600, calls: 1000, used: 700 }], limit: 170 };
    expect(model({ ...hourly, cpm: 60 }).lasting).toEqual({ kind: "window_fills", seconds: 300 });
    expect(model({ ...hourly, cpm: 2 }).lasting).toEqual({ kind: "hour" });
  });

  test("fractions stay between 0 and 1, whatever the engine says", () => {
    const n = fc.integer({ min: 0, max: 5000 });
    fc.assert(
      fc.property(n, n, n, n, (cpm, limit, used, calls) => {
        const rates = { cpm, limit, windows: [{ seconds: 5, calls, used }] };
        const m = model(rates, { peak: 0.3 });
        for (const value of [m.fill, m.peak, fillOf(serviceRates(rates))]) {
          expect(value).toBeGreaterThanOrEqual(0);
          expect(value).toBeLessThanOrEqual(1);
        }
        expect(m.peak).toBeGreaterThanOrEqual(m.fill);
      }),
    );
  });
});

test("the peak is held for an hour", () => {
  const peaks = new PeakHold();
  peaks.note(noon, 0.9);
  peaks.note(noon, 0.4);
  peaks.note(noon + 60, 0.2);
  expect(peaks.highest(noon + 60)).toBe(0.9);
  expect(peaks.highest(noon + 3540)).toBe(0.9);
  expect(peaks.highest(noon + 3600)).toBe(0.2);
});

function view(m: GaugeModel, moving = targets(m), look = palette) {
  return gaugeView(m, moving, green, look, box, 2);
}

describe("view", () => {
  test("240° open at the bottom: the same height at both ends", () => {
    expect(arcSweep).toBeCloseTo((240 * Math.PI) / 180);
    expect(Math.sin(angleAt(0))).toBeCloseTo(Math.sin(angleAt(1)));
    expect(Math.cos(angleAt(0))).toBeCloseTo(-Math.cos(angleAt(1)));
    expect(angleAt(0.5)).toBeCloseTo(1.5 * Math.PI);
  });

  test("the colour follows the fill that is seen", () => {
    const m = model({ cpm: 55, windows: [{ seconds: 60, calls: 60, used: 55 }] });
    const at = (fill: number) => view(m, { fill, peak: 0, quota: 0 }).colour;
    expect([at(0.3), at(0.7), at(0.9)]).toEqual([green, palette.warn, palette.danger]);
  });

  test("banned: red, draining, without a peak", () => {
    const m = model({ ban: banFor(60) }, { banSeconds: 120, peak: 0.9 });
    const v = view(m);
    expect([v.colour, v.peak]).toEqual([palette.danger, null]);
    expect(v.end).toBeCloseTo(angleAt(0.5), 2);
  });

  test("signed out or switched off: empty and dim", () => {
    const v = view(model({ access: "credential_needed", cpm: 9 }));
    expect([v.end, v.dim]).toEqual([arcStart, true]);
  });

  test("the whole arc and its glow lie inside the box", () => {
    fc.assert(
      fc.property(fc.integer({ min: 120, max: 400 }), (width) => {
        const v = gaugeView(
          model({}),
          targets(model({})),
          green,
          palette,
          { width, height: width * 0.82 },
          1,
        );
        const reach = v.radius + v.thickness * 1.05;
        expect(v.x - reach).toBeGreaterThanOrEqual(0);
        expect(v.y - reach).toBeGreaterThanOrEqual(0);
        expect(v.y + Math.sin(arcStart) * v.radius + v.thickness / 2).toBeLessThanOrEqual(width * 0.82);
      }),
    );
  });

  test("changes too small to see are no changes", () => {
    const m = model({ cpm: 20 });
    const a = view(m, { fill: 0.5, peak: 0, quota: 0 });
    expect(sameView(a, view(m, { fill: 0.500_01, peak: 0, quota: 0 }))).toBe(true);
    expect(sameView(a, view(m, { fill: 0.51, peak: 0, quota: 0 }))).toBe(false);
    expect(sameView(null, a)).toBe(false);
  });

  test("forced colours: no glow, no shades, the system's highlight", () => {
    const v = view(model({ cpm: 20 }), undefined, { ...palette, forced: true });
    expect([v.glow, v.colour]).toEqual([0, palette.danger]);
    expect(v.trackWidth).toBeLessThan(v.thickness / 2);
  });
});

describe("renderer", () => {
  const draw = (m: GaugeModel) => {
    const canvas = recordedContext();
    const v = view(m);
    drawGauge({ ctx: canvas.ctx, ...box, ratioX: 2, ratioY: 2 } satisfies Scope, v);
    return { canvas, v };
  };

  test("track and danger band are drawn even when idle, the fill and the dot are not", () => {
    const { canvas, v } = draw(model({}));
    const arcs = canvas.calls("arc");
    expect(arcs[0]).toEqual([v.x, v.y, v.radius, arcStart, arcStart + arcSweep]);
    expect(arcs[1]?.[3]).toBeCloseTo(angleAt(0.8));
    expect(canvas.stylesAt("stroke").map((style) => style.strokeStyle)).toEqual([v.track, v.dangerBand]);
    expect(canvas.entries.some((entry) => entry.op === "fillStyle=" && entry.args[0] === v.dot)).toBe(false);
  });

  test("the fill runs from the start to its end, a dot at the tip", () => {
    const { canvas, v } = draw(model({ cpm: 30, windows: [{ seconds: 60, calls: 60, used: 30 }] }));
    const fills = canvas.stylesAt("stroke").filter((style) => style.strokeStyle === green);
    expect(fills).toHaveLength(1);
    const last = canvas.calls("arc").at(-1) as number[];
    expect(last[0]).toBeCloseTo(v.x + Math.cos(v.end) * v.radius);
    expect(canvas.stylesAt("fill").at(-1)?.fillStyle).toBe("#ffffff");
  });

  test("the quota is a second, thinner ring inside", () => {
    const quota = { hours: 24, calls: 800, used: 400, source: "learned" } as const;
    const { canvas, v } = draw(model({ quota }));
    const rings = canvas.calls("arc").filter((args) => args[2] === v.quotaRadius);
    expect(rings).toHaveLength(2);
    expect(v.quotaRadius).toBeLessThan(v.radius - v.thickness / 2);
    expect(canvas.stylesAt("stroke").some((style) => style.strokeStyle === palette.quota)).toBe(true);
  });

  test("a peak above the fill is a tick across the arc", () => {
    const { canvas } = draw(model({ cpm: 6, windows: [{ seconds: 60, calls: 60, used: 6 }] }, { peak: 0.7 }));
    expect(canvas.calls("moveTo")).toHaveLength(1);
    expect(canvas.calls("lineTo")).toHaveLength(1);
  });

  test("no text, ever", () => {
    const { canvas } = draw(model({ cpm: 30, ban: banFor(60) }));
    expect(canvas.calls("fillText").length + canvas.calls("strokeText").length).toBe(0);
  });
});

describe("bars", () => {
  const colours = { colour: green, rest: "grey", empty: palette.track };

  test("sixty bars on whole device pixels, the running minute in colour", () => {
    const canvas = recordedContext();
    const hour = Array<number>(60)
      .fill(0)
      .map((_, i) => i);
    drawBars(
      { ctx: canvas.ctx, width: 212, height: 30, ratioX: 1.5, ratioY: 1.5 },
      barsView(hour, 60, colours),
    );
    const rects = canvas.calls("fillRect") as [number, number, number, number][];
    expect(rects).toHaveLength(60);
    for (const [x, y, w, h] of rects) {
      for (const edge of [x, y, x + w, y + h])
        expect(Math.abs(edge * 1.5 - Math.round(edge * 1.5))).toBeLessThan(1e-6);
    }
    expect(canvas.stylesAt("fillRect").at(-1)?.fillStyle).toBe(green);
  });

  test("a call is never too small to be seen, and a full minute is full height", () => {
    const canvas = recordedContext();
    drawBars(
      { ctx: canvas.ctx, width: 120, height: 30, ratioX: 1, ratioY: 1 },
      barsView([1, 540, 600], 540, colours),
    );
    const heights = (canvas.calls("fillRect") as number[][]).map((rect) => rect[3]);
    expect(heights).toEqual([2, 30, 30]);
  });

  test("equal bars are not drawn again", () => {
    const a = barsView([1, 2], 60, colours);
    expect(sameBars(a, barsView([1, 2], 60, colours))).toBe(true);
    expect(sameBars(a, barsView([1, 3], 60, colours))).toBe(false);
  });
});
