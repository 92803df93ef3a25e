import { For, Show } from "solid-js";
import { useApp } from "../app/context";
import { CloseIcon, GripIcon } from "../app/icons";
import { Segments } from "../app/Segments";
import type { ServiceId } from "../contract/contract";
import { labelOf } from "../text/labels";
import { t } from "../text/strings";
import { stepFor } from "./order";

/** Above the grid while it is being arranged: how to order, and what is hidden. */
export function ArrangeBar(props: { show: (id: ServiceId) => void }) {
  const { preferences } = useApp();
  const orders = [
    { value: "use", text: t.arrange.byUse },
    { value: "hand", text: t.arrange.byHand },
  ] as const;
  return (
    <section class="arrange" aria-label={t.head.arrange}>
      <Segments
        label={t.arrange.order}
        options={orders}
        value={preferences.get().order}
        choose={(order) => preferences.set("order", order)}
      />
      <p class="dim">{t.arrange.hint}</p>
      <Show when={preferences.get().hidden.length > 0}>
        <div class="hidden-list">
          <span class="dim">{t.arrange.hidden}</span>
          <For each={preferences.get().hidden}>
            {(id) => (
              <button
                type="button"
                class="button button-small"
                aria-label={`${t.arrange.show} ${labelOf(id)}`}
                onClick={() => props.show(id)}
              >
                {labelOf(id)} +
              </button>
            )}
          </For>
        </div>
      </Show>
    </section>
  );
}

export type Moves = {
  by: (step: number) => void;
  over: (id: ServiceId) => void;
  hide: () => void;
  columns: () => number;
};

/** On each card while arranging. Pointer events, because native drag and drop is the shell's own in a webview. */
export function CardTools(props: { service: ServiceId; moves: Moves }) {
  // Listened for on the document: a card that changes places leaves the page for an instant, and with it
  // a pointer capture would be gone.
  const hold = (event: PointerEvent): void => {
    event.preventDefault();
    const handle = event.currentTarget as HTMLElement;
    const card = handle.closest(".card");
    handle.focus();
    card?.classList.add("card-held");
    const listening = new AbortController();
    const listen = { signal: listening.signal };
    const release = (): void => {
      card?.classList.remove("card-held");
      listening.abort();
    };
    document.addEventListener("pointermove", (move) => drag(move), listen);
    document.addEventListener("pointerup", release, listen);
    document.addEventListener("pointercancel", release, listen);
  };
  const drag = ({ clientX, clientY }: PointerEvent): void => {
    const under = document.elementFromPoint(clientX, clientY)?.closest<HTMLElement>("[data-service]");
    const over = under?.dataset.service as ServiceId | undefined;
    if (over && over !== props.service) props.moves.over(over);
  };
  const press = (event: KeyboardEvent): void => {
    const step = stepFor(event.key, props.moves.columns());
    if (step === null) return;
    event.preventDefault();
    props.moves.by(step);
    // The card was taken out and put back: its handle keeps the focus.
    (event.currentTarget as HTMLElement).focus();
  };
  return (
    <span class="card-tools">
      <button
        type="button"
        class="icon-button"
        aria-label={`${t.arrange.hide} ${labelOf(props.service)}`}
        onClick={() => props.moves.hide()}
      >
        <CloseIcon />
      </button>
      <button
        type="button"
        class="icon-button grip"
        aria-label={`Move ${labelOf(props.service)}, arrow keys`}
        onPointerDown={hold}
        onKeyDown={press}
      >
        <GripIcon />
      </button>
    </span>
  );
}
