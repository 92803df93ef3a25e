import { createEffect, onCleanup, onMount } from "solid-js";
import { legible, mix } from "../canvas/colour";
import { palette } from "../canvas/palette";
import { type Drawable, scheduler } from "../canvas/scheduler";
import { Surface } from "../canvas/surface";
import { count } from "../text/format";
import { type BarsView, barsView, drawBars, sameBars } from "./bars";

/** The last hour at a card's foot. */
export function HourBars(props: { hour: readonly number[]; limit: number; colour: string }) {
  let canvas!: HTMLCanvasElement;

  onMount(() => {
    const painter = new BarsPainter(canvas);
    createEffect(() => {
      const { panel, track, line, dim } = palette();
      const colour = legible(props.colour, panel);
      painter.show(barsView(props.hour, props.limit, { colour, rest: mix(line, dim, 0.35), empty: track }));
    });
    onCleanup(() => painter.dispose());
  });

  const total = () => props.hour.reduce((sum, calls) => sum + calls, 0);
  return (
    <canvas
      ref={canvas}
      class="hour-bars"
      role="img"
      aria-label={`${count(total())} calls in the last hour`}
    />
  );
}

class BarsPainter implements Drawable {
  private readonly surface: Surface;
  private view: BarsView | null = null;
  private drawn: BarsView | null = null;

  constructor(canvas: HTMLCanvasElement) {
    this.surface = new Surface(canvas, () => {
      this.drawn = null;
      this.draw();
    });
  }

  show(view: BarsView): void {
    this.view = view;
    scheduler.invalidate(this);
  }

  draw(): boolean {
    const { view } = this;
    if (view && !sameBars(this.drawn, view) && this.surface.paint((scope) => drawBars(scope, view)))
      this.drawn = view;
    return false;
  }

  dispose(): void {
    scheduler.forget(this);
    this.surface.dispose();
  }
}
