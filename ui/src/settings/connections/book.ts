import { createEffect, createMemo, createSignal, on } from "solid-js";
import { createStore, reconcile } from "solid-js/store";
import type { App } from "../../app/context";
import type { Connections } from "../../contract/contract";
import { asApiError } from "../../platform";
import { failure } from "../../text/failure";

/** What is known of the connections, kept up to date while the page is open. */
export function createBook({ feed, now }: App) {
  const [store, setStore] = createStore<{ all: Connections | null }>({ all: null });
  const [problem, setProblem] = createSignal("");
  let asked = 0;

  async function load(): Promise<void> {
    asked += 1;
    const mine = asked;
    try {
      const all = await feed.host.call("connections", {});
      if (mine !== asked) return;
      setStore("all", reconcile(all, { key: "service", merge: true }));
      setProblem("");
    } catch (thrown) {
      if (mine === asked) setProblem(failure(asApiError(thrown), now()));
    }
  }

  // A token ages by the minute; a sign-in elsewhere (the command line, another window) changes who may call.
  const minute = createMemo(() => Math.floor(now() / 60));
  const access = createMemo(() =>
    Object.values(feed.live.rates?.services ?? {})
      .map((service) => service.access)
      .join(),
  );
  createEffect(on([minute, access], () => void load()));

  return {
    all: () => store.all,
    problem,
    load,
    /** After a change made here: the cards, and the meters, whose words may be others now. */
    async changed(): Promise<void> {
      await Promise.all([load(), feed.refreshRates()]);
    },
  };
}

export type Book = ReturnType<typeof createBook>;
