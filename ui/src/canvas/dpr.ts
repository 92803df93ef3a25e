/**
 * Calls back whenever the device-pixel ratio changes: another monitor, another zoom.
 * A resolution query answers for one ratio only, so it is made anew after each change.
 */
export function watchPixelRatio(changed: (ratio: number) => void, view: Window = window): () => void {
  let query: MediaQueryList | null = null;
  const rearm = (): void => {
    query?.removeEventListener("change", fire);
    query = view.matchMedia(`(resolution: ${view.devicePixelRatio}dppx)`);
    query.addEventListener("change", fire);
  };
  const fire = (): void => {
    rearm();
    changed(view.devicePixelRatio);
  };
  rearm();
  return () => query?.removeEventListener("change", fire);
}

const watchers = new Set<() => void>();
let stop: (() => void) | null = null;

/** The one shared watcher: a query per window, not per canvas. */
export function onPixelRatio(changed: () => void): () => void {
  watchers.add(changed);
  stop ??= watchPixelRatio(() => {
    for (const watcher of watchers) watcher();
  });
  return () => {
    watchers.delete(changed);
    if (watchers.size > 0) return;
    stop?.();
    stop = null;
  };
}
