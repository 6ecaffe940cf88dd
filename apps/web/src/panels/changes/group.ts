// Lines in the groups a reader acts on, and in each by channel; the largest change stands first, and nothing else is ranked.
import type { Direction, Money, PlanLine } from "../../api/contracts.ts";

export interface Group {
  direction: Direction;
  title: string;
  /** What the group means, in half a sentence. */
  meaning: string;
  count: number;
  change: Money;
  channels: ChannelLines[];
}

/** One channel's lines inside a group, with their exact sums. */
export interface ChannelLines {
  channel: string;
  lines: PlanLine[];
  current: Money;
  recommended: Money;
  change: Money;
}

const GROUPS: readonly { direction: Direction; title: string; meaning: string }[] = [
  { direction: "clearly_up", title: "Clearly up", meaning: "the next unit of money clearly brings more than on average" },
  { direction: "unclear", title: "Unclear", meaning: "a gain cannot be told from a loss" },
  { direction: "clearly_down", title: "Clearly down", meaning: "the money does more elsewhere" },
  { direction: "keep", title: "Kept", meaning: "no reason or no room to move it" },
];

/** The groups that hold a line, in the order a reader acts on them. */
export function groupLines(lines: readonly PlanLine[], currency: string): Group[] {
  return GROUPS.map((group) => {
    const own = lines.filter((line) => line.direction === group.direction);
    return { ...group, count: own.length, change: sumOf(own, "change", currency), channels: byChannel(own, currency) };
  }).filter((group) => group.count > 0);
}

function byChannel(lines: readonly PlanLine[], currency: string): ChannelLines[] {
  return [...new Set(lines.map((line) => line.channel))]
    .map((channel) => {
      const own = lines.filter((line) => line.channel === channel).sort(largestFirst);
      const sum = (key: Amount) => sumOf(own, key, currency);
      return { channel, lines: own, current: sum("current"), recommended: sum("recommended"), change: sum("change") };
    })
    .sort(largestFirst);
}

/** Whether the line is moved and so has a gain; one that stays has none to show. */
export function hasGain({ gain }: PlanLine): boolean {
  return gain.p10 !== 0 || gain.p90 !== 0;
}

type Amount = "current" | "recommended" | "change";

/** The sum over the lines, exact in minor units. */
export function sumOf(lines: readonly PlanLine[], key: Amount, currency: string): Money {
  return { minor: lines.reduce((sum, line) => sum + line[key].minor, 0), currency };
}

type Ordered = Pick<PlanLine, "channel" | "change" | "current"> & { geo?: string };

/** The largest change, then the largest budget, then by name, so that the order of the data never shows. */
function largestFirst(a: Ordered, b: Ordered): number {
  const change = Math.abs(b.change.minor) - Math.abs(a.change.minor);
  if (change !== 0) return change;
  const budget = b.current.minor - a.current.minor;
  return budget !== 0 ? budget : `${a.geo ?? ""} ${a.channel}`.localeCompare(`${b.geo ?? ""} ${b.channel}`);
}
