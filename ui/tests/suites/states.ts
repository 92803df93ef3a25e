import { expect, test } from "vitest";
import type { Stage } from "../stage";

export function statesSuite(open: Stage["open"]): void {
  for (const [scene, sentence] of [
    ["calm", /^All clear$/],
    ["meters", /^Deezer is banned for \d min( \d+ s)?$/],
    ["banned", /^Deezer and Spotify are banned$/],
    ["quota", /^Spotify's quota is spent$/],
    ["cooldown", /^Deezer is cooling down for 24 min/],
    ["busy", /^\d services are near their limits$/],
    ["empty", /^All clear$/],
    ["unreachable", /^Headroom's engine does not answer$/],
    ["failing", /^The engine has stopped$/],
    ["taken", /^Headroom already runs elsewhere$/],
  ] as const)
    test(`${scene}: the headline says it`, async () => {
      const page = await open(`?fixture=${scene}&still`);
      expect(await page.textContent("h1")).toMatch(sentence);
      await page.context().close();
    });

  test("loading shows the shape of the page and says that it is busy", async () => {
    const page = await open("?fixture=loading");
    expect(await page.getAttribute(".loading", "aria-busy")).toBe("true");
    await page.context().close();
  });

  test("a first start shows where to begin", async () => {
    const page = await open("?fixture=empty");
    await page.getByRole("link", { name: "Look up a track" }).click();
    await page.waitForSelector(".lookup-form");
    await page.context().close();
  });

  test("cut off, the old numbers never say that all is clear", async () => {
    const page = await open("?fixture=offline&still");
    await page.waitForSelector(".notice-danger");
    expect(await page.textContent("h1")).toBe("Headroom's engine does not answer");
    expect(await page.locator(".card").count()).toBe(12);
    await page.context().close();
  });

  test("an engine that runs elsewhere: its own words, none of calls that are not made, and one can go on here", async () => {
    for (const button of ["Try again", "Stop it and go on here"]) {
      const page = await open("?fixture=taken&still");
      expect(await page.textContent(".cause")).toMatch(
        /^Headroom \(headroomctl serve, pid 1234\) already runs on /,
      );
      expect(await page.textContent("main")).not.toContain("No calls are made");
      await page.getByRole("button", { name: button }).click();
      await page.waitForSelector(".grid .card");
      await page.context().close();
    }
  });

  test("a banned gauge says kind, countdown and end, and is a meter to a screen reader", async () => {
    const page = await open("?fixture=meters&still");
    const card = page.locator('[data-service="deezer"]');
    expect(await card.locator(".badge").textContent()).toMatch(/^Rate ban [23]:\d\d$/);
    expect(await card.locator(".gauge-ends").count()).toBe(0);
    expect(await card.locator(".card-words").textContent()).toMatch(/^banned · back at \d\d:\d\d$/);
    const meter = card.locator('[role="meter"]');
    expect(await meter.getAttribute("aria-valuetext")).toMatch(/^Banned, too many calls, back at /);
    expect(await meter.getAttribute("aria-valuemax")).toBe("540");
    expect(await page.textContent('[data-live="bans"]')).toMatch(/^Deezer is banned, back at /);
    await page.context().close();
  });

  test("the countdown counts", async () => {
    const page = await open("?fixture=meters&still");
    const before = await page.textContent("h1");
    await page.waitForFunction((old) => document.querySelector("h1")?.textContent !== old, before, {
      timeout: 2_500,
    });
    await page.context().close();
  });

  test("the theme follows the system until it is chosen, and the choice stays", async () => {
    const page = await open("?fixture=calm&still#/settings/appearance", { colorScheme: "light" });
    const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    expect(await ground()).toBe("rgb(243, 244, 246)");
    await page.emulateMedia({ colorScheme: "dark" });
    expect(await ground()).toBe("rgb(13, 15, 18)");
    await page.click("text=Light");
    expect(await ground()).toBe("rgb(243, 244, 246)");
    await page.reload();
    await page.waitForSelector("h1");
    expect(await ground()).toBe("rgb(243, 244, 246)");
    await page.context().close();
  });
}
