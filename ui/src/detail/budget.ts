import type { Palette } from "../canvas/palette";
import type { ServiceInfo, ServiceRates } from "../contract/contract";
import { dangerAbove, warnAbove } from "../gauge/model";
import { count, spell } from "../text/format";
import type { ShareRow } from "./ShareBars";

/** Every window and the quota, each with how full it is; a budget of spacing alone has its minute. */
export function budgetRows(rates: ServiceRates, calm: string, palette: Palette): ShareRow[] {
  const row = (name: string, value: number, of: number, colour: string): ShareRow => ({
    name,
    value,
    of,
    colour: fillColour(of > 0 ? value / of : 0, colour, palette),
    text: `${count(value)} of ${count(of)}`,
  });
  const rows = rates.windows.map(({ seconds, used, calls }) =>
    row(`in ${spell(seconds)}`, used, calls, calm),
  );
  if (rows.length === 0) rows.push(row("in 1 min", rates.cpm, rates.limit, calm));
  const { quota } = rates;
  if (quota) rows.push(row(`quota in ${quota.hours} h`, quota.used, quota.calls, palette.quota));
  return rows;
}

function fillColour(share: number, calm: string, palette: Palette): string {
  if (share > dangerAbove) return palette.danger;
  return share > warnAbove ? palette.warn : calm;
}

const quotaWords = {
  assumed: "The quota is assumed until one is learned.",
  learned: "The quota was learned from a refusal.",
  set: "The quota was set by you.",
} as const;

export function budgetWords(info: ServiceInfo, rates: ServiceRates): string {
  const { spacing_ms } = info.default_budget;
  const spacing = spacing_ms > 0 ? `By default calls are ${spacingWords(spacing_ms)}.` : "";
  return [spacing, rates.quota ? quotaWords[rates.quota.source] : ""].filter(Boolean).join(" ");
}

/** 850 ms apart · 1.1 s apart */
export function spacingWords(milliseconds: number): string {
  return milliseconds < 1000 ? `${milliseconds} ms apart` : `${spell(milliseconds / 1000)} apart`;
}
