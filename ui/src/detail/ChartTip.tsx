import { createMemo, For } from "solid-js";
import { count, plural } from "../text/format";
import type { Ink } from "./colours";
import type { History } from "./history";
import { pointOf } from "./point";

const width = 220;

/** The values under the cursor, on whichever side of it there is room. */
export function ChartTip(props: {
  history: History;
  inks: Map<string, Ink>;
  shown: ReadonlySet<string>;
  index: number;
  left: number;
  width: number;
}) {
  const point = createMemo(() => pointOf(props.history, props.shown, props.index));
  const left = () => (props.left + width + 24 < props.width ? props.left + 14 : props.left - width - 14);
  return (
    <div class="chart-tip" style={{ left: `${Math.max(0, left())}px` }} aria-hidden="true">
      <p class="chart-tip-title">
        {point().title} · {plural(point().calls, "call", "calls")}
      </p>
      <ul>
        <For each={point().parts}>
          {({ line, value }) => (
            <li>
              <span class="swatch" style={{ "--ink": props.inks.get(line.key)?.colour ?? "" }} />
              <span class="cut">{line.label}</span>
              <span class="number">{count(value)}</span>
            </li>
          )}
        </For>
        <For each={point().marks}>{(mark) => <li class="chart-tip-mark">{mark.text}</li>}</For>
      </ul>
    </div>
  );
}
