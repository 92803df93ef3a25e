import { createSignal, onCleanup } from "solid-js";
import type { App } from "../app/context";
import type { Forget } from "../contract/contract";
import { asApiError } from "../platform";
import { failure } from "../text/failure";
import { t } from "../text/strings";
import { forgottenWords } from "./words";

/** So long the engine can bring back what was forgotten. */
const undoMs = 60_000;

type Act = { undo: number; words: string; ends: ReturnType<typeof setTimeout> };

/** What was forgotten within the last minute, the latest first to come back. */
export function createForgetting({ feed, now, say }: App, changed: (what: Forget | null) => Promise<void>) {
  const [acts, setActs] = createSignal<Act[]>([]);
  const [problem, setProblem] = createSignal("");
  const [busy, setBusy] = createSignal(false);
  onCleanup(() => {
    for (const { ends } of acts()) clearTimeout(ends);
  });

  function remove(undo: number): void {
    for (const act of acts()) if (act.undo === undo) clearTimeout(act.ends);
    setActs((old) => old.filter((act) => act.undo !== undo));
  }

  async function attempt<T>(act: () => Promise<T>): Promise<T | null> {
    if (busy()) return null;
    setBusy(true);
    setProblem("");
    try {
      return await act();
    } catch (thrown) {
      setProblem(failure(asApiError(thrown), now()));
      return null;
    } finally {
      setBusy(false);
    }
  }

  return {
    /** The act that Undo takes back; null: none. */
    latest: (): Act | null => acts().at(-1) ?? null,
    problem,
    busy,
    dismiss(): void {
      for (const { ends } of acts()) clearTimeout(ends);
      setActs([]);
      setProblem("");
    },
    /** How many answers were forgotten; null: it was refused. */
    async forget(what: Forget): Promise<number | null> {
      const done = await attempt(() => feed.host.call("forget", { what }));
      if (!done) return null;
      const words = forgottenWords(what, done.entries);
      const { undo } = done;
      if (undo === null) say(done.entries === 0 ? t.cache.forget.nothing : t.cache.forget.forgotten(words));
      else {
        const ends = setTimeout(() => remove(undo), undoMs);
        setActs((old) => [...old, { undo, words, ends }]);
      }
      await changed(what);
      return done.entries;
    },
    async undo(): Promise<boolean> {
      const act = acts().at(-1);
      if (!act) return false;
      const done = await attempt(() => feed.host.call("undo_forget", { undo: act.undo }));
      remove(act.undo);
      if (done) say(t.cache.forget.undone(act.words));
      await changed(null);
      return done !== null;
    },
  };
}

export type Forgetter = ReturnType<typeof createForgetting>;
