import { createEffect, createUniqueId, Match, on, Show, Switch } from "solid-js";
import { useApp } from "../../app/context";
import type { Connection, SignInVia } from "../../contract/contract";
import { asApiError } from "../../platform";
import { failure } from "../../text/failure";
import { t } from "../../text/strings";
import type { Book } from "./book";
import { createSignIn } from "./sign-in";

/** Connect, wait for the consent, and what came of it. */
export function ConnectPanel(props: { connection: Connection; book: Book; settle: () => void }) {
  const { feed, now, say } = useApp();
  const hint = createUniqueId();
  const desktop = feed.host.kind === "desktop";
  const signIn = createSignIn({
    host: feed.host,
    service: props.connection.service,
    explain: (thrown) => failure(asApiError(thrown), now()),
    done: () => {
      void props.book.changed().then(() => props.settle());
      void feed.refreshEvents();
    },
  });
  const { standing } = signIn;
  const kind = () => standing().kind;
  const ended = (): boolean => props.connection.accounts.some(({ active, ended }) => active && ended);
  const first = (): boolean => props.connection.accounts.length === 0;
  const word = (): string => {
    if (ended()) return t.connections.connectAgain;
    return first() ? t.connections.connect : t.connections.connectMore;
  };
  const begin = (via: SignInVia): void => void signIn.begin(via);
  const copyPage = (): void => {
    feed.host.copyText(signIn.address()).then(
      () => say(t.said.copied),
      () => say(t.said.failedCopy),
    );
  };

  let connect!: HTMLButtonElement;
  let cancel!: HTMLButtonElement;
  // The button that was pressed goes away, so the focus moves on to the one in its place.
  createEffect(
    on(kind, (is, was) => {
      if (is === "waiting") cancel.focus({ preventScroll: true });
      else if (was === "waiting" && is !== "done" && document.activeElement === document.body)
        connect?.focus({ preventScroll: true });
    }),
  );

  return (
    <div class="connect">
      <Show
        when={kind() === "waiting"}
        fallback={
          <>
            <div class="buttons">
              <button
                ref={connect}
                type="button"
                class="button"
                classList={{ "button-primary": first() || ended() }}
                disabled={props.connection.client_id === null}
                onClick={() => begin(desktop ? "link" : "loopback")}
              >
                {word()}
              </button>
              <Show when={desktop && props.connection.client_id !== null}>
                <button
                  type="button"
                  class="button"
                  aria-describedby={hint}
                  onClick={() => begin("loopback")}
                >
                  {t.connections.byAddress}
                </button>
              </Show>
            </div>
            <Show when={desktop && props.connection.client_id !== null}>
              <p class="dim" id={hint}>
                {t.connections.byAddressHint}
              </p>
            </Show>
            <Show when={props.connection.client_id === null}>
              <p class="dim">{t.connections.clientIdFirst}</p>
            </Show>
          </>
        }
      >
        <div class="buttons">
          <button ref={cancel} type="button" class="button" onClick={() => signIn.cancel()}>
            {t.connections.cancel}
          </button>
          <button type="button" class="button" onClick={() => void signIn.openPage()}>
            {t.connections.openAgain}
          </button>
          <button type="button" class="button" onClick={copyPage}>
            {t.connections.copyPage}
          </button>
        </div>
      </Show>
      <div role="status">
        <Switch>
          <Match when={kind() === "asking"}>
            <p class="dim">{t.connections.asking}</p>
          </Match>
          <Match when={kind() === "waiting"}>
            <p class="dim connect-waiting">{t.connections.waiting}</p>
          </Match>
          <Match when={kind() === "done"}>
            <p class="connect-done">{t.connections.signedInAs(doneName())}.</p>
          </Match>
        </Switch>
      </div>
      <p class="problem" role="alert">
        {trouble()}
      </p>
    </div>
  );

  function doneName(): string {
    const is = standing();
    return is.kind === "done" ? (is.account.name ?? is.account.id) : "";
  }

  function trouble(): string {
    const is = standing();
    if (is.kind === "failed") return is.text;
    return is.kind === "waiting" ? is.problem : "";
  }
}
