import { createSignal } from "solid-js";
import type { ServiceId } from "../contract/contract";
import type { Host } from "../platform";

export type Theme = "system" | "dark" | "light";
export type Order = "use" | "hand";
export type Preferences = { theme: Theme; order: Order; hand: ServiceId[]; hidden: ServiceId[] };

export const defaults: Preferences = { theme: "system", order: "use", hand: [], hidden: [] };

/** What was stored, as far as it makes sense. */
export function readPreferences(stored: unknown): Preferences {
  const value = (typeof stored === "object" && stored !== null ? stored : {}) as Record<string, unknown>;
  const theme = value.theme === "dark" || value.theme === "light" ? value.theme : "system";
  const ids = (list: unknown): ServiceId[] =>
    Array.isArray(list) ? (list.filter((id) => typeof id === "string") as ServiceId[]) : [];
  return {
    theme,
    order: value.order === "hand" ? "hand" : "use",
    hand: ids(value.hand),
    hidden: ids(value.hidden),
  };
}

export type PreferenceStore = {
  get(): Preferences;
  set<K extends keyof Preferences>(key: K, value: Preferences[K]): void;
};

/** Losing a preference costs nothing, so neither reading nor writing may ever fail the window. */
export async function openPreferences(host: Host): Promise<PreferenceStore> {
  const stored = await host.preferences.get().catch(() => null);
  const [preferences, setPreferences] = createSignal(readPreferences(stored));
  return {
    get: preferences,
    set(key, value) {
      setPreferences((old) => ({ ...old, [key]: value }));
      host.preferences.set(key, value).catch(() => undefined);
    },
  };
}

/** `system` leaves the choice to `color-scheme`. */
export function applyTheme(theme: Theme): void {
  if (theme === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
}
