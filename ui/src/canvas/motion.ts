/** How long a value takes to reach its new place. */
export const easeMs = 600;

export function easeOut(t: number): number {
  return 1 - (1 - Math.min(1, Math.max(0, t))) ** 3;
}

/** A number on its way. Sent elsewhere while under way, it turns from where it is. */
export class Eased {
  private from: number;
  private target: number;
  private started = Number.NEGATIVE_INFINITY;

  constructor(value = 0) {
    this.from = value;
    this.target = value;
  }

  to(target: number, now: number): void {
    if (target === this.target) return;
    this.from = this.at(now);
    this.target = target;
    this.started = now;
  }

  jump(target: number): void {
    this.from = target;
    this.target = target;
    this.started = Number.NEGATIVE_INFINITY;
  }

  at(now: number): number {
    const done = easeOut((now - this.started) / easeMs);
    return done >= 1 ? this.target : this.from + (this.target - this.from) * done;
  }

  moving(now: number): boolean {
    return now - this.started < easeMs && this.from !== this.target;
  }
}

const calm = typeof matchMedia === "function" ? matchMedia("(prefers-reduced-motion: reduce)") : null;

/** Whether values should jump instead of ease. */
export function reducedMotion(): boolean {
  return calm?.matches ?? false;
}
