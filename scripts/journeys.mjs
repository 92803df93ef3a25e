// Runs the journeys in the real window, each file in a session of its own.
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { linux, root } from "./run.mjs";
import { inSession } from "./session.mjs";

const folder = join(root, "tests", "e2e");

/** No file of journeys takes longer, unless something hangs. */
const FILE_MS = 180_000;

/** Runs every journey (or those whose file name contains `only`); resolves to the number of failed files. */
export async function journeys(only = "") {
  let failed = 0;
  for (const name of readdirSync(folder).filter(
    (name) => name.endsWith(".test.mjs") && name.includes(only),
  )) {
    const test = [process.execPath, "--test", "--test-reporter=spec", join(folder, name)];
    if ((await inSession(test, FILE_MS)) !== 0) failed += 1;
  }
  return failed;
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  if (!linux) throw new Error("the journeys need Linux: elsewhere there is no WebKitWebDriver");
  process.exitCode = (await journeys(process.argv[2])) === 0 ? 0 : 1;
}
