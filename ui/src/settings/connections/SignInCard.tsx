import { createSignal, Show } from "solid-js";
import type { Connection } from "../../contract/contract";
import { Accounts } from "./Accounts";
import type { Book } from "./book";
import { ConnectionCard } from "./ConnectionCard";
import { ConnectPanel } from "./ConnectPanel";
import { Guide } from "./Guide";
import { TokenPanel } from "./TokenPanel";

/** A service one signs in to: who is signed in, their token, and how one gets there. */
export function SignInCard(props: { connection: Connection; redirects: string[]; book: Book }) {
  const [heading, setHeading] = createSignal<HTMLHeadingElement>();
  // What was focused may be gone once it is done; the card's name is a place to go on from.
  const settle = (): void => {
    if (document.activeElement === document.body) heading()?.focus({ preventScroll: true });
  };
  const ended = (): boolean => props.connection.accounts.some(({ active, ended }) => active && ended);
  return (
    <ConnectionCard connection={props.connection} heading={setHeading}>
      <Show when={props.connection.accounts.length > 0}>
        <Accounts connection={props.connection} book={props.book} settle={settle} />
      </Show>
      <Show when={!ended() && props.connection.token}>
        {(token) => <TokenPanel service={props.connection.service} token={token()} book={props.book} />}
      </Show>
      <Guide connection={props.connection} redirects={props.redirects} book={props.book} />
      <ConnectPanel connection={props.connection} book={props.book} settle={settle} />
    </ConnectionCard>
  );
}
