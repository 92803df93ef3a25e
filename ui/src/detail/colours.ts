import { hueApart, legible } from "../canvas/colour";
import type { Palette } from "../canvas/palette";
import type { Line } from "./history";

/** Far apart from each other on dark and on light; the service's own colour is kept for the total. */
const hues = [
  "#4fd1c5",
  "#a78bfa",
  "#f97316",
  "#60a5fa",
  "#f472b6",
  "#a3e635",
  "#facc15",
  "#22d3ee",
  "#fb7185",
  "#c4b5a0",
];
/** Degrees. Nearer to the service's own hue than this, an endpoint would be taken for the total. */
const tooNear = 20;
const dashes: number[][] = [[], [6, 4], [2, 3]];

export type Ink = { colour: string; dash: number[] };

/** A colour for every line; when the colours run out, a dash tells the next ones apart. */
export function inks(lines: readonly Line[], service: string, palette: Palette): Map<string, Ink> {
  const found = new Map<string, Ink>();
  const apart = hues.filter((hue) => hueApart(hue, service) >= tooNear);
  let part = 0;
  for (const line of lines) {
    if (line.role === "total") found.set(line.key, ink(service, palette));
    else if (line.role === "hits") found.set(line.key, ink(palette.quota, palette, [3, 3]));
    else if (line.role === "bad") found.set(line.key, ink(palette.danger, palette));
    else {
      const hue = apart[part % apart.length] ?? "#888888";
      found.set(line.key, ink(hue, palette, dashes[Math.floor(part / apart.length) % dashes.length]));
      part += 1;
    }
  }
  return found;
}

function ink(colour: string, palette: Palette, dash: number[] = []): Ink {
  return { colour: legible(colour, palette.panel), dash };
}
