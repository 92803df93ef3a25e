import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Budget } from "../contract/contract";
import { budgetOf, draftOf, fieldIn, sameBudget } from "./draft";

const budget = fc.record({
  spacing_ms: fc.nat(60_000),
  windows: fc.array(
    fc.record({ seconds: fc.integer({ min: 1, max: 86_400 }), calls: fc.integer({ min: 1, max: 9999 }) }),
    {
      maxLength: 4,
    },
  ),
  quota: fc.option(fc.record({ hours: fc.constant(24), calls: fc.integer({ min: 1, max: 99_999 }) })),
});

describe("limits as typed", () => {
  test("a budget survives being shown and read again", () => {
    fc.assert(
      fc.property(budget, (given: Budget) => {
        const read = budgetOf(draftOf(given));
        expect("budget" in read && sameBudget(read.budget, given)).toBe(true);
      }),
    );
  });

  test("what is wrong is said with its field", () => {
    const draft = draftOf({ spacing_ms: 0, windows: [{ seconds: 5, calls: 45 }], quota: null });
    const problem = (change: Partial<typeof draft>) => {
      const read = budgetOf({ ...draft, ...change });
      return "problem" in read ? read.problem.field : null;
    };
    expect(problem({})).toBeNull();
    expect(problem({ spacing: "soon" })).toBe("spacing");
    expect(problem({ windows: [{ calls: "", seconds: "5" }] })).toBe("calls-0");
    expect(problem({ windows: [{ calls: "1.5", seconds: "5" }] })).toBe("calls-0");
    expect(problem({ windows: [{ calls: "1", seconds: "0" }] })).toBe("seconds-0");
    expect(problem({ quota: "many" })).toBe("quota");
  });

  test("a comma is a point: people type both", () => {
    const read = budgetOf({ spacing: "1,05", windows: [], quota: "" });
    expect("budget" in read && read.budget.spacing_ms).toBe(1050);
  });

  test("the engine's message leads to its field", () => {
    expect(fieldIn("services.deezer.budget.windows[1].calls must be above zero")).toBe("calls-1");
    expect(fieldIn("services.deezer.budget.spacing_ms is too long")).toBe("spacing");
    expect(fieldIn("services.deezer.budget.quota.calls")).toBe("quota");
    expect(fieldIn("no")).toBeNull();
  });
});
