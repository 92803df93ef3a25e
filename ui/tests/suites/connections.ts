import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import type { Stage } from "../stage";

const spotify = '[data-connection="spotify"]';
const address = "#/settings/connections";
const within = (page: Page, selector: string) => page.locator(`${spotify} ${selector}`);
const standing = (page: Page, id: string) => page.textContent(`[data-connection="${id}"] .badge`);
const focused = (page: Page) =>
  page.evaluate(() => {
    const element = document.activeElement;
    return element?.getAttribute("aria-label") ?? element?.textContent ?? "";
  });

export function connectionsSuite(open: Stage["open"]): void {
  test("from nothing to signed in: client id, consent in the browser, account, token, and the meter", async () => {
    const page = await open(`?fixture=empty&desktop${address}`, {
      permissions: ["clipboard-read", "clipboard-write"],
    });
    await page.waitForSelector(spotify);
    expect(await page.textContent(".vault")).toMatch(/^No secret is stored yet/);
    expect(await within(page, ".redirect code").allTextContents()).toEqual([
      "headroom://callback",
      "http://127.0.0.1/callback",
    ]);
    await page.click('[aria-label="Copy headroom://callback"]');
    await page.waitForSelector(".toast");
    expect(await page.evaluate(() => navigator.clipboard.readText())).toBe("headroom://callback");
    expect(await page.isDisabled(`${spotify} .connect button`)).toBe(true);

    await page.fill('[aria-label="Client id"]', "two words");
    await page.keyboard.press("Enter");
    await page.waitForFunction(() =>
      /one word/.test(document.querySelector(".guide .problem")?.textContent ?? ""),
    );
    await page.fill('[aria-label="Client id"]', "f2a91c04");
    await page.keyboard.press("Enter");
    await page.waitForSelector(`${spotify} .connect button:enabled`);

    const consent = page.context().waitForEvent("page");
    await within(page, ".connect button").first().click();
    expect((await consent).url()).toBe("about:blank#consent-link");
    await page.waitForSelector(".connect-waiting");
    expect(await focused(page)).toBe("Cancel");
    await page.waitForSelector(".connect-done");
    expect(await page.textContent(".connect-done")).toBe("Signed in as Anna Morgen.");
    await page.waitForSelector(`${spotify} .account`);
    expect(await standing(page, "spotify")).toBe("Connected");
    expect(await within(page, ".guide").getAttribute("open")).toBeNull();
    expect(await focused(page)).toBe("Spotify");
    expect(await within(page, ".token dd").allTextContents()).toHaveLength(5);
    await page.evaluate(() => {
      location.hash = "#/";
    });
    await page.waitForSelector(".grid");
    expect(await page.textContent('[data-service="spotify"] .badge')).toBe("Idle");
    await page.context().close();
  });

  test("the browser has the loopback alone, the app has both", async () => {
    const page = await open(`?fixture=calm&still&consent=never${address}`);
    await page.waitForSelector(`${spotify} .connect`);
    expect(await within(page, ".connect button").allTextContents()).toEqual(["Add an account"]);
    const consent = page.context().waitForEvent("page");
    await within(page, ".connect button").click();
    expect((await consent).url()).toBe("about:blank#consent-loopback");
    await page.context().close();
  });

  test("a consent refused says so; cancelled, the waiting is over and the focus is back", async () => {
    const denied = await open(`?fixture=ended&still&consent=denied${address}`);
    await denied.waitForSelector(`${spotify} .account`);
    expect(await standing(denied, "spotify")).toBe("Sign in again");
    await within(denied, ".connect button").click();
    await denied.waitForFunction(() =>
      /^The sign-in was refused/.test(document.querySelector(".connect .problem")?.textContent ?? ""),
    );
    await denied.context().close();

    const page = await open(`?fixture=ended&still&consent=never${address}`);
    await page.waitForSelector(`${spotify} .account`);
    await page.focus(`${spotify} .connect button`);
    await page.keyboard.press("Enter");
    await page.waitForSelector(".connect-waiting");
    await page.keyboard.press("Enter");
    await page.waitForSelector(".connect-waiting", { state: "detached" });
    expect(await focused(page)).toBe("Sign in again");
    await page.context().close();
  });

  test("accounts by keys: another one is used, and signing out asks first and says what stays", async () => {
    const page = await open(`?fixture=calm&still${address}`);
    await page.waitForSelector(`${spotify} .account`);
    await page.focus(`${spotify} .account input:checked`);
    await page.keyboard.press("ArrowDown");
    await page.waitForSelector("text=Calls are made as 31k4zq7w2fnd");
    expect(await within(page, '[data-account="31k4zq7w2fnd"] input').isChecked()).toBe(true);
    expect(
      await within(page, '[data-account="31k4zq7w2fnd"] .account-consent').getAttribute("data-tone"),
    ).toBe("warn");

    await page.focus('[aria-label="Sign out Anna Morgen"]');
    await page.keyboard.press("Enter");
    await page.waitForSelector("dialog[open]");
    expect(await page.textContent("dialog p")).toBe("What was counted stays; tokens are removed.");
    expect(await focused(page)).toBe("Cancel");
    await page.keyboard.press("Escape");
    await page.waitForSelector("dialog", { state: "detached" });
    expect(await focused(page)).toBe("Sign out Anna Morgen");
    await page.keyboard.press("Enter");
    await page.click("dialog .button-danger");
    await page.waitForFunction(() => document.querySelectorAll(".account").length === 1);
    expect(await within(page, ".account strong").textContent()).toBe("31k4zq7w2fnd");
    await page.context().close();
  });

  test("a choice that is refused goes back to who is active", async () => {
    const page = await open(`?fixture=locked&still${address}`);
    await page.waitForSelector(`${spotify} .account`);
    expect(await page.textContent(".connections .notice")).toMatch(/^The system's keychain is not available/);
    await page.click('[data-account="31k4zq7w2fnd"] input');
    await page.waitForFunction(() =>
      /keychain/.test(document.querySelector(".accounts .problem")?.textContent ?? ""),
    );
    expect(await within(page, '[data-account="anna.m"] input').isChecked()).toBe(true);
    await page.context().close();
  });

  test("the token is refreshed by hand and its age starts anew", async () => {
    const page = await open(`?fixture=calm&still${address}`);
    await page.waitForSelector(`${spotify} .token`);
    expect(await within(page, ".token dd").first().textContent()).toBe("12 min");
    await page.click("text=Refresh now");
    await page.waitForFunction(() =>
      /^Refreshed\. The new token lasts 1 h\.$/.test(
        document.querySelector('.token [role="status"]')?.textContent ?? "",
      ),
    );
    expect(await within(page, ".token dd").allTextContents()).toEqual([
      "0 min",
      "1 h",
      "1,284 of 1,296",
      "12",
      expect.stringMatching(/^92\s?%$/),
    ]);
    await page.context().close();
  });

  test("a key is stored, replaced and forgotten, and nothing of it stays in the page", async () => {
    const page = await open(`?fixture=calm&still${address}`);
    const said: string[] = [];
    page.on("console", (message) => said.push(message.text()));
    const card = page.locator('[data-connection="qobuz"]');
    await card.waitFor();
    for (const name of ["qobuz.app_id", "qobuz.token"]) {
      const field = card.locator(`[data-secret="${name}"] input`);
      expect(await field.getAttribute("type")).toBe("password");
      await field.fill("  s3cr3t-of-mine ");
      await page.keyboard.press("Enter");
      await card.locator(`[data-secret="${name}"] .secret-stored`).waitFor();
    }
    expect(await standing(page, "qobuz")).toBe("Connected");
    expect(await focused(page)).toBe("Replace: User token, Qobuz");
    await page.keyboard.press("Enter");
    const again = card.locator('[data-secret="qobuz.token"] input');
    expect(await again.inputValue()).toBe("");
    expect(await again.evaluate((element) => element === document.activeElement)).toBe(true);
    await page.keyboard.press("Enter");
    expect(await card.locator(".problem").last().textContent()).toBe("Paste it here first.");
    await card.locator("text=Cancel").click();
    await card.locator('[aria-label^="Forget: User token"]').click();
    await page.click("dialog .button-danger");
    await again.waitFor();
    expect(await standing(page, "qobuz")).toBe("Not connected");
    const everything = await page.evaluate(
      () =>
        document.documentElement.outerHTML +
        [...document.querySelectorAll("input")].map(({ value }) => value).join() +
        JSON.stringify({ ...localStorage }),
    );
    expect(everything).not.toContain("s3cr3t");
    expect(said.join()).not.toContain("s3cr3t");
    await page.context().close();
  });

  test("an optional key says what it brings; what needs none is one line", async () => {
    const page = await open(`?fixture=empty${address}`);
    await page.waitForSelector(spotify);
    expect(await standing(page, "discogs")).toBe("Optional");
    expect(await page.textContent('[data-connection="discogs"] > p')).toMatch(/55 instead of 24 calls/);
    expect(await page.textContent(".connections > p:last-child")).toBe(
      "No sign-in needed: Apple Music, Deezer, MusicBrainz and Odesli.",
    );
    await page.context().close();
  });

  test("a meter that needs a sign-in leads to the service's connection, by hand and by keys", async () => {
    const page = await open("?fixture=calm&still");
    await page.click('[data-service="qobuz"] .card-words a');
    await page.waitForSelector('[data-connection="qobuz"]');
    expect(await focused(page)).toBe("Qobuz");
    await page.goBack();
    await page.waitForSelector(".grid");
    await page.focus('[data-service="qobuz"] a.badge');
    expect(await focused(page)).toBe("Sign in to Qobuz");
    await page.keyboard.press("Enter");
    await page.waitForSelector('[data-connection="qobuz"]');
    expect(await focused(page)).toBe("Qobuz");
    await page.evaluate(() => {
      location.hash = "#/service/qobuz";
    });
    await page.click(".page-detail a");
    await page.waitForSelector('[data-connection="qobuz"]');
    await page.context().close();
  });
}
