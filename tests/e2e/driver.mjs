// Drives the real app: its own window, through tauri-driver and WebKit's driver.
import { spawn } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Builder, Capabilities } from "selenium-webdriver";
import { built, find, root } from "../../scripts/run.mjs";

/** No journey takes longer, unless something hangs. */
const JOURNEY_MS = 90_000;

/**
 * One journey: a test with the app open, whose last sight is kept when it fails.
 *
 * @param {string} name  what the user sees happen
 * @param {(app: Awaited<ReturnType<typeof openApp>>) => Promise<void>} steps
 * @param {Parameters<typeof openApp>[0]} [options]
 */
export function journey(name, steps, options) {
  test(name, { timeout: JOURNEY_MS }, async () => {
    const app = await openApp(options);
    try {
      await steps(app);
    } catch (error) {
      await app.screenshot(`failed-${name.replaceAll(/\W+/g, "-")}`).catch(() => {});
      throw error;
    } finally {
      await app.close();
    }
  });
}

/**
 * Starts the app and waits for its window. Close it in the end, or the app and its driver stay.
 *
 * @param {object} [options]
 * @param {string[]} [options.args]  arguments of the app
 * @param {Record<string, string>} [options.env]  more environment, such as `GDK_SCALE`
 */
export async function openApp({ args = [], env = {} } = {}) {
  const [port, nativePort] = await freePorts(2);
  const program = find("tauri-driver") ?? "tauri-driver";
  const process_ = spawn(program, ["--port", `${port}`, "--native-port", `${nativePort}`], {
    stdio: ["ignore", "inherit", "inherit"],
    env: { ...process.env, ...env },
  });
  const ended = new Promise((resolve) => process_.once("close", resolve));
  const stopDriver = async () => {
    process_.kill();
    await ended;
  };
  try {
    // WebKit's first: tauri-driver, asked too early, prints a stack trace.
    await answers(nativePort);
    await answers(port);
    const capabilities = new Capabilities();
    capabilities.setBrowserName("wry");
    capabilities.set("tauri:options", { application: built("headroom"), args });
    const page = await new Builder()
      .withCapabilities(capabilities)
      .usingServer(`http://127.0.0.1:${port}`)
      .build();
    return {
      /** The window, as a selenium `WebDriver`. */
      page,
      /** Keeps a picture of the window as `artifacts/{name}.png`. */
      async screenshot(name) {
        const folder = join(root, "artifacts");
        mkdirSync(folder, { recursive: true });
        writeFileSync(join(folder, `${name}.png`), await page.takeScreenshot(), "base64");
      },
      async close() {
        await page.quit();
        await stopDriver();
      },
    };
  } catch (error) {
    await stopDriver();
    throw error;
  }
}

/** Waits until `check` answers something true, and hands it back. */
export async function until(what, check, milliseconds = 10_000) {
  const end = Date.now() + milliseconds;
  for (;;) {
    const answer = await check();
    if (answer) return answer;
    if (Date.now() > end) throw new Error(`waited ${milliseconds} ms in vain until ${what}`);
    await sleep(50);
  }
}

/** Resolves when a WebDriver answers on the port. */
async function answers(port) {
  const asked = () =>
    fetch(`http://127.0.0.1:${port}/status`).then(
      () => true,
      () => false,
    );
  await until(`a driver answers on port ${port}`, asked);
}

/** Held open together, so that no two are the same. */
async function freePorts(count) {
  const servers = await Promise.all(
    Array.from(
      { length: count },
      () =>
        new Promise((resolve) => {
          const server = createServer().listen(0, "127.0.0.1", () => resolve(server));
        }),
    ),
  );
  const ports = servers.map((server) => server.address().port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}
