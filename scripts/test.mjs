// `npm test`: every check, each with its time; all of them run even if one fails.
//   npm test -- --only format,clippy    some of them
import { spawn } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { clientsMissing, clientTests } from "./clients.mjs";
import { find, linux, root, tool } from "./run.mjs";
import { setup } from "./setup.mjs";

const cargo = (...args) => ["cargo", args];
const vitest = (config) => tool("vitest", "run", "--passWithNoTests", "--config", config);

/**
 * `count` reads from the output how many tests ran; a check without it counts as one.
 * `skip` says why a check cannot run here.
 */
const checks = [
  { name: "format", says: "Rust is formatted", command: () => cargo("fmt", "--all", "--", "--check", "-l") },
  {
    name: "biome",
    says: "lint and format of the rest",
    command: () => tool("biome", "ci", "--error-on-warnings", "--colors=off"),
  },
  { name: "types", says: "TypeScript types", command: () => tool("tsc", "--noEmit") },
  { name: "unused", says: "no unused Rust dependency", command: () => cargo("machete") },
  {
    name: "deny",
    says: "licences and sources of Rust dependencies",
    command: () => cargo("deny", "--log-level", "warn", "check", "bans", "licenses", "sources"),
  },
  {
    name: "systemd",
    says: "the systemd unit in docs/",
    command: () => [process.execPath, ["scripts/unit.mjs"]],
    skip: () => (find("systemd-analyze") ? null : "there is no systemd-analyze here"),
  },
  {
    name: "unit",
    says: "UI in a simulated DOM",
    command: () => vitest("ui/vitest.config.ts"),
    count: countVitest,
  },
  // Before all that compiles the app, which the built UI is part of.
  {
    name: "ui",
    says: "UI builds",
    command: () => tool("vite", "build", "--config", "ui/vite.config.ts", "--logLevel", "warn"),
  },
  {
    name: "browser",
    says: "UI in Chromium",
    command: () => vitest("ui/vitest.browser.config.ts"),
    count: countVitest,
  },
  {
    name: "clippy",
    says: "Rust lints",
    command: () => cargo("clippy", "--workspace", "--all-targets", "--quiet", "--", "-D", "warnings"),
  },
  {
    name: "docs",
    says: "Rust documentation",
    command: () => cargo("doc", "--no-deps", "--workspace", "--quiet"),
    env: { RUSTDOCFLAGS: "-D warnings" },
  },
  {
    name: "rust",
    says: "Rust tests",
    command: () =>
      cargo("nextest", "run", "--workspace", "--no-fail-fast", "--no-tests=pass", "--cargo-quiet"),
    count: countNextest,
  },
  {
    name: "examples",
    says: "examples in the Rust documentation",
    command: () => cargo("test", "--doc", "--workspace", "--quiet", "--no-fail-fast"),
    count: countDoctests,
  },
  {
    name: "programs",
    says: "the app and its companions build",
    command: () => cargo("build", "--workspace", "--bins", "--quiet"),
  },
  {
    name: "clients",
    says: "published clients and a browser at the gateway",
    command: clientTests,
    count: countNodeTest,
    skip: clientsMissing,
  },
  {
    name: "journeys",
    says: "journeys in the real window",
    command: () => [process.execPath, ["scripts/journeys.mjs"]],
    count: countNodeTest,
    skip: () => (linux ? null : "they need Linux: elsewhere there is no WebKitWebDriver"),
  },
];

/** How much of a failed check's output is shown; the whole is in `artifacts/test/`. */
const SHOWN_LINES = 150;

const logs = join(root, "artifacts", "test");
const began = Date.now();
const total = { passed: 0, failed: 0 };
const failed = [];
const notRun = [];

const chosen = choose(process.argv.slice(2));
await setup({ window: true, tests: true });
rmSync(logs, { recursive: true, force: true });
mkdirSync(logs, { recursive: true });
for (const check of chosen) await perform(check);
summary();

function choose(args) {
  if (args.length === 0) return checks;
  const names = args[0] === "--only" && args[1] ? args[1].split(",") : [""];
  if (!names.every((name) => checks.some((check) => check.name === name))) {
    console.error(`usage: npm test [-- --only NAME,…] with ${checks.map(({ name }) => name).join(", ")}`);
    process.exit(2);
  }
  return checks.filter(({ name }) => names.includes(name));
}

async function perform({ name, says, command, env, count, skip }) {
  const reason = skip?.();
  if (reason) {
    notRun.push(`${name}: ${reason}`);
    console.log(`-  ${name}: not run`);
    return;
  }
  console.log(`   ${name}: ${says} …`);
  const start = Date.now();
  const { code, output } = await record(command(), env);
  writeFileSync(join(logs, `${name}.log`), output);

  const counts = count ? count(output) : { passed: code === 0 ? 1 : 0, failed: 0, skipped: 0 };
  // It failed and no test says so: it did not compile, or the like.
  if (code !== 0 && counts.failed === 0) counts.failed = 1;
  total.passed += counts.passed;
  total.failed += counts.failed;
  if (counts.skipped) notRun.push(`${name}: ${counts.skipped} skipped`);

  const tests = count ? `, ${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped` : "";
  console.log(`${counts.failed ? "✗" : "✓"}  ${name} (${seconds(start)}${tests})`);
  if (counts.failed) {
    failed.push(name);
    const lines = output.trimEnd().split("\n");
    console.log(
      lines
        .slice(-SHOWN_LINES)
        .map((line) => `   | ${line}`)
        .join("\n"),
    );
  }
}

/** Runs a command and keeps all it prints. */
function record([program, args], env) {
  return new Promise((resolve) => {
    const child = spawn(program, args, {
      cwd: root,
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, NO_COLOR: "1", CARGO_TERM_COLOR: "never", ...env },
    });
    const chunks = [];
    const done = (code) =>
      resolve({ code, output: stripVTControlCharacters(Buffer.concat(chunks).toString()) });
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => chunks.push(chunk));
    child.on("error", (error) => {
      chunks.push(Buffer.from(`${program}: ${error.message}\n`));
      done(127);
    });
    child.on("close", (code) => done(code ?? 1));
  });
}

function summary() {
  console.log(`\n${seconds(began)} in all.`);
  if (notRun.length > 0) console.log(`Not run:\n${notRun.map((line) => `  ${line}`).join("\n")}`);
  if (failed.length > 0) console.log(`Failed: ${failed.join(", ")}; the whole output is in artifacts/test/`);
  console.log(`${total.passed} passed, ${total.failed} failed`);
  process.exitCode = total.failed === 0 ? 0 : 1;
}

/** `Summary [ 0.1s] 3 tests run: 2 passed, 1 timed out, 4 skipped` */
function countNextest(output) {
  const [, run, passed, rest] =
    output.match(/Summary \[.*?\] (?:\d+\/)?(\d+) tests? run: (\d+) passed(.*)/) ?? [];
  if (!run) return { passed: 0, failed: 0, skipped: 0 };
  return { passed: +passed, failed: run - passed, skipped: number(rest, /(\d+) skipped/) };
}

/** `test result: ok. 3 passed; 0 failed; 1 ignored; …`, once per crate */
function countDoctests(output) {
  return sum(output, { passed: /(\d+) passed;/g, failed: /(\d+) failed;/g, skipped: /(\d+) ignored;/g });
}

/** `Tests  1 failed | 3 passed | 2 skipped (6)` */
function countVitest(output) {
  const line = output.match(/^\s*Tests\s+(.*)$/m)?.[1] ?? "";
  return sum(line, { passed: /(\d+) passed/g, failed: /(\d+) failed/g, skipped: /(\d+) (?:skipped|todo)/g });
}

/** `ℹ pass 3`, once per file */
function countNodeTest(output) {
  return sum(output, {
    passed: /^ℹ pass (\d+)/gm,
    failed: /^ℹ fail (\d+)/gm,
    skipped: /^ℹ (?:skipped|todo) (\d+)/gm,
  });
}

function sum(output, patterns) {
  const entries = Object.entries(patterns).map(([name, pattern]) => [
    name,
    [...output.matchAll(pattern)].reduce((total, [, count]) => total + Number(count), 0),
  ]);
  return Object.fromEntries(entries);
}

function number(text, pattern) {
  return Number(text.match(pattern)?.[1] ?? 0);
}

function seconds(since) {
  return `${((Date.now() - since) / 1000).toFixed(1)} s`;
}
