import { createRequire } from "node:module";
import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import { clickOn, type Stage } from "../stage";

const axe = createRequire(import.meta.url).resolve("axe-core/axe.min.js");

type Finding = { id: string; impact: string | null; nodes: { html: string }[] };

async function grave(page: Page): Promise<string[]> {
  await page.addScriptTag({ path: axe });
  const found = await page.evaluate(async () => {
    const { axe } = window as unknown as { axe: { run(): Promise<{ violations: Finding[] }> } };
    return (await axe.run()).violations;
  });
  return found
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join(" | ")}`);
}

export function accessSuite(open: Stage["open"]): void {
  for (const colorScheme of ["dark", "light"] as const)
    for (const address of [
      "?fixture=meters&still",
      "?fixture=busy&still",
      "?fixture=banned&still#/service/spotify",
      "?fixture=empty#/lookup",
      "?fixture=calm&still#/settings/limits/deezer",
      "?fixture=calm&still#/settings/connections",
      "?fixture=empty#/settings/connections",
      "?fixture=ended&still#/settings/connections",
      "?fixture=locked&still#/settings/connections",
      "?fixture=calm&still#/settings/appearance",
      "?fixture=calm&still#/cache",
      "?fixture=empty#/cache",
      "?fixture=forgetting&still#/cache",
      "?fixture=memory-only&still#/cache",
      "?fixture=shared&still#/settings/cache",
      "?fixture=calm&still#/settings/gateway",
      "?fixture=banned&still#/settings/gateway",
      "?fixture=failing",
    ])
      test(`axe finds nothing serious: ${address}, ${colorScheme}`, async () => {
        const page = await open(address, { colorScheme });
        await page.waitForTimeout(300);
        expect(await grave(page)).toEqual([]);
        await page.context().close();
      });

  test("axe finds nothing serious while a sign-in waits, and in the question before signing out", async () => {
    const page = await open("?fixture=calm&still&desktop&consent=never#/settings/connections");
    await page.click("text=Add an account");
    await page.waitForSelector(".connect-waiting");
    await page.click(".guide summary");
    await page.click('[aria-label^="Replace: Client id"]');
    expect(await grave(page)).toEqual([]);
    await page.click('[aria-label="Sign out Anna Morgen"]');
    expect(await grave(page)).toEqual([]);
    await page.context().close();
  });

  for (const colorScheme of ["dark", "light"] as const)
    test(`axe finds nothing serious with Undo open, a policy unfolded and a key just made, ${colorScheme}`, async () => {
      const page = await open("?fixture=meters&still#/cache", { colorScheme });
      await page.click('[aria-label="Forget all answers of Deezer"]');
      await page.waitForSelector('.undo-bar[data-open="true"]');
      await page.click('[data-policy="spotify"] summary');
      expect(await grave(page)).toEqual([]);
      await page.click("text=Forget everything");
      expect(await grave(page)).toEqual([]);
      await page.keyboard.press("Escape");
      await page.evaluate(() => {
        location.hash = "#/settings/gateway";
      });
      await page.click("text=Add a key");
      await page.click("text=Some");
      expect(await grave(page)).toEqual([]);
      await page.getByLabel("Name of the tool").fill("script");
      await page.click("text=Every service");
      await page.click("text=Make the key");
      await page.waitForSelector(".fresh-key");
      expect(await grave(page)).toEqual([]);
      await page.evaluate(() => {
        location.hash = "#/lookup";
      });
      await page.fill(".input-large", "get lucky");
      await page.keyboard.press("Enter");
      await page.waitForSelector(".lookup-stale");
      expect(await grave(page)).toEqual([]);
      await page.context().close();
    });

  test("axe finds nothing serious in the table twin and while arranging", async () => {
    const page = await open("?fixture=calm&still");
    await page.click("text=Arrange");
    expect(await grave(page)).toEqual([]);
    await page.click("text=Done");
    await clickOn(page, '[data-service="spotify"] .gauge');
    await page.click("text=Show as table");
    expect(await grave(page)).toEqual([]);
    await page.context().close();
  });
}
