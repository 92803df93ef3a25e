import { createUniqueId, For, Show } from "solid-js";

/**
 * One of a few, side by side. Not a fieldset: WebKitGTK sets a legend into the border, whatever the style says.
 */
export function Segments<T extends string>(props: {
  label: string;
  /** said by screen readers only */
  unseen?: boolean;
  options: readonly { value: T; text: string; disabled?: boolean }[];
  value: T;
  choose: (value: T) => void;
}) {
  const id = createUniqueId();
  return (
    <div
      class="segments"
      role="radiogroup"
      aria-labelledby={props.unseen ? undefined : id}
      aria-label={props.unseen ? props.label : undefined}
    >
      <Show when={!props.unseen}>
        <span id={id} class="segments-label">
          {props.label}
        </span>
      </Show>
      <For each={props.options}>
        {(option) => (
          <label>
            <input
              type="radio"
              name={id}
              checked={props.value === option.value}
              disabled={option.disabled}
              onChange={() => props.choose(option.value)}
            />
            <span>{option.text}</span>
          </label>
        )}
      </For>
    </div>
  );
}
