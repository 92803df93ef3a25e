import { createSignal, For, Show } from "solid-js";
import { Confirm } from "../../app/Confirm";
import { useApp } from "../../app/context";
import { createDeed } from "../../app/deed";
import type { KeyInfo } from "../../contract/contract";
import { ago, count, listOf, percent } from "../../text/format";
import { labelOf } from "../../text/labels";
import { t } from "../../text/strings";
import type { GatewayBook } from "./book";
import { NewKeyForm } from "./NewKeyForm";

/** Who may call through the gateway, and what each of them asks. */
export function Keys(props: { book: GatewayBook }) {
  const { feed, now, say } = useApp();
  const words = t.gateway.keys;
  const deed = createDeed();
  const [adding, setAdding] = createSignal(false);
  const [leaving, setLeaving] = createSignal<string | null>(null);
  let add: HTMLButtonElement | undefined;
  const services = ({ services }: KeyInfo): string =>
    services === null ? words.all : listOf(services.map((id) => labelOf(id)));
  const revoke = async (name: string): Promise<void> => {
    setLeaving(null);
    const done = await deed.run(async () => {
      await feed.host.call("revoke_key", { name });
      if (props.book.fresh()?.name === name) props.book.setFresh(null);
      await props.book.load();
    });
    if (!done) return;
    say(words.revoked(name));
    add?.focus();
  };
  const close = (): void => {
    setAdding(false);
    add?.focus();
  };

  return (
    <section class="card settings-card" aria-labelledby="keys-title">
      <header class="card-head">
        <h3 id="keys-title">{words.title}</h3>
        <Show when={!adding()}>
          <button ref={add} type="button" class="button button-small" onClick={() => setAdding(true)}>
            {words.add}
          </button>
        </Show>
      </header>
      <Show when={props.book.fresh()}>
        {(fresh) => (
          <FreshKey name={fresh().name} secret={fresh().key} done={() => props.book.setFresh(null)} />
        )}
      </Show>
      <Show when={adding()}>
        <NewKeyForm book={props.book} close={close} />
      </Show>
      <Show when={props.book.keys().length > 0} fallback={<p class="dim">{words.none}</p>}>
        <section class="keys-scroll" tabindex={0} aria-labelledby="keys-title">
          <table class="keys">
            <thead>
              <tr>
                <th scope="col">{words.name}</th>
                <th scope="col">{words.services}</th>
                <th scope="col">{words.share}</th>
                <th scope="col">{words.lastUsed}</th>
                <th scope="col" class="number">
                  {words.calls}
                </th>
                <th scope="col" class="number">
                  {words.hits}
                </th>
                <th scope="col">
                  <span class="visually-hidden">{words.act}</span>
                </th>
              </tr>
            </thead>
            <tbody>
              <For each={props.book.keys()}>
                {(key) => (
                  <tr data-name={key.name}>
                    <th scope="row">{key.name}</th>
                    <td>
                      {services(key)}
                      <Show when={key.raw_links}>
                        <span class="dim">, {words.rawLinks}</span>
                      </Show>
                    </td>
                    <td>{key.share === null ? words.all : percent(key.share)}</td>
                    <td>{key.last_used === null ? words.never : ago(now() - key.last_used)}</td>
                    <td class="number">{count(key.calls)}</td>
                    <td class="number">{count(key.hits)}</td>
                    <td>
                      <button
                        type="button"
                        class="button button-small"
                        aria-label={words.revokeOf(key.name)}
                        onClick={() => setLeaving(key.name)}
                      >
                        {words.revoke}
                      </button>
                    </td>
                  </tr>
                )}
              </For>
            </tbody>
          </table>
        </section>
      </Show>
      <p class="problem" role="alert">
        {deed.problem()}
      </p>
      <Show when={leaving()}>
        {(name) => (
          <Confirm
            title={words.revokeTitle(name())}
            detail={words.revokeDetail}
            action={words.revoke}
            yes={() => void revoke(name())}
            no={() => setLeaving(null)}
          />
        )}
      </Show>
    </section>
  );
}

/** A key is shown this once. */
function FreshKey(props: { name: string; secret: string; done: () => void }) {
  const { feed, say } = useApp();
  const words = t.gateway.keys;
  const copy = (): void => {
    feed.host.copyText(props.secret).then(
      () => say(words.copied),
      () => say(t.said.failedCopy),
    );
  };
  return (
    <div class="fresh-key" role="status">
      <p>
        <strong>{words.madeTitle(props.name)}</strong>
        <br />
        {words.madeDetail}
      </p>
      <span class="field-row">
        <code class="copyable">{props.secret}</code>
        <button
          type="button"
          class="button button-small button-primary"
          aria-label={words.copyKey}
          onClick={copy}
        >
          {t.gateway.copy}
        </button>
        <button type="button" class="button button-small" onClick={() => props.done()}>
          {words.done}
        </button>
      </span>
    </div>
  );
}
