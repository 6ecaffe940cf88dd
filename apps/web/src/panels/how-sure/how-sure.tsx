// How sure: how often past ranges held, and our error beside the simplest forecasts there are.
import type { ForecastQuality } from "../../api/contracts.ts";
import { Card } from "../../components/card.tsx";
import { IntervalBar } from "../../components/interval-bar.tsx";
import { Ribbons } from "../../components/ribbons.tsx";
import { count, share, shareRange, shortDay, title } from "../../design/format.ts";
import styles from "./how-sure.module.css";

/** What the range promises: eight in ten. */
const PROMISED = 0.8;

export function HowSure({ quality }: { quality: ForecastQuality }) {
  const { coverage_80: coverage, coverage_low: low, coverage_high: high, n } = quality;
  const words = `${share(coverage)} of ${count(n)} past outcomes were inside the range, ${shareRange(low, high)}; it promises ${share(PROMISED)}`;
  const worst = Math.max(...quality.scores.map((score) => score.wape), 0);
  return (
    <Card
      title="How sure"
      aside={quality.verdict === "calibrated" ? <span className={styles.good}>✓ calibrated</span> : <Ribbons names={["not_calibrated"]} />}
    >
      <div className={styles.body}>
        <p>
          {title(quality.verdict)}. {quality.sentence}
        </p>
        <div>
          <p className={styles.label}>
            Inside the range: <strong>{share(coverage)}</strong> of {count(n)} past outcomes, {shareRange(low, high)}. The dashed
            line marks the promised 80 %.
          </p>
          <IntervalBar label={words} low={low} middle={coverage} high={high} domain={[Math.min(0.5, low), 1]} mark={PROMISED} />
        </div>
        <div>
          <p className={styles.label}>
            Error of past forecasts, as a share of demand: shorter is better
            {typeof quality.issued_wape === "number" && `. As issued, by the method chosen at the time: ${share(quality.issued_wape)}`}
          </p>
          <ul className={styles.scores}>
            {quality.scores.map((score) => (
              <li key={score.method} data-ours={score.method === quality.chosen}>
                <span>
                  {title(score.method)}
                  {score.method === quality.chosen && <span className={styles.ours}> · ours</span>}
                </span>
                <span className={styles.track}>
                  <span className={styles.error} style={{ width: `${String(worst > 0 ? (100 * score.wape) / worst : 0)}%` }} />
                </span>
                <data value={String(score.wape)}>{share(score.wape)}</data>
              </li>
            ))}
          </ul>
        </div>
        <Origins quality={quality} />
      </div>
    </Card>
  );
}

function Origins({ quality }: { quality: ForecastQuality }) {
  const { origins } = quality;
  const [first, last] = [origins[0], origins.at(-1)];
  if (first === undefined || last === undefined) return null;
  const when = origins.length === 1 ? `on ${shortDay(first)}` : `between ${shortDay(first)} and ${shortDay(last)}`;
  return (
    <p className={styles.label}>
      Measured on forecasts made at {count(origins.length)} {origins.length === 1 ? "time" : "times"}, {when}, with nothing
      known later.
    </p>
  );
}
