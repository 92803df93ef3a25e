import { describe, expect, test } from "vitest";
import type { CacheSettings } from "../contract/contract";
import { draftOf, fieldIn, settingsOf } from "./cache/draft";
import { filled, recipes } from "./gateway/recipes";

const settings: CacheSettings = {
  ttl_hours: 12,
  not_found_ttl_minutes: 60,
  max_mb: 256,
  shared_url: "rediss://user:***@host:6379/0",
};

describe("the cache's settings as typed", () => {
  test("come back as they were, the hidden password's place too", () => {
    expect(settingsOf(draftOf(settings))).toEqual({ settings });
    expect(settingsOf({ ...draftOf(settings), shared_url: "  " })).toEqual({
      settings: { ...settings, shared_url: null },
    });
  });

  test("fractions of hours hold, with a point or a comma", () => {
    expect(settingsOf({ ...draftOf(settings), ttl_hours: "0,5" })).toEqual({
      settings: { ...settings, ttl_hours: 0.5 },
    });
  });

  test.each([
    ["ttl_hours", ""],
    ["ttl_hours", "-1"],
    ["not_found_ttl_minutes", "an hour"],
    ["max_mb", "0"],
    ["max_mb", "12.5"],
  ] as const)("%s of %j is marked", (field, text) => {
    expect(settingsOf({ ...draftOf(settings), [field]: text })).toMatchObject({ problem: { field } });
  });

  test("an engine's message belongs to the field it names", () => {
    expect(fieldIn("cache.max_mb must be at least 1")).toBe("max_mb");
    expect(fieldIn("cache.not_found_ttl_minutes must not be below 0")).toBe("not_found_ttl_minutes");
    expect(fieldIn("settings.json cannot be written")).toBeNull();
  });
});

describe("recipes", () => {
  test.each(recipes.map(({ tool, text }) => [tool, text]))(
    "%s has a place for address and key",
    (_, text) => {
      expect(text).toContain("127.0.0.1:8765");
      expect(text).toContain("YOUR_KEY");
      const own = filled(text, "127.0.0.1:51234", "hr_abc");
      expect(own).not.toMatch(/8765|YOUR_KEY/);
      expect(own).toContain("127.0.0.1:51234");
      expect(own).toContain("hr_abc");
    },
  );

  test("without a new key its place stays to be filled in", () => {
    expect(filled("http://127.0.0.1:8765 YOUR_KEY\n", "127.0.0.1:1", null)).toBe(
      "http://127.0.0.1:1 YOUR_KEY",
    );
  });
});
