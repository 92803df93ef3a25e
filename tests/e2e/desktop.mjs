// The desktop around the app: tray and windows, by way of `desktop.py`.
import { spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { root } from "../../scripts/run.mjs";
import { until } from "./until.mjs";

/** Name of the app's window. */
const WINDOW = "Headroom";

/** A desktop with a place for tray icons, or without. */
export async function openDesktop({ tray = true } = {}) {
  // Debian's own: its modules for the bus are nowhere else.
  const program = ["/usr/bin/python3", join(root, "tests", "e2e", "desktop.py")];
  const child = spawn(program[0], [program[1], ...(tray ? ["--tray"] : [])], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const ended = new Promise((resolve) => child.once("close", resolve));
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async () => {
    const { value, done } = await lines.next();
    if (done) throw new Error("desktop.py has ended");
    return JSON.parse(value);
  };
  await next();
  let last = Promise.resolve();
  /** One order at a time, each with its answer. */
  const order = (what) => {
    last = last
      .catch(() => {})
      .then(async () => {
        child.stdin.write(`${JSON.stringify(what)}\n`);
        const { answer, error } = await next();
        if (error) throw new Error(`desktop.py: ${JSON.stringify(what)}: ${error}`);
        return answer;
      });
    return last;
  };

  const windows = () => order({ do: "windows", name: WINDOW });
  const menu = () => order({ do: "menu" });
  return {
    items: () => order({ do: "items" }),
    icon: () => order({ do: "icon" }),
    menu,
    windows,
    /** The window, when it can be seen. */
    shown: async () => (await windows()).find(({ shown }) => shown),
    /** Chooses the menu's entry of this name. */
    async press(label) {
      const entry = (await menu()).find((entry) => entry.label === label);
      if (!entry?.enabled) throw new Error(`no entry ${label} to press in the tray's menu`);
      await order({ do: "press", id: entry.id });
    },
    /** Presses the close button of the window's frame. */
    async closeWindow() {
      const window = await until("a window is there to be closed", async () =>
        (await windows()).find(({ shown }) => shown),
      );
      await order({ do: "close", id: window.id });
    },
    async close() {
      child.stdin.end();
      await ended;
    },
  };
}
