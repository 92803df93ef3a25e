import { onPixelRatio } from "./dpr";
import { type Scope, type Size, withScope } from "./scope";

/** Keeps a canvas' bitmap as large as its box in device pixels, and hands out scopes to draw in. */
export class Surface {
  private size: Size | null = null;
  private readonly ctx: CanvasRenderingContext2D | null;
  private readonly observer: ResizeObserver;
  private readonly unwatch: () => void;

  constructor(
    private readonly canvas: HTMLCanvasElement,
    private readonly resized: () => void,
  ) {
    this.ctx = canvas.getContext("2d");
    this.observer = new ResizeObserver(([entry]) => entry && this.measure(entry));
    this.observe();
    this.unwatch = onPixelRatio(() => this.fit(this.canvas.clientWidth, this.canvas.clientHeight));
  }

  /** Returns whether there was anything to draw on. */
  paint(draw: (scope: Scope) => void): boolean {
    if (!this.ctx || !this.size) return false;
    withScope(this.ctx, this.size, draw);
    return true;
  }

  get ratio(): number {
    return this.size ? this.size.bitmapWidth / this.size.width : 1;
  }

  get box(): { width: number; height: number } | null {
    return this.size;
  }

  dispose(): void {
    this.observer.disconnect();
    this.unwatch();
  }

  private observe(): void {
    try {
      this.observer.observe(this.canvas, { box: "device-pixel-content-box" });
    } catch {
      // WebKit has no device-pixel box: round the CSS box ourselves.
      this.observer.observe(this.canvas);
    }
  }

  private measure(entry: ResizeObserverEntry): void {
    const exact = entry.devicePixelContentBoxSize?.[0];
    const { width, height } = entry.contentRect;
    this.fit(width, height, exact?.inlineSize, exact?.blockSize);
  }

  private fit(width: number, height: number, exactWidth?: number, exactHeight?: number): void {
    if (width === 0 || height === 0) return;
    const ratio = window.devicePixelRatio;
    const bitmapWidth = deviceLength(width * ratio, exactWidth);
    const bitmapHeight = deviceLength(height * ratio, exactHeight);
    this.size = { width, height, bitmapWidth, bitmapHeight };
    // Assigning a size wipes the bitmap even when it is the same size.
    if (this.canvas.width !== bitmapWidth) this.canvas.width = bitmapWidth;
    if (this.canvas.height !== bitmapHeight) this.canvas.height = bitmapHeight;
    this.resized();
  }
}

/** The exact length where it is plausible: under an emulated ratio Chromium reports it unscaled. */
function deviceLength(wanted: number, exact: number | undefined): number {
  const near = exact !== undefined && Math.abs(exact - wanted) <= 1;
  return Math.max(1, near ? exact : Math.round(wanted));
}
