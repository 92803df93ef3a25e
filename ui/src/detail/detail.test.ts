import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { noon } from "../../tests/sample";
import { hueApart } from "../canvas/colour";
import type { Palette } from "../canvas/palette";
import type { Event, ServiceDay } from "../contract/contract";
import { inks } from "./colours";
import { csvName, toCsv } from "./csv";
import { groupsOf } from "./groups";
import { busiest, dayHistory, deepHistory, isEmpty, withRunning } from "./history";
import { keyTarget } from "./keys";
import { plotData, top, xRange } from "./plot";
import { pointOf, spokenPoint } from "./point";

const minutes = (values: Record<number, number>): number[] =>
  Array.from({ length: 1440 }, (_, i) => values[i] ?? 0);
const day = (more: Partial<ServiceDay> = {}): ServiceDay => ({
  service: "spotify",
  start: noon - 1439 * 60,
  limit: 170,
  calls: minutes({ 800: 170, 801: 3 }),
  hits: minutes({ 800: 400 }),
  endpoints: { player: minutes({ 801: 3 }), search: minutes({ 800: 170 }) },
  total_24h: 173,
  peak_cpm: 170,
  peak_at: noon,
  ...more,
});
const ban = (at: number): Event => ({
  at,
  kind: "ban",
  service: "spotify",
  endpoint: "search",
  caller: "beets",
  until: at + 4,
  text: "Rate limited on search",
});
const all = (h: ReturnType<typeof dayHistory>): Set<string> => new Set(h.lines.map((line) => line.key));

describe("history", () => {
  test("a minute with 170 calls is 170, and every minute is its own point", () => {
    const h = dayHistory(day(), []);
    expect(h.times).toHaveLength(1440);
    expect(h.lines[0]?.values[800]).toBe(170);
    expect(h.times.every((at, i) => i === 0 || at - (h.times[i - 1] ?? 0) === 60)).toBe(true);
  });

  test("endpoints come busiest first; hits are there but last", () => {
    expect(dayHistory(day(), []).lines.map((line) => line.label)).toEqual([
      "All calls",
      "search",
      "player",
      "From cache",
    ]);
  });

  test("bans of this service within the day are marks", () => {
    const other = { ...ban(noon - 60), service: "deezer" as const };
    const marks = dayHistory(day(), [ban(noon - 60), other, ban(noon - 90_000)]).marks;
    expect(marks).toEqual([{ at: noon - 60, until: noon - 56, text: "Rate limited on search" }]);
  });

  test("the running minute follows the meters until the next full answer", () => {
    const d = day();
    expect(withRunning(d, noon, 9).calls.at(-1)).toBe(9);
    expect(withRunning(d, noon, 0)).toBe(d);
    expect(withRunning(d, noon + 60, 9)).toBe(d);
  });

  test("the limit is in sight unless the chart is fitted to its calls", () => {
    const h = dayHistory(day({ calls: minutes({ 5: 12 }) }), []);
    const shown = new Set(["total"]);
    expect(top(h, { shown, fit: false })).toBeCloseTo(170 * 1.18);
    expect(top(h, { shown, fit: true })).toBeCloseTo(12 * 1.08);
  });

  test("the scale always holds the highest shown minute", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(3000), { minLength: 1, maxLength: 50 }), fc.boolean(), (calls, fit) => {
        const h = dayHistory(day({ calls }), []);
        expect(top(h, { shown: new Set(["total"]), fit })).toBeGreaterThanOrEqual(Math.max(...calls));
      }),
    );
  });

  test("deep history: whole hours, and only an hourly budget is drawn across them", () => {
    const deep = { service: "spotify", hours: [[noon, 10, 20, 1, 2]] } as const;
    const windows = [
      { seconds: 30, calls: 85, used: 0 },
      { seconds: 3600, calls: 1000, used: 0 },
    ];
    const h = deepHistory({ service: deep.service, hours: [[noon, 10, 20, 1, 2]] }, windows, []);
    expect(h.lines.map((line) => line.values[0])).toEqual([10, 1, 2, 20]);
    expect(h.limit?.value).toBe(1000);
    expect(deepHistory({ service: "spotify", hours: [] }, windows.slice(0, 1), []).limit).toBeNull();
  });

  test("deep history: hours without calls are nought, not a slope", () => {
    const hours: [number, number, number, number, number][] = [
      [noon, 10, 0, 0, 0],
      [noon + 3 * 3600, 5, 0, 0, 0],
    ];
    expect(deepHistory({ service: "spotify", hours }, [], []).lines[0]?.values).toEqual([10, 0, 0, 5]);
  });

  test("the busiest is the first of equals; nothing is none", () => {
    expect([busiest([0, 3, 3]), busiest([0, 0]), busiest([])]).toEqual([1, -1, -1]);
  });
});

describe("table and export", () => {
  test("groups hold every minute once and their sums add up", () => {
    const h = dayHistory(day(), []);
    const groups = groupsOf(h);
    expect(groups.flatMap((group) => group.indexes).sort((a, b) => a - b)).toEqual(h.times.map((_, i) => i));
    expect(groups.reduce((sum, group) => sum + (group.sums[0] ?? 0), 0)).toBe(173);
    expect(groups[0]?.at).toBeGreaterThan(groups[1]?.at ?? 0);
  });

  test("CSV has a row a minute in UTC and survives awkward names", () => {
    const h = dayHistory(day({ endpoints: { 'say "hi", now': minutes({}) } }), []);
    const rows = toCsv(h).trimEnd().split("\r\n");
    expect(rows).toHaveLength(1441);
    expect(rows[0]).toBe('time_utc,All calls,"say ""hi"", now",From cache');
    expect(rows[1]).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:00Z,0,0,0$/);
    expect(csvName("spotify", h)).toMatch(/^spotify-\d{4}-\d\d-\d\d-minutes\.csv$/);
  });
});

describe("cursor", () => {
  test("says the total, the shown lines that are not nought, and a ban", () => {
    const at = noon - (1439 - 800) * 60;
    const h = dayHistory(day(), [ban(at + 20)]);
    const point = pointOf(h, all(h), 800);
    expect(point.calls).toBe(170);
    expect(point.parts.map(({ line, value }) => [line.label, value])).toEqual([
      ["From cache", 400],
      ["search", 170],
    ]);
    expect(spokenPoint(h, new Set(["total"]), 800)).toMatch(/170 calls, Rate limited on search$/);
  });

  test("keys walk by one, ten and sixty, and stay inside", () => {
    const go = (key: string, at: number | null, shiftKey = false) => keyTarget({ key, shiftKey }, at, 1439);
    expect(go("ArrowLeft", null)).toBe(1439);
    expect(go("ArrowLeft", 5)).toBe(4);
    expect(go("ArrowLeft", 5, true)).toBe(0);
    expect(go("ArrowRight", 1435, true)).toBe(1439);
    expect(go("PageUp", 100)).toBe(40);
    expect(go("Home", 100)).toBe(0);
    expect(go("a", 100)).toBeNull();
    expect(keyTarget({ key: "Home", shiftKey: false }, null, -1)).toBeNull();
  });
});

describe("what is drawn", () => {
  test("noughts are, where a line rises from them; stretches of them are not, but for the total", () => {
    const values = minutes({ 5: 2 });
    const h = dayHistory(day({ calls: values, endpoints: { search: values } }), []);
    const [times, total, search] = plotData(h);
    expect(times).toBe(h.times);
    expect(total).toBe(values);
    expect((search as (number | null)[]).slice(2, 9)).toEqual([null, null, 0, 2, 0, null, null]);
  });

  test("the range holds the running minute, and a ban within it", () => {
    const { times } = dayHistory(day(), []);
    const { min, max } = xRange(times, "minute");
    expect(min).toBe(times[0]);
    expect(max).toBeGreaterThanOrEqual((times.at(-1) ?? 0) + 60);
    expect(xRange([noon], "hour")).toEqual({ min: noon, max: noon + 3600 });
  });

  test("a day without calls, hits and bans is empty; one hit or ban is not nothing", () => {
    const none = { calls: minutes({}), hits: minutes({}), endpoints: { search: minutes({}) } };
    expect(isEmpty(dayHistory(day(none), []))).toBe(true);
    expect(isEmpty(dayHistory(day(none), [ban(noon)]))).toBe(false);
    expect(isEmpty(dayHistory(day({ ...none, hits: minutes({ 3: 1 }) }), []))).toBe(false);
    expect(isEmpty(deepHistory({ service: "spotify", hours: [] }, [], []))).toBe(true);
  });

  test("no endpoint has a colour near the service's own", () => {
    const endpoints = Object.fromEntries(Array.from({ length: 6 }, (_, i) => [`e${i}`, minutes({})]));
    const dark = { panel: "rgb(21, 24, 29)", quota: "#7dd3fc", danger: "#ef4444" } as Palette;
    for (const own of ["#1DB954", "#A238FF", "#FFFF64", "#00FFFF", "#FF4B8B", "#D4A574"]) {
      const found = inks(dayHistory(day({ endpoints }), []).lines, own, dark);
      for (const [key, { colour }] of found)
        if (key.startsWith("endpoint:")) expect(hueApart(colour, own), `${key} ${own}`).toBeGreaterThan(18);
    }
  });
});

test("twenty endpoints: no two look the same", () => {
  const endpoints = Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`e${i}`, minutes({})]));
  const lines = dayHistory(day({ endpoints }), []).lines;
  const palette = { panel: "rgb(255, 255, 255)", quota: "#0369a1", danger: "#dc2626" } as Palette;
  const looks = [...inks(lines, "#1DB954", palette).values()].map(({ colour, dash }) => `${colour} ${dash}`);
  expect(new Set(looks).size).toBe(22);
});
