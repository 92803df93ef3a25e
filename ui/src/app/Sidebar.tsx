import { For, type JSX } from "solid-js";
import { t } from "../text/strings";
import { useApp } from "./context";
import { CacheIcon, GaugeIcon, LogoIcon, LookupIcon, SettingsIcon } from "./icons";
import { type Route, routeHash } from "./router";

type Item = { label: string; to: Route; pages: Route["page"][]; icon: () => JSX.Element };

const items: Item[] = [
  { label: t.nav.meters, to: { page: "meters" }, pages: ["meters", "service"], icon: GaugeIcon },
  { label: t.nav.lookup, to: { page: "lookup" }, pages: ["lookup"], icon: LookupIcon },
  { label: t.nav.cache, to: { page: "cache" }, pages: ["cache"], icon: CacheIcon },
  {
    label: t.nav.settings,
    to: { page: "settings", part: "connections", service: null },
    pages: ["settings"],
    icon: SettingsIcon,
  },
];

export function Sidebar() {
  const { router } = useApp();
  return (
    <div class="sidebar">
      <p class="brand">
        <LogoIcon />
        <span>{t.app}</span>
      </p>
      <nav aria-label={t.nav.label}>
        <ul>
          <For each={items}>
            {(item) => (
              <li classList={{ "nav-last": item.to.page === "settings" }}>
                <a
                  class="nav-item"
                  href={routeHash(item.to)}
                  aria-label={item.label}
                  aria-current={item.pages.includes(router.route().page) ? "page" : undefined}
                >
                  {item.icon()}
                  <span>{item.label}</span>
                </a>
              </li>
            )}
          </For>
        </ul>
      </nav>
    </div>
  );
}
