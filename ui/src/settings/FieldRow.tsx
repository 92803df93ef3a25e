import { createUniqueId, type JSX, Show } from "solid-js";

/** A field with its name, its unit, what it means, and what is wrong with it. */
export function FieldRow(props: {
  label: string;
  value: string;
  input: (value: string) => void;
  unit?: string;
  hint?: string;
  placeholder?: string;
  problem?: string;
  /** text and addresses instead of a number */
  wide?: boolean;
  /** what stands beside the field */
  children?: JSX.Element;
}) {
  const id = createUniqueId();
  return (
    <div class="field">
      <label for={id}>{props.label}</label>
      <span class="field-row" classList={{ "field-row-wide": props.wide ?? false }}>
        <input
          id={id}
          class={props.wide ? "input input-wide" : "input input-number"}
          type="text"
          inputmode={props.wide ? undefined : "decimal"}
          value={props.value}
          placeholder={props.placeholder}
          autocomplete="off"
          spellcheck={false}
          aria-invalid={props.problem ? true : undefined}
          aria-describedby={`${id}-hint ${id}-problem`}
          onInput={(event) => props.input(event.currentTarget.value)}
        />
        <Show when={props.unit}>
          <span class="dim">{props.unit}</span>
        </Show>
        {props.children}
      </span>
      <p class="problem" role="alert" id={`${id}-problem`}>
        {props.problem ?? ""}
      </p>
      <p class="field-hint" id={`${id}-hint`}>
        {props.hint ?? ""}
      </p>
    </div>
  );
}
