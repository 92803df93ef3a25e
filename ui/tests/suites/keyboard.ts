import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import { clickOn, type Stage } from "../stage";

const focused = (page: Page) => page.evaluate(() => document.activeElement?.textContent ?? "");
const title = (page: Page) => page.textContent("h1");
const names = (page: Page) => page.locator(".card-open").allTextContents();

export function keyboardSuite(open: Stage["open"]): void {
  test("Tab reaches a card, Enter and Space open it, Escape brings the focus back", async () => {
    const page = await open("?fixture=calm&still");
    const first = (await names(page))[0] ?? "";
    for (let i = 0; i < 12 && (await focused(page)) !== first; i++) await page.keyboard.press("Tab");
    expect(await focused(page)).toBe(first);
    for (const key of ["Enter", "Space"]) {
      await page.keyboard.press(key);
      await page.waitForSelector(".crumbs");
      expect(await title(page)).toBe(first);
      await page.keyboard.press("Escape");
      await page.waitForSelector(".grid");
      expect(await focused(page)).toBe(first);
    }
    await page.context().close();
  });

  test("a click opens a card, the breadcrumb goes back", async () => {
    const page = await open("?fixture=calm&still");
    await clickOn(page, '[data-service="deezer"] .gauge');
    await page.waitForSelector(".crumbs");
    expect(await title(page)).toBe("Deezer");
    await page.click(".crumbs a");
    await page.waitForSelector(".grid");
    expect(await focused(page)).toBe("Deezer");
    await page.context().close();
  });

  test("arrow keys walk the grid", async () => {
    const page = await open("?fixture=calm&still");
    const all = await names(page);
    await page.focus(".card-open");
    await page.keyboard.press("ArrowRight");
    expect(await focused(page)).toBe(all[1]);
    await page.keyboard.press("ArrowDown");
    expect(await focused(page)).toBe(all[4]);
    await page.keyboard.press("ArrowUp");
    await page.keyboard.press("ArrowLeft");
    expect(await focused(page)).toBe(all[0]);
    await page.context().close();
  });

  test("arranged by keys, by dragging and by hiding; kept over a reload", async () => {
    const page = await open("?fixture=calm&still");
    const before = await names(page);
    await page.click("text=Arrange");
    await page.focus(".grip");
    await page.keyboard.press("ArrowRight");
    const swapped = await names(page);
    expect(swapped.slice(0, 2)).toEqual([before[1], before[0]]);
    const to = await page.locator(".card").nth(2).boundingBox();
    await page.locator(".grip").first().hover();
    await page.mouse.down();
    await page.mouse.move((to?.x ?? 0) + 60, (to?.y ?? 0) + 90, { steps: 4 });
    await page.mouse.up();
    expect((await names(page))[2]).toBe(swapped[0]);
    await page.click('[aria-label="Hide Qobuz"]');
    const arranged = await names(page);
    expect(arranged).toHaveLength(11);
    await page.reload();
    await page.waitForSelector(".card");
    expect(await names(page)).toEqual(arranged);
    await page.context().close();
  });

  test("the focus is always to be seen", async () => {
    const page = await open("?fixture=calm&still");
    for (let i = 0; i < 10; i++) {
      await page.keyboard.press("Tab");
      const seen = await page.evaluate(() => {
        const element = document.activeElement as HTMLElement;
        const drawn = [element, element.closest(".card")].filter(Boolean) as HTMLElement[];
        return drawn.some((each) => getComputedStyle(each).outlineStyle !== "none");
      });
      expect(seen, `stop ${i + 1}`).toBe(true);
    }
    await page.context().close();
  });
}
