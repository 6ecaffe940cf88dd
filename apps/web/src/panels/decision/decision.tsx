// The decision: one sentence, the chance that it is right, the range, and what could change it.
import type { BudgetPlan } from "../../api/contracts.ts";
import { Facts } from "../../components/facts.tsx";
import { IntervalBar, domainOf } from "../../components/interval-bar.tsx";
import { MoneyText } from "../../components/money-text.tsx";
import { Ribbons } from "../../components/ribbons.tsx";
import { chance, likelihood, middle, probability, range } from "../../design/format.ts";
import styles from "./decision.module.css";

interface DecisionProps {
  plan: BudgetPlan;
  /** What outcomes are counted in: a currency code or a word. */
  unit: string;
  stale: boolean;
}

export function Decision({ plan, unit, stale }: DecisionProps) {
  return (
    <section className={styles.decision} aria-label="The decision">
      <Ribbons names={stale ? [...plan.ribbons, "stale"] : plan.ribbons} explain />
      <div className={styles.top}>
        <h1 className={styles.sentence}>{plan.sentence}</h1>
        {plan.verdict === "change" && <HowSure plan={plan} unit={unit} />}
        <div className={styles.reasons}>
          {[plan.reason, plan.now_sentence, plan.total_sentence].filter(Boolean).map((said) => <p key={said}>{said}</p>)}
        </div>
      </div>
      <div className={styles.below}>
        <Points title="What could change this" points={plan.would_change_our_mind} />
        <Points title="Keep in mind" points={plan.caveats.filter((one) => !plan.reason.includes(one))} shown={3} />
      </div>
    </section>
  );
}

function HowSure({ plan, unit }: { plan: BudgetPlan; unit: string }) {
  const gain = plan.gain;
  const total = plan.total_recommended.minor - plan.total_current.minor;
  const words = `${middle(gain, unit, { signed: true })}, ${range(gain, unit, { signed: true })}`;
  return (
    <div className={styles.sure}>
      <Facts
        facts={[
          {
            name: "Chance that it beats today's split",
            value: plan.chance_gain === null ? "not known" : (
              <>
                <strong>{chance(plan.chance_gain)}</strong> · {likelihood(plan.chance_gain)} (
                <data value={String(plan.chance_gain)}>{probability(plan.chance_gain)}</data>)
              </>
            ),
          },
          {
            name: "Budget of the period",
            value: (
              <>
                <MoneyText amount={plan.total_recommended} />
                {total === 0 ? ", as now" : <>, now <MoneyText amount={plan.total_current} /></>}
              </>
            ),
          },
        ]}
      />
      <figure className={styles.gain}>
        <figcaption className={styles.caption}>
          <span className={styles.name}>Gain over today's split (left of the dashed line is a loss)</span>
          <strong>{middle(gain, unit, { signed: true })}</strong>, {range(gain, unit, { signed: true })} in 8 of 10 cases
        </figcaption>
        <IntervalBar
          label={`Gain: most likely ${words}; the dashed line marks zero`}
          low={gain.p10}
          middle={gain.p50}
          high={gain.p90}
          domain={domainOf([gain.p10, gain.p90])}
          tone={gain.p50 < 0 ? "down" : "up"}
        />
      </figure>
    </div>
  );
}

function Points({ title, points, shown = points.length }: { title: string; points: readonly string[]; shown?: number }) {
  if (points.length === 0) return null;
  return (
    <div className={styles.points}>
      <h2>{title}</h2>
      <ul>
        {points.slice(0, shown).map((point) => (
          <li key={point}>{point}</li>
        ))}
      </ul>
      {points.length > shown && (
        <details>
          <summary>{points.length - shown} more</summary>
          <ul>
            {points.slice(shown).map((point) => (
              <li key={point}>{point}</li>
            ))}
          </ul>
        </details>
      )}
    </div>
  );
}
