// Starting other programs, the same way on every system.
import { spawn, spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = dirname(dirname(fileURLToPath(import.meta.url)));
export const windows = process.platform === "win32";
export const linux = process.platform === "linux";
/** Whether a window can be shown. */
export const hasDisplay = !linux || Boolean(process.env.DISPLAY || process.env.WAYLAND_DISPLAY);

const exe = (name) => (windows ? `${name}.exe` : name);

/** The full path of a program on PATH or among those that cargo installed, or null. */
export function find(name) {
  const cargo = join(process.env.CARGO_HOME ?? join(homedir(), ".cargo"), "bin");
  const folders = [...(process.env.PATH ?? "").split(delimiter), cargo];
  return folders.map((folder) => join(folder, exe(name))).find((path) => existsSync(path)) ?? null;
}

/** Runs a program to its end in this terminal; resolves to its exit code. Nothing is read from stdin. */
export function run(command, args, options = {}) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd: root, stdio: ["ignore", "inherit", "inherit"], ...options });
    child.on("error", (error) => {
      console.error(`${command}: ${error.message}`);
      resolve(127);
    });
    child.on("close", (code, signal) => resolve(code ?? (signal ? 1 : 0)));
  });
}

/** As `run`, but a failure ends this script too. */
export async function must(command, args, options) {
  const code = await run(command, args, options);
  if (code !== 0) process.exit(code);
}

/**
 * Starts a program that stays until it is told to stop: `{ child, ended }`, the latter its exit code.
 *
 * It is in a group of its own (where there are groups) and gets each signal once, from us: a Ctrl-C in a
 * terminal goes to the whole group, and npm passes it on as well.
 */
export function foreground(command, args, options = {}) {
  const child = spawn(command, args, {
    cwd: root,
    stdio: ["ignore", "inherit", "inherit"],
    detached: !windows,
    ...options,
  });
  const ended = new Promise((resolve) => {
    child.on("error", (error) => {
      console.error(`${command}: ${error.message}`);
      resolve(127);
    });
    child.on("close", (code) => resolve(code ?? 1));
  });
  let last = 0;
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
    process.on(signal, () => {
      const echo = Date.now() - last < 500;
      last = Date.now();
      // A Windows console tells every program in it by itself.
      if (!windows && !echo) child.kill(signal);
    });
  }
  return { child, ended };
}

/** Runs a program quickly and hands back `{ code, stdout, stderr }`. */
export function ask(command, args, options = {}) {
  const result = spawnSync(command, args, { cwd: root, encoding: "utf8", maxBuffer: 1 << 26, ...options });
  return { code: result.status ?? 127, stdout: result.stdout ?? "", stderr: result.stderr ?? "" };
}

/** `[command, args]` of an npm package's program; started by Node itself, as Windows cannot start a shim. */
export function tool(name, ...args) {
  const folder = { biome: "@biomejs/biome", tsc: "typescript" }[name] ?? name;
  const { bin } = JSON.parse(readFileSync(join(root, "node_modules", folder, "package.json"), "utf8"));
  const script = typeof bin === "string" ? bin : bin[name];
  return [process.execPath, [join(root, "node_modules", folder, script), ...args]];
}

/** `[command, args]` of npm. */
export function npm(...args) {
  const script = process.env.npm_execpath;
  if (script?.endsWith(".js")) return [process.execPath, [script, ...args]];
  return windows ? ["cmd.exe", ["/c", "npm", ...args]] : ["npm", args];
}

/** Where cargo puts a program of this project. */
export function built(name, profile = "debug") {
  const { stdout } = ask("cargo", ["metadata", "--format-version", "1", "--no-deps"]);
  return join(JSON.parse(stdout).target_directory, profile, exe(name));
}
