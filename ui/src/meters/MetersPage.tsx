import { createMemo, createSignal, For, onCleanup, onMount, Show, untrack } from "solid-js";
import { useApp } from "../app/context";
import { PageHead } from "../app/PageHead";
import { routeHash } from "../app/router";
import type { Rates, ServiceId } from "../contract/contract";
import { clock } from "../text/format";
import { type Headline, headline } from "../text/headline";
import { labelOf } from "../text/labels";
import { t } from "../text/strings";
import { ArrangeBar, CardTools, type Moves } from "./Arrange";
import { Card } from "./Card";
import { HeadButtons } from "./HeadButtons";
import { moved, ordered, stepFor } from "./order";

/** Which card was opened last: coming back, the focus returns to it. */
let lastOpened: ServiceId | null = null;

export function MetersPage() {
  const app = useApp();
  const { feed, preferences, router } = app;
  const [arranging, setArranging] = createSignal(false);
  let grid!: HTMLElement;

  const rates = (): Rates => feed.live.rates as Rates;
  // By use, but as of the moment the page opened: cards that swap places while one looks are not calm.
  const order = createMemo(() => {
    const wish = preferences.get();
    return untrack(() => ordered(feed.catalogue(), feed.live.rates, wish));
  });
  const shown = createMemo(() => order().filter((id) => !preferences.get().hidden.includes(id)));
  // Old numbers must not say that all is clear.
  const head = createMemo(
    (): Headline =>
      feed.connected()
        ? headline(rates(), app.now())
        : { title: t.states.offlineTitle, detail: t.states.lastNumbers(clock(rates().at)), tone: "danger" },
  );
  const untouched = createMemo(() =>
    Object.values(rates().services).every(({ calls_24h, hits_24h }) => calls_24h + hits_24h === 0),
  );

  const place = (list: ServiceId[]): void => {
    preferences.set("hand", list);
    preferences.set("order", "hand");
  };
  const movesOf = (id: ServiceId): Moves => ({
    by: (step) => {
      const list = shown();
      const to = Math.min(list.length - 1, Math.max(0, list.indexOf(id) + step));
      place(moved(order(), id, order().indexOf(list[to] ?? id)));
      app.say(`${labelOf(id)}, ${to + 1} of ${list.length}`);
    },
    over: (other) => place(moved(order(), id, order().indexOf(other))),
    hide: () => {
      preferences.set("hidden", [...preferences.get().hidden, id]);
      app.say(`${labelOf(id)} hidden`);
    },
    columns,
  });

  function columns(): number {
    return getComputedStyle(grid).gridTemplateColumns.split(" ").length;
  }

  const open = (id: ServiceId): void => {
    lastOpened = id;
    router.go({ page: "service", service: id });
  };

  /** Arrow keys walk the grid as the eye sees it. */
  const walk = (event: KeyboardEvent): void => {
    const button = event.target as HTMLElement;
    if (!button.classList.contains("card-open")) return;
    const step = stepFor(event.key, columns());
    if (step === null) return;
    const all = [...grid.querySelectorAll<HTMLElement>(".card-open")];
    const next = all[all.indexOf(button) + step];
    if (!next) return;
    event.preventDefault();
    next.focus();
  };

  onMount(() => {
    grid.addEventListener("keydown", walk);
    onCleanup(() => grid.removeEventListener("keydown", walk));
    if (lastOpened) grid.querySelector<HTMLElement>(`[data-service="${lastOpened}"] .card-open`)?.focus();
    lastOpened = null;
  });

  return (
    <>
      <PageHead
        wideDetail
        title={head().title}
        detail={head().detail}
        tone={head().tone}
        side={
          <HeadButtons
            paused={rates().paused}
            arranging={arranging()}
            arrange={() => setArranging(!arranging())}
          />
        }
      />
      <Show when={arranging()}>
        <ArrangeBar
          show={(id) =>
            preferences.set(
              "hidden",
              preferences.get().hidden.filter((other) => other !== id),
            )
          }
        />
      </Show>
      <Show when={untouched()}>
        <section class="first-start">
          <div>
            <h2>{t.states.firstTitle}</h2>
            <p>{t.states.firstDetail}</p>
          </div>
          <a class="button button-primary" href={routeHash({ page: "lookup" })}>
            {t.states.firstAction}
          </a>
        </section>
      </Show>
      <section ref={grid} class="grid" data-stale={!feed.connected()} aria-label={t.nav.meters}>
        <For each={shown()}>
          {(id) => (
            <Card
              service={id}
              rates={rates().services[id]}
              open={() => open(id)}
              tools={arranging() ? <CardTools service={id} moves={movesOf(id)} /> : undefined}
            />
          )}
        </For>
      </section>
      <Show when={shown().length === 0}>
        <p class="empty">
          {t.states.allHidden}{" "}
          <button type="button" class="button button-small" onClick={() => preferences.set("hidden", [])}>
            {t.states.showAll}
          </button>
        </p>
      </Show>
    </>
  );
}
