import { createSignal } from "solid-js";
import { asApiError } from "../platform";
import { failure } from "../text/failure";
import { useApp } from "./context";

/** Something a button does: once at a time, and what went wrong is kept to be shown beside it. */
export function createDeed() {
  const { now } = useApp();
  const [busy, setBusy] = createSignal(false);
  const [problem, setProblem] = createSignal("");
  return {
    busy,
    problem,
    setProblem,
    /** Whether it was done. */
    async run(deed: () => Promise<void>): Promise<boolean> {
      if (busy()) return false;
      setBusy(true);
      setProblem("");
      try {
        await deed();
        return true;
      } catch (thrown) {
        setProblem(failure(asApiError(thrown), now()));
        return false;
      } finally {
        setBusy(false);
      }
    },
  };
}
