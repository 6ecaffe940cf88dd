// Lines in the groups a reader acts on; inside a group the largest change stands first, and nothing else is ranked.
import type { Direction, Money, PlanLine } from "../../api/contracts.ts";

export interface Group {
  direction: Direction;
  title: string;
  /** What the group means, in half a sentence. */
  meaning: string;
  lines: PlanLine[];
  change: Money;
}

const GROUPS: readonly { direction: Direction; title: string; meaning: string }[] = [
  { direction: "clearly_up", title: "Clearly up", meaning: "more budget pays back" },
  { direction: "unclear", title: "Unclear", meaning: "a gain cannot be told from a loss" },
  { direction: "clearly_down", title: "Clearly down", meaning: "the money does more elsewhere" },
  { direction: "keep", title: "Kept", meaning: "no reason or no room to move it" },
];

/** The groups that hold a line, in the order a reader acts on them. */
export function groupLines(lines: readonly PlanLine[], currency: string): Group[] {
  return GROUPS.map((group) => {
    const own = lines.filter((line) => line.direction === group.direction).sort(byChange);
    return { ...group, lines: own, change: sumOf(own, currency) };
  }).filter((group) => group.lines.length > 0);
}

/** Whether the line is moved and so has a gain; one that stays has none to show. */
export function hasGain({ gain }: PlanLine): boolean {
  return gain.p10 !== 0 || gain.p90 !== 0;
}

/** The sum of the lines' changes, exact in minor units. */
export function sumOf(lines: readonly PlanLine[], currency: string): Money {
  return { minor: lines.reduce((sum, line) => sum + line.change.minor, 0), currency };
}

function byChange(a: PlanLine, b: PlanLine): number {
  const larger = Math.abs(b.change.minor) - Math.abs(a.change.minor);
  return larger !== 0 ? larger : `${a.geo} ${a.channel}`.localeCompare(`${b.geo} ${b.channel}`);
}
