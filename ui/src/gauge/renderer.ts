import { withAlpha } from "../canvas/colour";
import type { Scope } from "../canvas/scope";
import { arcStart, arcSweep, type GaugeView } from "./view";

const arcEnd = arcStart + arcSweep;

/** Draws a view and nothing but it: no state, no reading of the page. */
export function drawGauge({ ctx }: Scope, view: GaugeView): void {
  ctx.globalAlpha = view.dim ? 0.55 : 1;
  ctx.lineCap = "round";
  drawTrack(ctx, view);
  if (view.quotaEnd !== null) drawQuota(ctx, view, view.quotaEnd);
  if (view.end > arcStart) {
    if (view.glow > 0) drawHalo(ctx, view);
    arc(ctx, view, view.radius, arcStart, view.end, view.thickness, view.colour);
  }
  if (view.peak !== null) drawPeak(ctx, view, view.peak);
  if (view.end > arcStart) drawDot(ctx, view);
}

function drawTrack(ctx: CanvasRenderingContext2D, view: GaugeView): void {
  arc(ctx, view, view.radius, arcStart, arcEnd, view.trackWidth, view.track);
  // The band's inner end is cut straight: the fill passes over a clear edge at 80 %.
  arc(ctx, view, view.radius, view.dangerStart, arcEnd, view.bandWidth, view.dangerBand, "butt");
  cap(ctx, view, arcEnd, view.dangerBand);
}

/** Half a disc at an end of the arc, because a translucent stroke cannot have one butt and one round cap. */
function cap(ctx: CanvasRenderingContext2D, view: GaugeView, angle: number, colour: string): void {
  const [x, y] = onArc(view, view.radius, angle);
  ctx.beginPath();
  ctx.arc(x, y, view.bandWidth / 2, angle, angle + Math.PI);
  ctx.fillStyle = colour;
  ctx.fill();
}

function drawQuota(ctx: CanvasRenderingContext2D, view: GaugeView, end: number): void {
  const width = Math.max(2, view.thickness * 0.24);
  arc(ctx, view, view.quotaRadius, arcStart, arcEnd, width, view.track);
  if (end > arcStart) arc(ctx, view, view.quotaRadius, arcStart, end, width, view.quotaColour);
}

/** Layered strokes glow as well as a shadow does and cost a tenth of it without a GPU. */
function drawHalo(ctx: CanvasRenderingContext2D, view: GaugeView): void {
  for (const [spread, alpha] of [
    [2.1, 0.05],
    [1.65, 0.07],
    [1.3, 0.1],
  ] as const)
    arc(
      ctx,
      view,
      view.radius,
      arcStart,
      view.end,
      view.thickness * spread,
      withAlpha(view.colour, alpha * view.glow),
    );
  const [x, y] = onArc(view, view.radius, view.end);
  const reach = view.thickness * 1.9;
  const glow = ctx.createRadialGradient(x, y, 0, x, y, reach);
  glow.addColorStop(0, withAlpha(view.colour, 0.55 * view.glow));
  glow.addColorStop(0.45, withAlpha(view.colour, 0.22 * view.glow));
  glow.addColorStop(1, withAlpha(view.colour, 0));
  ctx.fillStyle = glow;
  ctx.beginPath();
  ctx.arc(x, y, reach, 0, Math.PI * 2);
  ctx.fill();
}

function drawPeak(ctx: CanvasRenderingContext2D, view: GaugeView, angle: number): void {
  const [x1, y1] = onArc(view, view.radius - view.thickness * 0.5, angle);
  const [x2, y2] = onArc(view, view.radius + view.thickness * 0.95, angle);
  ctx.beginPath();
  ctx.moveTo(x1, y1);
  ctx.lineTo(x2, y2);
  ctx.lineWidth = Math.max(1.5, view.thickness * 0.15);
  ctx.strokeStyle = view.tick;
  ctx.lineCap = "butt";
  ctx.stroke();
}

function drawDot(ctx: CanvasRenderingContext2D, view: GaugeView): void {
  const [x, y] = onArc(view, view.radius, view.end);
  ctx.beginPath();
  ctx.arc(x, y, view.thickness * 0.27, 0, Math.PI * 2);
  ctx.fillStyle = view.dot;
  ctx.fill();
}

function arc(
  ctx: CanvasRenderingContext2D,
  { x, y }: GaugeView,
  radius: number,
  from: number,
  to: number,
  width: number,
  colour: string,
  ends: CanvasLineCap = "round",
): void {
  ctx.beginPath();
  ctx.arc(x, y, radius, from, to);
  ctx.lineWidth = width;
  ctx.lineCap = ends;
  ctx.strokeStyle = colour;
  ctx.stroke();
}

function onArc({ x, y }: GaugeView, radius: number, angle: number): [number, number] {
  return [x + Math.cos(angle) * radius, y + Math.sin(angle) * radius];
}
