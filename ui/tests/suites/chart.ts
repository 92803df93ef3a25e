import { expect, test } from "vitest";
import type { Stage } from "../stage";

export function chartSuite(open: Stage["open"]): void {
  test("a minute at the limit touches the limit line", async () => {
    const page = await open("?fixture=calm&still#/service/spotify", {
      viewport: { width: 1600, height: 1000 },
    });
    await page.waitForSelector(".chart-limit");
    await page.waitForTimeout(300);
    // The invented day holds one minute with exactly as many calls as the budget allows, the 813th.
    const green = await page.evaluate(() => {
      const canvas = document.querySelector(".u-wrap canvas") as HTMLCanvasElement;
      const over = document.querySelector(".u-over") as HTMLElement;
      const label = document.querySelector(".chart-limit") as HTMLElement;
      const ratio = canvas.width / canvas.clientWidth;
      const y = (label.offsetTop + 3) * ratio;
      const x = (over.offsetLeft + (812 / (1439 * 1.004)) * over.clientWidth) * ratio;
      const { data } = (canvas.getContext("2d") as CanvasRenderingContext2D).getImageData(x - 3, y, 7, 3);
      let seen = false;
      for (let i = 0; i < data.length; i += 4)
        if ((data[i + 1] ?? 0) > 120 && (data[i + 1] ?? 0) > (data[i] ?? 0) + 40) seen = true;
      return seen;
    });
    expect(green).toBe(true);
    await page.context().close();
  });

  test("the cursor tells the values, by pointer and by keys", async () => {
    const page = await open("?fixture=calm&still#/service/spotify");
    await page.waitForSelector(".u-over");
    await page.hover(".u-over");
    await page.waitForSelector(".chart-tip");
    await page.mouse.move(0, 0);
    await page.focus(".chart-place");
    await page.keyboard.press("Home");
    for (let i = 0; i < 13; i++) await page.keyboard.press("PageDown");
    for (let i = 0; i < 3; i++) await page.keyboard.press("Shift+ArrowRight");
    for (let i = 0; i < 2; i++) await page.keyboard.press("ArrowRight");
    expect(await page.textContent(".chart-tip-title")).toMatch(/· 170 calls$/);
    expect(await page.textContent(".chart [aria-live]")).toMatch(/170 calls, search \d+/);
    await page.keyboard.press("Escape");
    expect(await page.locator(".chart-tip").count()).toBe(0);
    expect(await page.textContent("h1")).toBe("Spotify");
    await page.keyboard.press("Escape");
    await page.waitForSelector(".grid");
    await page.context().close();
  });

  test("the legend toggles lines by key", async () => {
    const page = await open("?fixture=calm&still#/service/spotify");
    await page.waitForSelector(".u-over");
    const picture = () =>
      page.evaluate(() => (document.querySelector(".u-wrap canvas") as HTMLCanvasElement).toDataURL());
    const before = await picture();
    await page.focus('.legend-item:has-text("search")');
    await page.keyboard.press("Space");
    await page.waitForTimeout(150);
    expect(await page.getAttribute('.legend-item:has-text("search")', "aria-pressed")).toBe("false");
    expect(await picture()).not.toBe(before);
    await page.keyboard.press("Space");
    await page.waitForTimeout(150);
    expect(await picture()).toBe(before);
    await page.context().close();
  });

  test("the table twin has the same numbers", async () => {
    const page = await open("?fixture=calm&still#/service/spotify");
    const total = (await page.textContent(".stats dd"))?.replaceAll(",", "");
    await page.click("text=Show as table");
    const cells = await page.locator("tbody td:nth-child(2)").allTextContents();
    const sum = cells.reduce((all, cell) => all + Number(cell.replaceAll(",", "")), 0);
    expect(String(sum)).toBe(total);
    await page.selectOption("select", { index: 3 });
    expect(await page.locator("tbody tr").count()).toBe(60);
    await page.context().close();
  });

  test("a day without calls says so instead of drawing it", async () => {
    const page = await open("?fixture=empty#/service/spotify");
    expect(await page.textContent(".history-empty")).toBe("No calls in this time.");
    expect(await page.locator(".u-wrap").count()).toBe(0);
    await page.context().close();
  });

  test("exports what it shows", async () => {
    const page = await open("?fixture=calm&still#/service/spotify");
    const [download] = await Promise.all([page.waitForEvent("download"), page.click("text=Export CSV")]);
    expect(download.suggestedFilename()).toMatch(/^spotify-\d{4}-\d\d-\d\d-minutes\.csv$/);
    await page.context().close();
  });

  test("weeks and months come from the hourly sums", async () => {
    const page = await open("?fixture=calm&still#/service/tidal");
    for (const range of ["7 days", "30 days", "13 months"]) {
      await page.click(`text=${range}`);
      await page.waitForFunction(() =>
        /busiest hour/.test(document.querySelector(".history-sum")?.textContent ?? ""),
      );
      expect(await page.locator(".legend-item").allTextContents()).toContain("Refused");
    }
    await page.context().close();
  });
}
