import { expect, test } from "vitest";
import type { Stage } from "../stage";

export function pagesSuite(open: Stage["open"]): void {
  test("a look-up moves the meter; asked again it costs nothing", async () => {
    const page = await open("?fixture=empty#/lookup");
    const number = () => page.textContent(".lookup-meter .gauge-number");
    expect(await number()).toBe("0");
    await page.fill(".input-large", "Daft Punk Get Lucky");
    await page.keyboard.press("Enter");
    await page.waitForSelector(".found");
    expect(await page.textContent(".lookup-answer > p")).toMatch(/One call was made\.$/);
    await page.waitForFunction(
      () => document.querySelector(".lookup-meter .gauge-number")?.textContent === "1",
    );
    await page.keyboard.press("Enter");
    await page.waitForFunction(() =>
      /No call was made/.test(document.querySelector(".lookup-answer")?.textContent ?? ""),
    );
    expect(await number()).toBe("1");
    await page.context().close();
  });

  test("a banned service answers with the time it is back", async () => {
    const page = await open("?fixture=meters&still#/lookup");
    await page.fill(".input-large", "Daft Punk");
    await page.keyboard.press("Enter");
    await page.waitForSelector(".lookup-failed");
    expect(await page.textContent(".lookup-failed")).toMatch(/^Deezer is banned\. Back at \d\d:\d\d\.$/);
    await page.context().close();
  });

  test("limits: the gauge's end follows the typing, a bad field is marked, saving holds", async () => {
    const page = await open("?fixture=calm&still#/settings/limits/deezer");
    const end = () => page.textContent(".limits-preview .gauge-number");
    expect(await end()).toBe("540");
    await page.fill('[aria-label="Window 1, calls"]', "20");
    await page.waitForFunction(
      () => document.querySelector(".limits-preview .gauge-number")?.textContent === "240",
    );
    await page.fill('[aria-label="Window 1, calls"]', "");
    await page.waitForSelector('[aria-label="Window 1, calls"][aria-invalid="true"]');
    expect(await page.isDisabled("text=Save")).toBe(true);
    await page.click("text=Careful");
    await page.waitForFunction(
      () => document.querySelector(".limits-preview .gauge-number")?.textContent === "30",
    );
    await page.click("text=Save");
    await page.waitForFunction(
      () => document.querySelector('.limits-item[aria-current="true"] .dim')?.textContent === "30/min",
    );
    await page.click("text=Default");
    await page.click("text=Save");
    await page.waitForFunction(
      () => document.querySelector('.limits-item[aria-current="true"] .dim')?.textContent === "540/min",
    );
    await page.context().close();
  });

  test("pausing says so in the headline and is undone by the same button", async () => {
    const page = await open("?fixture=calm&still");
    await page.click("text=Pause calls");
    await page.waitForFunction(() => document.querySelector("h1")?.textContent === "Calls are paused");
    await page.click("text=Resume calls");
    await page.waitForFunction(() => document.querySelector("h1")?.textContent === "All clear");
    await page.context().close();
  });

  test("the debug info goes to the clipboard", async () => {
    const page = await open("?fixture=calm&still", { permissions: ["clipboard-read", "clipboard-write"] });
    await page.click("text=Copy debug info");
    await page.waitForSelector(".toast");
    expect(await page.evaluate(() => navigator.clipboard.readText())).toMatch(/^Headroom /);
    await page.context().close();
  });
}
