import { For } from "solid-js";
import { infoOf, useApp } from "../app/context";
import { legible } from "../canvas/colour";
import { palette } from "../canvas/palette";
import type { CachePolicy, CacheStats, ServiceId } from "../contract/contract";
import { spell } from "../text/format";
import { labelOf } from "../text/labels";
import { t } from "../text/strings";
import { lifeWords, livesWords } from "./words";

/** How long each service's answers live, endpoint by endpoint. */
export function PolicyCard(props: { stats: CacheStats }) {
  const app = useApp();
  const words = t.cache.policy;
  const of = (id: ServiceId): CachePolicy[] => props.stats.policy.filter(({ service }) => service === id);
  const ids = (): ServiceId[] =>
    app.feed
      .catalogue()
      .map((info) => info.id)
      .filter((id) => of(id).length > 0);
  const colour = (id: ServiceId): string => legible(infoOf(app, id)?.colour ?? "#888888", palette().panel);
  const notFound = (): string =>
    props.stats.not_found_seconds > 0
      ? words.notFound(spell(props.stats.not_found_seconds))
      : words.notFoundNever;

  return (
    <section class="card cache-policy" aria-labelledby="cache-policy">
      <h2 id="cache-policy">{words.title}</h2>
      <p class="dim">
        {words.intro} {notFound()}
      </p>
      <div class="policies">
        <For each={ids()}>
          {(id) => (
            <details class="policy" data-policy={id} style={{ "--service": colour(id) }}>
              <summary>
                <span class="dot" aria-hidden="true" />
                <span class="policy-name">{labelOf(id)}</span>
                <span class="dim">{livesWords(of(id))}</span>
              </summary>
              <table>
                <thead>
                  <tr>
                    <th scope="col">{words.endpoint}</th>
                    <th scope="col">{words.life}</th>
                    <th scope="col">{words.heeds}</th>
                  </tr>
                </thead>
                <tbody>
                  <For each={of(id)}>
                    {(policy) => (
                      <tr>
                        <th scope="row">{policy.endpoint}</th>
                        <td>{lifeWords(policy)}</td>
                        <td class="dim">{words.heed[policy.heeds]}</td>
                      </tr>
                    )}
                  </For>
                </tbody>
              </table>
            </details>
          )}
        </For>
      </div>
    </section>
  );
}
