// The one way an estimate is drawn: outer range, inner range, a thin middle, and zero (or another mark) always shown.
import styles from "./interval-bar.module.css";

interface IntervalBarProps {
  /** What a screen reader says: the same words that stand beside the bar. */
  label: string;
  low: number;
  middle: number;
  high: number;
  /** A wider range drawn fainter, if there is one. */
  outer?: { low: number; high: number };
  domain: Domain;
  /** Where the reference line stands: no effect, or a target. */
  mark?: number;
  tone?: "up" | "down" | "neutral";
}

export type Domain = readonly [number, number];

export function IntervalBar({ label, low, middle, high, outer, domain, mark = 0, tone = "neutral" }: IntervalBarProps) {
  const at = (value: number) => `${String(position(value, domain))}%`;
  const across = (from: number, to: number) => ({ left: at(from), right: `${String(100 - position(to, domain))}%` });
  return (
    <div className={styles.bar} role="img" aria-label={label} data-tone={tone}>
      {outer && <span className={styles.outer} style={across(outer.low, outer.high)} />}
      <span className={styles.inner} style={across(low, high)} />
      <span className={styles.mark} style={{ left: at(mark) }} />
      <span className={styles.middle} style={{ left: at(middle) }} />
    </div>
  );
}

/** A domain that holds every given number and zero, with a little air. */
export function domainOf(values: readonly number[]): Domain {
  const low = Math.min(0, ...values);
  const high = Math.max(0, ...values);
  const air = (high - low || 1) * 0.04;
  return [low - air, high + air];
}

function position(value: number, [low, high]: Domain): number {
  const share = (value - low) / (high - low || 1);
  return Math.round(Math.min(1, Math.max(0, share)) * 1000) / 10;
}
