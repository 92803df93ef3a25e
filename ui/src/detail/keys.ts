/** Where a key takes the chart's cursor, or null if it is not one of its keys. */
export function keyTarget(
  { key, shiftKey }: Pick<KeyboardEvent, "key" | "shiftKey">,
  at: number | null,
  last: number,
): number | null {
  if (last < 0) return null;
  const from = at ?? last;
  const clamp = (to: number): number => Math.min(last, Math.max(0, to));
  switch (key) {
    case "ArrowLeft":
      return clamp(at === null ? last : from - (shiftKey ? 10 : 1));
    case "ArrowRight":
      return clamp(from + (shiftKey ? 10 : 1));
    case "PageUp":
      return clamp(from - 60);
    case "PageDown":
      return clamp(from + 60);
    case "Home":
      return 0;
    case "End":
      return last;
    default:
      return null;
  }
}
