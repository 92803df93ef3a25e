// What the system says of processes, from /proc.
import { readdirSync, readFileSync } from "node:fs";

/** The system counts time in hundredths of a second. */
const TICK_MS = 10;

/** A process and all it has started, those that these have started, and so on. */
export function family(pid) {
  const all = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  const parents = new Map(all.map((name) => [Number(name), Number(stat(name)?.[1])]));
  const found = [pid];
  for (const member of found) found.push(...all.map(Number).filter((child) => parents.get(child) === member));
  return found;
}

/** Milliseconds since a process was started. */
export function age(pid) {
  const up = readFileSync("/proc/uptime", "utf8").split(" ")[0];
  return Math.round(up * 1000 - stat(pid)[19] * TICK_MS);
}

/** Milliseconds a process has computed: by the scheduler's count, as ticks are too coarse for an idle one. */
export function computed(pid) {
  const threads = readdirSync(`/proc/${pid}/task`);
  return threads.reduce((sum, thread) => sum + nanoseconds(`/proc/${pid}/task/${thread}/schedstat`), 0) / 1e6;
}

function nanoseconds(path) {
  try {
    return Number(readFileSync(path, "utf8").split(" ")[0]);
  } catch {
    // A thread that ended while the list was read.
    return 0;
  }
}

/** Bytes of memory that are a process's own, plus its share of those it has in common with others. */
export function memory(pid) {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, "utf8");
  return Number(text.match(/^Pss:\s+(\d+) kB/m)[1]) * 1024;
}

/** The name of a process's program. */
export function nameOf(pid) {
  return readFileSync(`/proc/${pid}/comm`, "utf8").trim();
}

/** The fields of /proc/…/stat after the name, which may hold blanks; nothing for a process that has ended. */
function stat(pid) {
  try {
    return readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1).split(" ");
  } catch {
    return null;
  }
}
