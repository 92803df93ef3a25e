import { createEffect, createMemo, onCleanup, onMount, Show } from "solid-js";
import { legible } from "../canvas/colour";
import { palette } from "../canvas/palette";
import { ends, figure, spoken } from "../text/words";
import type { GaugeModel } from "./model";
import { GaugePainter } from "./painter";

/** An arc on a canvas with its numbers as text over it, and a meter for assistive technology. */
export function Gauge(props: { model: GaugeModel; label: string; colour: string; now: number }) {
  let canvas!: HTMLCanvasElement;
  const colour = createMemo(() => legible(props.colour, palette().panel));
  const shown = createMemo(() => figure(props.model));

  onMount(() => {
    const painter = new GaugePainter(canvas);
    createEffect(() => painter.show(props.model, colour(), palette()));
    onCleanup(() => painter.dispose());
  });

  return (
    // biome-ignore lint/a11y/useSemanticElements: a meter element draws itself and takes no children
    <div
      class="gauge"
      role="meter"
      aria-label={`${props.label}, calls a minute`}
      aria-valuemin={0}
      aria-valuemax={props.model.max}
      aria-valuenow={Math.min(props.model.cpm, props.model.max)}
      aria-valuetext={spoken(props.model, props.now)}
    >
      <canvas ref={canvas} class="gauge-canvas" />
      <div class="gauge-figure" classList={{ "gauge-figure-long": shown().number.length > 4 }}>
        <span class="gauge-number">{shown().number}</span>
        <span class="gauge-unit">{shown().unit}</span>
      </div>
      <Show when={ends(props.model)}>
        {(numbers) => (
          <div class="gauge-ends">
            <span>{numbers()[0]}</span>
            <span>{numbers()[1]}</span>
          </div>
        )}
      </Show>
    </div>
  );
}
