import { setTimeout as sleep } from "node:timers/promises";

/** Waits until `check` answers something true, and hands it back. */
export async function until(what, check, milliseconds = 10_000) {
  const end = Date.now() + milliseconds;
  for (;;) {
    const answer = await check();
    if (answer) return answer;
    if (Date.now() > end) throw new Error(`waited ${milliseconds} ms in vain until ${what}`);
    await sleep(20);
  }
}
