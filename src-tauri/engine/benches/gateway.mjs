// `npm run bench:gateway`: kept answers from Headroom's gateway, beside nginx, Squid and a bare axum server.
//
// Each server has one core and wrk has another (at least two are needed). All of them answer the same bytes
// of the same origin, and each is checked to answer from its cache before it is measured. They take turns,
// so that a busy moment of the machine meets all of them; what is shown is the median of the rounds.
// Requests per second of processor time the server took are told apart from those per second of the clock:
// the former are what a whole core would do, also where other programs want it at the same time.
//
//   npm run bench:gateway -- [--built] [--rounds 3] [--seconds 10]
//
// It needs Linux and the programs nginx, squid, wrk and taskset (Debian: nginx squid wrk util-linux).
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { Agent, createServer, get } from "node:http";
import { connect, createServer as createSocketServer } from "node:net";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { ask, built, find, linux, must } from "../../../scripts/run.mjs";
import { computed, family, memory } from "../../../tests/e2e/processes.mjs";
import { until } from "../../../tests/e2e/until.mjs";

/** Bytes of the answers `/track/1` and `/track/2`. */
const SIZES = [2_048, 51_200];
const CONNECTIONS = 64;
const IDLE = 1_000;
/** Questions that nobody asked before, to see what a miss costs. */
const MISSES = 2_000;
/** What the others are compared with: with its log, as Headroom writes one, and no more settings than needed. */
const AS_IT_COMES = "nginx as it comes";
const SERVER_CORE = "0";
const CLIENT_CORE = "1";

if (process.argv[2] === "origin") await origin();
else await main();

/** What all of them fetch from: answers that may be kept, of the sizes asked for. */
async function origin() {
  const server = createServer((request, answer) => {
    const body = answerOf(Number(request.url.match(/^\/track\/(\d+)/)?.[1] ?? 1));
    const headers = { "content-type": "application/json", "content-length": body.length };
    answer.writeHead(200, { ...headers, "cache-control": "public, max-age=3600", etag: '"1"' }).end(body);
  });
  server.keepAliveTimeout = 600_000;
  server.listen(0, "127.0.0.1", () => console.log(server.address().port));
}

/** A track of Deezer's shape, of an exact size. */
function answerOf(n) {
  const size = SIZES[n - 1] ?? SIZES[0];
  const track = (text) => JSON.stringify({ id: n, title: "A track", type: "track", text });
  return Buffer.from(track("x".repeat(size - track("").length)));
}

async function main() {
  const option = (name, usual) => {
    const at = process.argv.indexOf(`--${name}`);
    return at < 0 ? usual : Number(process.argv[at + 1]);
  };
  const [rounds, seconds] = [option("rounds", 3), option("seconds", 10)];
  if (!linux || cpus().length < 2) throw new Error("it needs Linux and two cores");
  const missing = ["nginx", "squid", "wrk", "taskset"].filter((name) => !program(name));
  if (missing.length > 0) throw new Error(`it needs the programs ${missing.join(", ")}`);
  if (!process.argv.includes("--built")) {
    await must("cargo", ["build", "--release", "--package", "headroomctl"]);
    await must("cargo", ["build", "--release", "--package", "headroom-engine", "--example", "bare"]);
  }
  const stage = await openStage();
  try {
    const servers = [
      await headroom(stage),
      await nginx(stage, false),
      await nginx(stage, true),
      await squid(stage),
      await bare(stage),
    ];
    for (const server of servers) await checkKept(server);
    console.log(versions());
    for (const n of SIZES.keys()) await compare(servers, n + 1, rounds, seconds);
    await missCost(
      stage,
      servers.filter(({ caches }) => caches),
    );
    for (const server of servers) await idleMemory(server);
  } finally {
    await stage.close();
  }
}

/** A folder and the processes on it. */
async function openStage() {
  const folder = mkdtempSync(join(tmpdir(), "headroom-bench-"));
  const children = [];
  // Also when it is interrupted, or nobody reads what it prints.
  process.on("exit", () => {
    for (const child of children) child.kill("SIGTERM");
  });
  for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => process.exit(1));
  const start = (core, command, args, env = {}) => {
    const child = spawn("taskset", ["-c", core, command, ...args], {
      cwd: folder,
      env: { ...process.env, ...env },
      stdio: ["ignore", "pipe", "inherit"],
    });
    children.push(child);
    return child;
  };
  const source = start(CLIENT_CORE, process.execPath, [fileURLToPath(import.meta.url), "origin"]);
  const port = Number(await firstLine(source));
  return {
    folder,
    start,
    origin: `127.0.0.1:${port}`,
    write(name, text) {
      const path = join(folder, name);
      writeFileSync(path, text);
      return path;
    },
    async close() {
      // Told to end, Squid takes its shared memory with it.
      const ends = children.map((child) => child.exitCode ?? new Promise((end) => child.once("close", end)));
      for (const child of children) child.kill("SIGTERM");
      await Promise.race([Promise.all(ends), sleep(5_000)]);
      for (const child of children) child.kill("SIGKILL");
      rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
    },
  };
}

async function headroom({ folder, origin, start }) {
  const dataDir = join(folder, "headroom");
  mkdirSync(dataDir);
  const budget = { spacing_ms: 0, windows: [{ seconds: 1, calls: 100_000 }] };
  const services = { deezer: { base_url: `http://${origin}`, budget } };
  writeFileSync(join(dataDir, "settings.json"), JSON.stringify({ services, gateway: { port: 0 } }));
  const ctl = built("headroomctl", "release");
  const child = start(SERVER_CORE, ctl, ["--data-dir", dataDir, "serve"], { HEADROOM_VAULT: "file" });
  const address = (await firstLine(child)).match(/http:\S+/)[0];
  const added = ask(ctl, ["--data-dir", dataDir, "keys", "add", "bench", "--json"]);
  return {
    name: "Headroom",
    caches: true,
    pid: child.pid,
    base: `${address}/deezer`,
    headers: { "X-Headroom-Key": JSON.parse(added.stdout).key },
    isHit: (headers) => headers["x-headroom-cache"] === "hit",
  };
}

/** `logs`: as it comes, with a line a request (Headroom writes one too). Else at its fastest. */
async function nginx(stage, logs) {
  const { origin, start, write } = stage;
  const port = await freePort();
  const folder = join(stage.folder, logs ? "nginx-logs" : "nginx");
  mkdirSync(folder);
  const config = write(
    `${logs ? "nginx-logs" : "nginx"}.conf`,
    `daemon off;
worker_processes 1;
pid ${folder}/nginx.pid;
error_log ${folder}/nginx.log;
events { worker_connections 4096; }
http {
  access_log ${logs ? `${folder}/access.log` : "off"};
  sendfile on;
  tcp_nopush on;
  keepalive_requests 1000000000;
  keepalive_timeout 600s;
  client_body_temp_path ${folder}/body;
  proxy_temp_path ${folder}/temp;
  fastcgi_temp_path ${folder}/fastcgi;
  uwsgi_temp_path ${folder}/uwsgi;
  scgi_temp_path ${folder}/scgi;
  ${logs ? "" : "open_file_cache max=1000 inactive=600s; open_file_cache_valid 600s;"}
  proxy_cache_path ${folder}/kept levels=1:2 keys_zone=kept:10m max_size=256m inactive=12h use_temp_path=off;
  upstream origin { server ${origin}; keepalive 16; }
  server {
    listen 127.0.0.1:${port} reuseport;
    location / {
      proxy_pass http://origin;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_cache kept;
      proxy_cache_valid 200 12h;
      add_header X-Cache $upstream_cache_status;
    }
  }
}
`,
  );
  const user = process.getuid() === 0 ? ["-g", "user root;"] : [];
  const child = start(SERVER_CORE, program("nginx"), ["-c", config, "-p", folder, ...user]);
  await listening(port);
  return {
    name: logs ? AS_IT_COMES : "nginx, tuned",
    caches: true,
    pid: child.pid,
    base: `http://127.0.0.1:${port}`,
    headers: {},
    isHit: (headers) => headers["x-cache"] === "HIT",
  };
}

async function squid({ origin, start, write }) {
  const port = await freePort();
  const [host, originPort] = origin.split(":");
  const config = write(
    "squid.conf",
    `http_port 127.0.0.1:${port} accel defaultsite=${host} no-vhost
cache_peer ${host} parent ${originPort} 0 no-query originserver name=origin
acl all_of_them src 127.0.0.1
http_access allow all_of_them
cache_peer_access origin allow all_of_them
cache_mem 256 MB
maximum_object_size_in_memory 1 MB
memory_replacement_policy heap LRU
access_log none
cache_log /dev/null
cache_store_log none
pid_filename none
coredump_dir none
netdb_filename none
pinger_enable off
client_db off
max_filedescriptors 8192
shutdown_lifetime 1 second
`,
  );
  const child = start(SERVER_CORE, program("squid"), ["-N", "-n", `bench${process.pid}`, "-f", config]);
  await listening(port);
  return {
    name: "Squid",
    caches: true,
    pid: child.pid,
    base: `http://127.0.0.1:${port}`,
    headers: {},
    isHit: (headers) => /^HIT/.test(headers["x-cache"] ?? ""),
  };
}

async function bare({ start, write }) {
  const files = SIZES.map((_, n) => write(`answer-${n + 1}`, answerOf(n + 1)));
  const child = start(SERVER_CORE, join(built("headroomctl", "release"), "..", "examples", "bare"), files);
  return {
    name: "bare axum, no cache",
    caches: false,
    pid: child.pid,
    base: `http://127.0.0.1:${await firstLine(child)}`,
    headers: {},
    isHit: () => true,
  };
}

/** Asks for everything twice, and fails unless the second answer is whole and comes from the cache. */
async function checkKept({ name, base, headers, isHit }) {
  for (const n of SIZES.keys()) {
    const path = `/track/${n + 1}`;
    await fetchWhole(base + path, headers);
    const {
      status,
      body,
      headers: got,
    } = await until(`${name} keeps ${path}`, async () => {
      const answer = await fetchWhole(base + path, headers);
      return isHit(answer.headers) ? answer : null;
    });
    if (status !== 200 || !body.equals(answerOf(n + 1)))
      throw new Error(`${name} answers ${path} with ${status}, ${body.length} bytes, ${JSON.stringify(got)}`);
  }
}

async function compare(servers, n, rounds, seconds) {
  const results = new Map(servers.map((server) => [server, []]));
  for (let round = 0; round < rounds; round += 1)
    for (const server of servers) results.get(server).push(wrk(server, n, seconds));
  const middle = (server, field) => median(results.get(server).map((one) => one[field]));
  const reference = middle(
    servers.find(({ name }) => name === AS_IT_COMES),
    "perCore",
  );
  console.log(`\n${SIZES[n - 1]} bytes, wrk -t1 -c${CONNECTIONS}, median of ${rounds} × ${seconds} s`);
  console.log(row("", "per core", "× nginx", "per second", "p50 ms", "p99 ms", "per core, each round"));
  for (const server of servers) {
    const perCore = middle(server, "perCore");
    const each = results.get(server).map((one) => `${(one.perCore / 1_000).toFixed(1)}k`);
    console.log(
      row(
        server.name,
        Math.round(perCore).toLocaleString("en"),
        (perCore / reference).toFixed(2),
        Math.round(middle(server, "perSecond")).toLocaleString("en"),
        middle(server, "p50").toFixed(2),
        middle(server, "p99").toFixed(2),
        `  ${each.join(" ")}`,
      ),
    );
  }
}

function wrk({ name, base, headers, pid }, n, seconds) {
  const time = () => family(pid).reduce((sum, member) => sum + computed(member), 0) / 1_000;
  const before = time();
  const named = Object.entries(headers).flatMap(([header, value]) => ["-H", `${header}: ${value}`]);
  const options = ["-t1", `-c${CONNECTIONS}`, `-d${seconds}s`, "--latency", ...named, `${base}/track/${n}`];
  const { code, stdout, stderr } = ask("taskset", ["-c", CLIENT_CORE, program("wrk"), ...options]);
  const took = time() - before;
  if (code !== 0 || /Non-2xx|Socket errors/.test(stdout)) throw new Error(`${name}: ${stdout}${stderr}`);
  const percentile = (rank) => {
    const [, value, unit] = stdout.match(new RegExp(`${rank}%\\s+([\\d.]+)(us|ms|s)\\b`));
    return Number(value) * { us: 0.001, ms: 1, s: 1_000 }[unit];
  };
  return {
    perSecond: Number(stdout.match(/Requests\/sec:\s+([\d.]+)/)[1]),
    perCore: Number(stdout.match(/(\d+) requests in/)[1]) / took,
    p50: percentile(50),
    p99: percentile(99),
  };
}

/** New questions, one after the other, each asked of every server and of the origin itself in turn. */
async function missCost({ origin }, servers) {
  const direct = { name: "the origin itself", base: `http://${origin}`, headers: {} };
  const all = [direct, ...servers].map((server) => ({
    ...server,
    agent: new Agent({ keepAlive: true, maxSockets: 1 }),
    times: [],
  }));
  for (let n = 0; n < MISSES; n += 1) {
    for (const server of all) {
      const began = process.hrtime.bigint();
      const { headers } = await fetchWhole(`${server.base}/track/${1_000 + n}`, server.headers, server.agent);
      server.times.push(Number(process.hrtime.bigint() - began) / 1e6);
      if (server.isHit?.(headers)) throw new Error(`${server.name} has an answer to a new question`);
    }
  }
  for (const { agent } of all) agent.destroy();
  const own = median(all[0].times);
  console.log(`\nA miss, ${MISSES} new questions one after the other`);
  console.log(row("", "p50 ms", "added ms", "p99 ms"));
  for (const { name, times } of all) {
    const late = times.toSorted((a, b) => a - b)[Math.floor(times.length * 0.99)];
    console.log(row(name, median(times).toFixed(3), (median(times) - own).toFixed(3), late.toFixed(3)));
  }
}

/** What connections cost that have asked once and stay. */
async function idleMemory({ name, base, headers, pid }) {
  const total = () => family(pid).reduce((sum, member) => sum + memory(member), 0);
  const before = total();
  const { hostname, port, pathname } = new URL(`${base}/track/1`);
  const named = Object.entries(headers)
    .map(([header, value]) => `${header}: ${value}\r\n`)
    .join("");
  const sockets = [];
  for (let n = 0; n < IDLE; n += 1) {
    const socket = connect(Number(port), hostname);
    sockets.push(socket);
    const answered = new Promise((resolve, reject) => socket.once("data", resolve).once("error", reject));
    socket.write(`GET ${pathname} HTTP/1.1\r\nHost: ${hostname}:${port}\r\n${named}\r\n`);
    await answered;
    socket.resume();
  }
  await sleep(2_000);
  const open = sockets.filter((socket) => !socket.destroyed && !socket.readableEnded).length;
  const mb = (bytes) => (bytes / 1024 / 1024).toFixed(1);
  const after = total();
  const each = ((after - before) / IDLE / 1024).toFixed(1);
  console.log(
    `${name}: ${mb(before)} MB, with ${open} idle connections ${mb(after)} MB (${each} KB each), proportional set size`,
  );
  for (const socket of sockets) socket.destroy();
  await sleep(500);
}

function versions() {
  const first = (name, ...args) => {
    const { stdout, stderr } = ask(program(name), args);
    return `${stdout}${stderr}`.split("\n")[0].trim();
  };
  return [first("nginx", "-v"), first("squid", "-v"), cpus()[0].model].join(" · ");
}

/** A program of the system, also where only root looks for it. */
function program(name) {
  return (
    find(name) ??
    ["/usr/sbin", "/sbin"].map((folder) => join(folder, name)).find((path) => ask(path, ["-v"]).code !== 127)
  );
}

function fetchWhole(address, headers, agent) {
  return new Promise((resolve, reject) => {
    const request = get(address, { headers, ...(agent && { agent }) }, (answer) => {
      const chunks = [];
      answer.on("data", (chunk) => chunks.push(chunk));
      answer.on("end", () =>
        resolve({ status: answer.statusCode, headers: answer.headers, body: Buffer.concat(chunks) }),
      );
    });
    request.on("error", reject);
  });
}

async function firstLine(child) {
  for await (const line of createInterface({ input: child.stdout })) return line;
  throw new Error(`${child.spawnargs.join(" ")} ended before it was ready`);
}

function freePort() {
  return new Promise((resolve) => {
    const server = createSocketServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

function listening(port) {
  const tried = () =>
    new Promise((resolve) => {
      const socket = connect(port, "127.0.0.1", () => resolve(true)).on("error", () => resolve(false));
      socket.once("connect", () => socket.destroy());
    });
  return until(`something listens on ${port}`, tried);
}

function median(numbers) {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)];
}

function row(name, ...cells) {
  return `${name.padEnd(22)}${cells.map((cell) => cell.padStart(12)).join("")}`;
}
