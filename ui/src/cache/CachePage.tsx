import { createEffect, createSignal, For, on, onCleanup, onMount, Show } from "solid-js";
import { useApp } from "../app/context";
import { WarnIcon } from "../app/icons";
import { PageHead } from "../app/PageHead";
import { routeHash } from "../app/router";
import type { CacheStats } from "../contract/contract";
import { sentence } from "../text/failure";
import { bytes, count, decimal, percent } from "../text/format";
import { t } from "../text/strings";
import { EntriesCard } from "./EntriesCard";
import { createEntries } from "./entries";
import { ForgetCard } from "./ForgetCard";
import { FromCard } from "./FromCard";
import { createForgetting } from "./forgetting";
import { KeptCard } from "./KeptCard";
import { PolicyCard } from "./PolicyCard";
import { ServicesCard } from "./ServicesCard";
import { createStats } from "./stats";
import { UndoBar } from "./UndoBar";
import { headline } from "./words";

/** Does it save me calls? What is kept, how long, and how to be rid of it. */
export function CachePage() {
  const app = useApp();
  const [busyWithList, setBusyWithList] = createSignal(false);
  const entries = createEntries(app);
  const stats = createStats(app, () => {
    // A list that moves under the hand that reaches for it is worse than one that is a little old.
    if (!busyWithList() && entries.fresh() && entries.state() === "ready") void entries.load();
  });
  const forgetter = createForgetting(app, async (what) => {
    // Far down the list one answer is taken out of it, rather than reading it anew from the top.
    const stays = what?.scope === "key" && !entries.fresh();
    await Promise.all([stats.load(), stays ? null : entries.load()]);
  });
  const empty = (all: CacheStats): boolean => all.entries === 0 && all.hits + all.misses === 0;

  let place: HTMLDivElement | undefined;
  const title = () => place?.querySelector("h1");
  let undo: HTMLButtonElement | undefined;
  const undoKey = (event: KeyboardEvent): void => {
    const typing = event.target instanceof HTMLElement && event.target.closest("input, select, dialog");
    if (event.key !== "z" || event.shiftKey || event.altKey || !(event.ctrlKey || event.metaKey)) return;
    if (typing || !forgetter.latest()) return;
    event.preventDefault();
    void forgetter.undo();
  };
  onMount(() => document.addEventListener("keydown", undoKey));
  onCleanup(() => document.removeEventListener("keydown", undoKey));
  // A button that was pressed and went away, or can be pressed no more, hands the focus on to Undo.
  const forgotten = (): void => {
    const held = document.activeElement;
    if (held === null || held === document.body || (held as HTMLButtonElement).disabled)
      undo?.focus({ preventScroll: true });
  };
  // When a long forgetting ends, what is listed is another one.
  createEffect(
    on(
      () => Boolean(stats.all()?.forgetting),
      (is, was) => void (was && !is && entries.load()),
    ),
  );

  return (
    <Show
      when={stats.all()}
      fallback={
        <>
          <PageHead title={t.nav.cache} />
          <Show when={stats.problem()} fallback={<p class="dim loading">{t.cache.loading}</p>}>
            <p class="problem" role="alert">
              {stats.problem()}
            </p>
          </Show>
        </>
      }
    >
      {(all) => (
        <div ref={place} class="cache">
          <PageHead
            focus
            title={headline(all()).title}
            detail={headline(all()).detail}
            side={empty(all()) ? undefined : <Figures stats={all()} />}
          />
          <Troubles stats={all()} problem={stats.problem()} />
          <Show when={all().forgetting}>
            {(is) => {
              const words = () => t.cache.forget.progressOf(count(is().done), count(is().total));
              return (
                <div class="card cache-progress">
                  <p>{words()}</p>
                  <div
                    class="bar"
                    role="progressbar"
                    aria-label={t.cache.forget.progress}
                    aria-valuemin={0}
                    aria-valuemax={is().total}
                    aria-valuenow={is().done}
                    aria-valuetext={words()}
                  >
                    <span
                      style={{ transform: `translateX(${(is().done / Math.max(1, is().total) - 1) * 100}%)` }}
                    />
                  </div>
                </div>
              );
            }}
          </Show>
          <Show
            when={!empty(all())}
            fallback={
              <section class="card cache-empty">
                <p>{t.cache.emptyDetail}</p>
                <a class="button button-primary" href={routeHash({ page: "lookup" })}>
                  {t.cache.emptyAction}
                </a>
              </section>
            }
          >
            <div class="cache-panels">
              <FromCard stats={all()} />
              <KeptCard stats={all()} />
            </div>
            <ServicesCard stats={all()} forgetter={forgetter} forgotten={forgotten} />
            <EntriesCard
              entries={entries}
              forgetter={forgetter}
              busy={setBusyWithList}
              toUndo={() => undo?.focus({ preventScroll: true })}
            />
            <ForgetCard kept={all().entries} forgetter={forgetter} forgotten={forgotten} />
          </Show>
          <PolicyCard stats={all()} />
          <UndoBar
            forgetter={forgetter}
            button={(element) => {
              undo = element;
            }}
            left={() => title()?.focus({ preventScroll: true })}
          />
        </div>
      )}
    </Show>
  );
}

/** The cache in four numbers. */
function Figures(props: { stats: CacheStats }) {
  const rows = (): [string, string][] => {
    const { stats } = props;
    const ratio = stats.compression_ratio;
    const rate = stats.hit_rate_percent;
    return [
      ...(rate === null ? [] : [[percent(rate / 100), t.cache.stats.rate] as [string, string]]),
      [count(stats.entries), t.cache.stats.entries],
      stats.persistent
        ? [bytes(stats.bytes), t.cache.stats.size]
        : [bytes(stats.memory_bytes), t.cache.stats.inMemory],
      ...(ratio === null ? [] : [[`${decimal(ratio)} ×`, t.cache.stats.ratio] as [string, string]]),
    ];
  };
  return (
    <dl class="stats">
      <For each={rows().map(([, name]) => name)}>
        {(name, i) => (
          <div>
            <dt>{name}</dt>
            <dd>{rows()[i()]?.[0]}</dd>
          </div>
        )}
      </For>
    </dl>
  );
}

function Troubles(props: { stats: CacheStats; problem: string }) {
  const told = (): string[] => {
    const { trouble, shared, persistent } = props.stats;
    return [
      props.problem,
      trouble && `${sentence(trouble)}.${persistent ? "" : ` ${t.cache.kept.memoryOnly}`}`,
      shared?.trouble && `${sentence(shared.trouble)}.`,
    ].filter((words): words is string => Boolean(words));
  };
  return (
    <Show when={told().length > 0}>
      <div class="notices">
        <For each={told()}>
          {(words) => (
            <p class="notice" role="status">
              <WarnIcon />
              <span>{words}</span>
            </p>
          )}
        </For>
      </div>
    </Show>
  );
}
