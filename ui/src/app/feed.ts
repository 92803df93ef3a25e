import { createSignal } from "solid-js";
import { createStore, reconcile } from "solid-js/store";
import type {
  ApiError,
  Event,
  LastHour,
  Notice,
  Rates,
  ServiceId,
  ServiceInfo,
  Status,
} from "../contract/contract";
import { fillOf } from "../gauge/model";
import { PeakHold } from "../gauge/peaks";
import { asApiError, type Host } from "../platform";
import { nameServices } from "../text/labels";
import { advanceHour } from "./hour";

/** loading: first answers are on their way · offline: never reached · stopped: the engine says it failed */
export type Phase = "loading" | "ready" | "offline" | "stopped";

const retryMs = 3_000;

/** Everything the engine tells, kept up to date. Pages read it; nothing else asks for these again. */
export function createFeed(host: Host) {
  const [phase, setPhase] = createSignal<Phase>("loading");
  const [error, setError] = createSignal<ApiError | null>(null);
  const [connected, setConnected] = createSignal(true);
  const [catalogue, setCatalogue] = createSignal<ServiceInfo[]>([]);
  const [status, setStatus] = createSignal<Status | null>(null);
  const [notices, setNotices] = createSignal<Notice[]>([]);
  const [events, setEvents] = createSignal<Event[]>([]);
  const [hour, setHour] = createSignal<LastHour | null>(null);
  const [live, setLive] = createStore<{ rates: Rates | null }>({ rates: null });
  const [skew, setSkew] = createSignal(0);
  const peaks = new Map<ServiceId, PeakHold>();
  const banSpans = new Map<ServiceId, { until: number; seconds: number }>();
  let retry: ReturnType<typeof setTimeout> | undefined;

  async function load(): Promise<void> {
    clearTimeout(retry);
    try {
      const [list, state, rates, last, happened] = await Promise.all([
        host.call("catalogue", {}),
        host.call("status", {}),
        host.call("rates", {}),
        host.call("last_hour", {}),
        host.call("events", {}),
      ]);
      nameServices(list);
      setCatalogue(list);
      setStatus(state);
      setNotices(state.notices);
      setEvents(happened);
      rememberHour(last, rates);
      take(rates);
      setConnected(true);
      setPhase("ready");
    } catch (thrown) {
      failed(asApiError(thrown));
    }
  }

  /** For a stopped engine: started again where the host can do that, and asked again in any case. */
  async function restart(): Promise<void> {
    // Whatever went wrong, the next answer tells it.
    await host.restart?.().catch(() => undefined);
    await load();
  }

  /** For an engine elsewhere that holds the data directory: it is stopped, and one is started here. */
  async function takeOver(): Promise<void> {
    await host.takeOver?.().catch(() => undefined);
    await load();
  }

  function failed(cause: ApiError): void {
    setError(cause);
    if (cause.code === "engine_stopped" || cause.code === "engine_elsewhere") setPhase("stopped");
    else if (cause.code === "unreachable") {
      if (phase() === "loading") setPhase("offline");
      setConnected(false);
    } else if (phase() !== "ready") setPhase("stopped");
    if (!document.hidden && phase() !== "stopped") retry = setTimeout(() => void load(), retryMs);
  }

  function take(rates: Rates): void {
    setSkew(rates.at - Date.now() / 1000);
    for (const [id, service] of Object.entries(rates.services) as [
      ServiceId,
      Rates["services"][ServiceId],
    ][]) {
      hold(id).note(rates.minute, fillOf(service));
      if (service.ban && banSpans.get(id)?.until !== service.ban.until)
        learnBan(id, service.ban.until, rates.at);
    }
    setHour((old) => old && advanceHour(old, rates));
    setLive("rates", reconcile(rates, { merge: true }));
  }

  /** A ban's whole length is in its event; seen without one, it counts from now. */
  function learnBan(id: ServiceId, until: number, now: number): void {
    const begun = events().find((e) => e.kind === "ban" && e.service === id && e.until === until);
    banSpans.set(id, { until, seconds: until - (begun?.at ?? now) });
    if (!begun) void refreshEvents();
  }

  async function refreshEvents(): Promise<void> {
    const list = await host.call("events", {}).catch(() => null);
    if (list) setEvents(list);
  }

  async function refreshRates(): Promise<void> {
    const rates = await host.call("rates", {}).catch(() => null);
    if (rates) take(rates);
  }

  function rememberHour(last: LastHour, rates: Rates): void {
    setHour(last);
    for (const [id, calls] of Object.entries(last.services) as [ServiceId, number[]][]) {
      const limit = rates.services[id]?.limit ?? 0;
      calls.forEach((n, i) => {
        if (limit > 0) hold(id).note(last.minute - 60 * (calls.length - 1 - i), Math.min(1, n / limit));
      });
    }
  }

  function hold(id: ServiceId): PeakHold {
    const known = peaks.get(id) ?? new PeakHold();
    peaks.set(id, known);
    return known;
  }

  /** The minute moves on without frames when nothing is called. */
  function tickMinute(now: number): void {
    const rates = live.rates;
    const minute = Math.floor(now / 60) * 60;
    if (rates && minute > rates.minute)
      setHour((old) => old && advanceHour(old, { ...rates, minute, services: null }));
  }

  return {
    host,
    phase,
    error,
    connected,
    catalogue,
    status,
    notices,
    events,
    hour,
    live,
    skew,
    load,
    restart,
    takeOver,
    refreshEvents,
    refreshRates,
    tickMinute,
    peak: (id: ServiceId, minute: number): number => hold(id).highest(minute),
    banSeconds: (id: ServiceId): number | null => banSpans.get(id)?.seconds ?? null,
    /** Starts listening; returns how to stop. */
    start(): () => void {
      const stops = [
        host.onRates(take),
        host.onNotices(setNotices),
        host.onConnection((up) => {
          if (up && (!connected() || phase() !== "ready")) void load();
          if (!up && phase() === "ready") failed({ code: "unreachable", message: "", retry_at: null });
        }),
      ];
      const seen = (): void => {
        if (document.hidden) clearTimeout(retry);
        else void load();
      };
      document.addEventListener("visibilitychange", seen);
      void load();
      return () => {
        clearTimeout(retry);
        document.removeEventListener("visibilitychange", seen);
        for (const stop of stops) stop();
      };
    },
  };
}

export type Feed = ReturnType<typeof createFeed>;
