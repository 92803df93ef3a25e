// A desktop session that is thrown away: a home, a screen and a session bus of its own. Linux only.
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { find, foreground } from "./run.mjs";

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
  const screen = ["-a", "-s", "-screen 0 2560x1800x24", "dbus-run-session", "--", ...command];
  try {
    const { child, ended } = foreground(find("xvfb-run") ?? "xvfb-run", screen, { env });
    const timer = setTimeout(() => killGroup(child.pid), milliseconds);
    const code = await ended;
    clearTimeout(timer);
    // What failed half-way may have left its app behind.
    killGroup(child.pid);
    return code;
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}

function killGroup(leader) {
  try {
    process.kill(-leader, "SIGKILL");
  } catch (error) {
    if (error.code !== "ESRCH") throw error;
  }
}
