import { For } from "solid-js";
import type { Budget, Limits } from "../contract/contract";
import { t } from "../text/strings";
import { type Problem, sameBudget } from "./draft";

/** Two budgets ready made, and the user's own. */
export function Presets(props: {
  limits: Limits;
  meant: { budget: Budget } | { problem: Problem };
  choose: (budget: Budget) => void;
}) {
  const presets = () => [
    { name: t.settings.useDefault, budget: props.limits.default_budget },
    { name: t.settings.useCareful, budget: props.limits.careful },
  ];
  const is = (budget: Budget): boolean => "budget" in props.meant && sameBudget(props.meant.budget, budget);
  const custom = (): boolean => !presets().some(({ budget }) => is(budget));
  return (
    <fieldset class="segments">
      <legend class="visually-hidden">Preset</legend>
      <For each={presets()}>
        {(preset) => (
          <label>
            <input
              type="radio"
              name="preset"
              checked={is(preset.budget)}
              onChange={() => props.choose(preset.budget)}
            />
            <span>{preset.name}</span>
          </label>
        )}
      </For>
      <label>
        <input type="radio" name="preset" checked={custom()} disabled={!custom()} />
        <span>{t.settings.custom}</span>
      </label>
    </fieldset>
  );
}
