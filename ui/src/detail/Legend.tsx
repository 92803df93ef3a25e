import { For } from "solid-js";
import type { Ink } from "./colours";
import type { Line } from "./history";

/** One button a line; pressed means drawn. */
export function Legend(props: {
  lines: Line[];
  inks: Map<string, Ink>;
  shown: ReadonlySet<string>;
  toggle: (key: string) => void;
}) {
  return (
    <ul class="legend" aria-label="Lines of the chart">
      <For each={props.lines}>
        {(line) => (
          <li>
            <button
              type="button"
              class="legend-item"
              aria-pressed={props.shown.has(line.key)}
              onClick={() => props.toggle(line.key)}
            >
              <span
                class="swatch"
                classList={{ "swatch-dashed": (props.inks.get(line.key)?.dash.length ?? 0) > 0 }}
                style={{ "--ink": props.inks.get(line.key)?.colour ?? "" }}
              />
              <span class="cut">{line.label}</span>
            </button>
          </li>
        )}
      </For>
    </ul>
  );
}
