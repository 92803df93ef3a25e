import { onCleanup } from "solid-js";

/** Runs at once, then every so often while the window is seen, and when it is seen again. */
export function poll(run: () => Promise<void>, everyMs: () => number): void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let open = true;
  const go = async (): Promise<void> => {
    clearTimeout(timer);
    await run();
    // Whoever else asked meanwhile has set a timer, too: there is one.
    clearTimeout(timer);
    if (open && !document.hidden) timer = setTimeout(() => void go(), everyMs());
  };
  const seen = (): void => {
    if (document.hidden) clearTimeout(timer);
    else void go();
  };
  document.addEventListener("visibilitychange", seen);
  onCleanup(() => {
    open = false;
    clearTimeout(timer);
    document.removeEventListener("visibilitychange", seen);
  });
  void go();
}
