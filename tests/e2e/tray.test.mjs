// The app without its window: in the tray, and where there is no tray.
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { dirname } from "node:path";
import { after, before, test } from "node:test";
import { openDesktop } from "./desktop.mjs";
import { openApp } from "./driver.mjs";
import { family } from "./processes.mjs";
import { openStage } from "./stage.mjs";
import { until } from "./until.mjs";

/** No step takes longer, unless something hangs. */
const within = { timeout: 60_000 };

let desktop;
let stage;
let app;
let beets;

before(async () => {
  desktop = await openDesktop();
  stage = await openStage();
  app = stage.start("headroom", ["--hidden"]);
});

after(async () => {
  await stage?.close();
  await desktop?.close();
});

test("started hidden, it is in the tray and has made no window", within, async () => {
  const { pid } = await stage.runtime();
  assert.equal(pid, app.child.pid);
  await until("its icon is in the tray", async () => (await desktop.items()).length === 1);
  assert.deepEqual(await labels(), ["No calls today", "Open Headroom", "Pause calls", "Quit"]);
  assert.deepEqual(await desktop.windows(), []);
  assert.deepEqual(family(pid), [pid], "not even WebKit has been started");
});

test("the menu has a line for the service in use", within, async () => {
  beets = await stage.newTool("beets");
  assert.equal((await beets("deezer", "/search?q=love")).status, 200);
  await until("Deezer's line is there", async () => (await labels())[0] === "Deezer 1 of 540/min");
});

test("Pause holds every call back, and pressed again lets them go on", within, async () => {
  const before = (await desktop.icon()).print;
  const arrived = await stage.arrived("deezer");
  await desktop.press("Pause calls");
  await until("the menu offers to go on", async () => (await labels()).includes("Let calls go on"));
  const held = await beets("deezer", "/search?q=hate");
  assert.equal(held.status, 429);
  assert.equal((await held.json()).error.code, "paused");
  assert.equal(await stage.arrived("deezer"), arrived);
  await until("the icon shows it", async () => (await desktop.icon()).print !== before);

  await desktop.press("Let calls go on");
  await until("the menu offers to pause", async () => (await labels()).includes("Pause calls"));
  assert.equal((await beets("deezer", "/search?q=hate")).status, 200);
});

test("a ban changes the icon and the line", within, async () => {
  const before = (await desktop.icon()).print;
  await stage.refuseOnce("deezer");
  assert.equal((await beets("deezer", "/search?q=spite")).status, 429);
  await until("the line says so", async () => /^Deezer banned, \d+ (s|m)$/.test((await labels())[0]));
  await until("the icon shows it", async () => (await desktop.icon()).print !== before);
});

test("Open makes the window, closing hides it, Open shows it again", within, async (context) => {
  const began = Date.now();
  await desktop.press("Open Headroom");
  await until("the window is shown", desktop.shown);
  context.diagnostic(`the window was made in ${Date.now() - began} ms`);
  await desktop.closeWindow();
  await until("the window is hidden", async () => (await desktop.shown()) === undefined);
  assert.equal((await desktop.windows()).length, 1, "hidden, not gone");
  assert.equal((await stage.runtime()).pid, app.child.pid, "the app goes on");
  await desktop.press("Open Headroom");
  await until("the window is shown again", desktop.shown);
});

test("Quit ends the app cleanly", within, async () => {
  const { path } = await desktop.icon();
  await desktop.press("Quit");
  assert.equal(await app.ended, 0);
  assert.equal(stage.readRuntime(), null, "runtime.json is gone");
  assert.ok(!existsSync(dirname(path)), "no picture of the icon is left behind");
});

test("without a tray, closing the window quits cleanly", within, async () => {
  await desktop.close();
  desktop = await openDesktop({ tray: false });
  app = stage.start("headroom");
  await stage.runtime();
  await desktop.closeWindow();
  assert.equal(await app.ended, 0);
  assert.equal(stage.readRuntime(), null, "runtime.json is gone");
});

test("where another engine holds the directory, the window says who and takes over", within, async () => {
  const serve = stage.start("headroomctl", ["serve"]);
  const { pid } = await stage.runtime();
  assert.equal(pid, serve.child.pid);
  const window = await openApp({ dataDir: stage.dataDir });
  try {
    await window.until("the window says what is wrong", "$('[role=alert]')");
    const words = await window.text("[role=alert]");
    assert.match(words, new RegExp(`Headroom \\(headroomctl serve, pid ${pid}\\) already runs on `));
    assert.ok(words.includes(stage.dataDir), words);
    await window.screenshot("engine-held");
    assert.equal(stage.readRuntime()?.pid, pid, "the other engine is left alone until somebody says so");
    await (await window.find("[role=alert] .button-primary")).click();
    await window.until("the meters are there", "$('.grid [role=meter]')");
    assert.equal(await serve.ended, 0, "the other engine ended cleanly");
    assert.notEqual((await stage.runtime(pid)).pid, pid, "the window's own answers now");
    // And back: the app quits when it is asked to.
    const back = stage.start("headroomctl", ["serve", "--take-over"]);
    await stage.runtime((await stage.runtime(pid)).pid);
    assert.equal(stage.readRuntime()?.pid, back.child.pid);
    back.child.kill("SIGINT");
    assert.equal(await back.ended, 0);
  } catch (error) {
    await window.screenshot("failed-engine-held").catch(() => {});
    throw error;
  } finally {
    await window.close().catch(() => {});
  }
});

async function labels() {
  return (await desktop.menu()).map(({ label }) => label);
}
