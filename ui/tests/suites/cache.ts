import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import type { Stage } from "../stage";

const address = "?fixture=calm&still#/cache";
const rows = (page: Page) => page.locator(".entry-question").allTextContents();
const bar = (page: Page) => page.textContent('.undo-bar [role="status"]');
const focused = (page: Page) =>
  page.evaluate(() => {
    const element = document.activeElement;
    return element?.getAttribute("aria-label") ?? element?.textContent ?? "";
  });
const kept = (page: Page, id: string) =>
  page.textContent(`.cache-services [data-service="${id}"] td:nth-child(2) .cache-figure`);
const waitForBar = (page: Page, words: RegExp) =>
  page.waitForFunction(
    (source) =>
      new RegExp(source).test(document.querySelector('.undo-bar [role="status"]')?.textContent ?? ""),
    words.source,
  );

export function cacheSuite(open: Stage["open"]): void {
  test("the headline says what it saves; every service in use has its bars", async () => {
    const page = await open("?fixture=calm&still");
    await page.click('.nav-item[aria-label="Cache"]');
    await page.waitForSelector(".cache-services");
    expect(await page.textContent("h1")).toMatch(/^[\d,]+ calls saved in 24 h$/);
    expect(await page.title()).toBe("Cache · Headroom");
    expect(await page.locator(".cache-services tbody tr").count()).toBe(9);
    expect(await page.textContent(".cache-services .cache-foot")).toBe(
      "Nothing kept and nothing asked: TheAudioDB, Tidal and Qobuz.",
    );
    expect(await page.locator(".stats dt").allTextContents()).toEqual([
      "from the cache",
      "answers kept",
      "on disk",
      "compressed",
    ]);
    await page.context().close();
  });

  test("empty, it says what to do next", async () => {
    const page = await open("?fixture=empty#/cache");
    await page.waitForSelector(".cache-empty");
    expect(await page.textContent("h1")).toBe("Nothing is kept yet");
    await page.getByRole("link", { name: "Look up a track" }).click();
    await page.waitForSelector(".lookup-form");
    await page.context().close();
  });

  test("in memory only, it says why and names no file; a shared tier that is gone is said, too", async () => {
    const memory = await open("?fixture=memory-only&still#/cache");
    await memory.waitForSelector(".cache .notice");
    expect(await memory.textContent(".cache .notice")).toMatch(
      /^Cache\.db could not .* again after a restart\.$/,
    );
    expect(await memory.locator('[aria-label="Copy the file\'s path"]').count()).toBe(0);
    await memory.context().close();
    const gone = await open("?fixture=shared-gone&still#/cache");
    await gone.waitForSelector(".cache .notice");
    expect(await gone.textContent(".cache .notice")).toMatch(/goes on alone/);
    await gone.context().close();
  });

  test("the file's path goes to the clipboard", async () => {
    const page = await open(address, { permissions: ["clipboard-read", "clipboard-write"] });
    await page.click('[aria-label="Copy the file\'s path"]');
    await page.waitForSelector(".toast");
    expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(
      "~/.local/share/headroom/cache.db",
    );
    await page.context().close();
  });

  test("answers are searched by question and service, and more are shown on demand", async () => {
    const page = await open(address);
    await page.waitForSelector(".entry");
    expect((await rows(page)).length).toBe(12);
    await page.click("text=Show more");
    expect((await rows(page)).length).toBe(50);
    await page.click("text=Show more");
    await page.waitForFunction(() => document.querySelectorAll(".entry").length === 100);
    await page.fill('[aria-label="Search in questions"]', "glory box");
    await page.waitForFunction(() =>
      [...document.querySelectorAll(".entry-question")].every((q) => /glory box/i.test(q.textContent ?? "")),
    );
    await page.selectOption('.entries-search [aria-label="Service"]', "discogs");
    await page.fill('[aria-label="Search in questions"]', "no such words");
    await page.waitForFunction(() => document.querySelectorAll(".entry").length === 0);
    expect(await page.textContent('.cache-entries [role="status"]')).toMatch(/^No kept answer fits/);
    await page.fill('[aria-label="Search in questions"]', "");
    await page.waitForSelector(".entry");
    expect(new Set(await page.locator(".entry-service").allTextContents()).size).toBeGreaterThan(0);
    for (const text of await page.locator(".entry-service").allTextContents())
      expect(text).toMatch(/^Discogs /);
    await page.context().close();
  });

  test("by keys: forgotten answers hand the focus on, and Ctrl+Z brings them back in turn", async () => {
    const page = await open(address);
    await page.waitForSelector(".entry");
    const before = await rows(page);
    await page.focus(".entry button");
    await page.keyboard.press("Enter");
    await waitForBar(page, /^1 answer forgotten\.$/);
    expect((await rows(page)).slice(0, 3)).toEqual(before.slice(1, 4));
    expect(await focused(page)).toBe(`Forget ${before[1]}`);
    await page.keyboard.press("Enter");
    await page.waitForFunction(
      (first) => document.querySelector(".entry-question")?.textContent === first,
      before[2] ?? "",
    );
    await page.keyboard.press("Control+z");
    await page.waitForFunction(
      (first) => document.querySelector(".entry-question")?.textContent === first,
      before[1] ?? "",
    );
    await page.keyboard.press("Control+z");
    await page.waitForSelector('.undo-bar[data-open="false"]', { state: "attached" });
    expect((await rows(page)).slice(0, 3)).toEqual(before.slice(0, 3));
    expect(await bar(page)).toBe("");
    await page.context().close();
  });

  test("a service is forgotten without a question, and Undo has the focus", async () => {
    const page = await open(address);
    await page.waitForSelector(".cache-services");
    expect(await kept(page, "spotify")).toMatch(/^620 /);
    await page.focus('[aria-label="Forget all answers of Spotify"]');
    await page.keyboard.press("Enter");
    await waitForBar(page, /^620 answers of Spotify forgotten\.$/);
    expect(await kept(page, "spotify")).toMatch(/^0 /);
    expect(await page.isDisabled('[aria-label="Forget all answers of Spotify"]')).toBe(true);
    expect(await focused(page)).toBe("Undo");
    const seen = await page.evaluate(() => {
      const box = (document.querySelector(".undo-bar") as Element).getBoundingClientRect();
      return box.top >= 0 && box.bottom <= innerHeight;
    });
    expect(seen).toBe(true);
    await page.keyboard.press("Enter");
    await page.waitForSelector('.undo-bar[data-open="false"]', { state: "attached" });
    expect(await kept(page, "spotify")).toMatch(/^620 /);
    expect(await page.textContent(".toast")).toBe("620 answers of Spotify brought back");
    expect(await page.evaluate(() => document.activeElement?.tagName)).toBe("H1");
    await page.context().close();
  });

  test("an album is forgotten at every service; what is missing is asked for", async () => {
    const page = await open(address);
    await page.waitForSelector(".cache-forget");
    await page.click(".cache-forget form button");
    expect(await page.textContent(".cache-forget .problem")).toBe("Fill in every field first.");
    await page.fill(".forget-field:nth-of-type(1) input", " portishead ");
    await page.fill(".forget-field:nth-of-type(2) input", "Dummy");
    await page.keyboard.press("Enter");
    await waitForBar(page, /^\d+ answers about Dummy forgotten\.$/);
    await page.fill(".forget-field:nth-of-type(2) input", "Dummy");
    await page.keyboard.press("Enter");
    await page.waitForSelector("text=Nothing of that is kept.");
    await page.context().close();
  });

  test("everything is forgotten after a question alone, and cannot be undone", async () => {
    const page = await open(address);
    await page.waitForSelector(".cache-forget");
    await page.click("text=Forget everything");
    await page.waitForSelector("dialog[open]");
    expect(await page.textContent("dialog p")).toMatch(
      /^2,062 questions will have to be asked again, .* cannot be undone\.$/,
    );
    expect(await focused(page)).toBe("Cancel");
    await page.keyboard.press("Escape");
    expect(await page.locator(".entry").count()).toBe(12);
    await page.click("text=Forget everything");
    await page.click("dialog .button-danger");
    await page.waitForFunction(() => document.querySelectorAll(".entry").length === 0);
    expect(await page.textContent('.cache-entries [role="status"]')).toMatch(/^Nothing is kept now/);
    expect(await page.getAttribute(".undo-bar", "data-open")).toBe("false");
    await page.context().close();
  });

  test("a long forgetting shows how far it is", async () => {
    const page = await open("?fixture=forgetting&still#/cache");
    const progress = page.getByRole("progressbar", { name: "Forgetting" });
    await progress.waitFor();
    expect(await progress.getAttribute("aria-valuetext")).toBe("Forgetting: 31,000 of 84,200");
    expect((await progress.boundingBox())?.height).toBeGreaterThan(4);
    await page.context().close();
  });

  test("the policy of a service opens by keys, its lives in words", async () => {
    const page = await open(address);
    await page.waitForSelector(".policy");
    await page.focus('[data-policy="spotify"] summary');
    await page.keyboard.press("Enter");
    const cells = await page.locator('[data-policy="spotify"] tbody tr').allTextContents();
    expect(cells).toContain("recently_played30 s, for your account onlychanges nothing");
    expect(cells).toContain("search6 hmay lengthen or shorten it");
    expect(cells).toContain("playernever keptchanges nothing");
    expect(cells).toContain("album_tracksuntil forgottenchanges nothing");
    await page.context().close();
  });

  for (const [still, wanted] of [
    ["&still", "nothing is touched that did not change"],
    ["", "what did change is shown, and what did not is left alone"],
  ] as const)
    test(`looked at every few seconds, ${wanted}`, async () => {
      const page = await open(`?fixture=calm${still}#/cache`);
      await page.waitForSelector(".entry");
      // A new minute makes every answer a minute older.
      await page.waitForFunction(() => Date.now() % 60_000 < 48_000);
      const before = await page.textContent("h1");
      await page.evaluate(() => {
        const changed = new Set<string>();
        Object.assign(window, { changed });
        const cards = "h1, .page-detail, .stats, .cache-entries, .cache-policy, [data-service], .card";
        new MutationObserver((list) => {
          for (const { target } of list) {
            const element = target instanceof Element ? target : target.parentElement;
            const card = element?.closest<HTMLElement>(cards);
            changed.add(card?.dataset.service ?? card?.classList[1] ?? card?.tagName ?? "other");
          }
        }).observe(document.querySelector("main") as Element, {
          subtree: true,
          childList: true,
          attributes: true,
          characterData: true,
        });
      });
      await page.waitForTimeout(5_600);
      const changed = await page.evaluate(() => [...(window as unknown as { changed: Set<string> }).changed]);
      if (still) {
        expect(changed).toEqual([]);
      } else {
        expect(await page.textContent("h1")).not.toBe(before);
        expect(changed).toContain("deezer");
        for (const name of ["spotify", "cache-policy", "other"]) expect(changed).not.toContain(name);
      }
      await page.context().close();
    });

  test("settings: a bad number is marked, the engine's refusal stands at its field, a test answers, saving holds", async () => {
    const page = await open("?fixture=calm&still#/settings/cache");
    const field = (name: string) => page.getByLabel(name, { exact: true });
    await field("Answers are kept").fill("soon");
    expect(await field("Answers are kept").getAttribute("aria-invalid")).toBe("true");
    expect(await page.isDisabled("text=Save")).toBe(true);
    await field("Answers are kept").fill("24");
    await field("Address").fill("http://music.lan");
    await page.click("text=Save");
    await page.waitForFunction(() =>
      [...document.querySelectorAll(".field .problem")].some((p) =>
        /^Cache\.shared_url must begin with redis:/.test(p.textContent ?? ""),
      ),
    );
    expect(await field("Address").getAttribute("aria-invalid")).toBe("true");

    await field("Address").fill("redis://nowhere.lan");
    await page.getByRole("button", { name: "Test" }).click();
    await page.waitForSelector("text=Nowhere.lan does not answer");
    await field("Address").fill("rediss://me:s3cr3t@music.lan:6379/0");
    await page.getByRole("button", { name: "Test" }).click();
    await page.waitForSelector(".tested");
    expect(await page.locator(".tested dd").allTextContents()).toEqual([
      "0.7 ms",
      "9.4 MB",
      "3",
      "18,204",
      "Valkey 8.1.3",
    ]);
    await page.click("text=Save");
    await page.waitForSelector(".toast");
    expect(await field("Address").inputValue()).toBe("rediss://me:***@music.lan:6379/0");
    expect(await field("Answers are kept").inputValue()).toBe("24");
    expect(await page.isDisabled("text=Save")).toBe(true);
    expect(await page.evaluate(() => document.documentElement.outerHTML)).not.toContain("s3cr3t");
    await page.context().close();
  });

  test("a look-up in a ban shows the last answer, marked as old", async () => {
    const page = await open("?fixture=meters&still#/lookup");
    await page.fill(".input-large", "Daft Punk Get Lucky");
    await page.keyboard.press("Enter");
    await page.waitForSelector(".lookup-stale");
    expect(await page.textContent(".lookup-stale")).toBe(
      "Old answerDeezer is banned, so this is its last answer.",
    );
    expect(await page.textContent(".lookup-cost")).toMatch(/as of 14 h ago, in 1 ms\. No call was made\.$/);
    await page.context().close();
  });
}
