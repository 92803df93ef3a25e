import type { ApiError, Contract, Notice, Rates } from "../contract/contract";

export type CallName = keyof Contract;
export type Args<K extends CallName> = Contract[K]["args"];
export type Result<K extends CallName> = Contract[K]["result"];
export type Unsubscribe = () => void;

/** What the window needs from whatever it runs in. */
export interface Host {
  readonly kind: "desktop" | "web";
  /** Rejects with an `ApiError`, never with anything else. */
  call<K extends CallName>(name: K, args: Args<K>): Promise<Result<K>>;
  /** At most once a second, and only while something changes. */
  onRates(seen: (rates: Rates) => void): Unsubscribe;
  onNotices(seen: (notices: Notice[]) => void): Unsubscribe;
  /** Whether the engine can be reached; says nothing until that changes. */
  onConnection(seen: (up: boolean) => void): Unsubscribe;
  readonly preferences: {
    get(): Promise<unknown>;
    set(key: string, value: unknown): Promise<void>;
  };
  copyText(text: string): Promise<void>;
  /** Resolves to false if the user changed their mind. */
  saveFile(name: string, text: string): Promise<boolean>;
  openLink(url: string): Promise<void>;
  /** Starts an engine that has stopped, or that could not start; only where the window may. */
  restart?(): Promise<void>;
  /** Stops the engine elsewhere that holds the data directory, and starts one here. */
  takeOver?(): Promise<void>;
}

export function isApiError(value: unknown): value is ApiError {
  if (typeof value !== "object" || value === null) return false;
  const { code, message } = value as Partial<ApiError>;
  return typeof code === "string" && typeof message === "string";
}

/** Whatever was thrown, as the one shape the window knows. */
export function asApiError(thrown: unknown): ApiError {
  if (isApiError(thrown)) return { ...thrown, retry_at: thrown.retry_at ?? null };
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return { code: "failed", message, retry_at: null };
}
