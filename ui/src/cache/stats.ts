import { createSignal } from "solid-js";
import { createStore, reconcile } from "solid-js/store";
import type { App } from "../app/context";
import { poll } from "../app/poll";
import type { CacheStats } from "../contract/contract";
import { asApiError } from "../platform";
import { failure } from "../text/failure";

const everyMs = 5_000;
/** While something is being forgotten its progress is worth a look each second. */
const forgettingMs = 1_000;

/** The cache in numbers, kept up to date while its page is open. */
export function createStats({ feed, now }: App, also: () => void = () => undefined) {
  const [store, setStore] = createStore<{ all: CacheStats | null }>({ all: null });
  const [problem, setProblem] = createSignal("");
  let asked = 0;

  async function load(): Promise<void> {
    asked += 1;
    const mine = asked;
    try {
      const all = await feed.host.call("cache_stats", {});
      if (mine !== asked) return;
      // Only what changed is touched: a number that stays is not painted again.
      setStore("all", reconcile(all, { merge: true }));
      setProblem("");
    } catch (thrown) {
      if (mine === asked) setProblem(failure(asApiError(thrown), now()));
    }
  }

  let first = true;
  poll(
    async () => {
      if (!first) also();
      first = false;
      await load();
    },
    () => (store.all?.forgetting ? forgettingMs : everyMs),
  );

  return { all: () => store.all, problem, load };
}

export type Stats = ReturnType<typeof createStats>;
