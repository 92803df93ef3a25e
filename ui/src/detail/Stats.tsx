import { For, Show } from "solid-js";
import type { Event, ServiceDay } from "../contract/contract";
import { clock, count, percent } from "../text/format";
import { sum } from "./history";

/** The day in four numbers. */
export function Stats(props: { day: ServiceDay; events: Event[]; now: number }) {
  const rows = (): [string | null, string][] => {
    const { day } = props;
    const hits = sum(day.hits);
    const bans = props.events.filter((e) => e.kind === "ban" && e.at > props.now - 86_400).length;
    const peak = day.peak_at === null ? null : `${count(day.peak_cpm)} at ${clock(day.peak_at)}`;
    return [
      [count(day.total_24h), "calls in 24 h"],
      [peak, "busiest minute"],
      [hits + day.total_24h > 0 ? percent(hits / (hits + day.total_24h)) : null, "from cache"],
      [count(bans), bans === 1 ? "ban" : "bans"],
    ];
  };
  return (
    <dl class="stats">
      <For each={rows()}>
        {([value, name]) => (
          <div>
            <dt>{name}</dt>
            <dd>
              <Show when={value} fallback={<None />}>
                {value}
              </Show>
            </dd>
          </div>
        )}
      </For>
    </dl>
  );
}

function None() {
  return (
    <>
      <span aria-hidden="true">–</span>
      <span class="visually-hidden">none</span>
    </>
  );
}
