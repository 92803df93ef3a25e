import { type JSX, Show } from "solid-js";
import { infoOf, useApp } from "../../app/context";
import { LinkIcon } from "../../app/icons";
import { legible } from "../../canvas/colour";
import { palette } from "../../canvas/palette";
import type { Connection } from "../../contract/contract";
import { asApiError } from "../../platform";
import { labelOf } from "../../text/labels";
import { t } from "../../text/strings";
import { siteOf, standingOf } from "./words";

/** The frame of every connection: whose it is and how it stands. */
export function ConnectionCard(props: {
  connection: Connection;
  heading?: (element: HTMLHeadingElement) => void;
  children: JSX.Element;
}) {
  const app = useApp();
  const service = () => props.connection.service;
  const standing = () => standingOf(props.connection);
  return (
    <section
      class="card connection"
      data-connection={service()}
      aria-labelledby={`connection-${service()}`}
      style={{ "--service": legible(infoOf(app, service())?.colour ?? "#888888", palette().panel) }}
    >
      <header class="card-head">
        <span class="dot" aria-hidden="true" />
        <h3 id={`connection-${service()}`} ref={(element) => props.heading?.(element)} tabindex={-1}>
          {labelOf(service())}
        </h3>
        <span class="badge" data-tone={standing().tone}>
          {standing().text}
        </span>
      </header>
      {props.children}
    </section>
  );
}

/** Leads to the service's own page, where the credential is. */
export function PageLink(props: { page: string | null }) {
  const { feed, say } = useApp();
  const open = (page: string): void => {
    feed.host.openLink(page).catch((thrown: unknown) => say(asApiError(thrown).message));
  };
  return (
    <Show when={props.page}>
      {(page) => (
        <button type="button" class="button button-small" onClick={() => open(page())}>
          <LinkIcon />
          {t.connections.open(siteOf(page()))}
        </button>
      )}
    </Show>
  );
}
