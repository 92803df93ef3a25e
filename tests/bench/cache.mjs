// `npm run bench:cache`: how long an answer from the cache takes, beside other caches, in one table.
//
// `--runs N` takes the best median of N runs, for a machine that has other work; `--million` adds an engine's
// start on 1,000,000 entries (two minutes and 2 GB of disk more); `--no-peers` leaves the others out. These are
// `http-cache-reqwest` with moka and Python's `requests-cache` on SQLite, installed below `target/peers`.
import { spawn } from "node:child_process";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { find, must, root, windows } from "../../scripts/run.mjs";

const peers = join(root, "src-tauri", "engine", "benches", "peers");
const target = process.env.CARGO_TARGET_DIR ?? join(root, "target");
const home = join(target, "peers");
/** What DESIGN promises, in ns. */
const TARGETS = {
  "cache, from memory: call": 5_000,
  "cache, from disk, 100,000 entries: call": 60_000,
  "cache, an engine starts: 1,000,000 entries": 1e9,
};

const { argv, env } = process;
const runs = Number(argv[argv.indexOf("--runs") + 1]) || 1;
if (argv.includes("--million")) env.HEADROOM_BENCH_MILLION = "1";

const rows = new Map();
const said = [];
for (let run = 0; run < runs; run += 1) {
  const began = Date.now();
  const text = await output("cargo", [
    "bench",
    "--package",
    "headroom-engine",
    "--bench",
    "cache",
    "--",
    "--noplot",
  ]);
  said.push(...text.split("\n").filter((line) => line.startsWith("figure: ")));
  for (const [name, ns] of measured(join(target, "criterion"), began)) best(name, ns);
  if (!argv.includes("--no-peers")) for (const [name, ns] of await others()) best(name, ns);
}
for (const line of said) console.log(line.slice("figure: ".length));
console.log(`\nmedian${runs > 1 ? `, the best of ${runs} runs` : ""}`);
for (const [name, ns] of rows) {
  const goal = TARGETS[name];
  const verdict = goal ? `  target ${time(goal)}: ${ns <= goal ? "met" : "missed"}` : "";
  console.log(`${time(ns).padStart(10)}  ${name}${verdict}`);
}

function best(name, ns) {
  rows.set(name, Math.min(ns, rows.get(name) ?? Number.POSITIVE_INFINITY));
}

function time(ns) {
  if (ns < 1_000) return `${ns.toFixed(0)} ns`;
  if (ns < 1e6) return `${(ns / 1_000).toFixed(2)} µs`;
  return `${(ns / 1e6).toFixed(1)} ms`;
}

/** Medians that criterion wrote since then, in the order they were measured. */
function measured(folder, since) {
  const found = [];
  for (const path of readdirSync(folder, { recursive: true })) {
    if (!path.endsWith(join("new", "benchmark.json"))) continue;
    const place = join(folder, path);
    const estimates = join(place, "..", "estimates.json");
    const at = statSync(estimates).mtimeMs;
    const { group_id: group, function_id: name } = JSON.parse(readFileSync(place, "utf8"));
    if (at < since || !group.startsWith("cache, ")) continue;
    found.push([at, `${group}: ${name}`, JSON.parse(readFileSync(estimates, "utf8")).median.point_estimate]);
  }
  return found.sort(([a], [b]) => a - b).map(([, name, ns]) => [name, ns]);
}

/** What other caches take. One that cannot be installed is named and left out. */
async function others() {
  const manifest = join(peers, "Cargo.toml");
  const python = join(home, "python", windows ? "Scripts/python.exe" : "bin/python3");
  const tries = [
    async () =>
      output("cargo", ["run", "--release", "--quiet", "--manifest-path", manifest, "--target-dir", home]),
    async () => {
      if (!existsSync(python)) {
        await must(find("python3") ?? "python", ["-m", "venv", join(home, "python")]);
        await output(python, ["-m", "pip", "install", "--quiet", "requests-cache==1.3.3"]);
      }
      return output(python, [join(peers, "requests_cache_sqlite.py")]);
    },
  ];
  const found = [];
  for (const attempt of tries) {
    try {
      const peer = JSON.parse((await attempt()).trim().split("\n").at(-1));
      found.push([peer.name, peer.median_us * 1_000]);
      if (peer.bytes_an_entry)
        said.push(`figure: ${peer.name}: ${peer.bytes_an_entry} bytes an entry on disk`);
    } catch (error) {
      said.push(`figure: left out: ${error.message}`);
    }
  }
  return found;
}

/** Runs a program to its end; shows what it says, and returns it. */
function output(command, args) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: root, stdio: ["ignore", "pipe", "inherit"] });
    let text = "";
    child.stdout.on("data", (part) => {
      text += part;
      process.stdout.write(part);
    });
    child.on("error", reject);
    child.on("close", (code) => {
      if (code === 0) resolve(text);
      else reject(new Error(`${command} ${args.join(" ")}: exit code ${code}`));
    });
  });
}
