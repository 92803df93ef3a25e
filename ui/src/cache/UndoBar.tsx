import { Show } from "solid-js";
import { CloseIcon } from "../app/icons";
import { t } from "../text/strings";
import type { Forgetter } from "./forgetting";

/** For a minute what was forgotten can be brought back: by this bar, or by the keys everybody knows. */
export function UndoBar(props: {
  forgetter: Forgetter;
  button: (element: HTMLButtonElement) => void;
  /** the bar went away with the focus in it */
  left: () => void;
}) {
  const words = t.cache.forget;
  const act = () => props.forgetter.latest();
  const open = () => act() !== null || props.forgetter.problem() !== "";
  const leave = (): void => {
    if (!open() && document.activeElement === document.body) props.left();
  };
  return (
    <div class="undo-bar" data-open={open()}>
      <p role="status">{act() ? `${words.forgotten(act()?.words ?? "")}.` : ""}</p>
      <p class="problem" role="alert">
        {props.forgetter.problem()}
      </p>
      <Show when={open()}>
        <Show when={act()}>
          <button
            ref={props.button}
            type="button"
            class="button button-small"
            aria-keyshortcuts="Control+Z Meta+Z"
            onClick={() => void props.forgetter.undo().then(leave)}
          >
            {words.undo}
          </button>
        </Show>
        <button
          type="button"
          class="icon-button"
          aria-label={words.dismiss}
          onClick={() => {
            props.forgetter.dismiss();
            leave();
          }}
        >
          <CloseIcon />
        </button>
      </Show>
    </div>
  );
}
