import { For, Show } from "solid-js";
import { palette } from "../canvas/palette";
import type { CacheStats } from "../contract/contract";
import { ShareBars, type ShareRow } from "../detail/ShareBars";
import { count } from "../text/format";
import { t } from "../text/strings";

/** Every question since the start, by who answered it. */
export function FromCard(props: { stats: CacheStats }) {
  const words = t.cache.from;
  const sum = (read: (answers: CacheStats["by_service"]["spotify"]["answers"]) => number): number =>
    Object.values(props.stats.by_service).reduce((total, { answers }) => total + read(answers), 0);
  const asked = () => props.stats.hits + props.stats.stale + props.stats.misses;
  const rows = (): ShareRow[] => {
    const row = (name: string, value: number, colour: string): ShareRow => ({
      name,
      value,
      of: Math.max(1, asked()),
      colour,
    });
    const { ok, quota, warn, dim } = palette();
    const shared = sum((a) => a.shared);
    return [
      row(
        words.memory,
        sum((a) => a.memory),
        ok,
      ),
      row(
        words.disk,
        sum((a) => a.disk),
        ok,
      ),
      ...(props.stats.shared || shared > 0 ? [row(words.shared, shared, quota)] : []),
      row(words.stale, props.stats.stale, warn),
      row(words.misses, props.stats.misses, dim),
    ];
  };
  const notes = (): string[] => [
    ...(props.stats.stale > 0 ? [words.staleWords(count(props.stats.stale))] : []),
    ...(sum((a) => a.not_found) > 0 ? [words.notFound(count(sum((a) => a.not_found)))] : []),
  ];
  return (
    <section class="card" aria-labelledby="cache-from">
      <h2 id="cache-from">{words.title}</h2>
      <Show when={asked() > 0} fallback={<p class="dim">{words.none}</p>}>
        <ShareBars rows={rows()} />
        <p class="dim cache-foot">
          {words.since} <For each={notes()}>{(note) => <>{note} </>}</For>
        </p>
      </Show>
    </section>
  );
}
