/** A 2D context that draws nothing and remembers everything. */

export type Entry = { op: string; args: unknown[] };
export type Recorded = {
  ctx: CanvasRenderingContext2D;
  entries: Entry[];
  /** the calls of one method, in order */
  calls(op: string): unknown[][];
  /** the properties in force at each call of `op` */
  stylesAt(op: string): Record<string, unknown>[];
};

export function recordedContext(): Recorded {
  const entries: Entry[] = [];
  const style: Record<string, unknown> = {};
  const styles: { op: string; style: Record<string, unknown> }[] = [];
  const gradient = { addColorStop: (...args: unknown[]) => void entries.push({ op: "addColorStop", args }) };
  const ctx = new Proxy(style, {
    get(_, name: string) {
      if (name in style) return style[name];
      return (...args: unknown[]) => {
        entries.push({ op: name, args });
        styles.push({ op: name, style: { ...style } });
        return name.startsWith("create") ? gradient : undefined;
      };
    },
    set(_, name: string, value: unknown) {
      style[name] = value;
      entries.push({ op: `${name}=`, args: [value] });
      return true;
    },
  });
  return {
    ctx: ctx as unknown as CanvasRenderingContext2D,
    entries,
    calls: (op) => entries.filter((entry) => entry.op === op).map((entry) => entry.args),
    stylesAt: (op) => styles.filter((entry) => entry.op === op).map((entry) => entry.style),
  };
}
