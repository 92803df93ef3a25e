import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { build, preview } from "vite";

/** The built window with its invented data, served on the loopback, and a browser to look at it. */
export type Stage = {
  open(address: string, options?: BrowserContextOptions): Promise<Page>;
  close(): Promise<void>;
};

const config = join(import.meta.dirname, "..", "vite.config.ts");
const places = [
  process.env.CHROMIUM,
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
  "C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe",
];
const quiet = [
  "--no-sandbox",
  "--disable-gpu",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

function findChromium(): string {
  const found = places.find((path) => path && existsSync(path));
  if (!found)
    throw new Error(
      "Chromium was not found. Install it (Debian: apt-get install chromium) or set CHROMIUM to its path.",
    );
  return found;
}

export async function openStage(): Promise<Stage> {
  const executablePath = findChromium();
  const outDir = await mkdtemp(join(tmpdir(), "headroom-ui-"));
  const before = process.env.NODE_ENV;
  // What is tested is what is shipped, but for the fixture: no development build.
  process.env.NODE_ENV = "production";
  await build({
    configFile: config,
    mode: "fixture",
    logLevel: "error",
    build: { outDir, emptyOutDir: true },
  });
  process.env.NODE_ENV = before;
  const server = await preview({
    configFile: config,
    logLevel: "error",
    build: { outDir },
    preview: { port: 0, host: "127.0.0.1" },
  });
  const origin = server.resolvedUrls?.local[0] ?? "";
  const browser: Browser = await chromium.launch({ executablePath, args: quiet });
  return {
    async open(address, options = {}) {
      const context = await browser.newContext({
        locale: "en-GB",
        viewport: { width: 1280, height: 860 },
        ...options,
      });
      context.setDefaultTimeout(8_000);
      const page = await context.newPage();
      await page.goto(origin + address);
      await page.waitForSelector("h1, .loading");
      return page;
    },
    async close() {
      await browser.close();
      await new Promise((done) => server.httpServer.close(done));
      await rm(outDir, { recursive: true, force: true });
    },
  };
}

/** Counts every clearing of a canvas, which is how each paint begins, and every frame that is asked for. */
export async function countPaints(page: Page): Promise<() => Promise<{ paints: number; frames: number }>> {
  await page.evaluate(() => {
    const counts = { paints: 0, frames: 0 };
    Object.assign(window, { counts });
    const { clearRect } = CanvasRenderingContext2D.prototype;
    CanvasRenderingContext2D.prototype.clearRect = function (...box) {
      counts.paints += 1;
      return clearRect.apply(this, box);
    };
    const request = window.requestAnimationFrame.bind(window);
    window.requestAnimationFrame = (frame) => {
      counts.frames += 1;
      return request(frame);
    };
  });
  return () =>
    page.evaluate(() => ({
      ...(window as unknown as { counts: { paints: number; frames: number } }).counts,
    }));
}

/** Clicks where something is seen, whatever lies over it: as a hand does. */
export async function clickOn(page: Page, selector: string): Promise<void> {
  await page.locator(selector).scrollIntoViewIfNeeded();
  const box = await page.locator(selector).boundingBox();
  if (!box) throw new Error(`${selector} is not to be seen`);
  await page.mouse.click(box.x + box.width / 2, box.y + box.height / 2);
}
