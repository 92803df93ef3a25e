// One user's evening in the window: calls, a ban, a crash, and the window given up and made again.
import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import { Key } from "selenium-webdriver";
import { openDesktop } from "./desktop.mjs";
import { openApp } from "./driver.mjs";
import { age } from "./processes.mjs";
import { openStage } from "./stage.mjs";
import { until } from "./until.mjs";

const DEEZER = "[data-service=deezer]";
/** No step takes longer, unless something hangs. */
const within = { timeout: 60_000 };

let desktop;
let stage;
let app;
let beets;

before(async () => {
  desktop = await openDesktop();
  stage = await openStage({ desktop: { release_hidden_minutes: 0.03 } });
  app = await openApp({ dataDir: stage.dataDir });
});

afterEach(async (context) => {
  if (context.error) await app?.screenshot(`failed-${context.name.replaceAll(/\W+/g, "-")}`).catch(() => {});
});

after(async () => {
  await app?.close();
  await stage?.close();
  await desktop?.close();
});

test("the app boots and shows a gauge for every service", within, async (context) => {
  await app.until("the gauges are there", "$('[role=meter]')");
  const { pid } = await stage.runtime();
  context.diagnostic(
    `first gauges ${age(pid)} ms after the start of the process (debug build, under a driver)`,
  );
  assert.equal(await app.read("document.querySelectorAll('.grid [role=meter]').length"), 12);
  assert.equal(await app.text("h1"), "All clear");
  await app.screenshot("boot");
});

test("a gauge moves when a tool makes a call", within, async () => {
  const gauge = `$('${DEEZER} [role=meter]')`;
  assert.equal(await app.read(`${gauge}.ariaValueNow`), "0", "nothing was called yet");
  beets = await stage.newTool("beets");
  const answer = await beets("deezer", "/search?q=love");
  assert.equal(answer.status, 200, await answer.text());
  await app.until("the meter says 1", `${gauge}.ariaValueNow === "1"`, 3_000);
  await until("so does the number", async () => (await app.text(`${DEEZER} .gauge-number`)) === "1", 3_000);
});

test("a service opens by mouse and by keyboard, and Escape goes back to its card", within, async () => {
  const opened = () =>
    app.until("Deezer's page is there", "$('h1')?.innerText === 'Deezer' && $('.history canvas')");
  const back = async () => {
    await app.page.actions().sendKeys(Key.ESCAPE).perform();
    await app.until("the meters are back", "$('.grid')");
    await app.until("its card has the focus", `document.activeElement === $('${DEEZER} .card-open')`);
  };
  // The whole card is the button, so the mouse goes to its middle.
  await app.page
    .actions()
    .move({ origin: await app.find(DEEZER) })
    .click()
    .perform();
  await opened();
  await back();
  await app.page.actions().sendKeys(Key.ENTER).perform();
  await opened();
  await back();
});

test("settings that went bad are named in the window until they are good again", within, async () => {
  const notices = () => app.text(".notices");
  assert.equal(await notices(), "");
  stage.writeSettings({ cache: { ttl_hours: -1 } });
  await until("the key's path is shown", async () => (await notices()).includes("cache.ttl_hours"));
  stage.writeSettings();
  await until("the notice is gone", async () => (await notices()) === "");
});

test(
  "a refusal is a ban: it is said, it counts down, and nothing is sent while it lasts",
  within,
  async () => {
    await stage.refuseOnce("deezer");
    const refused = await beets("deezer", "/search?q=hate");
    assert.equal(refused.status, 429, "the call that met the refusal");
    const badge = () => app.text(`${DEEZER} .badge`);
    await until(
      "the headline says so",
      async () => /^Deezer is banned for \d/.test(await app.text("h1")),
      3_000,
    );
    const first = await until("the badge says so", badge);
    assert.match(first, /^Rate ban \d+:\d\d$/);
    await until("it counts down", async () => seconds(await badge()) < seconds(first), 5_000);

    const arrived = await stage.arrived("deezer");
    const held = await beets("deezer", "/search?q=spite");
    assert.equal(held.status, 429);
    assert.equal(held.headers.get("x-headroom-limited"), "local");
    assert.ok(Number(held.headers.get("retry-after")) > 0, "it says when to come back");
    assert.equal(await stage.arrived("deezer"), arrived, "the stand-in saw nothing of it");
    await app.screenshot("banned");
  },
);

test(
  "killed and started again, at twice the scale: the calls are counted, the ban stands",
  within,
  async () => {
    const counted = await callsOfDeezer();
    assert.equal(counted, await stage.arrived("deezer"), "each call that arrived, and no other");
    const { pid } = await stage.runtime();
    process.kill(pid, "SIGKILL");
    await app.close();
    app = await openApp({ dataDir: stage.dataDir, env: { GDK_SCALE: "2" } });
    await stage.runtime(pid);

    assert.equal(await callsOfDeezer(), counted);
    const { calls, total_24h } = await stage.command("day", { service: "deezer" });
    assert.equal(total_24h, counted);
    assert.equal(
      calls.reduce((sum, n) => sum + n, 0),
      counted,
      "the chart holds them",
    );
    await until("the ban is there", async () => /^Deezer is banned/.test(await app.text("h1")));
    const arrived = await stage.arrived("deezer");
    assert.equal((await beets("deezer", "/search?q=rage")).status, 429);
    assert.equal(await stage.arrived("deezer"), arrived);
  },
);

test("at twice the scale a gauge has twice the pixels", within, async () => {
  assert.equal(await app.read("devicePixelRatio"), 2);
  const sizes = await app.until(
    "the gauge is painted",
    `(({ width, height }, shown) => width !== 300 && { real: [width, height], shown: [shown.width, shown.height] })(
      $('${DEEZER} .gauge-canvas'), $('${DEEZER} .gauge-canvas').getBoundingClientRect())`,
  );
  assert.deepEqual(
    sizes.real,
    sizes.shown.map((length) => Math.round(length * 2)),
  );
  await app.screenshot("scale-2");
});

test("a hidden window is given up; a second start brings it back as it was", within, async (context) => {
  const size = { width: 900, height: 640 };
  await app.page
    .manage()
    .window()
    .setRect({ x: 60, y: 40, ...size });
  await app.until("it has that size", `innerWidth === ${size.width} && innerHeight === ${size.height}`);
  // By key: at this scale WebKit's driver puts the mouse elsewhere.
  await (await app.find(`${DEEZER} .card-open`)).sendKeys(Key.ENTER);
  await app.until("Deezer's page is there", "$('h1')?.innerText === 'Deezer'");
  const measures = "({ width: innerWidth, height: innerHeight, page: location.hash })";
  const before = await app.read(measures);
  const { x, y } = await desktop.shown();
  assert.ok(x > 0 && y > 0, "it does not stand where a new window would");

  const { pid } = await stage.runtime();
  await desktop.closeWindow();
  await until("the window is hidden", async () => (await desktop.shown()) === undefined);
  await until("the window is given up", async () => (await desktop.windows()).length === 0);
  assert.equal(stage.readRuntime()?.pid, pid, "the app goes on");

  const began = Date.now();
  const second = stage.start("headroom");
  assert.equal(await second.ended, 0, "the second start ends at once");
  context.diagnostic(`a second start ended after ${Date.now() - began} ms`);
  const again = await until("the window is shown", desktop.shown);
  const [handle] = await until("the driver has found it", async () => {
    const handles = await app.page.getAllWindowHandles();
    return handles.length > 0 && handles;
  });
  await app.page.switchTo().window(handle);
  await app.until("the page is there", "$('h1')?.innerText === 'Deezer'");
  context.diagnostic(`the window was there again ${Date.now() - began} ms after the start`);
  assert.deepEqual(await app.read(measures), before);
  assert.deepEqual([again.x, again.y], [x, y]);
  assert.equal((await stage.runtime()).pid, pid, "it is still the first instance");
});

/** What the engine counted in 24 h. */
async function callsOfDeezer() {
  const { services } = await stage.command("rates");
  return services.deezer.calls_24h;
}

/** `Rate ban 0:58` is 58. */
function seconds(badge) {
  const [, minutes, rest] = badge.match(/(\d+):(\d\d)$/) ?? [];
  return minutes * 60 + Number(rest);
}
