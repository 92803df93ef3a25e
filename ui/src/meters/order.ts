import type { Preferences } from "../app/preferences";
import type { Rates, ServiceId, ServiceInfo } from "../contract/contract";

/** Every service in the order the user wants: busiest first, or as laid by hand. Ties keep the catalogue's. */
export function ordered(
  catalogue: readonly ServiceInfo[],
  rates: Rates | null,
  wish: Preferences,
): ServiceId[] {
  const ids = catalogue.map((info) => info.id);
  if (wish.order === "hand") {
    const known = wish.hand.filter((id) => ids.includes(id));
    return [...known, ...ids.filter((id) => !known.includes(id))];
  }
  const use = (id: ServiceId): number => rates?.services[id]?.calls_24h ?? 0;
  return [...ids].sort((a, b) => use(b) - use(a) || ids.indexOf(a) - ids.indexOf(b));
}

export function moved<T>(list: readonly T[], item: T, to: number): T[] {
  const rest = list.filter((other) => other !== item);
  const at = Math.min(rest.length, Math.max(0, to));
  return [...rest.slice(0, at), item, ...rest.slice(at)];
}

/** Where an arrow key takes a card in a grid of so many columns, or null for any other key. */
export function stepFor(key: string, columns: number): number | null {
  if (key === "ArrowLeft") return -1;
  if (key === "ArrowRight") return 1;
  if (key === "ArrowUp") return -columns;
  return key === "ArrowDown" ? columns : null;
}
