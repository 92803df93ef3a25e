// The published clients that `tests/clients` tries the gateway with, in a virtual environment of Python.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ask, find, must, root, windows } from "./run.mjs";

const tests = join(root, "tests", "clients");
const folder = join(root, "target", "clients");
const wanted = join(tests, "requirements.txt");
/** A copy of the list of what is installed. */
const record = join(folder, "installed.txt");

/** The path of one of their programs: `python`, `beet`. */
export const clientProgram = (name) =>
  join(folder, windows ? "Scripts" : "bin", windows ? `${name}.exe` : name);

/** Why they cannot be installed here, or null. */
export function clientsMissing() {
  const version = "import sys, venv; sys.exit(sys.version_info < (3, 11))";
  const fits = python() && ask(python(), ["-c", version]).code === 0;
  return fits ? null : "they need Python 3.11 or later with its module venv";
}

/** Installs what `requirements.txt` lists, from the registry that pip is set to. Quick when it is there. */
export async function installClients() {
  const list = readFileSync(wanted, "utf8");
  const installed = existsSync(record) && readFileSync(record, "utf8") === list;
  if (installed && existsSync(clientProgram("python"))) return;
  console.log("Installing the published clients (tests/clients/requirements.txt)");
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  await must(python(), ["-m", "venv", folder]);
  const pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"];
  await must(clientProgram("python"), [...pip, "--requirement", wanted]);
  writeFileSync(record, list);
}

/** `[command, args]` of the tests with them. */
export function clientTests() {
  const files = readdirSync(tests).filter((name) => name.endsWith(".test.mjs"));
  // One after the other: some wait for budgets, which are real time.
  const options = ["--test", "--test-reporter=spec", "--test-concurrency=1"];
  return [process.execPath, [...options, ...files.map((name) => join(tests, name))]];
}

function python() {
  return ["python3", "python"].find(find);
}
