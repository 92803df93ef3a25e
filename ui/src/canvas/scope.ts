/** What a renderer may touch: a context in CSS pixels, and how many device pixels make one. */
export type Scope = {
  readonly ctx: CanvasRenderingContext2D;
  readonly width: number;
  readonly height: number;
  readonly ratioX: number;
  readonly ratioY: number;
};

/** A canvas in CSS pixels and in device pixels. */
export type Size = { width: number; height: number; bitmapWidth: number; bitmapHeight: number };

/** Clears the bitmap and lets `draw` work in CSS pixels; whatever it does to the context is undone. */
export function withScope(ctx: CanvasRenderingContext2D, size: Size, draw: (scope: Scope) => void): void {
  const ratioX = size.bitmapWidth / size.width;
  const ratioY = size.bitmapHeight / size.height;
  ctx.save();
  try {
    ctx.setTransform(1, 0, 0, 1, 0, 0);
    ctx.clearRect(0, 0, size.bitmapWidth, size.bitmapHeight);
    ctx.setTransform(ratioX, 0, 0, ratioY, 0, 0);
    draw({ ctx, width: size.width, height: size.height, ratioX, ratioY });
  } finally {
    ctx.restore();
  }
}

/** The nearest edge of a device pixel, so that upright shapes are sharp. */
export function snap(value: number, ratio: number): number {
  return Math.round(value * ratio) / ratio;
}
