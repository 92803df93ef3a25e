import { type JSX, Show } from "solid-js";
import { useApp } from "../app/context";
import { routeHash } from "../app/router";
import type { CacheStats } from "../contract/contract";
import { bytes, count, plural } from "../text/format";
import { t } from "../text/strings";

/** How much is kept, and where. */
export function KeptCard(props: { stats: CacheStats }) {
  const { feed, say } = useApp();
  const words = t.cache.kept;
  const share = () => Math.min(1, props.stats.bytes / Math.max(1, props.stats.max_bytes));
  const copy = (path: string): void => {
    feed.host.copyText(path).then(
      () => say(t.said.copied),
      () => say(t.said.failedCopy),
    );
  };
  return (
    <section class="card" aria-labelledby="cache-kept">
      <h2 id="cache-kept" class="card-title">
        {words.title}
        <a class="panel-link" href={routeHash({ page: "settings", part: "cache", service: null })}>
          {t.cache.settingsLink}
        </a>
      </h2>
      <dl class="facts">
        <Show when={props.stats.persistent}>
          <Fact name={words.size}>
            <span class="fact-size">
              <span class="bar" aria-hidden="true">
                <span style={{ transform: `translateX(${(share() - 1) * 100}%)` }} />
              </span>
              <span class="nowrap">{words.of(bytes(props.stats.bytes), bytes(props.stats.max_bytes))}</span>
            </span>
          </Fact>
        </Show>
        <Fact name={words.found}>{count(props.stats.found)}</Fact>
        <Fact name={words.notFound}>{count(props.stats.not_found)}</Fact>
        <Fact name={words.memory}>
          {count(props.stats.memory_entries)} <span class="dim">({bytes(props.stats.memory_bytes)})</span>
        </Fact>
        <Fact name={words.removed}>{count(props.stats.expired_removed)}</Fact>
        <Fact name={words.evicted}>{count(props.stats.evicted)}</Fact>
        <Show when={props.stats.shared}>
          {(shared) => (
            <Fact name={words.shared}>
              <span class="fact-path">{shared().address}</span>{" "}
              <span class="dim">
                {shared().connected ? words.sharedOn : words.sharedGone}
                {shared().machines === null
                  ? ""
                  : `, ${plural(shared().machines ?? 0, "machine", "machines")}`}
              </span>
            </Fact>
          )}
        </Show>
        <Show when={props.stats.path}>
          {(path) => (
            <Fact name={words.where}>
              <span class="fact-file">
                <code class="fact-path">{path()}</code>
                <button
                  type="button"
                  class="button button-small"
                  aria-label={words.copyPath}
                  onClick={() => copy(path())}
                >
                  {words.copy}
                </button>
              </span>
            </Fact>
          )}
        </Show>
      </dl>
      <p class="dim cache-foot">{props.stats.persistent ? words.persistent : words.memoryOnly}</p>
    </section>
  );
}

function Fact(props: { name: string; children: JSX.Element }) {
  return (
    <div>
      <dt>{props.name}</dt>
      <dd>{props.children}</dd>
    </div>
  );
}
