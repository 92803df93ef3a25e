import { createSignal, For, Show } from "solid-js";
import { useApp } from "../../app/context";
import { createDeed } from "../../app/deed";
import type { ServiceId, TokenInfo, TokenStatus } from "../../contract/contract";
import { count, duration, percent } from "../../text/format";
import { labelOf } from "../../text/labels";
import { t } from "../../text/strings";
import type { Book } from "./book";

/** In whole minutes: it is read, not watched. */
const minutes = (n: number): string => duration(Math.max(0, Math.floor(n)) * 60).replace(/^0 s$/, "0 min");

/** A token this close to its end is worth a look. */
const lateMinutes = 10;

type Row = { name: string; value: string; tone?: "warn" | undefined };

/** The token of the active account, and how well it is kept. */
export function TokenPanel(props: { service: ServiceId; token: TokenStatus; book: Book }) {
  const { feed, now } = useApp();
  const { busy, problem, run } = createDeed();
  const [renewed, setRenewed] = createSignal("");
  // As of the last answer, and going on by the clock when none comes.
  const left = ({ expires_at, time_until_expiry_minutes }: TokenInfo): number =>
    Math.min(time_until_expiry_minutes, (expires_at - now()) / 60);
  const ofToken = (): Row[] => {
    const info = props.token.token_info;
    if (!info) return [];
    const rest = left(info);
    return [
      { name: t.connections.tokenAge, value: minutes(info.age_minutes) },
      {
        name: t.connections.tokenLeft,
        value: minutes(rest),
        tone: rest < lateMinutes ? "warn" : undefined,
      },
    ];
  };
  const ofCache = (): Row[] => {
    const { cache_metrics, performance } = props.token;
    const rate = performance.refresh_success_rate_percent;
    const hits = `${count(cache_metrics.cache_hits)} of ${count(cache_metrics.total_requests)}`;
    return [
      { name: t.connections.tokenHits, value: hits },
      { name: t.connections.tokenRefreshes, value: count(cache_metrics.refresh_successes) },
      {
        name: t.connections.tokenSuccess,
        value: rate === null ? t.connections.tokenNoRate : percent(rate / 100),
      },
    ];
  };

  const renew = async (): Promise<void> => {
    setRenewed("");
    await run(async () => {
      const { token_info } = await feed.host.call("renew_token", { service: props.service });
      await props.book.changed();
      if (token_info) setRenewed(t.connections.renewed(minutes(token_info.time_until_expiry_minutes)));
    });
  };

  return (
    <section class="token" aria-label={`${t.connections.token}, ${labelOf(props.service)}`}>
      <h4>{t.connections.token}</h4>
      <Show when={!props.token.token_info}>
        <p class="dim">{t.connections.tokenNone}</p>
      </Show>
      <dl class="stats">
        <For each={[...ofToken(), ...ofCache()]}>
          {(row) => (
            <div>
              <dt>{row.name}</dt>
              <dd data-tone={row.tone}>{row.value}</dd>
            </div>
          )}
        </For>
      </dl>
      <div class="field-row">
        <button type="button" class="button button-small" aria-busy={busy()} onClick={() => void renew()}>
          {busy() ? t.connections.renewing : t.connections.renew}
        </button>
        <span class="dim" role="status">
          {renewed()}
        </span>
      </div>
      <p class="problem" role="alert">
        {problem()}
      </p>
    </section>
  );
}
