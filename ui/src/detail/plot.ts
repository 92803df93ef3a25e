import uPlot from "uplot";
import { withAlpha } from "../canvas/colour";
import type { Palette } from "../canvas/palette";
import { dangerAbove } from "../gauge/model";
import { clock, compact, dateMonth, dateShort } from "../text/format";
import type { Ink } from "./colours";
import type { History, Line } from "./history";

export type PlotLook = { palette: Palette; inks: Map<string, Ink>; shown: ReadonlySet<string>; fit: boolean };

/** uPlot's options for one history: every point is drawn, and the limit, its band and the bans with them. */
export function plotOptions(
  history: History,
  look: () => PlotLook,
  size: { width: number; height: number },
  on: { moved: (u: uPlot) => void; scaled: (u: uPlot) => void; painted: () => void },
): uPlot.Options {
  const { palette } = look();
  const axis: uPlot.Axis = {
    stroke: palette.dim,
    font: `13px ${getComputedStyle(document.body).fontFamily}`,
    grid: { stroke: palette.line, width: 1 },
    ticks: { show: false },
  };
  return {
    ...size,
    legend: { show: false },
    padding: [8, 20, 0, 0],
    cursor: {
      y: false,
      points: { size: 7 },
      drag: { x: true, y: false },
      focus: { prox: -1 },
      bind: {
        dblclick: (u) => () => {
          u.setScale("x", xRange(u.data[0], history.span));
          return null;
        },
      },
    },
    scales: { y: { range: () => [0, top(history, look())] } },
    axes: [
      {
        ...axis,
        gap: 8,
        size: 34,
        space: 84,
        values: (_, splits, __, ___, step) => splits.map((at) => timeLabel(at, step)),
      },
      { ...axis, gap: 10, size: 54, space: 44, values: (_, splits) => splits.map(compact) },
    ],
    series: [{}, ...history.lines.map((line) => seriesOf(line, look))],
    hooks: {
      drawClear: [(u) => drawBand(u, history, look().palette)],
      draw: [(u) => drawLimit(u, history, look().palette), (u) => drawMarks(u, history, look().palette)],
      setCursor: [on.moved],
      setScale: [on.scaled],
      ready: [on.painted],
    },
  };
}

/** To the end of the last minute or hour, so that what happens in it is in sight; and its line is not cut in half. */
export function xRange(times: ArrayLike<number>, span: History["span"]): { min: number; max: number } {
  const min = times[0] ?? 0;
  const last = times[times.length - 1] ?? 0;
  return { min, max: last + Math.max(span === "minute" ? 60 : 3600, (last - min) * 0.004) };
}

/** What is drawn: of every line but the total no stretch of noughts, which would paint over the base line. */
export function plotData({ times, lines }: History): uPlot.AlignedData {
  return [times, ...lines.map(({ role, values }) => (role === "total" ? values : withoutNoughts(values)))];
}

function withoutNoughts(values: readonly number[]): (number | null)[] {
  return values.map((value, i) => (value || values[i - 1] || values[i + 1] ? value : null));
}

/** The limit is always in sight, so that the room is, too; unless the user fits the chart to the calls. */
export function top(history: History, { shown, fit }: Pick<PlotLook, "shown" | "fit">): number {
  let most = 0;
  for (const line of history.lines)
    if (shown.has(line.key)) for (const value of line.values) if (value > most) most = value;
  const room = fit || !history.limit ? 0 : history.limit.value * 1.18;
  return Math.max(4, room, most * 1.08);
}

function seriesOf(line: Line, look: () => PlotLook): uPlot.Series {
  const { colour, dash } = look().inks.get(line.key) ?? { colour: "#888888", dash: [] };
  const total = line.role === "total";
  return {
    label: line.label,
    show: look().shown.has(line.key),
    stroke: total ? colour : withAlpha(colour, 0.85),
    width: total ? 1.6 : 1.1,
    ...(dash.length > 0 ? { dash } : {}),
    ...(total ? { fill: (u: uPlot) => fade(u, colour) } : {}),
    points: { show: false },
    // The scale is ours: uPlot need not look through every point for it.
    auto: false,
    // Straight from minute to minute. Where minutes share a pixel uPlot keeps the highest and the lowest.
    ...(uPlot.paths.linear ? { paths: uPlot.paths.linear() } : {}),
  };
}

function fade(u: uPlot, colour: string): CanvasGradient {
  const { top: y, height } = u.bbox;
  const gradient = u.ctx.createLinearGradient(0, y, 0, y + height);
  gradient.addColorStop(0, withAlpha(colour, 0.42));
  gradient.addColorStop(1, withAlpha(colour, 0.03));
  return gradient;
}

/** Red from the limit upwards, and a breath of it over the last fifth below. */
function drawBand(u: uPlot, { limit }: History, palette: Palette): void {
  if (!limit) return;
  const { left, top: ceiling, width } = u.bbox;
  const at = u.valToPos(limit.value, "y", true);
  if (at > ceiling) {
    const over = u.ctx.createLinearGradient(0, ceiling, 0, at);
    over.addColorStop(0, withAlpha(palette.danger, 0.04));
    over.addColorStop(1, withAlpha(palette.danger, 0.3));
    u.ctx.fillStyle = over;
    u.ctx.fillRect(left, ceiling, width, at - ceiling);
  }
  const from = Math.max(ceiling, at);
  const warn = u.valToPos(limit.value * dangerAbove, "y", true);
  if (warn <= from) return;
  u.ctx.fillStyle = withAlpha(palette.danger, 0.055);
  u.ctx.fillRect(left, from, width, warn - from);
}

function drawLimit(u: uPlot, { limit }: History, palette: Palette): void {
  if (!limit) return;
  const y = Math.round(u.valToPos(limit.value, "y", true));
  if (y < u.bbox.top) return;
  const { ctx } = u;
  ctx.save();
  ctx.strokeStyle = palette.danger;
  ctx.lineWidth = 1.5 * devicePixelRatio;
  ctx.setLineDash([9 * devicePixelRatio, 6 * devicePixelRatio]);
  ctx.beginPath();
  ctx.moveTo(u.bbox.left, y);
  ctx.lineTo(u.bbox.left + u.bbox.width, y);
  ctx.stroke();
  ctx.restore();
}

function drawMarks(u: uPlot, { marks }: History, palette: Palette): void {
  const { ctx, bbox } = u;
  ctx.save();
  ctx.fillStyle = palette.danger;
  for (const mark of marks) {
    const x = u.valToPos(mark.at, "x", true);
    if (x < bbox.left || x > bbox.left + bbox.width) continue;
    const end = mark.until === null ? x : Math.min(bbox.left + bbox.width, u.valToPos(mark.until, "x", true));
    if (end - x > 2) {
      ctx.globalAlpha = 0.16;
      ctx.fillRect(x, bbox.top, end - x, bbox.height);
      ctx.globalAlpha = 1;
    }
    ctx.fillRect(Math.round(x), bbox.top, Math.max(1, Math.round(1.5 * devicePixelRatio)), bbox.height);
    ctx.beginPath();
    ctx.arc(
      x + devicePixelRatio * 0.75,
      bbox.top + 5 * devicePixelRatio,
      4.5 * devicePixelRatio,
      0,
      Math.PI * 2,
    );
    ctx.fill();
  }
  ctx.restore();
}

/** A clock within a day, a date at midnight and over days, a month over months. */
export function timeLabel(at: number, step: number): string {
  if (step >= 28 * 86_400) return dateMonth(at);
  const date = new Date(at * 1000);
  const midnight = date.getHours() === 0 && date.getMinutes() === 0;
  return step >= 86_400 || midnight ? dateShort(at) : clock(at);
}
