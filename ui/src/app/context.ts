import { createContext, useContext } from "solid-js";
import type { ServiceId, ServiceInfo, ServiceRates } from "../contract/contract";
import { type GaugeModel, gaugeModel } from "../gauge/model";
import type { Feed } from "./feed";
import type { PreferenceStore } from "./preferences";
import type { Router } from "./router";

/** What every page may use. */
export type App = {
  feed: Feed;
  preferences: PreferenceStore;
  router: Router;
  now: () => number;
  /** Says something to assistive technology, and shows it for a moment. */
  say: (text: string) => void;
};

const Context = createContext<App>();
export const AppProvider = Context.Provider;

export function useApp(): App {
  const app = useContext(Context);
  if (!app) throw new Error("useApp outside of AppProvider");
  return app;
}

export function infoOf(app: App, id: ServiceId): ServiceInfo | undefined {
  return app.feed.catalogue().find((info) => info.id === id);
}

export function hourOf(app: App, id: ServiceId): readonly number[] {
  return app.feed.hour()?.services[id] ?? [];
}

/** A service's gauge at this instant. */
export function modelOf(app: App, id: ServiceId, rates: ServiceRates): GaugeModel {
  const { feed, now } = app;
  return gaugeModel({
    rates,
    now: now(),
    paused: feed.live.rates?.paused ?? false,
    hour: hourOf(app, id),
    peak: feed.peak(id, feed.live.rates?.minute ?? now()),
    banSeconds: feed.banSeconds(id),
  });
}
