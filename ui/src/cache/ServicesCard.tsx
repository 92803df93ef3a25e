import { For, Show } from "solid-js";
import { infoOf, useApp } from "../app/context";
import { legible } from "../canvas/colour";
import { palette } from "../canvas/palette";
import type { CacheStats, ServiceCache, ServiceId } from "../contract/contract";
import { bytes, count, listOf, percent } from "../text/format";
import { labelOf } from "../text/labels";
import { t } from "../text/strings";
import type { Forgetter } from "./forgetting";

const hitsOf = ({ answers }: ServiceCache): number =>
  answers.memory + answers.disk + answers.shared + answers.stale;

/** What each service has in the cache, and what it brought. */
export function ServicesCard(props: { stats: CacheStats; forgetter: Forgetter; forgotten: () => void }) {
  const app = useApp();
  const words = t.cache.services;
  const of = (id: ServiceId): ServiceCache => props.stats.by_service[id];
  const used = (id: ServiceId): boolean => of(id).entries + hitsOf(of(id)) + of(id).answers.misses > 0;
  const ids = (): ServiceId[] => app.feed.catalogue().map((info) => info.id);
  const shown = (): ServiceId[] => ids().filter(used);
  const others = (): string =>
    listOf(
      ids()
        .filter((id) => !used(id))
        .map((id) => labelOf(id)),
    );
  const largest = (): number => Math.max(1, ...shown().map((id) => of(id).bytes));
  const most = (): number => Math.max(1, ...shown().map((id) => of(id).saved_24h));
  const colour = (id: ServiceId): string => legible(infoOf(app, id)?.colour ?? "#888888", palette().panel);
  const forget = async (service: ServiceId): Promise<void> => {
    if ((await props.forgetter.forget({ scope: "service", service })) !== null) props.forgotten();
  };

  return (
    <section class="card cache-services" aria-labelledby="cache-services">
      <h2 id="cache-services">{words.title}</h2>
      <table>
        <thead>
          <tr>
            <th scope="col">{words.service}</th>
            <th scope="col">{words.kept}</th>
            <th scope="col">{words.answers}</th>
            <th scope="col">{words.saved}</th>
            <th scope="col">
              <span class="visually-hidden">{words.act}</span>
            </th>
          </tr>
        </thead>
        <tbody>
          <For each={shown()}>
            {(id) => {
              const asked = () => hitsOf(of(id)) + of(id).answers.misses;
              const rate = () => (asked() > 0 ? hitsOf(of(id)) / asked() : 0);
              return (
                <tr data-service={id} style={{ "--service": colour(id) }}>
                  <th scope="row">
                    <span class="cache-name">
                      <span class="dot" aria-hidden="true" />
                      <span class="cache-label" title={labelOf(id)}>
                        {labelOf(id)}
                      </span>
                    </span>
                  </th>
                  <td>
                    <span class="cache-figure">
                      {count(of(id).entries)} <span class="dim">{bytes(of(id).bytes)}</span>
                    </span>
                    <Bar share={of(id).bytes / largest()} />
                  </td>
                  <td>
                    <span class="cache-figure">
                      <Show when={asked() > 0} fallback={<span class="dim">{words.unasked}</span>}>
                        {percent(rate())} <span class="dim">of {count(asked())}</span>
                      </Show>
                    </span>
                    <Bar share={rate()} />
                  </td>
                  <td>
                    <span class="cache-figure">{count(of(id).saved_24h)}</span>
                    <Bar share={of(id).saved_24h / most()} />
                  </td>
                  <td>
                    <button
                      type="button"
                      class="button button-small"
                      aria-label={words.forgetOf(labelOf(id))}
                      disabled={of(id).entries === 0}
                      onClick={() => void forget(id)}
                    >
                      {words.forget}
                    </button>
                  </td>
                </tr>
              );
            }}
          </For>
        </tbody>
      </table>
      <Show when={others()}>
        <p class="dim cache-foot">{words.untouched(others())}</p>
      </Show>
    </section>
  );
}

function Bar(props: { share: number }) {
  return (
    <span class="bar" aria-hidden="true">
      <span style={{ transform: `translateX(${(Math.min(1, props.share) - 1) * 100}%)` }} />
    </span>
  );
}
