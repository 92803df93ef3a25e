// Checks the systemd unit in docs/: that systemd understands every line, alone and with the drop-in.
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { find, root } from "./run.mjs";

const source = join(root, "docs", "systemd");
const dir = mkdtempSync(join(tmpdir(), "headroom-unit-"));
const unit = join(dir, "headroom.service");
// It wants one even to look at a file.
const env = { ...process.env, XDG_RUNTIME_DIR: dir };

try {
  // The program need not be installed; any that is there will do.
  const text = readFileSync(join(source, "headroom.service"), "utf8");
  writeFileSync(unit, text.replace("%h/.local/bin/headroomctl", process.execPath));
  verify("headroom.service");
  mkdirSync(`${unit}.d`);
  cpSync(join(source, "headroom.service.d"), `${unit}.d`, { recursive: true });
  verify("headroom.service with namespaces.conf");
} finally {
  rmSync(dir, { recursive: true, force: true });
}

function verify(what) {
  const { status, output } = analyze("verify", "--man=no");
  // An unknown key is no error to systemd, only a word.
  if (status !== 0 || output !== "") {
    console.error(`${what}: systemd-analyze verify says\n${output || `exit code ${status}`}`);
    process.exitCode = 1;
    return;
  }
  const exposure = analyze("security", "--offline=true").output.match(/exposure level.*: ([\d.]+ \w+)/);
  console.log(`${what}: verified; exposure ${exposure?.[1] ?? "not told by this systemd"}`);
}

function analyze(verb, option) {
  const done = spawnSync(find("systemd-analyze"), [verb, "--user", option, unit], { env, encoding: "utf8" });
  return { status: done.status, output: `${done.stdout}${done.stderr}`.trim() };
}
