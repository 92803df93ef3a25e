import { luminance, parseColour, withAlpha } from "../canvas/colour";
import type { Palette } from "../canvas/palette";
import type { GaugeModel, Level } from "./model";
import { dangerAbove, levelOf } from "./model";

/** Where everything lies and which colour it has: all a renderer needs. Lengths in CSS pixels. */
export type GaugeView = {
  x: number;
  y: number;
  radius: number;
  thickness: number;
  /** angle at which the fill ends; equal to `arcStart` when there is none */
  end: number;
  colour: string;
  /** how strongly the end glows, 0 to 1: light ground smudges sooner than dark */
  glow: number;
  /** angle of the peak-hold tick, or null */
  peak: number | null;
  quotaRadius: number;
  quotaEnd: number | null;
  quotaColour: string;
  dangerStart: number;
  track: string;
  /** as wide as the arc, or thin where the system chooses the colours and shades cannot tell */
  trackWidth: number;
  bandWidth: number;
  dangerBand: string;
  tick: string;
  dot: string;
  dim: boolean;
};

/** 240° open at the bottom. Canvas angles run clockwise from three o'clock. */
export const arcStart = (150 * Math.PI) / 180;
export const arcSweep = (240 * Math.PI) / 180;

export const angleAt = (fraction: number): number => arcStart + arcSweep * Math.min(1, Math.max(0, fraction));

/** The eased values of a moment; the rest of the model holds still. */
export type Moving = { fill: number; peak: number; quota: number };

/** What the arc shows: while banned it is the ban itself, and it drains. */
export function targets(model: GaugeModel): Moving {
  return {
    fill: model.ban ? model.ban.left : silent(model) ? 0 : model.fill,
    peak: model.ban || silent(model) ? 0 : model.peak,
    quota: model.quota?.fraction ?? 0,
  };
}

function silent(model: GaugeModel): boolean {
  return model.state === "off" || model.state === "sign_in";
}

export function gaugeView(
  model: GaugeModel,
  moving: Moving,
  colour: string,
  palette: Palette,
  box: { width: number; height: number },
  ratio: number,
): GaugeView {
  // The open bottom needs half a radius only, so the circle sits lower than the middle of the box.
  const margin = Math.max(10, box.width * 0.085);
  const radius = Math.max(8, Math.min(box.width / 2 - margin, (box.height - 2 * margin) / 1.5));
  const thickness = Math.max(6, radius * 0.14);
  const fine = angleStep(radius, ratio);
  const dark = luminance(parseColour(palette.panel)) < 0.18;
  return {
    x: box.width / 2,
    y: margin + radius,
    radius,
    thickness,
    end: quantise(angleAt(moving.fill), fine),
    colour: arcColour(model, moving.fill, colour, palette),
    glow: palette.forced ? 0 : dark ? 1 : 0.55,
    peak: peakApart(moving, radius, thickness) ? quantise(angleAt(moving.peak), fine) : null,
    quotaRadius: radius - thickness * 1.35,
    quotaEnd: model.quota ? quantise(angleAt(moving.quota), fine) : null,
    quotaColour: quotaColour(moving.quota, palette),
    dangerStart: angleAt(dangerAbove),
    track: palette.track,
    trackWidth: palette.forced ? thickness * 0.2 : thickness,
    bandWidth: palette.forced ? thickness * 0.5 : thickness,
    dangerBand: palette.forced ? palette.text : withAlpha(palette.danger, dark ? 0.3 : 0.24),
    tick: palette.dim,
    dot: palette.forced ? palette.ground : "#ffffff",
    dim: silent(model),
  };
}

function arcColour(model: GaugeModel, fill: number, colour: string, palette: Palette): string {
  if (model.ban || palette.forced) return palette.danger;
  const level: Level = levelOf(fill);
  if (level === "danger") return palette.danger;
  return level === "warn" ? palette.warn : colour;
}

function quotaColour(fraction: number, palette: Palette): string {
  if (fraction >= 1) return palette.danger;
  return fraction >= dangerAbove ? palette.warn : palette.quota;
}

/** A tick under the dot would only blur it. */
function peakApart({ peak, fill }: Moving, radius: number, thickness: number): boolean {
  return (peak - fill) * arcSweep * radius > thickness * 0.6;
}

/** A quarter of a device pixel along the arc: anything finer cannot be seen. */
function angleStep(radius: number, ratio: number): number {
  return 0.25 / (radius * ratio);
}

function quantise(angle: number, step: number): number {
  return arcStart + Math.round((angle - arcStart) / step) * step;
}

export function sameView(a: GaugeView | null, b: GaugeView): boolean {
  if (!a) return false;
  for (const key of Object.keys(b) as (keyof GaugeView)[]) if (a[key] !== b[key]) return false;
  return true;
}
