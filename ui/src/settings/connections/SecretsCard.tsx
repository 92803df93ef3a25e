import { For, Show } from "solid-js";
import type { Connection } from "../../contract/contract";
import { t } from "../../text/strings";
import type { Book } from "./book";
import { ConnectionCard, PageLink } from "./ConnectionCard";
import { SecretField } from "./SecretField";
import { TokenPanel } from "./TokenPanel";
import { gainWords } from "./words";

/** A service that takes keys instead of a sign-in. */
export function SecretsCard(props: { connection: Connection; book: Book }) {
  return (
    <ConnectionCard connection={props.connection}>
      <Show when={props.connection.optional}>
        <p class="dim">
          {t.connections.optional} {gainWords(props.connection.service)}
        </p>
      </Show>
      <For each={props.connection.secrets}>
        {(secret) => (
          <SecretField
            service={props.connection.service}
            name={secret.name}
            present={secret.present}
            book={props.book}
          />
        )}
      </For>
      <PageLink page={props.connection.credential_page} />
      <Show when={props.connection.access !== "credential_needed" && props.connection.token}>
        {(token) => <TokenPanel service={props.connection.service} token={token()} book={props.book} />}
      </Show>
    </ConnectionCard>
  );
}
