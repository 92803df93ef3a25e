import { For } from "solid-js";
import { useApp } from "../app/context";
import { PageHead } from "../app/PageHead";
import type { Theme } from "../app/preferences";
import { t } from "../text/strings";
import { Limits } from "./Limits";

export function SettingsPage() {
  const { router } = useApp();
  const asked = () => {
    const route = router.route();
    return route.page === "settings" ? route.service : null;
  };
  return (
    <>
      <PageHead focus title={t.settings.title} />
      <section class="settings-part" aria-labelledby="limits-title">
        <h2 id="limits-title">{t.settings.limits}</h2>
        <p class="dim">{t.settings.limitsIntro}</p>
        <Limits asked={asked()} />
      </section>
      <section class="settings-part" aria-labelledby="appearance-title">
        <h2 id="appearance-title">{t.settings.appearance}</h2>
        <ThemeSwitch />
      </section>
    </>
  );
}

function ThemeSwitch() {
  const { preferences } = useApp();
  return (
    <fieldset class="segments">
      <legend>{t.settings.theme}</legend>
      <For each={Object.entries(t.settings.themes) as [Theme, string][]}>
        {([theme, name]) => (
          <label>
            <input
              type="radio"
              name="theme"
              checked={preferences.get().theme === theme}
              onChange={() => preferences.set("theme", theme)}
            />
            <span>{name}</span>
          </label>
        )}
      </For>
    </fieldset>
  );
}
