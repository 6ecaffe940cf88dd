// How the plan was made: the machinery, two steps below the decision, for those who do not believe it yet.
import type { BudgetPlan } from "../../api/contracts.ts";
import { type Fact, Facts } from "../../components/facts.tsx";
import { amount, count, decimal, instant, share, shortDay, wholeMoney } from "../../design/format.ts";
import styles from "./how-made.module.css";

export function HowMade({ plan, unit }: { plan: BudgetPlan; unit: string }) {
  const { grain } = plan;
  return (
    <details className={styles.made}>
      <summary>How this plan was made</summary>
      <div className={styles.body}>
        <p>{grain.reason}</p>
        {grain.rejected.length > 0 && (
          <ul className={styles.rejected}>
            {grain.rejected.map((one) => (
              <li key={one.grain}>
                Not by {one.grain}: {one.because}
              </li>
            ))}
          </ul>
        )}
        <Facts facts={[...modelFacts(plan), ...planFacts(plan, unit)]} />
        <ul className={styles.hashes}>
          {Object.entries(plan.data_hashes).map(([table, hash]) => (
            <li key={table}>
              {table} <code title={hash}>{hash.slice(0, 12)}</code>
            </li>
          ))}
        </ul>
      </div>
    </details>
  );
}

function modelFacts({ model, grain }: BudgetPlan): Fact[] {
  return [
    { name: "Data", value: `${count(grain.n_days)} days, weather on ${share(grain.weather_complete_share)} of them` },
    { name: "Model", value: `${model.engine}, fitted through ${shortDay(model.fitted_through, { year: true })}` },
    {
      name: "Convergence",
      value: `R-hat ${decimal(model.rhat_max, 3)}, ${count(model.ess_min)} effective draws, ${count(model.divergences)} divergences`,
    },
  ];
}

function planFacts({ limits, certificate, generated_at, plan_id }: BudgetPlan, unit: string): Fact[] {
  const total = limits.total ? wholeMoney(limits.total) : "as now";
  const spread = Math.abs(certificate.upper_bound) / 10;
  return [
    { name: "Limits", value: `total ${total}, each line at most ${share(limits.max_change_rel)} up or down` },
    {
      name: "Distance from the best",
      value: `${share(certificate.gap_rel)} at most, of ${amount(certificate.upper_bound, unit, spread > 0 ? 10 ** Math.floor(Math.log10(spread) - 1) : 1)}`,
    },
    { name: "Plan", value: `${plan_id}, made ${instant(generated_at)}` },
  ];
}
