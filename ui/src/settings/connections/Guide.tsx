import { createSignal, createUniqueId, For } from "solid-js";
import { useApp } from "../../app/context";
import { createDeed } from "../../app/deed";
import type { Connection, ServiceId } from "../../contract/contract";
import { labelOf } from "../../text/labels";
import { t } from "../../text/strings";
import type { Book } from "./book";
import { PageLink } from "./ConnectionCard";

/** From nothing to a client id, in three steps. Open until somebody is signed in. */
export function Guide(props: { connection: Connection; redirects: string[]; book: Book }) {
  return (
    <details class="guide" open={props.connection.accounts.length === 0}>
      <summary>{t.connections.setUp}</summary>
      <ol>
        <li>
          <p>{t.connections.stepApp(labelOf(props.connection.service))}</p>
          <PageLink page={props.connection.credential_page} />
        </li>
        <li>
          <p>{t.connections.stepRedirects}</p>
          <ul class="redirects">
            <For each={props.redirects}>{(uri) => <Redirect uri={uri} />}</For>
          </ul>
        </li>
        <li>
          <ClientId
            service={props.connection.service}
            stored={props.connection.client_id}
            book={props.book}
          />
        </li>
      </ol>
    </details>
  );
}

function Redirect(props: { uri: string }) {
  const { feed, say } = useApp();
  const copy = (): void => {
    feed.host.copyText(props.uri).then(
      () => say(t.said.copied),
      () => say(t.said.failedCopy),
    );
  };
  return (
    <li class="redirect">
      <code>{props.uri}</code>
      <button
        type="button"
        class="button button-small"
        aria-label={`${t.connections.copy} ${props.uri}`}
        onClick={copy}
      >
        {t.connections.copy}
      </button>
    </li>
  );
}

function ClientId(props: { service: ServiceId; stored: string | null; book: Book }) {
  const { feed, say } = useApp();
  const id = createUniqueId();
  const { problem, run, setProblem } = createDeed();
  const [typed, setTyped] = createSignal<string | null>(null);
  const meant = (): string => (typed() ?? props.stored ?? "").trim();

  const save = async (event: Event): Promise<void> => {
    event.preventDefault();
    const client_id = meant() || null;
    if (client_id === null && props.stored === null) return void setProblem(t.connections.empty);
    const saved = await run(async () => {
      await feed.host.call("set_client_id", { service: props.service, client_id });
      await props.book.changed();
      setTyped(null);
    });
    if (saved) say(client_id ? t.connections.savedClientId : t.connections.removedClientId);
  };

  return (
    <form class="field" onSubmit={(event) => void save(event)}>
      <p>{t.connections.stepClientId}</p>
      <span class="field-row">
        <input
          id={id}
          class="input input-client-id"
          type="text"
          autocomplete="off"
          spellcheck={false}
          aria-label={t.connections.clientId}
          aria-invalid={problem() ? true : undefined}
          aria-describedby={`${id}-problem`}
          placeholder={t.connections.clientId}
          value={typed() ?? props.stored ?? ""}
          onInput={(event) => setTyped(event.currentTarget.value)}
        />
        <button type="submit" class="button">
          {t.connections.save}
        </button>
      </span>
      <p class="problem" role="alert" id={`${id}-problem`}>
        {problem()}
      </p>
    </form>
  );
}
