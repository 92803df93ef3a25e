import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import { countPaints, type Stage } from "../stage";

/** A new minute moves the bars of the last hour, so it must not begin while stillness is measured. */
const withinAMinute = (page: Page) => page.waitForFunction(() => Date.now() % 60_000 < 55_000);

export function stillSuite(open: Stage["open"]): void {
  test("idle means still: no paint and no frame", async () => {
    const page = await open("?fixture=calm&still");
    await page.waitForTimeout(1_000);
    await withinAMinute(page);
    const read = await countPaints(page);
    await page.waitForTimeout(1_500);
    expect(await read()).toEqual({ paints: 0, frames: 0 });
    await page.context().close();
  });

  test("a countdown moves its own arc only", async () => {
    const page = await open("?fixture=meters&still");
    await page.waitForTimeout(1_000);
    await withinAMinute(page);
    const read = await countPaints(page);
    const others = await page.evaluate(() => {
      const before = new Map<Element, string>();
      const cards = [...document.querySelectorAll<HTMLElement>('.card:not([data-service="deezer"])')];
      for (const card of cards) before.set(card, card.querySelector("canvas")?.toDataURL() ?? "");
      Object.assign(window, { before });
      return cards.length;
    });
    await page.waitForTimeout(2_200);
    const changed = await page.evaluate(() => {
      const { before } = window as unknown as { before: Map<Element, string> };
      return [...before].filter(([card, url]) => card.querySelector("canvas")?.toDataURL() !== url).length;
    });
    expect([others, changed]).toEqual([11, 0]);
    expect((await read()).paints).toBeGreaterThan(0);
    await page.context().close();
  });

  test("reduced motion: one paint a change instead of an ease", async () => {
    const page = await open("?fixture=calm&still#/lookup", { reducedMotion: "reduce" });
    await page.waitForTimeout(400);
    await withinAMinute(page);
    const read = await countPaints(page);
    await page.fill(".input-large", "Daft Punk");
    await page.keyboard.press("Enter");
    await page.waitForSelector(".found");
    await page.waitForTimeout(700);
    expect((await read()).paints).toBeLessThanOrEqual(3);
    await page.context().close();
  });

  test("while values ease every frame is used, and then it ends", async () => {
    const page = await open("?fixture=calm&still#/lookup");
    await page.waitForTimeout(900);
    await withinAMinute(page);
    const read = await countPaints(page);
    await page.fill(".input-large", "Daft Punk");
    await page.keyboard.press("Enter");
    await page.waitForSelector(".found");
    await page.waitForTimeout(900);
    const eased = await read();
    await page.waitForTimeout(500);
    expect(eased.paints).toBeGreaterThan(3);
    expect(await read()).toEqual(eased);
    await page.context().close();
  });
}
