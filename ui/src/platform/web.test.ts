import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { asApiError } from "./host";
import { webHost } from "./web";

class FakeEvents extends EventTarget {
  static last: FakeEvents | null = null;
  static made = 0;
  static readonly CLOSED = 2;
  readyState = 1;
  onopen: (() => void) | null = null;
  onerror: (() => void) | null = null;
  constructor(readonly url: string) {
    super();
    FakeEvents.last = this;
    FakeEvents.made += 1;
  }
  close(): void {
    this.readyState = 2;
  }
}

beforeEach(() => {
  FakeEvents.made = 0;
  vi.stubGlobal("EventSource", FakeEvents);
});
afterEach(() => void vi.unstubAllGlobals());

const answer = (status: number, body: string) =>
  vi.stubGlobal(
    "fetch",
    vi.fn(async () => new Response(body, { status })),
  );

describe("calls", () => {
  test("are posted as JSON to the server that served the page", async () => {
    answer(200, '{"limit":5}');
    await expect(webHost().call("limits", { service: "deezer" })).resolves.toEqual({ limit: 5 });
    expect(fetch).toHaveBeenCalledWith(
      "/api/call/limits",
      expect.objectContaining({ method: "POST", body: '{"service":"deezer"}', credentials: "same-origin" }),
    );
  });

  test("reject with the engine's own error", async () => {
    answer(429, '{"error":{"code":"refused","message":"Deezer is banned","retry_at":99}}');
    await expect(webHost().call("status", {})).rejects.toEqual({
      code: "refused",
      message: "Deezer is banned",
      retry_at: 99,
    });
  });

  test("say how to come back when the session has ended", async () => {
    answer(401, '{"error":{"code":"key_missing","message":"Show a key"}}');
    await expect(webHost().call("status", {})).rejects.toMatchObject({
      code: "failed",
      message: expect.stringContaining("headroomctl open"),
    });
  });

  test("reject with an ApiError whatever came back", async () => {
    answer(502, "<html>");
    await expect(webHost().call("status", {})).rejects.toMatchObject({ code: "failed", retry_at: null });
    vi.stubGlobal("fetch", () => Promise.reject(new TypeError("network")));
    await expect(webHost().call("status", {})).rejects.toMatchObject({ code: "unreachable" });
    expect(asApiError(new Error("x"))).toEqual({ code: "failed", message: "x", retry_at: null });
  });
});

describe("events", () => {
  test("one line for everything; rates arrive parsed", () => {
    const host = webHost();
    const seen: unknown[] = [];
    host.onRates((rates) => seen.push(rates));
    host.onNotices(() => undefined);
    FakeEvents.last?.dispatchEvent(new MessageEvent("rates", { data: '{"at":1}' }));
    expect([FakeEvents.made, seen]).toEqual([1, [{ at: 1 }]]);
  });

  test("a cut line is told, and so is its return", () => {
    const host = webHost();
    const seen: boolean[] = [];
    host.onConnection((up) => seen.push(up));
    host.onRates(() => undefined);
    FakeEvents.last?.onerror?.();
    FakeEvents.last?.onopen?.();
    expect(seen).toEqual([false, true]);
  });

  test("hidden, the line is closed; seen again, it is opened", () => {
    const host = webHost();
    host.onRates(() => undefined);
    const first = FakeEvents.last;
    const hidden = vi.spyOn(document, "hidden", "get").mockReturnValue(true);
    document.dispatchEvent(new Event("visibilitychange"));
    expect(first?.readyState).toBe(2);
    hidden.mockReturnValue(false);
    document.dispatchEvent(new Event("visibilitychange"));
    expect(FakeEvents.last).not.toBe(first);
    expect(FakeEvents.last?.readyState).toBe(1);
  });
});
