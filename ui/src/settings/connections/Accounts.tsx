import { createSignal, For, Show } from "solid-js";
import { Confirm } from "../../app/Confirm";
import { useApp } from "../../app/context";
import { createDeed } from "../../app/deed";
import type { AccountInfo, Connection } from "../../contract/contract";
import { labelOf } from "../../text/labels";
import { t } from "../../text/strings";
import type { Book } from "./book";
import { consentWords } from "./words";

const nameOf = ({ id, name }: AccountInfo): string => name ?? id;

/** Who is signed in. Calls are made as one of them. */
export function Accounts(props: { connection: Connection; book: Book; settle: () => void }) {
  const { feed, now, say } = useApp();
  const { problem, run } = createDeed();
  const [leaving, setLeaving] = createSignal<{ id: string; name: string } | null>(null);
  const service = () => props.connection.service;
  const one = (): boolean =>
    props.connection.accounts.length === 1 && props.connection.accounts[0]?.active === true;

  let place!: HTMLFieldSetElement;

  const use = async (account: AccountInfo): Promise<void> => {
    const name = nameOf(account);
    const done = await run(async () => {
      await feed.host.call("use_account", { service: service(), account: account.id });
      await props.book.changed();
    });
    if (done) return say(t.connections.useAccount(name));
    // The choice was refused, so the mark goes back to who is active.
    for (const radio of place.querySelectorAll("input"))
      radio.checked = props.connection.accounts.some(({ active, id }) => active && id === radio.value);
  };
  const signOut = async ({ id, name }: { id: string; name: string }): Promise<void> => {
    setLeaving(null);
    const done = await run(async () => {
      await feed.host.call("sign_out", { service: service(), account: id });
      await props.book.changed();
    });
    if (done) say(t.connections.signedOut(name));
    props.settle();
  };

  return (
    <fieldset ref={place} class="accounts">
      <legend>{t.connections.accounts}</legend>
      <For each={props.connection.accounts}>
        {(account) => {
          const consent = () => consentWords(account, now());
          return (
            <div class="account" data-account={account.id}>
              <label>
                <Show when={!one()}>
                  <input
                    type="radio"
                    name={`account-${service()}`}
                    value={account.id}
                    checked={account.active}
                    onChange={() => void use(account)}
                  />
                </Show>
                <span class="account-words">
                  <span>
                    <strong>{nameOf(account)}</strong>{" "}
                    <Show when={account.name !== null}>
                      <span class="dim">{account.id}</span>
                    </Show>
                  </span>
                  <span class="account-consent" data-tone={consent().tone}>
                    {consent().text}
                  </span>
                </span>
              </label>
              <button
                type="button"
                class="button button-small"
                aria-label={`${t.connections.signOut} ${nameOf(account)}`}
                onClick={() => setLeaving({ id: account.id, name: nameOf(account) })}
              >
                {t.connections.signOut}
              </button>
            </div>
          );
        }}
      </For>
      <p class="problem" role="alert">
        {problem()}
      </p>
      <Show when={leaving()}>
        {(who) => (
          <Confirm
            title={t.connections.signOutTitle(who().name, labelOf(service()))}
            detail={t.connections.signOutDetail}
            action={t.connections.signOut}
            yes={() => void signOut(who())}
            no={() => setLeaving(null)}
          />
        )}
      </Show>
    </fieldset>
  );
}
