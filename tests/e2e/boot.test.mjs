import assert from "node:assert/strict";
import { journey, until } from "./driver.mjs";

journey("the app opens its window and shows the UI", async ({ page, screenshot }) => {
  const children = () => page.executeScript("return document.querySelector('#root')?.childElementCount ?? 0");
  await until("the UI has filled #root", async () => (await children()) > 0);
  assert.equal(await page.getTitle(), "Headroom");
  await screenshot("boot");
});
