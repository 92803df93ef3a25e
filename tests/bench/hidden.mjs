// `npm run bench:hidden`: what Headroom costs while nobody looks at it, and how soon the window is there.
//
// Processor time over a minute, and memory (PSS) of the app with WebKit's processes: with the window shown,
// hidden, given up, and never made. It uses the release build.
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { linux, must } from "../../scripts/run.mjs";
import { inSession } from "../../scripts/session.mjs";
import { openDesktop } from "../e2e/desktop.mjs";
import { openApp } from "../e2e/driver.mjs";
import { age, computed, family, memory, nameOf } from "../e2e/processes.mjs";
import { openStage } from "../e2e/stage.mjs";
import { until } from "../e2e/until.mjs";

/** Time for a window to come to rest before it is measured. */
const SETTLE_MS = 10_000;
const MINUTE_MS = 60_000;
/** Hidden windows are given up after so long: later than the measurement of a hidden one ends. */
const RELEASE_MINUTES = 1.5;
const STARTS = 5;
const MB = 1024 * 1024;

if (process.argv[2] === "inside") await measure();
else {
  if (!linux) throw new Error("it reads /proc, so it needs Linux");
  if (!process.argv.includes("--built")) {
    await must("cargo", ["build", "--release", "--package", "headroom"]);
    await must("cargo", ["build", "--package", "headroom-simulator"]);
  }
  const inside = [process.execPath, fileURLToPath(import.meta.url), "inside"];
  process.exitCode = await inSession(inside, 20 * MINUTE_MS);
}

async function measure() {
  const desktop = await openDesktop();
  const stage = await openStage({ desktop: { release_hidden_minutes: RELEASE_MINUTES } });
  try {
    const times = [];
    for (let n = 0; n < STARTS; n += 1) times.push(await firstGauges(stage));
    console.log(`first gauges after the start of the process, warm: ${times.join(", ")} ms`);

    const app = stage.start("headroom", [], "release");
    await until("the window is shown", desktop.shown);
    const { pid } = await stage.runtime();
    await sleep(SETTLE_MS);
    await report("window shown", pid);
    await desktop.closeWindow();
    await until("the window is hidden", async () => !(await desktop.shown()));
    await sleep(SETTLE_MS);
    await report("window hidden", pid);
    await until("the window is given up", async () => (await desktop.windows()).length === 0, 2 * MINUTE_MS);
    await sleep(SETTLE_MS);
    await report("window given up", pid);
    const began = Date.now();
    await desktop.press("Open Headroom");
    await until("the window is shown", desktop.shown);
    console.log(`window made again: mapped after ${Date.now() - began} ms`);
    app.child.kill("SIGTERM");
    await app.ended;

    stage.start("headroom", ["--hidden"], "release");
    const hidden = await stage.runtime(pid);
    await sleep(SETTLE_MS);
    await report("started hidden", hidden.pid);
  } finally {
    await stage.close();
    await desktop.close();
  }
}

async function firstGauges(stage) {
  const app = await openApp({ dataDir: stage.dataDir, profile: "release" });
  try {
    await app.until("the gauges are there", "$('[role=meter]')");
    return age(stage.readRuntime().pid);
  } finally {
    await app.close();
  }
}

async function report(what, pid) {
  const members = family(pid);
  const before = members.map(computed);
  await sleep(MINUTE_MS);
  const spent = members.map((member, place) => computed(member) - before[place]);
  const held = members.map((member) => Math.round(memory(member) / MB));
  const sum = (numbers) => numbers.reduce((total, number) => total + number, 0);
  const share = ((100 * sum(spent)) / MINUTE_MS).toFixed(2);
  const parts = members.map(
    (member, place) => `${nameOf(member)} ${Math.round(spent[place])} ms, ${held[place]} MiB`,
  );
  console.log(
    `${what}: ${Math.round(sum(spent))} ms of processor time in 60 s (${share} %), ${sum(held)} MiB PSS (${parts.join("; ")})`,
  );
}
