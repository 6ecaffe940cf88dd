// Why a line is as it is: the reason, the numbers behind it, and what could change it.
import type { PlanLine } from "../../api/contracts.ts";
import { type Fact, Facts } from "../../components/facts.tsx";
import { Ribbons } from "../../components/ribbons.tsx";
import { chance, likelihood, middle, probability, range, ratio } from "../../design/format.ts";
import { hasGain } from "./group.ts";
import styles from "./why.module.css";

export function Why({ line, unit }: { line: PlanLine; unit: string }) {
  return (
    <div className={styles.why}>
      <p>{line.reason}</p>
      {line.extrapolates && <Ribbons names={["extrapolates"]} />}
      <Facts facts={hasGain(line) ? [...gainFacts(line, unit), returnFact(line)] : [returnFact(line)]} />
      <p className={styles.mind}>
        <strong>What could change this:</strong> {line.would_change_our_mind}
      </p>
    </div>
  );
}

function gainFacts(line: PlanLine, unit: string): Fact[] {
  const { gain, chance_gain } = line;
  return [
    { name: "Gain over the period", value: `${middle(gain, unit, { signed: true })}, ${range(gain, unit, { signed: true })}` },
    ...(chance_gain === null
      ? []
      : [{ name: "Chance of a gain", value: `${chance(chance_gain)} · ${likelihood(chance_gain)} (${probability(chance_gain)})` }]),
  ];
}

function returnFact({ marginal_return }: PlanLine): Fact {
  const { p10, p50, p90 } = marginal_return;
  return { name: "The next unit of spend brings", value: `${ratio(p50)}, from ${ratio(p10)} to ${ratio(p90)}` };
}
