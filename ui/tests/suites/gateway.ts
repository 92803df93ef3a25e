import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import type { Stage } from "../stage";

const address = "?fixture=calm&still#/settings/gateway";
const clipboard = { permissions: ["clipboard-read", "clipboard-write"] };
const copied = (page: Page) => page.evaluate(() => navigator.clipboard.readText());
const recipe = (page: Page) => page.textContent(".recipe pre");
const focused = (page: Page) =>
  page.evaluate(() => {
    const element = document.activeElement;
    return element?.getAttribute("aria-label") ?? element?.textContent ?? "";
  });

export function gatewaySuite(open: Stage["open"]): void {
  test("the address goes to the clipboard; off, tools are refused and there is none", async () => {
    const page = await open(address, clipboard);
    await page.click('[aria-label="Copy the address"]');
    await page.waitForSelector(".toast");
    expect(await copied(page)).toBe("http://127.0.0.1:8765");
    await page.focus('[role="switch"]');
    await page.keyboard.press("Space");
    await page.waitForSelector("text=Switched off: tools are refused.");
    expect(await page.locator('[aria-label="Copy the address"]').count()).toBe(0);
    await page.keyboard.press("Space");
    await page.waitForSelector('[aria-label="Copy the address"]');
    await page.context().close();
  });

  test("a port that another program has is said", async () => {
    const page = await open("?fixture=banned&still#/settings/gateway");
    await page.waitForSelector(".settings-card .notice");
    expect(await page.textContent(".settings-card .notice")).toMatch(/^Not listening/);
    await page.context().close();
  });

  test("a port is checked, and a new one holds from the next start", async () => {
    const page = await open(address);
    const port = page.getByLabel("Port", { exact: true });
    await port.fill("70000");
    expect(await port.getAttribute("aria-invalid")).toBe("true");
    expect(await page.isDisabled("text=Save")).toBe(true);
    await port.fill("9000");
    await page.click("text=Save");
    await page.waitForSelector("text=Port 9000 holds from the next start.");
    expect(await recipe(page)).toContain("http://127.0.0.1:8765/");
    await page.context().close();
  });

  test("a key is made, shown once, put into the recipes, copied, and gone when done", async () => {
    const page = await open(address, clipboard);
    expect(await recipe(page)).toContain("Bearer YOUR_KEY");
    await page.click("text=Add a key");
    expect(await page.evaluate(() => document.activeElement?.closest(".new-key") !== null)).toBe(true);
    await page.keyboard.press("Enter");
    expect(await page.textContent(".new-key .problem")).toBe("Give it a name first.");
    await page.getByLabel("Name of the tool").fill("my script");
    await page.getByLabel("Largest part of a budget").fill("30");
    await page.click("text=Some");
    await page.click("text=Make the key");
    await page.waitForSelector("text=Choose at least one service.");
    await page.click('.choices label:has-text("MusicBrainz")');
    await page.click("text=Make the key");
    await page.waitForSelector(".fresh-key");
    const key = (await page.textContent(".fresh-key code")) ?? "";
    expect(key).toMatch(/^hr_/);
    expect(await page.locator('.keys [data-name="my script"] td').allTextContents()).toEqual([
      "MusicBrainz",
      expect.stringMatching(/^30\s?%$/),
      "never",
      "0",
      "0",
      "Revoke",
    ]);
    await page.click('[aria-label="Copy the key"]');
    await page.waitForSelector("text=Key copied");
    expect(await copied(page)).toBe(key);
    await page.click('.segments label:has-text("spotipy")');
    expect(await recipe(page)).toContain(`auth="${key}"`);
    await page.click('[aria-label="Copy the recipe for spotipy"]');
    await page.waitForFunction(async () => (await navigator.clipboard.readText()).includes("import spotipy"));
    expect(await copied(page)).toContain(key);
    await page.click("text=Done");
    expect(await page.evaluate(() => document.documentElement.outerHTML)).not.toContain(key);
    expect(await recipe(page)).toContain('auth="YOUR_KEY"');
    await page.context().close();
  });

  test("a name that is taken is refused in the engine's words", async () => {
    const page = await open(address);
    await page.click("text=Add a key");
    await page.getByLabel("Name of the tool").fill("beets");
    await page.keyboard.press("Enter");
    await page.waitForSelector('text=There is a key named "beets" already');
    expect(await page.locator(".fresh-key").count()).toBe(0);
    await page.context().close();
  });

  test("revoking asks first", async () => {
    const page = await open(address);
    await page.focus('[aria-label="Revoke the key of beets"]');
    await page.keyboard.press("Enter");
    await page.waitForSelector("dialog[open]");
    await page.keyboard.press("Escape");
    expect(await focused(page)).toBe("Revoke the key of beets");
    await page.keyboard.press("Enter");
    await page.click("dialog .button-danger");
    await page.waitForFunction(() => document.querySelectorAll(".keys tbody tr").length === 2);
    expect(await focused(page)).toBe("Add a key");
    await page.context().close();
  });

  test("without keys it says what they are for", async () => {
    const page = await open("?fixture=empty#/settings/gateway");
    await page.waitForSelector("text=No tool has a key yet.");
    await page.context().close();
  });
}
