import { createUniqueId, Index } from "solid-js";
import { produce, type SetStoreFunction } from "solid-js/store";
import { CloseIcon } from "../app/icons";
import { t } from "../text/strings";
import type { Draft, Field, Problem } from "./draft";

/** Spacing, windows and quota as fields; the one that is wrong is marked. */
export function BudgetFields(props: {
  draft: Draft;
  change: SetStoreFunction<Draft>;
  problem: Problem | null;
}) {
  const bad = (field: Field): true | undefined => (props.problem?.field === field ? true : undefined);
  const id = createUniqueId();
  const add = (): void =>
    props.change(produce((draft) => void draft.windows.push({ calls: "60", seconds: "60" })));
  const remove = (i: number): void => props.change(produce((draft) => void draft.windows.splice(i, 1)));

  return (
    <div class="fields">
      <div class="field">
        <label for={`${id}-spacing`}>{t.settings.spacing}</label>
        <span class="field-row">
          <NumberInput
            id={`${id}-spacing`}
            value={props.draft.spacing}
            bad={bad("spacing")}
            input={(value) => props.change("spacing", value)}
          />
          <span class="dim">seconds</span>
        </span>
      </div>
      <fieldset class="field">
        <legend>{t.settings.windows}</legend>
        <Index each={props.draft.windows}>
          {(window, i) => (
            <div class="field-row">
              <NumberInput
                label={`Window ${i + 1}, calls`}
                value={window().calls}
                bad={bad(`calls-${i}`)}
                input={(value) => props.change("windows", i, "calls", value)}
              />
              <span class="dim">calls in</span>
              <NumberInput
                label={`Window ${i + 1}, seconds`}
                value={window().seconds}
                bad={bad(`seconds-${i}`)}
                input={(value) => props.change("windows", i, "seconds", value)}
              />
              <span class="dim">seconds</span>
              <button
                type="button"
                class="icon-button"
                aria-label={`${t.settings.removeWindow} ${i + 1}`}
                onClick={() => remove(i)}
              >
                <CloseIcon />
              </button>
            </div>
          )}
        </Index>
        <button type="button" class="button button-small" onClick={add}>
          {t.settings.addWindow}
        </button>
      </fieldset>
      <div class="field">
        <label for={`${id}-quota`}>{t.settings.quota}</label>
        <span class="field-row">
          <NumberInput
            id={`${id}-quota`}
            value={props.draft.quota}
            placeholder={t.settings.quotaNone}
            bad={bad("quota")}
            input={(value) => props.change("quota", value)}
          />
          <span class="dim">calls</span>
        </span>
      </div>
    </div>
  );
}

function NumberInput(props: {
  value: string;
  input: (value: string) => void;
  bad: true | undefined;
  id?: string;
  label?: string;
  placeholder?: string;
}) {
  return (
    <input
      id={props.id}
      class="input input-number"
      type="text"
      inputmode="decimal"
      aria-label={props.label}
      aria-invalid={props.bad}
      placeholder={props.placeholder}
      value={props.value}
      onInput={(event) => props.input(event.currentTarget.value)}
    />
  );
}
