import { For, Show } from "solid-js";
import { t } from "../text/strings";
import { useApp } from "./context";
import { WarnIcon } from "./icons";

/** What should be known until it is mended, above every page. */
export function Notices() {
  const { feed } = useApp();
  const cut = () => feed.phase() === "ready" && !feed.connected();
  return (
    <Show when={cut() || feed.notices().length > 0}>
      <section class="notices" aria-label="Notices">
        <Show when={cut()}>
          <p class="notice notice-danger" role="status">
            <WarnIcon />
            <span>{t.states.offlineStrip}</span>
            <button type="button" class="button button-small" onClick={() => void feed.load()}>
              {t.states.retry}
            </button>
          </p>
        </Show>
        <For each={feed.notices()}>
          {(notice) => (
            <p class="notice">
              <WarnIcon />
              <span>{notice.text}</span>
            </p>
          )}
        </For>
      </section>
    </Show>
  );
}
