// Lines in the groups a reader acts on, and in each by channel; the largest change stands first, and nothing else is ranked.
import type { Direction, Money, PlanLine } from "../../api/contracts.ts";
import { shortDay } from "../../design/format.ts";

export interface Group {
  key: Direction | "under_test";
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
  const free = lines.filter((line) => !line.under_test_until);
  const groups = GROUPS.map((group) => {
    const own = free.filter((line) => line.direction === group.direction);
    return { ...group, key: group.direction, ...sums(own, currency) };
  });
  return [...groups, ...underTest(lines, currency)].filter((group) => group.count > 0);
}

/** The lines that a geo test holds, by the day until which it holds them. */
function underTest(lines: readonly PlanLine[], currency: string): Group[] {
  const days = [...new Set(lines.flatMap((line) => line.under_test_until ?? []))].sort();
  return days.map((until) => ({
    key: "under_test",
    direction: "keep",
    title: "Under test",
    meaning: `a geo test holds these budgets until ${shortDay(until)}`,
    ...sums(
      lines.filter((line) => line.under_test_until === until),
      currency,
    ),
  }));
}

function sums(own: readonly PlanLine[], currency: string): Pick<Group, "count" | "change" | "channels"> {
  return { count: own.length, change: sumOf(own, "change", currency), channels: byChannel(own, currency) };
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
