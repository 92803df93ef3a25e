// `npm run demo`: Headroom against local stand-ins of the services, in a directory that is thrown away.
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { livelyDay } from "./demo/day.mjs";
import { runTools } from "./demo/tools.mjs";
import { launch, options } from "./launch.mjs";
import { built, hasDisplay, must } from "./run.mjs";
import { setup } from "./setup.mjs";

const chosen = options();
await setup({ window: hasDisplay });
await must("cargo", ["build", "--package", "headroom-simulator"]);

const simulator = spawn(built("headroom-simulator"), [], { stdio: ["ignore", "pipe", "inherit"] });
const dataDir = chosen.dataDir ?? mkdtempSync(join(tmpdir(), "headroom-demo-"));
process.on("exit", () => {
  simulator.kill();
  if (!chosen.dataDir) rmSync(dataDir, { recursive: true, force: true });
});

const { control, services, accounts } = await announcement(simulator);
writeSettings(await settings(services, accounts));
writeFileSync(join(dataDir, "history.json"), JSON.stringify(livelyDay(Date.now())));
let ended = false;
const tools = runTools(dataDir, control, () => ended);
tools.catch((error) => console.error(`The demo's tools stopped: ${error.message}`));
process.exitCode = await launch({ ...chosen, dataDir }, { ...process.env, HEADROOM_VAULT: "file" });
ended = true;
process.exit();

/** The one line of JSON by which the simulator says that it is ready, and where. */
async function announcement(child) {
  for await (const line of createInterface({ input: child.stdout })) return JSON.parse(line);
  throw new Error("the simulator ended before it was ready");
}

/** Never over settings that are there: the directory may be somebody's own. */
function writeSettings(settings) {
  const path = join(dataDir, "settings.json");
  if (existsSync(path)) {
    console.error(`${path} exists; the demo wants a directory of its own`);
    process.exit(1);
  }
  mkdirSync(dataDir, { recursive: true });
  writeFileSync(path, JSON.stringify(settings, null, 2));
}

/** Every service at its stand-in, and a port that the real Headroom does not use. */
async function settings(services, accounts = {}) {
  const entries = Object.entries(services).map(([id, base_url]) => {
    const accounts_url = accounts[id];
    return [id, accounts_url ? { base_url, accounts_url } : { base_url }];
  });
  const all = Object.fromEntries(entries);
  all.spotify.client_id = "test-client-id";
  // As if its owner knew: the assumed quota of 800 would make a lively day a spent one.
  all.spotify.budget = {
    spacing_ms: 350,
    windows: [
      { seconds: 30, calls: 85 },
      { seconds: 3600, calls: 1000 },
    ],
    quota: { hours: 24, calls: 8000 },
  };
  return { services: all, gateway: { port: await freePort() } };
}

function freePort() {
  return new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}
