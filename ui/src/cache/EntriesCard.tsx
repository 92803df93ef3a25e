import { createUniqueId, For, Show } from "solid-js";
import { infoOf, useApp } from "../app/context";
import { CloseIcon } from "../app/icons";
import { legible } from "../canvas/colour";
import { palette } from "../canvas/palette";
import type { CacheEntry, ServiceId } from "../contract/contract";
import { asOf, bytes } from "../text/format";
import { labelOf } from "../text/labels";
import { t } from "../text/strings";
import type { Entries } from "./entries";
import type { Forgetter } from "./forgetting";
import { leftWords, resultWords } from "./words";

/** Every kept answer, to be searched for and forgotten one by one. */
export function EntriesCard(props: {
  entries: Entries;
  forgetter: Forgetter;
  /** whether a hand is at the list */
  busy: (is: boolean) => void;
  toUndo: () => void;
}) {
  const app = useApp();
  const id = createUniqueId();
  const words = t.cache.entries;
  let list: HTMLUListElement | undefined;

  const forget = async (entry: CacheEntry): Promise<void> => {
    const { key } = entry;
    const place = props.entries.entries().findIndex((each) => each.key === key);
    if ((await props.forgetter.forget({ scope: "key", key })) === null) return;
    props.entries.drop(key);
    // The row is gone and its button with it: the focus goes on to the next one.
    const buttons = list?.querySelectorAll<HTMLButtonElement>(".entry button") ?? [];
    const next = buttons[Math.min(place, buttons.length - 1)];
    if (next) next.focus({ preventScroll: true });
    else props.toUndo();
  };

  return (
    <section class="card cache-entries" aria-labelledby={`${id}-title`}>
      <h2 id={`${id}-title`}>{words.title}</h2>
      <search class="entries-search">
        <input
          class="input"
          type="search"
          aria-label={words.search}
          placeholder={words.placeholder}
          value={props.entries.text()}
          autocomplete="off"
          spellcheck={false}
          onInput={(event) => props.entries.setText(event.currentTarget.value)}
        />
        <span class="select">
          <select
            aria-label={words.service}
            onChange={(event) =>
              props.entries.setService((event.currentTarget.value || null) as ServiceId | null)
            }
          >
            <option value="">{words.allServices}</option>
            <For each={app.feed.catalogue()}>{(info) => <option value={info.id}>{info.label}</option>}</For>
          </select>
        </span>
      </search>
      <p class="problem" role="alert">
        {props.entries.problem()}
      </p>
      <Show when={props.entries.state() !== "reading" && props.entries.entries().length === 0}>
        <p class="dim" role="status">
          {props.entries.filtered() ? words.none : words.nothing}
        </p>
      </Show>
      <ul
        ref={list}
        class="entries"
        onMouseEnter={() => props.busy(true)}
        onMouseLeave={() => props.busy(Boolean(list?.contains(document.activeElement)))}
        onFocusIn={() => props.busy(true)}
        onFocusOut={() => props.busy(Boolean(list?.matches(":hover")))}
      >
        <For each={props.entries.entries()}>
          {(entry) => (
            <li class="entry" data-key={entry.key} style={{ "--service": colour(entry.service) }}>
              <code class="entry-question" title={entry.question}>
                {entry.question}
              </code>
              <span class="entry-facts">
                <span class="entry-service">
                  <span class="dot" aria-hidden="true" />
                  <span class="entry-label">
                    {labelOf(entry.service)} <span class="entry-endpoint">{entry.endpoint}</span>
                  </span>
                </span>
                <span>{asOf(entry.stored_at, app.now())}</span>
                <span>{leftWords(entry, app.now())}</span>
                <span title={words.size(bytes(entry.bytes), bytes(entry.raw_bytes))}>
                  {bytes(entry.bytes)}
                </span>
                <span data-found={entry.found}>{resultWords(entry)}</span>
              </span>
              <button
                type="button"
                class="icon-button"
                aria-label={words.forgetOf(entry.question)}
                title={t.cache.forget.act}
                onClick={() => void forget(entry)}
              >
                <CloseIcon />
              </button>
            </li>
          )}
        </For>
      </ul>
      <Show when={props.entries.hasMore()}>
        <button
          type="button"
          class="button entries-more"
          aria-disabled={props.entries.state() === "more"}
          onClick={() => void props.entries.more()}
        >
          {props.entries.state() === "more" ? words.loadingMore : words.more}
        </button>
      </Show>
    </section>
  );

  function colour(service: ServiceId): string {
    return legible(infoOf(app, service)?.colour ?? "#888888", palette().panel);
  }
}
