import fc from "fast-check";
import { expect, test } from "vitest";
import { ids, ratesOf } from "../../tests/sample";
import { defaults } from "../app/preferences";
import type { ServiceInfo } from "../contract/contract";
import { moved, ordered, stepFor } from "./order";

const catalogue = ids.map((id) => ({ id }) as ServiceInfo);

test("by use: the busiest first, ties as in the catalogue", () => {
  const rates = ratesOf({ tidal: { calls_24h: 900 }, odesli: { calls_24h: 500 } });
  expect(ordered(catalogue, rates, defaults).slice(0, 4)).toEqual(["tidal", "odesli", "spotify", "itunes"]);
});

test("by hand: as laid, and services it does not know of come after", () => {
  const wish = { ...defaults, order: "hand" as const, hand: ["odesli", "deezer"] as const };
  const order = ordered(catalogue, null, { ...wish, hand: [...wish.hand] });
  expect(order.slice(0, 3)).toEqual(["odesli", "deezer", "spotify"]);
  expect([...order].sort()).toEqual([...ids].sort());
});

test("moving a card loses none and puts it where it was asked to be", () => {
  fc.assert(
    fc.property(fc.constantFrom(...ids), fc.nat(ids.length - 1), (id, to) => {
      const list = moved(ids, id, to);
      expect(list[to]).toBe(id);
      expect([...list].sort()).toEqual([...ids].sort());
    }),
  );
});

test("arrow keys walk as the eye sees the grid", () => {
  expect(["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "x"].map((key) => stepFor(key, 5))).toEqual([
    -1,
    1,
    -5,
    5,
    null,
  ]);
});
