// Runs the journeys in the real window, each file with a home, a screen and a session bus of its own.
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { find, foreground, linux, root } from "./run.mjs";

const folder = join(root, "tests", "e2e");

/** No file of journeys takes longer, unless something hangs. */
const FILE_MS = 180_000;

/** Runs every journey (or those whose file name contains `only`); resolves to the number of failed files. */
export async function journeys(only = "") {
  let failed = 0;
  for (const name of readdirSync(folder).filter(
    (name) => name.endsWith(".test.mjs") && name.includes(only),
  )) {
    if ((await journey(join(folder, name))) !== 0) failed += 1;
  }
  return failed;
}

async function journey(file) {
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
  const test = [process.execPath, "--test", "--test-reporter=spec", file];
  // Programs that the bus starts inherit the bus's environment: it is set before the bus.
  const screen = ["-a", "-s", "-screen 0 1600x1200x24", "dbus-run-session", "--", ...test];
  try {
    const { child, ended } = foreground(find("xvfb-run") ?? "xvfb-run", screen, { env });
    const timer = setTimeout(() => killGroup(child.pid), FILE_MS);
    const code = await ended;
    clearTimeout(timer);
    // A journey that failed half-way may have left its app behind.
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

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  if (!linux) throw new Error("the journeys need Linux: elsewhere there is no WebKitWebDriver");
  process.exitCode = (await journeys(process.argv[2])) === 0 ? 0 : 1;
}
