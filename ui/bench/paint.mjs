/**
 * What the window's drawing costs, in Chromium with the built fixture:
 * the first paint of 28,800 points, and frames while all twelve gauges ease.
 *
 *     node ui/bench/paint.mjs
 */
import { join } from "node:path";
import { runnerImport } from "vite";

const { module: stageModule } = await runnerImport(join(import.meta.dirname, "..", "tests", "stage.ts"));
const stage = await stageModule.openStage();
const runs = 15;

const median = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];
const ms = (value) => `${value.toFixed(1)} ms`;

async function chart(deviceScaleFactor) {
  const page = await stage.open("?fixture=calm&still&endpoints=20", {
    viewport: { width: 1600, height: 1000 },
    deviceScaleFactor,
  });
  const paints = [];
  const shown = [];
  for (let i = 0; i < runs; i++) {
    const seen = await page.evaluate(async () => {
      performance.clearMeasures();
      const frame = () => new Promise((done) => requestAnimationFrame(done));
      await frame();
      const start = performance.now();
      location.hash = "#/service/spotify";
      while (performance.getEntriesByName("chart").length === 0) await frame();
      await frame();
      const whole = performance.now() - start;
      const [first] = performance.getEntriesByName("chart");
      location.hash = "#/";
      await frame();
      await frame();
      return { paint: first.duration, whole };
    });
    paints.push(seen.paint);
    shown.push(seen.whole);
  }
  await page.context().close();
  console.log(
    `chart of 28,800 points at ${deviceScaleFactor}x: first ${ms(paints[0])}, median ${ms(median(paints))}, ` +
      `worst ${ms(Math.max(...paints))}; from the click to the frame after it, median ${ms(median(shown))}`,
  );
}

async function gauges(deviceScaleFactor) {
  const page = await stage.open("?fixture=lively", {
    viewport: { width: 1600, height: 1000 },
    deviceScaleFactor,
  });
  await page.waitForTimeout(1500);
  const seen = await page.evaluate(async () => {
    const request = window.requestAnimationFrame.bind(window);
    const frames = [];
    const costs = [];
    window.requestAnimationFrame = (callback) =>
      request((now) => {
        const start = performance.now();
        callback(now);
        costs.push(performance.now() - start);
        frames.push(now);
      });
    await new Promise((done) => setTimeout(done, 10_000));
    return { frames, costs };
  });
  await page.context().close();
  const gaps = seen.frames.slice(1).map((now, i) => now - seen.frames[i]);
  // A gap over 150 ms is the stillness between two eases, not a slow frame.
  const easing = gaps.filter((gap) => gap < 150);
  const mean = easing.reduce((sum, gap) => sum + gap, 0) / easing.length;
  console.log(
    `gauges easing at ${deviceScaleFactor}x: ${(1000 / mean).toFixed(1)} frames/s over ${easing.length} frames, ` +
      `${easing.filter((gap) => gap > 25).length} late; drawing a frame takes median ${ms(median(seen.costs))}, ` +
      `worst ${ms(Math.max(...seen.costs))}`,
  );
}

for (const ratio of [1, 2]) {
  await chart(ratio);
  await gauges(ratio);
}
await stage.close();
