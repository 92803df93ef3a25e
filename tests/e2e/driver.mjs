// Drives the real app: its own window, through tauri-driver and WebKit's driver.
import { spawn } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { Builder, By, Capabilities } from "selenium-webdriver";
import { built, find, root } from "../../scripts/run.mjs";
import { until } from "./until.mjs";

/**
 * Starts the app and waits for its window. Close it in the end, or the app and its driver stay.
 *
 * @param {object} options
 * @param {string} options.dataDir
 * @param {Record<string, string>} [options.env]  more environment, such as `GDK_SCALE`
 * @param {string} [options.profile]  which build
 */
export async function openApp({ dataDir, env = {}, profile = "debug" }) {
  const [port, nativePort] = await freePorts(2);
  const program = find("tauri-driver") ?? "tauri-driver";
  const driver = spawn(program, ["--port", `${port}`, "--native-port", `${nativePort}`], {
    stdio: ["ignore", "inherit", "inherit"],
    env: { ...process.env, ...env },
  });
  const ended = new Promise((resolve) => driver.once("close", resolve));
  const stopDriver = async () => {
    driver.kill();
    await ended;
  };
  try {
    // WebKit's first: tauri-driver, asked too early, prints a stack trace.
    await answers(nativePort);
    await answers(port);
    const capabilities = new Capabilities();
    capabilities.setBrowserName("wry");
    capabilities.set("tauri:options", {
      application: built("headroom", profile),
      args: ["--data-dir", dataDir],
    });
    const page = await new Builder()
      .withCapabilities(capabilities)
      .usingServer(`http://127.0.0.1:${port}`)
      .build();
    return new App(page, stopDriver);
  } catch (error) {
    await stopDriver();
    throw error;
  }
}

class App {
  #stopDriver;

  constructor(page, stopDriver) {
    /** The window, as a selenium `WebDriver`. */
    this.page = page;
    this.#stopDriver = stopDriver;
  }

  /** The one element of this selector. */
  find(selector) {
    return this.page.findElement(By.css(selector));
  }

  /** What an expression is worth in the window; `$` finds an element. */
  read(expression) {
    return this.page.executeScript(`const $ = (s) => document.querySelector(s); return ${expression};`);
  }

  /** The text of an element, empty while it is not there. */
  text(selector) {
    return this.read(`$(${JSON.stringify(selector)})?.innerText ?? ""`);
  }

  /** Waits until the expression is true in the window, and hands back its worth. */
  until(what, expression, milliseconds) {
    return until(what, () => this.read(expression), milliseconds);
  }

  /** Keeps a picture of the window as `artifacts/{name}.png`. */
  async screenshot(name) {
    const folder = join(root, "artifacts");
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, `${name}.png`), await this.page.takeScreenshot(), "base64");
  }

  /** Ends the session, and with it the app if it still runs. */
  async close() {
    await this.page.quit().catch(() => {});
    await this.#stopDriver();
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
