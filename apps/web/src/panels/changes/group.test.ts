// Every line lands in exactly one group, largest change first, and the sums are exact.
import { describe, expect, it } from "vitest";
import { changePlan, keepPlan } from "../../../fixtures/plans.ts";
import { shortDay } from "../../design/format.ts";
import { type Group, groupLines, sumOf } from "./group.ts";

const linesOf = (group: Group) => group.channels.flatMap((one) => one.lines);

describe("groups of lines", () => {
  it("hold every line once, in the order up, unclear, down", () => {
    const groups = groupLines(changePlan.lines, "USD");
    expect(groups.map((group) => group.direction)).toEqual(["clearly_up", "unclear", "clearly_down"]);
    const grouped = groups.flatMap(linesOf);
    expect(grouped).toHaveLength(changePlan.lines.length);
    expect(new Set(grouped)).toEqual(new Set(changePlan.lines));
  });

  it("put the largest change first, up or down, and unmoved lines by the size of their budget", () => {
    for (const { channels } of groupLines(changePlan.lines, "USD")) {
      for (const rows of [channels, ...channels.map((one) => one.lines)]) {
        const sizes = rows.map((row) => Math.abs(row.change.minor));
        expect(sizes).toEqual([...sizes].sort((a, b) => b - a));
      }
    }
    const unclear = groupLines(changePlan.lines, "USD").find((group) => group.direction === "unclear");
    for (const { lines } of unclear?.channels ?? []) {
      const budgets = lines.map((line) => line.current.minor);
      expect(budgets).toEqual([...budgets].sort((a, b) => b - a));
    }
  });

  it("keep the lines that a geo test holds in a group of their own, with the day", () => {
    const lines = changePlan.lines.map((line) => (line.channel === "search" ? { ...line, under_test_until: "2026-12-21" } : line));
    const groups = groupLines(lines, "USD");
    expect(groups.flatMap(linesOf)).toHaveLength(lines.length);
    const held = groups.filter((group) => group.key === "under_test");
    expect(held.map((group) => group.title)).toEqual(["Under test"]);
    expect(held[0]?.meaning).toContain(shortDay("2026-12-21"));
    expect(held.flatMap(linesOf).every((line) => line.channel === "search")).toBe(true);
    expect(groups.filter((group) => group.key !== "under_test").flatMap(linesOf).some((line) => line.channel === "search")).toBe(false);
  });

  it("add up by channel, in whole minor units", () => {
    const groups = groupLines(changePlan.lines, "USD");
    for (const group of groups) expect(group.channels.reduce((sum, one) => sum + one.change.minor, 0)).toBe(group.change.minor);
    const search = groups.flatMap((group) => group.channels).filter((one) => one.channel === "search");
    const lines = changePlan.lines.filter((line) => line.channel === "search");
    for (const key of ["current", "recommended"] as const) {
      expect(search.reduce((sum, one) => sum + one[key].minor, 0)).toBe(sumOf(lines, key, "USD").minor);
    }
  });

  it("do not depend on the order of the lines", () => {
    expect(groupLines([...changePlan.lines].reverse(), "USD")).toEqual(groupLines(changePlan.lines, "USD"));
  });

  it("add up to the plan's totals in whole minor units", () => {
    const groups = groupLines(changePlan.lines, "USD");
    const total = groups.reduce((sum, group) => sum + group.change.minor, 0);
    expect(total).toBe(changePlan.total_recommended.minor - changePlan.total_current.minor);
    expect(sumOf([], "change", "EUR")).toEqual({ minor: 0, currency: "EUR" });
  });

  it("leave out what is empty: a kept plan has one group", () => {
    expect(groupLines(keepPlan.lines, "USD").map((group) => group.direction)).toEqual(["keep"]);
  });
});
