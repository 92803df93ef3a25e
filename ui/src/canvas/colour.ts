/** Red, green and blue, each 0 to 255. */
export type Rgb = readonly [number, number, number];

/** Reads `#rgb`, `#rrggbb` and `rgb(…)`; anything else is black. */
export function parseColour(text: string): Rgb {
  const hex = /^#([0-9a-f]{3}|[0-9a-f]{6})$/i.exec(text.trim())?.[1];
  if (hex) {
    const digits = hex.length === 3 ? [...hex].map((d) => d + d).join("") : hex;
    const value = Number.parseInt(digits, 16);
    return [value >> 16, (value >> 8) & 255, value & 255];
  }
  const parts = text.match(/[\d.]+/g)?.map(Number) ?? [];
  return [parts[0] ?? 0, parts[1] ?? 0, parts[2] ?? 0];
}

export function withAlpha(colour: string, alpha: number): string {
  const [r, g, b] = parseColour(colour);
  return `rgba(${r}, ${g}, ${b}, ${alpha})`;
}

/** WCAG relative luminance, 0 to 1. */
export function luminance(rgb: Rgb): number {
  const [r, g, b] = rgb.map((channel) => {
    const c = channel / 255;
    return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  }) as [number, number, number];
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

/** WCAG contrast, 1 to 21. */
export function contrast(a: Rgb, b: Rgb): number {
  const [light, dark] = [luminance(a), luminance(b)].sort((x, y) => y - x) as [number, number];
  return (light + 0.05) / (dark + 0.05);
}

/**
 * `colour`, made only as much darker (on light ground) or lighter (on dark) as it takes to stand out from
 * `ground` by `ratio`. Hue is kept: a brand stays itself. WCAG asks 3 of graphics, 4.5 of text.
 */
export function legible(colour: string, ground: string, ratio = 3): string {
  const base = parseColour(colour);
  const back = parseColour(ground);
  const [hue, saturation, start] = toHsl(base);
  const step = luminance(back) > 0.18 ? -0.01 : 0.01;
  let rgb = base;
  for (let light = start; contrast(rgb, back) < ratio && light > 0 && light < 1; ) {
    light = Math.min(1, Math.max(0, light + step));
    rgb = fromHsl(hue, saturation, light);
  }
  return `rgb(${rgb.join(", ")})`;
}

/** Degrees between two hues, 0 to 180. */
export function hueApart(a: string, b: string): number {
  const apart = Math.abs(toHsl(parseColour(a))[0] - toHsl(parseColour(b))[0]);
  return Math.min(apart, 360 - apart);
}

function toHsl([red, green, blue]: Rgb): [number, number, number] {
  const [r, g, b] = [red / 255, green / 255, blue / 255];
  const max = Math.max(r, g, b);
  const min = Math.min(r, g, b);
  const light = (max + min) / 2;
  const spread = max - min;
  if (spread === 0) return [0, 0, light];
  const saturation = spread / (1 - Math.abs(2 * light - 1));
  const hue =
    max === r ? ((g - b) / spread + 6) % 6 : max === g ? (b - r) / spread + 2 : (r - g) / spread + 4;
  return [hue * 60, saturation, light];
}

function fromHsl(hue: number, saturation: number, light: number): Rgb {
  const amount = saturation * Math.min(light, 1 - light);
  const channel = (n: number): number => {
    const k = (n + hue / 30) % 12;
    return Math.round(255 * (light - amount * Math.max(-1, Math.min(k - 3, 9 - k, 1))));
  };
  return [channel(0), channel(8), channel(4)];
}

/** From `a` (0) to `b` (1). */
export function mix(a: string, b: string, share: number): string {
  const to = parseColour(b);
  return `rgb(${parseColour(a)
    .map((channel, i) => Math.round(channel + ((to[i] ?? channel) - channel) * share))
    .join(", ")})`;
}
