import { For, Match, Switch } from "solid-js";
import { useApp } from "../app/context";
import { PageHead } from "../app/PageHead";
import type { Theme } from "../app/preferences";
import { type Route, routeHash, settingsParts } from "../app/router";
import { Segments } from "../app/Segments";
import { t } from "../text/strings";
import { CacheSettingsForm } from "./cache/CacheSettings";
import { Connections } from "./connections/Connections";
import { GatewaySettings } from "./gateway/GatewaySettings";
import { Limits } from "./Limits";

export function SettingsPage() {
  const { router } = useApp();
  const route = (): Route & { page: "settings" } => {
    const now = router.route();
    return now.page === "settings" ? now : { page: "settings", part: "connections", service: null };
  };
  const part = () => route().part;
  return (
    <>
      <PageHead focus title={t.settings.title} />
      <nav class="tabs" aria-label={t.settings.title}>
        <For each={settingsParts}>
          {(name) => (
            <a
              href={routeHash({ page: "settings", part: name, service: null })}
              aria-current={part() === name ? "page" : undefined}
            >
              {t.settings.parts[name]}
            </a>
          )}
        </For>
      </nav>
      <section class="settings-part" aria-labelledby="part-title">
        <h2 id="part-title">{t.settings.parts[part()]}</h2>
        <Switch>
          <Match when={part() === "connections"}>
            <p class="dim">{t.connections.intro}</p>
            <Connections asked={route().service} />
          </Match>
          <Match when={part() === "limits"}>
            <p class="dim">{t.settings.limitsIntro}</p>
            <Limits asked={route().service} />
          </Match>
          <Match when={part() === "cache"}>
            <p class="dim">{t.cache.settings.intro}</p>
            <CacheSettingsForm />
          </Match>
          <Match when={part() === "gateway"}>
            <p class="dim">{t.gateway.intro}</p>
            <GatewaySettings />
          </Match>
          <Match when={part() === "appearance"}>
            <ThemeSwitch />
          </Match>
        </Switch>
      </section>
    </>
  );
}

function ThemeSwitch() {
  const { preferences } = useApp();
  const themes = (Object.entries(t.settings.themes) as [Theme, string][]).map(([value, text]) => ({
    value,
    text,
  }));
  return (
    <Segments
      label={t.settings.theme}
      options={themes}
      value={preferences.get().theme}
      choose={(theme) => preferences.set("theme", theme)}
    />
  );
}
