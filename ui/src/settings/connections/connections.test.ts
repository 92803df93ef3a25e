import { createRoot } from "solid-js";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { noon } from "../../../tests/sample";
import type { AccountInfo, Connection, SignInProgress } from "../../contract/contract";
import { asApiError, type Host } from "../../platform";
import { failure } from "../../text/failure";
import { createSignIn } from "./sign-in";
import { consentWords, gainWords, secretWords, siteOf, standingOf, vaultWords } from "./words";

const day = 86_400;
const anna = (more: Partial<AccountInfo> = {}): AccountInfo => ({
  id: "anna",
  name: "Anna",
  active: true,
  ended: false,
  consent_until: noon + 100 * day,
  ...more,
});
const pending: SignInProgress = { account: null, failed: null };
const error = (code: string, message: string) => ({ code, message, retry_at: null });

describe("a sign-in", () => {
  beforeEach(() => void vi.useFakeTimers({ now: noon * 1000 }));
  afterEach(() => {
    vi.useRealTimers();
    vi.restoreAllMocks();
  });

  /** A host whose answers about the sign-in are given one by one; the last one stays. */
  function begun(answers: (SignInProgress | ReturnType<typeof error>)[]) {
    const asked: string[] = [];
    const opened: string[] = [];
    const done: string[] = [];
    let attempts = 0;
    const openLink = vi.fn(async (url: string) => void opened.push(url));
    const host = {
      openLink,
      call: async (name: string, args: { state?: string; via?: string }) => {
        if (name === "begin_sign_in") {
          attempts += 1;
          return { url: `https://consent/${args.via}`, state: `s${attempts}` };
        }
        asked.push(args.state ?? "");
        const answer = answers.length > 1 ? answers.shift() : answers[0];
        if (answer && "code" in answer) throw answer;
        return answer;
      },
    } as unknown as Host;
    const [signIn, end] = createRoot(
      (dispose) =>
        [
          createSignIn({
            host,
            service: "spotify",
            explain: (thrown) => failure(asApiError(thrown), noon),
            done: ({ id }) => done.push(id),
          }),
          dispose,
        ] as const,
    );
    return { signIn, end, asked, opened, done, openLink };
  }

  test("opens the page, asks once a second, and ends with the account", async () => {
    const { signIn, asked, opened, done } = begun([pending, pending, { account: anna(), failed: null }]);
    await signIn.begin("link");
    expect(opened).toEqual(["https://consent/link"]);
    expect(signIn.standing()).toEqual({ kind: "waiting", problem: "" });
    await vi.advanceTimersByTimeAsync(2_900);
    expect([asked.length, done.length]).toEqual([2, 0]);
    await vi.advanceTimersByTimeAsync(60_000);
    expect([asked.length, done]).toEqual([3, ["anna"]]);
    expect(signIn.standing()).toEqual({ kind: "done", account: anna() });
    expect(signIn.address()).toBe("");
  });

  test("refused, the engine's words are shown and nothing is asked any more", async () => {
    const { signIn, asked } = begun([{ account: null, failed: "the sign-in was refused" }]);
    await signIn.begin("loopback");
    await vi.advanceTimersByTimeAsync(10_000);
    expect(signIn.standing()).toEqual({ kind: "failed", text: "The sign-in was refused." });
    expect(asked).toHaveLength(1);
  });

  test("a line cut for a moment is no answer; any other error is", async () => {
    const { signIn, asked } = begun([
      error("unreachable", "no answer"),
      pending,
      error("bad_request", "There is no such sign-in"),
    ]);
    await signIn.begin("link");
    await vi.advanceTimersByTimeAsync(2_500);
    expect(signIn.standing().kind).toBe("waiting");
    await vi.advanceTimersByTimeAsync(10_000);
    expect(signIn.standing()).toEqual({ kind: "failed", text: "There is no such sign-in." });
    expect(asked).toHaveLength(3);
  });

  test("after five minutes it says so and stops", async () => {
    const { signIn, asked } = begun([pending]);
    await signIn.begin("link");
    await vi.advanceTimersByTimeAsync(299_000);
    expect(signIn.standing().kind).toBe("waiting");
    await vi.advanceTimersByTimeAsync(2_000);
    expect(signIn.standing()).toMatchObject({
      kind: "failed",
      text: expect.stringMatching(/within 5 minutes/),
    });
    const before = asked.length;
    await vi.advanceTimersByTimeAsync(60_000);
    expect(asked).toHaveLength(before);
  });

  test("cancelled or left, it asks no more", async () => {
    for (const how of ["cancel", "end"] as const) {
      const run = begun([pending]);
      await run.signIn.begin("link");
      await vi.advanceTimersByTimeAsync(1_500);
      if (how === "cancel") run.signIn.cancel();
      else run.end();
      await vi.advanceTimersByTimeAsync(60_000);
      expect([run.asked.length, run.signIn.standing().kind], how).toEqual([1, "none"]);
    }
  });

  test("begun again, only the later one counts", async () => {
    const { signIn, asked } = begun([pending]);
    await Promise.all([signIn.begin("link"), signIn.begin("loopback")]);
    await vi.advanceTimersByTimeAsync(2_500);
    expect(asked).toEqual(["s2", "s2"]);
    expect(signIn.address()).toBe("https://consent/loopback");
  });

  test("a browser that does not open is told, and the page still waits", async () => {
    const { signIn, asked, openLink } = begun([pending]);
    openLink.mockRejectedValueOnce(error("failed", "no browser was found"));
    await signIn.begin("link");
    expect(signIn.standing()).toEqual({ kind: "waiting", problem: "No browser was found." });
    await vi.advanceTimersByTimeAsync(1_500);
    expect(asked).toHaveLength(1);
  });

  test("hidden it is still; seen again it asks at once", async () => {
    const { signIn, asked } = begun([pending]);
    await signIn.begin("link");
    const hidden = vi.spyOn(document, "hidden", "get").mockReturnValue(true);
    document.dispatchEvent(new Event("visibilitychange"));
    await vi.advanceTimersByTimeAsync(30_000);
    expect(asked).toHaveLength(0);
    hidden.mockReturnValue(false);
    document.dispatchEvent(new Event("visibilitychange"));
    await vi.advanceTimersByTimeAsync(0);
    expect(asked).toHaveLength(1);
    signIn.cancel();
  });
});

describe("words of a connection", () => {
  const connection = (more: Partial<Connection>): Connection => ({
    service: "discogs",
    by: "secrets",
    access: "ready",
    optional: false,
    credential_page: null,
    client_id: null,
    accounts: [],
    secrets: [{ name: "discogs", present: false }],
    token: null,
    ...more,
  });

  test("how it stands, in one word and a tone", () => {
    const stored = [{ name: "discogs", present: true }];
    const sign_in: Partial<Connection> = { by: "sign_in", secrets: [] };
    const said = [
      connection({ access: "disabled", secrets: stored }),
      connection({ access: "credential_needed", secrets: stored }),
      connection({ secrets: stored }),
      connection({ access: "open", optional: true }),
      connection({ ...sign_in, access: "credential_needed" }),
      connection({ ...sign_in, accounts: [anna()] }),
      connection({ ...sign_in, accounts: [anna({ ended: true })] }),
      connection({ ...sign_in, accounts: [anna({ active: false })] }),
    ].map((each) => standingOf(each).text);
    expect(said).toEqual([
      "Off",
      "Not connected",
      "Connected",
      "Optional",
      "Not connected",
      "Connected",
      "Sign in again",
      "Not connected",
    ]);
  });

  test("a consent reminds from 14 days before its end", () => {
    const at = (days: number, ended = false) =>
      consentWords(anna({ consent_until: noon + days * day, ended }), noon);
    expect(at(15).tone).toBeUndefined();
    expect(at(14)).toMatchObject({ tone: "warn", text: expect.stringContaining("in 14 days") });
    expect(at(1).text).toContain("in 1 day:");
    expect(at(0)).toEqual({ text: "Consent has ended: sign in again", tone: "danger" });
    expect(at(100, true).tone).toBe("danger");
  });

  test("where secrets lie is a sentence", () => {
    expect(vaultWords({ vault: "keychain" }, null)).toMatch(/keychain\.$/);
    expect(vaultWords({ vault: "file" }, "/data")).toMatch(/vault\.json in \/data, which only your own/);
    expect(vaultWords({ vault: null }, null)).toMatch(/^No secret is stored yet/);
  });

  test("secrets and pages by the names people know them by", () => {
    expect(["lastfm", "tidal.client_id", "qobuz.app_id", "odesli"].map(secretWords)).toEqual([
      "API key",
      "Client id",
      "App id",
      "Key",
    ]);
    expect(siteOf("https://www.last.fm/api/account/create")).toBe("last.fm");
    expect(gainWords("discogs")).toMatch(/55 instead of 24/);
    expect(gainWords("listenbrainz")).toMatch(/\.$/);
  });
});
