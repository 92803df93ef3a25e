import { createUniqueId, onMount } from "solid-js";
import { t } from "../text/strings";

/** Asks before something that cannot be undone. Escape and Cancel leave everything as it is. */
export function Confirm(props: {
  title: string;
  detail: string;
  action: string;
  yes: () => void;
  no: () => void;
}) {
  const id = createUniqueId();
  let dialog!: HTMLDialogElement;
  // Opening it hands the focus over; closing it hands the focus back to where it was.
  onMount(() => dialog.showModal());
  const leave = (then: () => void): void => {
    dialog.close();
    then();
  };
  return (
    <dialog
      ref={dialog}
      class="confirm"
      aria-labelledby={`${id}-title`}
      aria-describedby={`${id}-detail`}
      onCancel={(event) => {
        event.preventDefault();
        leave(props.no);
      }}
    >
      <h2 id={`${id}-title`}>{props.title}</h2>
      <p id={`${id}-detail`}>{props.detail}</p>
      <div class="buttons">
        <button type="button" class="button" autofocus onClick={() => leave(props.no)}>
          {t.confirm.cancel}
        </button>
        <button type="button" class="button button-danger" onClick={() => leave(props.yes)}>
          {props.action}
        </button>
      </div>
    </dialog>
  );
}
