/** The fullest an arc was in each of the last sixty minutes: what the peak-hold tick remembers. */
export class PeakHold {
  private readonly minutes = new Map<number, number>();

  note(minute: number, fill: number): void {
    this.minutes.set(minute, Math.max(fill, this.minutes.get(minute) ?? 0));
  }

  /** The highest of the hour that ends with `minute` (unix seconds of its beginning). */
  highest(minute: number): number {
    let best = 0;
    for (const [at, fill] of this.minutes) {
      if (at <= minute - 3600) this.minutes.delete(at);
      else best = Math.max(best, fill);
    }
    return best;
  }
}
