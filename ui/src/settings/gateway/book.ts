import { createSignal } from "solid-js";
import { createStore, reconcile } from "solid-js/store";
import type { App } from "../../app/context";
import { poll } from "../../app/poll";
import type { GatewayInfo, KeyInfo, NewKey } from "../../contract/contract";
import { asApiError } from "../../platform";
import { failure } from "../../text/failure";

const everyMs = 5_000;

/** The gateway and its keys, kept up to date while the page is open: tools use them meanwhile. */
export function createGatewayBook({ feed, now }: App) {
  const [store, setStore] = createStore<{ info: GatewayInfo | null; keys: KeyInfo[] }>({
    info: null,
    keys: [],
  });
  const [fresh, setFresh] = createSignal<NewKey | null>(null);
  const [problem, setProblem] = createSignal("");
  let asked = 0;

  async function load(): Promise<void> {
    asked += 1;
    const mine = asked;
    try {
      const [info, keys] = await Promise.all([feed.host.call("gateway", {}), feed.host.call("keys", {})]);
      if (mine !== asked) return;
      setStore("info", reconcile(info));
      setStore("keys", reconcile(keys, { key: "name", merge: true }));
      setProblem("");
    } catch (thrown) {
      if (mine === asked) setProblem(failure(asApiError(thrown), now()));
    }
  }
  poll(load, () => everyMs);

  return {
    info: () => store.info,
    keys: () => store.keys,
    /** The key that was just made, for as long as it is shown. */
    fresh,
    setFresh,
    problem,
    load,
    take: (info: GatewayInfo): void => setStore("info", reconcile(info)),
    /** host:port as tools write it */
    place: (): string =>
      (store.info?.address ?? `http://127.0.0.1:${store.info?.port || 8765}`).replace(/^https?:\/\//, ""),
  };
}

export type GatewayBook = ReturnType<typeof createGatewayBook>;
