import { For, Show } from "solid-js";
import type { Event } from "../contract/contract";
import { clock, dateShort } from "../text/format";
import { t } from "../text/strings";

const shown = 12;

/** The newest first. */
export function Events(props: { events: Event[]; now: number }) {
  const latest = () => [...props.events].sort((a, b) => b.at - a.at).slice(0, shown);
  const time = (at: number): string =>
    props.now - at < 43_200 ? clock(at) : `${dateShort(at)} ${clock(at)}`;
  return (
    <Show when={props.events.length > 0} fallback={<p class="dim">{t.detail.noEvents}</p>}>
      <ol class="events">
        <For each={latest()}>
          {(event) => (
            <li data-kind={event.kind}>
              <time dateTime={new Date(event.at * 1000).toISOString()}>{time(event.at)}</time>
              <span class="event-text">{event.text}</span>
              <Show when={event.caller}>{(caller) => <span class="dim">by {caller()}</span>}</Show>
            </li>
          )}
        </For>
      </ol>
    </Show>
  );
}
