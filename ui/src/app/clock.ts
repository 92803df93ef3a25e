import { createEffect, createMemo, createSignal, onCleanup, untrack } from "solid-js";
import type { Feed } from "./feed";

/**
 * The engine's time in unix seconds. It ticks every second only while something counts down, else every
 * minute, and not at all while the window is hidden.
 */
export function createClock(feed: Feed): () => number {
  const read = (): number => Math.floor(Date.now() / 1000 + untrack(feed.skew));
  const [now, setNow] = createSignal(read());
  const [hidden, setHidden] = createSignal(document.hidden);
  const seen = (): void => void setHidden(document.hidden);
  document.addEventListener("visibilitychange", seen);
  onCleanup(() => document.removeEventListener("visibilitychange", seen));

  const counting = createMemo(() =>
    Object.values(feed.live.rates?.services ?? {}).some(
      ({ ban, cooldown_until }) => (ban?.until ?? 0) > now() || (cooldown_until ?? 0) > now(),
    ),
  );

  createEffect(() => {
    if (hidden()) return;
    const every = counting() ? 1_000 : 60_000;
    let timer: ReturnType<typeof setTimeout>;
    const tick = (): void => {
      setNow(read());
      feed.tickMinute(read());
      // Aligned to the wall: every countdown in the window turns at the same instant.
      timer = setTimeout(tick, every - (Date.now() % every) + 5);
    };
    tick();
    onCleanup(() => clearTimeout(timer));
  });
  // A new frame from the engine is a new now, too.
  createEffect(() => {
    if (feed.live.rates?.at) setNow(read());
  });
  return now;
}
