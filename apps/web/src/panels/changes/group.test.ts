// Every line lands in exactly one group, largest change first, and the sums are exact.
import { describe, expect, it } from "vitest";
import { changePlan, keepPlan } from "../../../fixtures/plans.ts";
import { groupLines, sumOf } from "./group.ts";

describe("groups of lines", () => {
  it("hold every line once, in the order up, unclear, down", () => {
    const groups = groupLines(changePlan.lines, "USD");
    expect(groups.map((group) => group.direction)).toEqual(["clearly_up", "unclear", "clearly_down"]);
    const grouped = groups.flatMap((group) => group.lines);
    expect(grouped).toHaveLength(changePlan.lines.length);
    expect(new Set(grouped)).toEqual(new Set(changePlan.lines));
  });

  it("put the largest change first, up or down, and equal ones by name", () => {
    for (const { lines } of groupLines(changePlan.lines, "USD")) {
      const sizes = lines.map((line) => Math.abs(line.change.minor));
      expect(sizes).toEqual([...sizes].sort((a, b) => b - a));
    }
    const unclear = groupLines(changePlan.lines, "USD").find((group) => group.direction === "unclear");
    expect(unclear?.lines[0]?.geo).toBe("atlanta");
  });

  it("do not depend on the order of the lines", () => {
    expect(groupLines([...changePlan.lines].reverse(), "USD")).toEqual(groupLines(changePlan.lines, "USD"));
  });

  it("add up to the plan's totals in whole minor units", () => {
    const groups = groupLines(changePlan.lines, "USD");
    const total = groups.reduce((sum, group) => sum + group.change.minor, 0);
    expect(total).toBe(changePlan.total_recommended.minor - changePlan.total_current.minor);
    expect(sumOf([], "EUR")).toEqual({ minor: 0, currency: "EUR" });
  });

  it("leave out what is empty: a kept plan has one group", () => {
    expect(groupLines(keepPlan.lines, "USD").map((group) => group.direction)).toEqual(["keep"]);
  });
});
