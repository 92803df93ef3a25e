// Opens the app; or, where there is no display, runs the engine and shows its meters as text.
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { ask, built, foreground, hasDisplay, must, root, tool } from "./run.mjs";

/** Exit code of `headroomctl` when no engine runs on the directory. */
const NO_ENGINE = 3;
/** How long an engine may take to answer after its start. */
const START_SECONDS = 15;

/** Reads `[--data-dir DIR] [--once] [--release]`. */
export function options(args = process.argv.slice(2)) {
  const read = { dataDir: null, once: false, release: false };
  for (let i = 0; i < args.length; i += 1) {
    const [name, value] = args[i].split(/=(.*)/s);
    if (name === "--data-dir") read.dataDir = value ?? args[++i];
    else if (name === "--once") read.once = true;
    else if (name === "--release") read.release = true;
    else usage(`unknown argument ${args[i]}`);
  }
  if (read.dataDir === undefined) usage("--data-dir needs a directory");
  if (read.dataDir) read.dataDir = resolve(read.dataDir);
  return read;
}

function usage(problem) {
  console.error(`${problem}

  --data-dir DIR  keep everything in DIR
  --once          without a display: stop the engine once the meters are shown
  --release       build for speed (takes longer)`);
  process.exit(2);
}

/** Builds what is needed and runs it to its end; resolves to the exit code. */
export async function launch({ dataDir, once, release }, env = process.env) {
  const profile = release ? "release" : "debug";
  // The dev profile: a newcomer sees the window minutes earlier, and what is slow here is the providers.
  const build = (name) => must("cargo", ["build", "--package", name, ...(release ? ["--release"] : [])]);
  const directory = dataDir ? ["--data-dir", dataDir] : [];

  if (hasDisplay) {
    if (!uiIsCurrent())
      await must(...tool("vite", "build", "--config", "ui/vite.config.ts", "--logLevel", "warn"));
    await build("headroom");
    return foreground(built("headroom", profile), directory, { env }).ended;
  }
  console.log(
    "There is no display here (neither DISPLAY nor WAYLAND_DISPLAY is set), so Headroom runs without its window.\n",
  );
  await build("headroomctl");
  return withoutWindow(new Ctl(built("headroomctl", profile), directory, env), once);
}

/** Whether the built UI is newer than all it is made from; a rebuild would relink the app for nothing. */
function uiIsCurrent() {
  const output = join(root, "ui", "dist", "index.html");
  if (!existsSync(output)) return false;
  const sources = readdirSync(join(root, "ui"), { recursive: true, withFileTypes: true })
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
    .filter((path) => !path.startsWith(join(root, "ui", "dist")));
  const newest = Math.max(
    ...[...sources, join(root, "package-lock.json")].map((path) => statSync(path).mtimeMs),
  );
  return newest < statSync(output).mtimeMs;
}

/** `headroomctl` on one data directory. */
class Ctl {
  constructor(program, directory, env) {
    Object.assign(this, { program, directory, env });
  }

  /** Asks it something; `{ code, stdout, stderr }`. */
  ask(...args) {
    return ask(this.program, [...this.directory, ...args], { env: this.env });
  }

  /** What `status` says, or null when no engine runs. */
  status() {
    const { code, stdout, stderr } = this.ask("status", "--json");
    if (code === 0) return JSON.parse(stdout);
    if (code === NO_ENGINE) return null;
    throw new Error(`headroomctl status failed: ${stderr.trim()}`);
  }

  /** Starts an engine that stays. */
  serve() {
    return foreground(this.program, [...this.directory, "serve"], { env: this.env });
  }
}

async function withoutWindow(ctl, once) {
  const running = ctl.status();
  if (running) {
    console.log(`An engine already runs on this directory (process ${running.pid}).`);
    await show(ctl, running);
    return 0;
  }
  const { child: engine, ended } = ctl.serve();

  try {
    const status = await Promise.race([healthy(ctl), ended.then(() => null)]);
    if (!status) return (await ended) || 1;
    await show(ctl, status);
  } catch (error) {
    console.error(error.message);
    engine.kill();
    await ended;
    return 1;
  }
  if (once) engine.kill("SIGINT");
  else console.log("\nRunning. Ctrl-C stops it.");
  return ended;
}

async function healthy(ctl) {
  for (const end = Date.now() + START_SECONDS * 1000; Date.now() < end; await sleep(100)) {
    const status = ctl.status();
    if (!status) continue;
    const answer = await fetch(`${address(status)}/health`).catch(() => null);
    if (answer?.ok) return status;
  }
  throw new Error(`The engine did not answer within ${START_SECONDS} s. Its log is in the data directory.`);
}

const address = ({ address }) => (address.startsWith("http") ? address : `http://${address}`);

async function show(ctl, status) {
  console.log("\nOne call, to see a meter move: a search at Deezer, which needs no sign-in.");
  console.log(`  ${oneCall(ctl)}`);

  const { key } = JSON.parse(readFileSync(join(status.data_dir, "runtime.json"), "utf8"));
  const answer = await fetch(`${address(status)}/api/rate-monitor`, { headers: { "X-Headroom-Key": key } });
  if (!answer.ok) throw new Error(`The meters could not be read: HTTP ${answer.status}`);
  const { services } = await answer.json();
  console.log(`\n${table(Object.entries(services).map(row))}`);

  console.log(`
Address         ${address(status)}
Data directory  ${status.data_dir}
Next            give a tool its own key:  headroomctl keys add NAME
                sign in to a service:     headroomctl login spotify
headroomctl is  ${ctl.program}`);
}

function oneCall(ctl) {
  const { code, stdout, stderr } = ctl.ask("get", "deezer", "/search", "-q", "q=daft punk get lucky");
  if (code !== 0) return `It failed; everything else goes on: ${stderr.trim()}`;
  const first = readJson(stdout)?.data?.[0];
  if (!first) return `Deezer answered ${stdout.length} bytes, but no track.`;
  return `Deezer answered: ${first.artist?.name} – ${first.title}`;
}

function readJson(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** What stands before the first call of a service. */
const BARRED = { credential_needed: "sign in first", disabled: "switched off" };

const HEADINGS = ["service", "calls/min", "limit", "fullest window", "hits", "state"];

function row([service, { cpm, limit, windows: budget, hits, ban, access }]) {
  const fullest = budget.toSorted((a, b) => b.used / b.calls - a.used / a.calls)[0];
  return [
    service,
    `${cpm}`,
    `${limit}`,
    fullest ? `${fullest.used} of ${fullest.calls} in ${fullest.seconds} s` : "",
    `${hits}`,
    ban ? `banned (${ban.kind}) for ${Math.ceil(ban.remaining_s)} s` : (BARRED[access] ?? "room"),
  ];
}

function table(rows) {
  const lines = [HEADINGS, ...rows];
  const widths = HEADINGS.map((_, column) => Math.max(...lines.map((line) => line[column].length)));
  const numeric = new Set([1, 2, 4]);
  const cell = (text, column) =>
    numeric.has(column) ? text.padStart(widths[column]) : text.padEnd(widths[column]);
  return lines.map((line) => line.map(cell).join("  ").trimEnd()).join("\n");
}
