import { Eased, reducedMotion } from "../canvas/motion";
import type { Palette } from "../canvas/palette";
import { type Drawable, type Scheduler, scheduler } from "../canvas/scheduler";
import { Surface } from "../canvas/surface";
import type { GaugeModel } from "./model";
import { drawGauge } from "./renderer";
import { type GaugeView, gaugeView, sameView, targets } from "./view";

type Shown = { model: GaugeModel; colour: string; palette: Palette };

/** Keeps one gauge's canvas true to its model: eases values, repaints only what would look different. */
export class GaugePainter implements Drawable {
  private readonly surface: Surface;
  private readonly fill = new Eased();
  private readonly peak = new Eased();
  private readonly quota = new Eased();
  private shown: Shown | null = null;
  private drawn: GaugeView | null = null;

  constructor(
    canvas: HTMLCanvasElement,
    private readonly frames: Scheduler = scheduler,
  ) {
    this.surface = new Surface(canvas, () => this.redraw());
  }

  show(model: GaugeModel, colour: string, palette: Palette): void {
    this.shown = { model, colour, palette };
    this.frames.invalidate(this);
  }

  draw(now: number): boolean {
    const box = this.surface.box;
    if (!this.shown || !box) return false;
    const { model, colour, palette } = this.shown;
    const target = targets(model);
    const eased = { fill: this.fill, peak: this.peak, quota: this.quota };
    const keys = ["fill", "peak", "quota"] as const;
    for (const key of keys) {
      if (reducedMotion()) eased[key].jump(target[key]);
      else eased[key].to(target[key], now);
    }
    const moving = { fill: this.fill.at(now), peak: this.peak.at(now), quota: this.quota.at(now) };
    const view = gaugeView(model, moving, colour, palette, box, this.surface.ratio);
    if (!sameView(this.drawn, view) && this.surface.paint((scope) => drawGauge(scope, view)))
      this.drawn = view;
    return keys.some((key) => eased[key].moving(now));
  }

  dispose(): void {
    this.frames.forget(this);
    this.surface.dispose();
  }

  /** At once, because a resized bitmap is blank and would flash until the next frame. */
  private redraw(): void {
    this.drawn = null;
    if (this.draw(performance.now())) this.frames.invalidate(this);
  }
}
