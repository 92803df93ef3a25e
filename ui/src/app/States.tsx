import { createSignal, For, Show } from "solid-js";
import type { ApiError } from "../contract/contract";
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

/** The engine said that it stopped, or runs elsewhere; or the window itself could not go on. */
export function Stopped(props: { code: ApiError["code"]; message: string }) {
  const { feed, say } = useApp();
  const [busy, setBusy] = createSignal(false);
  const engine = () => props.code === "engine_stopped";
  // Another engine at work makes calls: nothing may be said of them here.
  const elsewhere = () => props.code === "engine_elsewhere";
  const title = () => {
    if (elsewhere()) return t.states.elsewhereTitle;
    return engine() ? t.states.stoppedTitle : t.states.failedTitle;
  };
  const detail = () => {
    if (elsewhere()) return t.states.elsewhereDetail;
    return engine() ? t.states.stoppedDetail : t.states.failedDetail;
  };
  const busyWith = async (work: () => Promise<void>): Promise<void> => {
    setBusy(true);
    await work();
    setBusy(false);
  };
  const retry = () => busyWith(engine() || elsewhere() ? feed.restart : feed.load);
  const copy = (): void => {
    feed.host.copyText(props.message).then(
      () => say(t.said.copied),
      () => say(t.said.failedCopy),
    );
  };
  const canTakeOver = () => elsewhere() && feed.host.takeOver !== undefined;
  return (
    <section class="full-state full-state-danger" role="alert">
      <WarnIcon />
      <h1>{title()}</h1>
      <p>{detail()}</p>
      <pre class="cause">{props.message}</pre>
      <p class="actions">
        <Show when={canTakeOver()}>
          <button
            type="button"
            class="button button-primary"
            disabled={busy()}
            onClick={() => void busyWith(feed.takeOver)}
          >
            {busy() ? t.states.takingOver : t.states.takeOver}
          </button>
        </Show>
        <button
          type="button"
          class="button"
          classList={{ "button-primary": !canTakeOver() }}
          disabled={busy()}
          onClick={() => void retry()}
        >
          {t.states.retry}
        </button>
        <button type="button" class="button" onClick={copy}>
          {t.detail.copy}
        </button>
      </p>
    </section>
  );
}
