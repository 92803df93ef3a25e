import { createSignal, onCleanup } from "solid-js";
import type { ServiceId } from "../contract/contract";

export type Route =
  | { page: "meters" }
  | { page: "service"; service: ServiceId }
  | { page: "lookup" }
  | { page: "cache" }
  | { page: "settings"; part: SettingsPart; service: ServiceId | null };

export const settingsParts = ["connections", "limits", "cache", "gateway", "appearance"] as const;
export type SettingsPart = (typeof settingsParts)[number];

/** The address is a hash, so that a reload and the browser's own Back keep working in both hosts. */
export function parseRoute(hash: string): Route {
  const [page, part, of] = hash.replace(/^#\/?/, "").split("/");
  if (page === "service" && part) return { page, service: part as ServiceId };
  if (page === "lookup" || page === "cache") return { page };
  if (page === "settings")
    return {
      page,
      part: settingsParts.find((known) => known === part) ?? "connections",
      service: (of as ServiceId | undefined) ?? null,
    };
  return { page: "meters" };
}

export function routeHash(route: Route): string {
  if (route.page === "service") return `#/service/${route.service}`;
  if (route.page === "settings") return `#/settings/${route.part}${route.service ? `/${route.service}` : ""}`;
  return route.page === "meters" ? "#/" : `#/${route.page}`;
}

export function createRouter() {
  const [route, setRoute] = createSignal(parseRoute(location.hash));
  const changed = (): void => void setRoute(parseRoute(location.hash));
  addEventListener("hashchange", changed);
  onCleanup(() => removeEventListener("hashchange", changed));
  return {
    route,
    go(to: Route): void {
      location.hash = routeHash(to);
    },
  };
}

export type Router = ReturnType<typeof createRouter>;
