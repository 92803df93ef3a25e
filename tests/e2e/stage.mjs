// What a journey happens on: a data directory of its own, and stand-ins in place of the services.
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { built } from "../../scripts/run.mjs";
import { until } from "./until.mjs";

/**
 * Starts the stand-ins and prepares a data directory that points every service at them.
 *
 * @param {object} [settings]  more of `settings.json`
 */
export async function openStage(settings = {}) {
  const simulator = spawn(built("headroom-simulator"), ["--latency-ms", "1..5"], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const { control, services, accounts } = await firstLine(simulator);
  const dataDir = mkdtempSync(join(tmpdir(), "headroom-data-"));
  const standIns = Object.entries(services).map(([id, base_url]) => {
    const accounts_url = accounts[id];
    return [id, accounts_url ? { base_url, accounts_url } : { base_url }];
  });
  const written = { services: Object.fromEntries(standIns), gateway: { port: 0 }, ...settings };
  const children = new Set();

  const stage = {
    dataDir,
    /** Where the stand-ins are steered. */
    control,
    /** The addresses of the stand-ins. */
    services,
    /** Writes `settings.json` as its owner would: by hand, all of it. */
    writeSettings(changes = {}) {
      writeFileSync(join(dataDir, "settings.json"), JSON.stringify({ ...written, ...changes }, null, 2));
    },
    /** How many requests reached a service's stand-in. */
    async arrived(service) {
      const { services } = await (await fetch(`${control}/counts`)).json();
      return services[service].arrived;
    },
    /** The stand-in refuses its next call. */
    refuseOnce: (service) =>
      fetch(`${control}/services/${service}`, {
        method: "POST",
        body: JSON.stringify({ refuse: { times: 1 } }),
      }),
    /** `runtime.json`, once an engine answers; of another process than `before`, if given. */
    runtime: (before) =>
      until("an engine runs", async () => {
        const runtime = stage.readRuntime();
        if (!runtime || runtime.pid === before) return null;
        const answer = await fetch(`http://127.0.0.1:${runtime.port}/health`).catch(() => null);
        return answer?.ok ? runtime : null;
      }),
    /** `runtime.json` as it is now, or null. */
    readRuntime() {
      try {
        return JSON.parse(readFileSync(join(dataDir, "runtime.json"), "utf8"));
      } catch {
        return null;
      }
    },
    /** Runs a command of the engine's contract over the control API. */
    async command(name, args = {}) {
      const { port, key } = await stage.runtime();
      const answer = await fetch(`http://127.0.0.1:${port}/api/call/${name}`, {
        method: "POST",
        headers: { "X-Headroom-Key": key },
        body: JSON.stringify(args),
      });
      if (!answer.ok) throw new Error(`${name}: ${answer.status} ${await answer.text()}`);
      return answer.json();
    },
    /** A tool with a key of its own: `tool("deezer", "/search?q=x")` is a call through the gateway. */
    async newTool(name) {
      const { key } = await stage.command("add_key", { name, services: null, raw_links: false });
      return async (service, path, headers = {}) => {
        const { port } = await stage.runtime();
        return fetch(`http://127.0.0.1:${port}/${service}${path}`, {
          headers: { "X-Headroom-Key": key, ...headers },
        });
      };
    },
    /** Starts a program of ours on this data directory: `{ child, ended }`, the latter its exit code or signal. */
    start(program, args = [], profile = "debug") {
      const child = spawn(built(program, profile), ["--data-dir", dataDir, ...args], {
        stdio: ["ignore", "inherit", "inherit"],
      });
      children.add(child);
      const ended = new Promise((resolve) => {
        child.once("close", (code, signal) => {
          children.delete(child);
          resolve(code ?? signal);
        });
      });
      return { child, ended };
    },
    async close() {
      // Where there is a tray, a window that the driver closes may only hide: the app goes on.
      const { pid } = stage.readRuntime() ?? {};
      if (pid) kill(pid);
      for (const child of [...children, simulator]) child.kill("SIGKILL");
      await Promise.all([...children, simulator].map(gone));
      rmSync(dataDir, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
    },
  };
  stage.writeSettings();
  return stage;
}

function kill(pid) {
  try {
    process.kill(pid, "SIGKILL");
  } catch (error) {
    if (error.code !== "ESRCH") throw error;
  }
}

async function firstLine(child) {
  for await (const line of createInterface({ input: child.stdout })) return JSON.parse(line);
  throw new Error("the simulator ended before it was ready");
}

function gone(child) {
  if (child.exitCode !== null || child.signalCode !== null) return null;
  return new Promise((resolve) => child.once("close", resolve));
}
