import { createEffect, ErrorBoundary, Match, on, onCleanup, onMount, Show, Switch } from "solid-js";
import { CachePage } from "../cache/CachePage";
import { watchPalette } from "../canvas/palette";
import { DetailPage } from "../detail/DetailPage";
import { LookupPage } from "../lookup/LookupPage";
import { MetersPage } from "../meters/MetersPage";
import type { Host } from "../platform";
import { SettingsPage } from "../settings/SettingsPage";
import { labelOf } from "../text/labels";
import { t } from "../text/strings";
import { createAnnouncer, LiveRegions } from "./Announcer";
import { createClock } from "./clock";
import { AppProvider } from "./context";
import { createFeed } from "./feed";
import { Notices } from "./Notices";
import { applyTheme, type PreferenceStore } from "./preferences";
import { createRouter, type Route } from "./router";
import { Sidebar } from "./Sidebar";
import { Loading, Offline, Stopped } from "./States";

/** What counts as another page, whose top is to be seen. */
function pageOf(route: Route): string {
  if (route.page === "settings") return route.part;
  return route.page === "service" ? route.service : route.page;
}

function titleOf(route: Route): string {
  return route.page === "service" ? labelOf(route.service) : t.nav[route.page];
}

export function App(props: { host: Host; preferences: PreferenceStore }) {
  const feed = createFeed(props.host);
  const now = createClock(feed);
  const router = createRouter();
  const announcer = createAnnouncer(feed, now);
  let main!: HTMLElement;
  createEffect(
    on(
      () => pageOf(router.route()),
      () => main.scrollTo(0, 0),
      { defer: true },
    ),
  );
  createEffect(() => {
    document.title = `${titleOf(router.route())} · ${t.app}`;
  });
  createEffect(() => applyTheme(props.preferences.get().theme));
  onMount(() => {
    onCleanup(watchPalette());
    onCleanup(feed.start());
  });
  const app = { feed, now, router, preferences: props.preferences, say: announcer.say };

  return (
    <AppProvider value={app}>
      <button type="button" class="skip-link button" onClick={() => main.focus()}>
        {t.nav.skip}
      </button>
      <div class="frame">
        <Sidebar />
        <main ref={main} id="main" class="main" tabindex={-1}>
          <div class="content">
            <ErrorBoundary fallback={(cause: unknown) => <Stopped code="failed" message={String(cause)} />}>
              <Notices />
              <Switch>
                <Match when={feed.phase() === "loading"}>
                  <Loading />
                </Match>
                <Match when={feed.phase() === "offline"}>
                  <Offline />
                </Match>
                <Match when={feed.phase() === "stopped"}>
                  <Stopped code={feed.error()?.code ?? "failed"} message={feed.error()?.message ?? ""} />
                </Match>
                <Match when={feed.phase() === "ready"}>
                  <Page />
                </Match>
              </Switch>
            </ErrorBoundary>
          </div>
        </main>
      </div>
      <LiveRegions announcer={announcer} />
    </AppProvider>
  );

  function Page() {
    const service = () => {
      const route = router.route();
      return route.page === "service" && feed.catalogue().some((info) => info.id === route.service)
        ? route.service
        : null;
    };
    return (
      <Switch fallback={<MetersPage />}>
        <Match when={service()} keyed>
          {(id) => <DetailPage service={id} />}
        </Match>
        <Match when={router.route().page === "lookup"}>
          <LookupPage />
        </Match>
        <Match when={router.route().page === "cache"}>
          <CachePage />
        </Match>
        <Match when={router.route().page === "settings"}>
          <Show when={feed.live.rates}>
            <SettingsPage />
          </Show>
        </Match>
      </Switch>
    );
  }
}
