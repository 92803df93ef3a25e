import { createSignal, onCleanup } from "solid-js";
import type { AccountInfo, ServiceId, SignInBegun, SignInVia } from "../../contract/contract";
import { asApiError, type Host } from "../../platform";
import { t } from "../../text/strings";

export type Standing =
  | { kind: "none" }
  | { kind: "asking" }
  /** `problem`: the browser could not be opened, but the consent page waits all the same */
  | { kind: "waiting"; problem: string }
  | { kind: "done"; account: AccountInfo }
  | { kind: "failed"; text: string };

const pollMs = 1_000;
/** The engine forgets an attempt after as long. */
const patienceMs = 5 * 60_000;

/** One sign-in at a time: begun, waited for once a second while the window is seen, and done or failed. */
export function createSignIn(given: {
  host: Pick<Host, "call" | "openLink">;
  service: ServiceId;
  explain: (thrown: unknown) => string;
  done: (account: AccountInfo) => void;
}) {
  const { host, service, explain } = given;
  const [standing, setStanding] = createSignal<Standing>({ kind: "none" });
  let attempt: (SignInBegun & { until: number }) | null = null;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let begun = 0;

  function stop(next: Standing): void {
    clearTimeout(timer);
    begun += 1;
    attempt = null;
    setStanding(next);
  }

  async function begin(via: SignInVia): Promise<void> {
    stop({ kind: "asking" });
    const mine = begun;
    try {
      const page = await host.call("begin_sign_in", { service, via });
      if (mine !== begun) return;
      attempt = { ...page, until: Date.now() + patienceMs };
      setStanding({ kind: "waiting", problem: "" });
      later();
    } catch (thrown) {
      if (mine === begun) stop({ kind: "failed", text: explain(thrown) });
      return;
    }
    await openPage();
  }

  async function openPage(): Promise<void> {
    const mine = attempt;
    if (!mine) return;
    try {
      await host.openLink(mine.url);
    } catch (thrown) {
      if (mine === attempt) setStanding({ kind: "waiting", problem: explain(thrown) });
    }
  }

  function later(): void {
    clearTimeout(timer);
    if (!document.hidden) timer = setTimeout(() => void ask(), pollMs);
  }

  async function ask(): Promise<void> {
    const mine = attempt;
    if (!mine) return;
    try {
      const { account, failed } = await host.call("sign_in_progress", { state: mine.state });
      if (mine !== attempt) return;
      if (failed !== null)
        return stop({ kind: "failed", text: explain({ code: "failed", message: failed }) });
      if (account) {
        stop({ kind: "done", account });
        return given.done(account);
      }
    } catch (thrown) {
      if (mine !== attempt) return;
      // A line that is cut for a moment says nothing of the sign-in.
      if (asApiError(thrown).code !== "unreachable") return stop({ kind: "failed", text: explain(thrown) });
    }
    if (Date.now() < mine.until) later();
    else stop({ kind: "failed", text: t.connections.tooLate });
  }

  // Hidden, the window does no work; seen again, it asks at once: the user comes back from the consent.
  const seen = (): void => {
    clearTimeout(timer);
    if (!document.hidden) void ask();
  };
  document.addEventListener("visibilitychange", seen);
  onCleanup(() => {
    document.removeEventListener("visibilitychange", seen);
    stop({ kind: "none" });
  });

  return {
    standing,
    begin,
    openPage,
    /** The consent page's address, for another browser. */
    address: (): string => attempt?.url ?? "",
    cancel: (): void => stop({ kind: "none" }),
  };
}
