import type { ApiError, Notice, Rates } from "../contract/contract";
import { copyText, downloadText, localPreferences, openInNewTab } from "./browser";
import {
  type Args,
  asApiError,
  type CallName,
  type Host,
  isApiError,
  type Result,
  type Unsubscribe,
} from "./host";

const events = "/api/events";

/** The same window in a browser, over the loopback server that served it. */
export function webHost(): Host {
  const line = new EventLine();
  return {
    kind: "web",
    call,
    onRates: (seen) => line.on("rates", (data) => seen(JSON.parse(data) as Rates)),
    onNotices: (seen) => line.on("notices", (data) => seen(JSON.parse(data) as Notice[])),
    onConnection: (seen) => line.onConnection(seen),
    preferences: localPreferences(window.localStorage),
    copyText,
    saveFile: downloadText,
    openLink: openInNewTab,
  };
}

async function call<K extends CallName>(name: K, args: Args<K>): Promise<Result<K>> {
  let answer: Response;
  try {
    answer = await fetch(`/api/call/${name}`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      credentials: "same-origin",
      body: JSON.stringify(args),
    });
  } catch {
    throw unreachable;
  }
  const body: unknown = await answer.json().catch(() => null);
  if (answer.ok) return body as Result<K>;
  const error = (body as { error?: unknown } | null)?.error;
  if ((error as { code?: unknown } | undefined)?.code === "key_missing") throw ended;
  throw isApiError(error) ? asApiError(error) : failed(answer.status);
}

const unreachable: ApiError = {
  code: "unreachable",
  message: "Headroom's engine does not answer",
  retry_at: null,
};

/** The page shows no key: it was let in by a link, and its cookie is gone or no longer good. */
const ended: ApiError = {
  code: "failed",
  message: "This page's session has ended. Run `headroomctl open` for a new link",
  retry_at: null,
};

function failed(status: number): ApiError {
  return { code: "failed", message: `Headroom's engine answered ${status}`, retry_at: null };
}

/** One EventSource for everything, closed while the page is hidden: a page nobody sees costs nothing. */
class EventLine {
  private source: EventSource | null = null;
  private readonly heard = new Map<string, Set<(data: string) => void>>();
  private readonly watchers = new Set<(up: boolean) => void>();

  constructor() {
    document.addEventListener("visibilitychange", () => (document.hidden ? this.close() : this.open()));
  }

  on(name: string, seen: (data: string) => void): Unsubscribe {
    const listeners = this.heard.get(name) ?? new Set();
    this.heard.set(name, listeners.add(seen));
    this.open();
    return () => void listeners.delete(seen);
  }

  onConnection(seen: (up: boolean) => void): Unsubscribe {
    this.watchers.add(seen);
    return () => void this.watchers.delete(seen);
  }

  private open(): void {
    if (this.source || document.hidden || this.heard.size === 0) return;
    const source = new EventSource(events);
    source.onopen = () => this.tell(true);
    source.onerror = () => {
      this.tell(false);
      // A refused stream is closed for good by the browser; only a cut one is retried by it.
      if (source.readyState === EventSource.CLOSED) setTimeout(() => this.reopen(), 3_000);
    };
    for (const name of ["rates", "notices"])
      source.addEventListener(name, (event) => {
        for (const seen of this.heard.get(name) ?? []) seen((event as MessageEvent<string>).data);
      });
    this.source = source;
  }

  private reopen(): void {
    this.close();
    this.open();
  }

  private close(): void {
    this.source?.close();
    this.source = null;
  }

  private tell(up: boolean): void {
    for (const seen of this.watchers) seen(up);
  }
}
