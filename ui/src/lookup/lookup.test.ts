import { describe, expect, test } from "vitest";
import { noon } from "../../tests/sample";
import type { SearchResult } from "../contract/contract";
import { cost, whyStale } from "./words";

const result = (more: Partial<SearchResult>): SearchResult => ({
  service: "deezer",
  found: [],
  as_of: null,
  stale: false,
  ms: 212,
  ...more,
});

describe("an answer's cost", () => {
  test("just now, it cost a call; kept, it cost none and says its age", () => {
    expect(cost(result({}), noon)).toBe("0 tracks from deezer in 212 ms. One call was made.");
    expect(cost(result({ as_of: noon - 14 * 3_600, ms: 1 }), noon)).toBe(
      "0 tracks from the cache, as of 14 h ago, in 1 ms. No call was made.",
    );
  });

  test("an expired one says why it is shown", () => {
    expect(whyStale(result({ stale: true }), true)).toBe("deezer is banned, so this is its last answer.");
    expect(whyStale(result({ stale: true }), false)).toMatch(/could not be asked/);
  });
});
