import { render } from "solid-js/web";
import { afterEach, expect, test, vi } from "vitest";
import type { ApiError } from "../contract/contract";
import { AppProvider } from "./context";
import { Stopped } from "./States";

afterEach(() => void document.body.replaceChildren());

function shown(code: ApiError["code"], host: object) {
  const feed = {
    host,
    load: vi.fn(async () => undefined),
    restart: vi.fn(async () => undefined),
    takeOver: vi.fn(async () => undefined),
  };
  const app = { feed, say: vi.fn() } as unknown as Parameters<typeof AppProvider>[0]["value"];
  const end = render(
    () => (
      <AppProvider value={app}>
        <Stopped code={code} message="Headroom (headroomctl serve, pid 7) already runs on /data" />
      </AppProvider>
    ),
    document.body,
  );
  const buttons = [...document.querySelectorAll("button")];
  return {
    feed,
    end,
    words: document.body.textContent ?? "",
    names: buttons.map((button) => button.textContent),
    click: (name: string) => buttons.find((button) => button.textContent === name)?.click(),
  };
}

test("an engine elsewhere is named, and the button that stops it does", () => {
  const { feed, words, names, click, end } = shown("engine_elsewhere", { takeOver: () => undefined });
  expect(words).toContain("Headroom already runs elsewhere");
  expect(words).toContain("(headroomctl serve, pid 7)");
  expect(names[0]).toBe("Stop it and go on here");
  click("Stop it and go on here");
  expect([feed.takeOver.mock.calls.length, feed.restart.mock.calls.length]).toEqual([1, 0]);
  end();
});

test("where the host cannot take over, it is not offered; trying again is", () => {
  const { feed, names, click, end } = shown("engine_elsewhere", {});
  expect(names[0]).toBe("Try again");
  click("Try again");
  expect(feed.restart).toHaveBeenCalledOnce();
  end();
});

test("an engine that stopped by itself is started again, never taken over", () => {
  const { words, names, end } = shown("engine_stopped", { takeOver: () => undefined });
  expect(words).toContain("The engine has stopped");
  expect(names).not.toContain("Stop it and go on here");
  end();
});
