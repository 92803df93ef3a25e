import { createEffect, createSignal, on, onCleanup, Show } from "solid-js";
import type { Rates, ServiceId } from "../contract/contract";
import { atMoment } from "../text/format";
import { labelOf } from "../text/labels";
import type { Feed } from "./feed";

const toastMs = 4_000;

/** Speaks bans as they begin and end, never numbers; and answers to what the user did. */
export function createAnnouncer(feed: Feed, now: () => number) {
  const [news, setNews] = createSignal("");
  const [toast, setToast] = createSignal("");
  let timer: ReturnType<typeof setTimeout> | undefined;
  onCleanup(() => clearTimeout(timer));

  const bans = (): string => JSON.stringify(bansOf(feed.live.rates));
  createEffect(
    on(bans, (current, before) => {
      if (before === undefined) return;
      const text = banNews(JSON.parse(before) as Bans, JSON.parse(current) as Bans, now());
      if (text) setNews(text);
    }),
  );

  return {
    news,
    toast,
    say(text: string): void {
      clearTimeout(timer);
      setToast(text);
      timer = setTimeout(() => setToast(""), toastMs);
    },
  };
}

export type Announcer = ReturnType<typeof createAnnouncer>;
export type Bans = Partial<Record<ServiceId, number>> | null;

function bansOf(rates: Rates | null): Bans {
  if (!rates) return null;
  const bans: Partial<Record<ServiceId, number>> = {};
  for (const [id, { ban }] of Object.entries(rates.services) as [ServiceId, Rates["services"][ServiceId]][])
    if (ban) bans[id] = ban.until;
  return bans;
}

/** What changed between two looks. At the first look standing bans are news. */
export function banNews(before: Bans, current: Bans, now: number): string {
  const ids = new Set([...Object.keys(before ?? {}), ...Object.keys(current ?? {})] as ServiceId[]);
  const said: string[] = [];
  for (const id of ids) {
    const [was, is] = [before?.[id], current?.[id]];
    if (is !== undefined && was === undefined)
      said.push(`${labelOf(id)} is banned, back ${atMoment(is, now)}.`);
    if (is === undefined && was !== undefined && current) said.push(`${labelOf(id)}'s ban is over.`);
  }
  return said.join(" ");
}

export function LiveRegions(props: { announcer: Announcer }) {
  return (
    <>
      <div class="visually-hidden" role="status" aria-live="polite" data-live="bans">
        {props.announcer.news()}
      </div>
      <div class="toast-place" role="status" aria-live="polite">
        <Show when={props.announcer.toast()}>{(text) => <p class="toast">{text()}</p>}</Show>
      </div>
    </>
  );
}
