import { createMemo, createSignal, For, onMount, Show } from "solid-js";
import { infoOf, modelOf, useApp } from "../app/context";
import { LinkIcon } from "../app/icons";
import { PageHead } from "../app/PageHead";
import { Segments } from "../app/Segments";
import type { ApiError, Found, SearchResult, ServiceId } from "../contract/contract";
import { Gauge } from "../gauge/Gauge";
import { asApiError } from "../platform";
import { failure } from "../text/failure";
import { trackLength } from "../text/format";
import { labelOf } from "../text/labels";
import { t } from "../text/strings";
import { beneath } from "../text/words";
import { cost, whyStale } from "./words";

/** Those that answer anybody: a newcomer needs no sign-in to see a meter move. */
const open: readonly ServiceId[] = ["deezer", "itunes", "musicbrainz"];

type Answer =
  | { kind: "none" }
  | { kind: "asking" }
  | { kind: "found"; result: SearchResult }
  | { kind: "failed"; error: ApiError };

export function LookupPage() {
  const app = useApp();
  const { feed } = app;
  const [service, setService] = createSignal<ServiceId>("deezer");
  const [text, setText] = createSignal("");
  const [answer, setAnswer] = createSignal<Answer>({ kind: "none" });
  let field!: HTMLInputElement;
  let asked = 0;
  onMount(() => field.focus());

  const offered = createMemo(() =>
    open
      .filter((id) => feed.catalogue().some((info) => info.id === id))
      .map((id) => ({ value: id, text: labelOf(id) })),
  );
  const ask = async (event: Event): Promise<void> => {
    event.preventDefault();
    const words = text().trim();
    if (!words) return field.focus();
    // Only the latest question may be answered: an earlier one can come back later.
    asked += 1;
    const mine = asked;
    setAnswer({ kind: "asking" });
    try {
      const result = await feed.host.call("search", { service: service(), text: words });
      if (mine === asked) setAnswer({ kind: "found", result });
    } catch (thrown) {
      if (mine === asked) setAnswer({ kind: "failed", error: asApiError(thrown) });
    }
    void feed.refreshRates();
  };

  return (
    <>
      <PageHead title={t.lookup.title} detail={t.lookup.detail} />
      <form class="lookup-form" onSubmit={(event) => void ask(event)}>
        <Segments label={t.lookup.service} options={offered()} value={service()} choose={setService} />
        <div class="lookup-line">
          <input
            ref={field}
            class="input input-large"
            type="text"
            aria-label={t.lookup.field}
            placeholder={t.lookup.placeholder}
            value={text()}
            autocomplete="off"
            spellcheck={false}
            onInput={(event) => setText(event.currentTarget.value)}
          />
          <button type="submit" class="button button-primary" disabled={answer().kind === "asking"}>
            {answer().kind === "asking" ? t.lookup.asking : t.lookup.submit}
          </button>
        </div>
      </form>
      <div class="lookup">
        <section class="card lookup-answer" aria-label="Answer" aria-live="polite">
          <AnswerView
            answer={answer()}
            now={app.now()}
            banned={banned()}
            openLink={(url) => void feed.host.openLink(url)}
          />
        </section>
        <aside class="card lookup-meter">
          <Meter service={service()} />
        </aside>
      </div>
    </>
  );

  /** Whether the service that answered is banned now. */
  function banned(): boolean {
    const is = answer();
    return is.kind === "found" && Boolean(feed.live.rates?.services[is.result.service].ban);
  }

  function Meter(props: { service: ServiceId }) {
    const rates = () => feed.live.rates?.services[props.service];
    return (
      <Show when={rates()}>
        {(found) => (
          <>
            <h2>{labelOf(props.service)}</h2>
            <Gauge
              model={modelOf(app, props.service, found())}
              label={labelOf(props.service)}
              colour={infoOf(app, props.service)?.colour ?? "#888888"}
              now={app.now()}
            />
            <p class="card-words" aria-hidden="true">
              {beneath(modelOf(app, props.service, found()), app.now())}
            </p>
          </>
        )}
      </Show>
    );
  }
}

function AnswerView(props: {
  answer: Answer;
  now: number;
  banned: boolean;
  openLink: (url: string) => void;
}) {
  const result = () => (props.answer.kind === "found" ? props.answer.result : null);
  const error = () => (props.answer.kind === "failed" ? props.answer.error : null);
  return (
    <>
      <Show when={props.answer.kind === "none"}>
        <p class="dim">{t.lookup.start}</p>
      </Show>
      <Show when={error()}>{(cause) => <p class="lookup-failed">{failure(cause(), props.now)}</p>}</Show>
      <Show when={result()}>
        {(found) => (
          <>
            <Show when={found().stale}>
              <p class="lookup-stale">
                <span class="badge" data-tone="warn">
                  {t.lookup.stale}
                </span>
                <span>{whyStale(found(), props.banned)}</span>
              </p>
            </Show>
            <p class="dim lookup-cost">{cost(found(), props.now)}</p>
            <Show when={found().found.length > 0} fallback={<p>{t.lookup.nothing}</p>}>
              <ul class="found">
                <For each={found().found}>{(track) => <Row track={track} openLink={props.openLink} />}</For>
              </ul>
            </Show>
          </>
        )}
      </Show>
    </>
  );
}

function Row(props: { track: Found; openLink: (url: string) => void }) {
  return (
    <li>
      <div class="found-words">
        <strong>{props.track.title}</strong>
        <span class="dim">
          {props.track.artist}
          {props.track.album ? ` · ${props.track.album}` : ""}
        </span>
      </div>
      <span class="dim">{props.track.duration_ms === null ? "" : trackLength(props.track.duration_ms)}</span>
      <Show when={props.track.link} fallback={<span class="icon-button" />}>
        {(link) => (
          <button
            type="button"
            class="icon-button"
            aria-label={`Open ${props.track.title}`}
            onClick={() => props.openLink(link())}
          >
            <LinkIcon />
          </button>
        )}
      </Show>
    </li>
  );
}
