import { expect, test } from "vitest";
import type { Stage } from "../stage";

const columns = () =>
  getComputedStyle(document.querySelector(".grid") as Element).gridTemplateColumns.split(" ").length;
const overflow = () => {
  const main = document.querySelector("main") as HTMLElement;
  return Math.max(main.scrollWidth - main.clientWidth, document.documentElement.scrollWidth - innerWidth);
};

export function layoutSuite(open: Stage["open"]): void {
  for (const [width, expected] of [
    [720, 2],
    [1000, 3],
    [1280, 3],
    [1600, 5],
    [2560, 5],
  ] as const)
    test(`at ${width} px: ${expected} columns, and nothing sticks out on any page`, async () => {
      const page = await open("?fixture=long-names&still", { viewport: { width, height: 900 } });
      expect(await page.evaluate(columns)).toBe(expected);
      for (const hash of [
        "#/",
        "#/service/spotify",
        "#/lookup",
        "#/settings/limits/spotify",
        "#/settings/connections",
        "#/cache",
        "#/settings/cache",
        "#/settings/gateway",
      ]) {
        await page.evaluate((to) => {
          location.hash = to;
        }, hash);
        await page.waitForSelector("h1");
        await page.waitForTimeout(120);
        expect(await page.evaluate(overflow), hash).toBeLessThanOrEqual(0);
      }
      await page.context().close();
    });

  for (const width of [720, 1280])
    test(`at ${width} px: a ban does not move the grid`, async () => {
      const tops: number[] = [];
      for (const scene of ["calm", "meters"]) {
        const page = await open(`?fixture=${scene}&still`, { viewport: { width, height: 900 } });
        tops.push((await page.locator(".grid").boundingBox())?.y ?? 0);
        await page.context().close();
      }
      expect(tops[1]).toBe(tops[0]);
    });

  for (const width of [720, 1280])
    test(`at ${width} px: the preview's gauge lies in its card, and the editor on the first screen`, async () => {
      const page = await open("?fixture=calm&still#/settings/limits/deezer", {
        viewport: { width, height: 900 },
      });
      await page.waitForSelector(".limits-preview .gauge");
      const box = (selector: string) =>
        page.evaluate(
          (s) => (document.querySelector(s) as Element).getBoundingClientRect().toJSON(),
          selector,
        );
      const [card, gauge] = [await box(".limits-editor"), await box(".limits-preview .gauge")];
      expect(gauge.right).toBeLessThanOrEqual(card.right);
      expect(gauge.bottom).toBeLessThanOrEqual(card.bottom);
      expect(card.top).toBeLessThan(450);
      await page.context().close();
    });

  test("the columns turn at 720 and 1,280 px of content", async () => {
    const page = await open("?fixture=calm&still");
    const at = (width: number) =>
      page.evaluate((w) => {
        (document.querySelector(".content") as HTMLElement).style.width = `${w}px`;
        return getComputedStyle(document.querySelector(".grid") as Element).gridTemplateColumns.split(" ")
          .length;
      }, width);
    expect([await at(719), await at(720), await at(1279), await at(1280)]).toEqual([2, 3, 3, 5]);
    await page.context().close();
  });

  test("canvases are as sharp as the screen, also after it changes", async () => {
    const page = await open("?fixture=calm&still", { deviceScaleFactor: 2 });
    await page.waitForTimeout(200);
    const ratios = () =>
      [...document.querySelectorAll("canvas")].map(
        (canvas) => canvas.width / canvas.getBoundingClientRect().width,
      );
    for (const ratio of await page.evaluate(ratios)) expect(ratio).toBeCloseTo(2, 1);
    const cdp = await page.context().newCDPSession(page);
    await cdp.send("Emulation.setDeviceMetricsOverride", {
      // Chromium tells of an emulated ratio only if the size changes with it.
      width: 1281,
      height: 860,
      deviceScaleFactor: 1.5,
      mobile: false,
    });
    await page.waitForTimeout(300);
    for (const ratio of await page.evaluate(ratios)) expect(ratio).toBeCloseTo(1.5, 1);
    await page.context().close();
  });
}
