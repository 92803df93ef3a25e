// Signing in at Spotify from the window: consent in the browser, and back by a headroom:// link.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { after, afterEach, before, test } from "node:test";
import { built } from "../../scripts/run.mjs";
import { openDesktop } from "./desktop.mjs";
import { openApp } from "./driver.mjs";
import { openStage } from "./stage.mjs";
import { until } from "./until.mjs";

const SPOTIFY = "[data-service=spotify]";
/** No step takes longer, unless something hangs. */
const within = { timeout: 60_000 };

let desktop;
let stage;
let app;
/** The link of the consent. */
let link;

before(async () => {
  process.env.HEADROOM_VAULT = "file";
  desktop = await openDesktop();
  stage = await openStage();
  app = await openApp({ dataDir: stage.dataDir });
  await app.until("the gauges are there", "$('[role=meter]')");
});

afterEach(async (context) => {
  if (context.error) await app?.screenshot(`failed-${context.name.replaceAll(/\W+/g, "-")}`).catch(() => {});
});

after(async () => {
  await app?.close();
  await stage?.close();
  await desktop?.close();
});

/** What the system does with a link: starts the app once more, which hands it over and ends. */
function openLink(link) {
  const second = spawn(built("headroom"), ["--data-dir", stage.dataDir, link], { stdio: "ignore" });
  return new Promise((resolve) => second.once("close", resolve));
}

/** What the browser does: the consent page, and the link it sends the browser to. */
async function consent(url) {
  const answer = await fetch(url, { redirect: "manual" });
  return answer.headers.get("location");
}

test("a link that nobody asked for changes nothing", within, async () => {
  assert.equal(await openLink("headroom://callback?code=stolen&state=guessed"), 0);
  const { services } = await stage.command("connections");
  assert.deepEqual(services.find(({ service }) => service === "spotify").accounts, []);
  await app.until("the window says so", "$('.notices')?.innerText.includes('was not begun here')");
});

test("Connect, consent, and back: the account is shown and Spotify's gauge is live", within, async () => {
  await app.until("Spotify asks for a sign-in", `$('${SPOTIFY}')?.innerText.includes("Sign in")`);
  await stage.command("set_client_id", { service: "spotify", client_id: "test-client-id" });
  await app.read("location.hash = '#/settings/connections/spotify'");
  await app.until("its card is there", "$('[data-connection=spotify]')");

  // The window's own button opens a browser, which there is none of here: the command behind it, then.
  const { url } = await stage.command("begin_sign_in", { service: "spotify", via: "link" });
  link = await consent(url);
  assert.match(link, /^headroom:\/\/callback\?/);
  assert.equal(await openLink(link), 0, "the second instance hands over and ends");
  await until("the account is there", async () => {
    const { services } = await stage.command("connections");
    return services.find(({ service }) => service === "spotify").accounts[0]?.id === "listener";
  });
  await app.until("the window shows it", "$('[data-connection=spotify] [data-account=listener]')");
  await app.screenshot("signed-in");

  await app.read("location.hash = '#/'");
  await app.until("Spotify's gauge is live", `Number($('${SPOTIFY} [role=meter]')?.ariaValueNow) > 0`);
  assert.ok(!(await app.text(SPOTIFY)).includes("Sign in"));
});

test("a tool's call has the token, and a replayed link changes nothing", within, async () => {
  const beets = await stage.newTool("beets");
  const me = await beets("spotify", "/v1/me");
  assert.equal((await me.json()).id, "listener");
  const before = await stage.command("connections");
  assert.equal(await openLink(link), 0);
  const after = await stage.command("connections");
  const accounts = ({ services }) => services.find(({ service }) => service === "spotify").accounts;
  assert.deepEqual(accounts(after), accounts(before));
  assert.equal((await beets("spotify", "/v1/me")).status, 200);
});
