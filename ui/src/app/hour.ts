import type { LastHour, Rates, ServiceId } from "../contract/contract";

type Running = { minute: number; services: Rates["services"] | null };

/** The hour with the running minute's count in it; older minutes move out on the left. */
export function advanceHour(hour: LastHour, running: Running): LastHour {
  const shift = Math.round((running.minute - hour.minute) / 60);
  if (shift < 0) return hour;
  const services = Object.fromEntries(
    (Object.entries(hour.services) as [ServiceId, number[]][]).map(([id, calls]) => {
      const now = running.services ? (running.services[id]?.this_minute ?? 0) : null;
      if (shift === 0 && (now === null || now === calls[calls.length - 1])) return [id, calls];
      const moved =
        shift === 0 ? calls.slice() : [...calls, ...Array<number>(Math.min(shift, calls.length)).fill(0)];
      const kept = moved.slice(-calls.length);
      if (now !== null) kept[kept.length - 1] = now;
      return [id, kept];
    }),
  ) as Record<ServiceId, number[]>;
  return { minute: running.minute, services };
}
