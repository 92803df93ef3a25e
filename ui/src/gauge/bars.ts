import { withAlpha } from "../canvas/colour";
import { type Scope, snap } from "../canvas/scope";

/** The last hour in sixty bars, in shares of the limit; the running minute is the last and in colour. */
export type BarsView = { heights: number[]; colour: string; rest: string; empty: string };

export function barsView(
  hour: readonly number[],
  limit: number,
  colours: { colour: string; rest: string; empty: string },
): BarsView {
  const heights = hour.map((calls) => Math.min(1, limit > 0 ? calls / limit : 0));
  return { heights, ...colours };
}

export function sameBars(a: BarsView | null, b: BarsView): boolean {
  return (
    a !== null &&
    a.colour === b.colour &&
    a.rest === b.rest &&
    a.empty === b.empty &&
    a.heights.length === b.heights.length &&
    a.heights.every((height, i) => height === b.heights[i])
  );
}

export function drawBars({ ctx, width, height, ratioX, ratioY }: Scope, view: BarsView): void {
  const pitch = width / Math.max(1, view.heights.length);
  const gap = Math.max(1 / ratioX, pitch * 0.28);
  view.heights.forEach((share, i) => {
    const left = snap(i * pitch, ratioX);
    const right = snap((i + 1) * pitch - gap, ratioX);
    const tall = share > 0 ? Math.max(2, share * height) : 1;
    const top = snap(height - tall, ratioY);
    const running = i === view.heights.length - 1;
    ctx.fillStyle = running && share > 0 ? view.colour : share > 0 ? view.rest : withAlpha(view.empty, 0.7);
    ctx.fillRect(left, top, Math.max(1 / ratioX, right - left), height - top);
  });
}
