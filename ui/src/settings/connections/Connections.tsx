import { createEffect, createMemo, For, on, Show } from "solid-js";
import { useApp } from "../../app/context";
import { WarnIcon } from "../../app/icons";
import type { ConnectBy, Connection, ServiceId } from "../../contract/contract";
import { sentence } from "../../text/failure";
import { listOf } from "../../text/format";
import { labelOf } from "../../text/labels";
import { t } from "../../text/strings";
import { createBook } from "./book";
import { SecretsCard } from "./SecretsCard";
import { SignInCard } from "./SignInCard";
import { vaultWords } from "./words";

/** Who is signed in where, and where the secrets of it lie. */
export function Connections(props: { asked: ServiceId | null }) {
  const app = useApp();
  const book = createBook(app);
  const by = (how: ConnectBy): Connection[] =>
    book.all()?.services.filter((connection) => connection.by === how) ?? [];
  const open = (): string => listOf(by("nothing").map(({ service }) => labelOf(service)));
  const loaded = createMemo(() => book.all() !== null);
  let place!: HTMLDivElement;

  // A link may ask for one service: its card is brought into view once, and the focus with it.
  createEffect(
    on([loaded, () => props.asked], ([ready, asked]) => {
      if (!ready || !asked) return;
      const heading = place.querySelector<HTMLElement>(`[data-connection="${CSS.escape(asked)}"] h3`);
      heading?.closest(".connection")?.scrollIntoView({ block: "nearest" });
      heading?.focus({ preventScroll: true });
    }),
  );

  return (
    <div ref={place} class="connections">
      <Show when={book.problem()}>
        <p class="problem" role="alert">
          {book.problem()}
        </p>
      </Show>
      <Show when={book.all()} fallback={<p class="dim loading">{t.connections.loading}</p>}>
        {(all) => (
          <>
            <Show when={all().vault_trouble}>
              {(trouble) => (
                <p class="notice" role="alert">
                  <WarnIcon />
                  <span>{sentence(trouble())}</span>
                </p>
              )}
            </Show>
            <p class="vault dim" data-vault={all().vault ?? "none"}>
              {vaultWords(all(), app.feed.status()?.data_dir ?? null)}
            </p>
            <For each={by("sign_in")}>
              {(connection) => (
                <SignInCard connection={connection} redirects={all().redirect_uris} book={book} />
              )}
            </For>
            <h3 class="connections-title">{t.connections.keys}</h3>
            <div class="connections-grid">
              <For each={by("secrets")}>
                {(connection) => <SecretsCard connection={connection} book={book} />}
              </For>
            </div>
            <p class="dim">{t.connections.nothingNeeded(open())}</p>
          </>
        )}
      </Show>
    </div>
  );
}
