// What the screen may say of a number: units, signs, precision, words; and that the reports say it alike.
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import * as format from "./format.ts";

const spaced = (text: string) => text.replaceAll("\u00a0", " ");
const usd = (minor: number) => ({ minor, currency: "USD" });

interface Case {
  figure: string;
  of: number[];
  unit: string;
  signed: boolean;
  text: string;
}

const CASES = (JSON.parse(readFileSync("fixtures/figures.json", "utf8")) as { cases: Case[] }).cases;

function written({ figure, of, unit, signed }: Case): string {
  const [first = NaN, second = NaN, third = NaN] = of;
  switch (figure) {
    case "amount":
      return format.amount(first, unit, second, { signed });
    case "spread": {
      const interval = { p10: first, p50: second, p90: third };
      return `most likely ${format.middle(interval, unit, { signed })} (${format.range(interval, unit, { signed })})`;
    }
    case "whole_money":
      return format.wholeMoney({ minor: first, currency: unit }, { signed });
    case "share":
      return format.share(first, { signed });
    case "ratio":
      return format.ratio(first);
    case "ratios":
      return format.ratios(...of).join(" ");
    case "chance":
      return format.chance(first);
    case "likelihood":
      return format.likelihood(first);
    default:
      throw new Error(`no figure ${figure}`);
  }
}

describe("figures the reports write too", () => {
  it.each(CASES)("$figure of $of is $text", (one) => {
    expect(spaced(written(one))).toBe(one.text);
  });

  it("cover every kind", () => {
    expect(new Set(CASES.map((one) => one.figure)).size).toBe(8);
  });
});

describe("money", () => {
  it("never shows a negative nothing", () => {
    expect(format.wholeMoney(usd(-20), { signed: true })).toBe("$0");
    expect(format.amount(-3, "USD", 100, { signed: true })).toBe("$0");
    expect(format.decimal(-0.001, 1, { signed: true })).toBe("0.0");
  });

  it("shares its table of minor digits with contracts/money.py", () => {
    const python = readFileSync("../../src/weathervane/contracts/money.py", "utf8");
    const table = /_MINOR_DIGITS = \{(.*?)\}/s.exec(python)?.[1] ?? "";
    const theirs = Object.fromEntries([...table.matchAll(/"([A-Z]{3})": (\d)/g)].map((m) => [m[1], Number(m[2])]));
    expect(format.MINOR_DIGITS).toEqual(theirs);
  });
});

describe("ranges", () => {
  it("are from … to …, at one precision", () => {
    expect(format.range({ p10: -9_214, p50: 61_238, p90: 138_402 }, "USD", { signed: true })).toBe("from −$9k to +$138k");
    expect(spaced(format.shareRange(0.742, 0.831))).toBe("from 74 % to 83 %");
  });
});

describe("days and weather", () => {
  it("are short and local", () => {
    expect(spaced(format.shortDay("2026-11-23"))).toBe("Mon 23 Nov");
    expect(spaced(format.shortDay("2026-11-23", { year: true }))).toBe("Mon 23 Nov 2026");
    expect(spaced(format.period("2026-11-23", "2026-11-29"))).toBe("week of Mon 23 Nov");
    expect(spaced(format.period("2026-11-23", "2026-12-20"))).toBe("Mon 23 Nov to Sun 20 Dec");
    expect(spaced(format.instant("2026-11-22T06:10:00Z"))).toBe("22 Nov 2026, 06:10 UTC");
  });

  it("say warmer or colder in words", () => {
    expect(spaced(format.anomaly(6.24))).toBe("6.2 °C warmer than normal");
    expect(spaced(format.anomaly(-0.5))).toBe("0.5 °C colder than normal");
    expect(format.anomaly(0.01)).toBe("as warm as normal");
  });
});

describe("names", () => {
  it("read as a person writes them", () => {
    expect(format.title("new-york")).toBe("New york");
    expect(format.title("paid_social")).toBe("Paid social");
    expect(format.title("linear_tv")).toBe("Linear TV");
  });
});

describe("a probability", () => {
  it("is never certain", () => {
    expect([0, 0.004, 0.62, 0.9899, 0.99, 1].map((value) => spaced(format.probability(value)))).toEqual([
      "3 %", "3 %", "62 %", "97 %", "97 %", "97 %",
    ]);
  });
});
