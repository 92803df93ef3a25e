import { Segments } from "../app/Segments";
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
    { value: "default", text: t.settings.useDefault, budget: props.limits.default_budget },
    { value: "careful", text: t.settings.useCareful, budget: props.limits.careful },
  ];
  const is = (budget: Budget): boolean => "budget" in props.meant && sameBudget(props.meant.budget, budget);
  const value = (): string => presets().find(({ budget }) => is(budget))?.value ?? "custom";
  const choose = (wanted: string): void => {
    const preset = presets().find((each) => each.value === wanted);
    if (preset) props.choose(preset.budget);
  };
  return (
    <Segments
      label="Preset"
      unseen
      options={[...presets(), { value: "custom", text: t.settings.custom, disabled: value() !== "custom" }]}
      value={value()}
      choose={choose}
    />
  );
}
