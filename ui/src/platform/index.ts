import type { Host } from "./host";

export type { Host, Unsubscribe } from "./host";
export { asApiError, isApiError } from "./host";

/** Invented data exists in development and in the browser tests' build, never in what is shipped. */
const fixtures = import.meta.env.DEV || import.meta.env.MODE === "fixture";

/** The host this window runs in. */
export async function findHost(): Promise<Host> {
  if (fixtures) {
    const scene = new URLSearchParams(location.search).get("fixture");
    if (scene !== null) return (await import("./fixture/fixture")).fixtureHost(scene);
  }
  if ("__TAURI_INTERNALS__" in window) return (await import("./tauri")).tauriHost();
  return (await import("./web")).webHost();
}
