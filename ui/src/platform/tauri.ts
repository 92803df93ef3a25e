import { Channel, invoke } from "@tauri-apps/api/core";
import { listen } from "@tauri-apps/api/event";
import type { Notice, Rates } from "../contract/contract";
import { copyText } from "./browser";
import { type Args, asApiError, type CallName, type Host, type Result, type Unsubscribe } from "./host";

/** The desktop app. The only module that may import @tauri-apps. */
export function tauriHost(): Host {
  return {
    kind: "desktop",
    async call<K extends CallName>(name: K, args: Args<K>): Promise<Result<K>> {
      try {
        return await invoke<Result<K>>("call", { name, args });
      } catch (thrown) {
        throw asApiError(thrown);
      }
    },
    onRates: subscribe,
    onNotices(seen) {
      const listening = listen<Notice[]>("notices", (event) => seen(event.payload));
      return () => void listening.then((stop) => stop());
    },
    // The engine lives in this process: there is no line that could be cut.
    onConnection: () => () => undefined,
    preferences: {
      get: () => invoke<unknown>("preferences_get"),
      set: (key, value) => invoke<void>("preferences_set", { key, value }),
    },
    copyText,
    saveFile: (name, text) => invoke<boolean>("save_file", { name, text }),
    openLink: (url) => invoke<void>("open_link", { url }),
    restart: () => invoke<void>("restart_engine"),
    takeOver: () => invoke<void>("take_over_engine"),
  };
}

const askAgainMs = 3_000;

function subscribe(seen: (rates: Rates) => void): Unsubscribe {
  let open = true;
  const channel = new Channel<Rates>();
  channel.onmessage = (rates) => {
    if (open) seen(rates);
  };
  // An engine that failed to start may be started again; the page asks for the numbers, this for their flow.
  const ask = (): void => {
    invoke("subscribe", { channel }).catch(() => open && setTimeout(ask, askAgainMs));
  };
  ask();
  return () => {
    open = false;
  };
}
