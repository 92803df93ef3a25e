// A running gateway in front of the stand-ins, signed in everywhere, and tools that use it as published.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";
import { clientProgram } from "../../scripts/clients.mjs";
import { built } from "../../scripts/run.mjs";
import { openStage } from "../e2e/stage.mjs";

/** What each stand-in takes for a credential. Spotify's is a token that is got by signing in. */
export const credentials = { lastfm: "test-lastfm-key", discogs: "test-discogs-token" };

export async function openGateway() {
  process.env.HEADROOM_VAULT = "file";
  const stage = await openStage();
  const folder = mkdtempSync(join(tmpdir(), "headroom-tools-"));
  stage.start("headroomctl", ["serve", "--port", "0"]);
  const { port } = await stage.runtime();

  const gateway = {
    ...stage,
    /** `127.0.0.1:PORT` */
    place: `127.0.0.1:${port}`,
    address: `http://127.0.0.1:${port}`,
    ctl: (...args) => end(built("headroomctl"), ["--data-dir", stage.dataDir, ...args]),
    /** Makes a key, as its owner would. */
    async newKey(name) {
      const { code, out, err } = await gateway.ctl("keys", "add", name, "--json");
      assert.equal(code, 0, err);
      return JSON.parse(out).key;
    },
    /** Runs a client program of the virtual environment: `{ code, out, err }`. */
    run: (program, ...args) => end(clientProgram(program), args, { cwd: folder }),
    /** Runs any other program. */
    runSystem: (program, ...args) => end(program, args, { cwd: folder }),
    /** Writes a file for a tool, and says where. */
    write(name, contents) {
      const path = join(folder, name);
      writeFileSync(path, contents);
      return path;
    },
    /** The last requests that came to a stand-in, credentials visible. */
    log: (service) => json(`${stage.control}/log?service=${service}&n=1000`),
    /** How many requests came to all stand-ins. */
    async arrivedAnywhere() {
      const { services } = await json(`${stage.control}/counts`);
      return Object.values(services).reduce((sum, { arrived }) => sum + arrived, 0);
    },
    /** Changes a stand-in's rules. */
    async change(service, rules) {
      const answer = await fetch(`${stage.control}/services/${service}`, {
        method: "POST",
        body: JSON.stringify(rules),
      });
      assert.equal(answer.status, 200, await answer.text());
    },
    /** What the meters say of a service. */
    async meter(service) {
      const { key } = await stage.runtime();
      const answer = await fetch(`${gateway.address}/api/rate-monitor`, {
        headers: { "X-Headroom-Key": key },
      });
      return (await answer.json()).services[service];
    },
    /** Fails if a key came to any stand-in, in whatever part of a request. */
    async neverSent(key) {
      assert.ok(!JSON.stringify(await json(`${stage.control}/log?n=2000`)).includes(key), "the key left");
    },
    async close() {
      await stage.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
  try {
    await signIn(stage);
  } catch (error) {
    await gateway.close();
    throw error;
  }
  return gateway;
}

async function signIn(stage) {
  await stage.command("set_client_id", { service: "spotify", client_id: "test-client-id" });
  const args = ["--data-dir", stage.dataDir, "login", "spotify", "--no-browser"];
  const login = spawn(built("headroomctl"), args, { stdio: ["ignore", "pipe", "inherit"] });
  const code = new Promise((resolve) => login.once("close", resolve));
  for await (const url of createInterface({ input: login.stdout })) {
    // The consent page of the stand-in says yes and sends the browser to the waiting program.
    await fetch(url);
    break;
  }
  assert.equal(await code, 0, "signed in at Spotify");
  for (const [service, value] of Object.entries(credentials)) {
    const { code, err } = await end(
      built("headroomctl"),
      ["--data-dir", stage.dataDir, "secret", "set", service],
      {},
      value,
    );
    assert.equal(code, 0, err);
  }
}

/** Runs a program to its end. Nothing of this computer's proxies is between it and the gateway. */
async function end(program, args, options = {}, input = "") {
  const env = { ...process.env, NO_PROXY: "*", no_proxy: "*", PYTHONWARNINGS: "default" };
  const child = spawn(program, args, { env, ...options });
  child.stdin.end(input);
  const code = new Promise((resolve, reject) => child.once("close", resolve).once("error", reject));
  const [out, err] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return { code: await code, out, err };
}

async function json(address) {
  return (await fetch(address)).json();
}

export const read = (name) => readFileSync(join(import.meta.dirname, name), "utf8");
