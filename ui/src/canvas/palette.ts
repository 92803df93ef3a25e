import { createSignal } from "solid-js";

const names = [
  "ground",
  "panel",
  "raised",
  "line",
  "text",
  "dim",
  "track",
  "warn",
  "danger",
  "ok",
  "quota",
] as const;

/** The theme's tokens as colours a canvas understands. */
export type Palette = Record<(typeof names)[number], string> & { forced: boolean };

const blank = Object.fromEntries(names.map((name) => [name, "rgb(0, 0, 0)"])) as Record<
  (typeof names)[number],
  string
>;

const [palette, setPalette] = createSignal<Palette>({ ...blank, forced: false });

export { palette };

/** Read again whenever the theme, the system's scheme or forced colours change. */
export function watchPalette(): () => void {
  const read = (): void => void setPalette(readPalette());
  const queries = ["(prefers-color-scheme: dark)", "(forced-colors: active)"].map((query) =>
    matchMedia(query),
  );
  for (const query of queries) query.addEventListener("change", read);
  const observer = new MutationObserver(read);
  observer.observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });
  read();
  return () => {
    observer.disconnect();
    for (const query of queries) query.removeEventListener("change", read);
  };
}

/** A probe element resolves what a token may hold: hex, or a system colour under forced colours. */
function readPalette(): Palette {
  const probe = document.createElement("i");
  probe.hidden = true;
  document.body.append(probe);
  const read = Object.fromEntries(
    names.map((name) => {
      probe.style.color = `var(--${name})`;
      return [name, getComputedStyle(probe).color];
    }),
  ) as Record<(typeof names)[number], string>;
  probe.remove();
  return { ...read, forced: matchMedia("(forced-colors: active)").matches };
}
