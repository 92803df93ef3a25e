import { createEffect, createSignal, on, onCleanup } from "solid-js";
import { createStore, reconcile } from "solid-js/store";
import type { App } from "../app/context";
import type { CacheEntry, ServiceId } from "../contract/contract";
import { asApiError } from "../platform";
import { failure } from "../text/failure";

/** So long after the last key the question is searched for. */
const typingMs = 200;

/** So many are shown at first: the rest of the page is not to be pushed out of sight. */
const firstFew = 12;
const pageLength = 50;

/** The kept answers that fit what is searched for, newest use first; more pages on demand. */
export function createEntries({ feed, now }: App) {
  const [text, setText] = createSignal("");
  const [service, setService] = createSignal<ServiceId | null>(null);
  const [list, setList] = createStore<{ entries: CacheEntry[] }>({ entries: [] });
  const [next, setNext] = createSignal<string | null>(null);
  const [shown, setShown] = createSignal(firstFew);
  const [state, setState] = createSignal<"reading" | "ready" | "more">("reading");
  const [problem, setProblem] = createSignal("");
  let asked = 0;

  async function read(after: string | null): Promise<void> {
    asked += 1;
    const mine = asked;
    try {
      const page = await feed.host.call("cache_entries", { text: text(), service: service(), after });
      if (mine !== asked) return;
      const entries = after === null ? page.entries : [...list.entries, ...page.entries];
      setList("entries", reconcile(entries, { key: "key", merge: true }));
      setNext(page.next);
      setProblem("");
    } catch (thrown) {
      if (mine === asked) setProblem(failure(asApiError(thrown), now()));
    } finally {
      if (mine === asked) setState("ready");
    }
  }

  createEffect(
    on([text, service], () => {
      setShown(firstFew);
      const timer = setTimeout(() => void read(null), state() === "reading" ? 0 : typingMs);
      onCleanup(() => clearTimeout(timer));
    }),
  );

  return {
    text,
    setText,
    service,
    setService,
    entries: () => list.entries.slice(0, shown()),
    /** Whether something is searched for. */
    filtered: (): boolean => text().trim() !== "" || service() !== null,
    state,
    problem,
    hasMore: () => next() !== null || list.entries.length > shown(),
    /** Whether only the first page is shown: the others would be lost by reading anew. */
    fresh: (): boolean => list.entries.length <= pageLength,
    load: (): Promise<void> => read(null),
    async more(): Promise<void> {
      const after = next();
      if (state() === "more") return;
      if (after !== null && shown() >= list.entries.length) {
        setState("more");
        await read(after);
      }
      setShown(list.entries.length);
    },
    /** Takes one out at once; what is read next has the last word. */
    drop(key: string): void {
      setList("entries", (entries) => entries.filter((entry) => entry.key !== key));
    },
  };
}

export type Entries = ReturnType<typeof createEntries>;
