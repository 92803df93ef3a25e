import { createSignal, For, Show } from "solid-js";
import { t } from "../text/strings";
import { useApp } from "./context";
import { WarnIcon } from "./icons";

/** The shape of the page before its numbers are there; it holds still, because nothing is known to move. */
export function Loading() {
  return (
    <div class="loading" role="status" aria-busy="true">
      <span class="visually-hidden">{t.states.loading}</span>
      <div class="page-head" aria-hidden="true">
        <div>
          <div class="ghost ghost-title" />
          <div class="ghost ghost-line" />
        </div>
      </div>
      <div class="grid" aria-hidden="true">
        <For each={Array(12)}>{() => <div class="card ghost-card" />}</For>
      </div>
    </div>
  );
}

export function Offline() {
  const { feed } = useApp();
  return (
    <section class="full-state" role="status">
      <WarnIcon />
      <h1>{t.states.offlineTitle}</h1>
      <p>{t.states.offlineDetail}</p>
      <button type="button" class="button" onClick={() => void feed.load()}>
        {t.states.retry}
      </button>
    </section>
  );
}

/** The engine said that it stopped; or the window itself could not go on. */
export function Stopped(props: { engine: boolean; message: string }) {
  const { feed, say } = useApp();
  const [busy, setBusy] = createSignal(false);
  // Another engine at work makes calls: nothing may be said of them here.
  const taken = () => props.engine && /already running/i.test(props.message);
  const title = () => {
    if (taken()) return t.states.takenTitle;
    return props.engine ? t.states.stoppedTitle : t.states.failedTitle;
  };
  const retry = async (): Promise<void> => {
    setBusy(true);
    await (props.engine ? feed.restart() : feed.load());
    setBusy(false);
  };
  const copy = (): void => {
    feed.host.copyText(props.message).then(
      () => say(t.said.copied),
      () => say(t.said.failedCopy),
    );
  };
  return (
    <section class="full-state full-state-danger" role="alert">
      <WarnIcon />
      <h1>{title()}</h1>
      <Show when={!taken()}>
        <p>{props.engine ? t.states.stoppedDetail : t.states.failedDetail}</p>
      </Show>
      <pre class="cause">{props.message}</pre>
      <p class="actions">
        <button type="button" class="button button-primary" disabled={busy()} onClick={() => void retry()}>
          {t.states.retry}
        </button>
        <button type="button" class="button" onClick={copy}>
          {t.detail.copy}
        </button>
      </p>
    </section>
  );
}
