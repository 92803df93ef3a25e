/** Something that can be drawn. Returns whether it wants the next frame as well. */
export type Drawable = { draw(now: number): boolean };

export type FrameSource = {
  request(frame: (now: number) => void): number;
  cancel(handle: number): void;
};

const browserFrames: FrameSource = {
  request: (frame) => requestAnimationFrame(frame),
  cancel: (handle) => cancelAnimationFrame(handle),
};

/**
 * One animation frame for every canvas. Invalidations of one drawable within a frame are one draw;
 * with nothing invalid no frame is asked for, so an idle window is still.
 */
export class Scheduler {
  private readonly invalid = new Set<Drawable>();
  private handle: number | null = null;

  constructor(private readonly frames: FrameSource = browserFrames) {}

  invalidate(drawable: Drawable): void {
    this.invalid.add(drawable);
    this.handle ??= this.frames.request(this.frame);
  }

  forget(drawable: Drawable): void {
    this.invalid.delete(drawable);
    if (this.invalid.size > 0 || this.handle === null) return;
    this.frames.cancel(this.handle);
    this.handle = null;
  }

  private readonly frame = (now: number): void => {
    this.handle = null;
    const due = [...this.invalid];
    this.invalid.clear();
    for (const drawable of due) if (drawable.draw(now)) this.invalidate(drawable);
  };
}

/** The window's own. */
export const scheduler = new Scheduler();
