// A desktop session that is thrown away: a home, a screen and a session bus of its own. Linux only.
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { find, foreground } from "./run.mjs";

/** How long a session may take to end after its command. */
const GRACE_MS = 5_000;

/**
 * Runs a command in a new session; resolves to its exit code.
 *
 * @param {string[]} command
 * @param {number} milliseconds  how long it may take, unless something hangs
 */
export async function inSession(command, milliseconds) {
  const home = mkdtempSync(join(tmpdir(), "headroom-e2e-"));
  const inHome = (name) => {
    mkdirSync(join(home, name), { mode: 0o700 });
    return join(home, name);
  };
  const { XDG_CURRENT_DESKTOP: _, WAYLAND_DISPLAY: __, ...outside } = process.env;
  const env = {
    ...outside,
    // Found outside, as they would be looked for in the new home.
    CARGO_HOME: process.env.CARGO_HOME ?? join(homedir(), ".cargo"),
    RUSTUP_HOME: process.env.RUSTUP_HOME ?? join(homedir(), ".rustup"),
    HOME: home,
    XDG_DATA_HOME: inHome("data"),
    XDG_CONFIG_HOME: inHome("config"),
    XDG_CACHE_HOME: inHome("cache"),
    XDG_RUNTIME_DIR: inHome("run"),
    HEADROOM_VAULT: "file",
    NO_AT_BRIDGE: "1",
    GTK_A11Y: "none",
    // Without this renderer WebKit never finishes a screenshot.
    WEBKIT_DISABLE_DMABUF_RENDERER: "0",
  };
  // Room for the window at twice its scale. Programs that the bus starts inherit the bus's environment: it
  // is set before the bus.
  // The command's own exit code is kept beside it: now and then the session does not end when it has.
  const kept = join(home, "exit-code");
  const keeping = ["sh", "-c", '"$@"; echo $? > "$0"', kept, ...command];
  const screen = ["-a", "-s", "-screen 0 2560x1800x24", "dbus-run-session", "--", ...keeping];
  try {
    const { child, ended } = foreground(find("xvfb-run") ?? "xvfb-run", screen, { env });
    const over = { session: false };
    ended.then(() => {
      over.session = true;
    });
    const end = Date.now() + milliseconds;
    while (!over.session && exitCode(kept) === null && Date.now() < end) await sleep(100);
    await Promise.race([ended, sleep(GRACE_MS)]);
    // What failed half-way may have left its app behind.
    killGroup(child.pid);
    return exitCode(kept) ?? 1;
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}

/** The code in the file, or null while there is none. */
function exitCode(file) {
  try {
    const text = readFileSync(file, "utf8").trim();
    return text === "" ? null : Number(text);
  } catch {
    return null;
  }
}

function killGroup(leader) {
  try {
    process.kill(-leader, "SIGKILL");
  } catch (error) {
    if (error.code !== "ESRCH") throw error;
  }
}
