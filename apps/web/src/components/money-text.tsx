// An amount as text, with its exact value for machines.
import type { Money } from "../api/contracts.ts";
import { changeArrow, changeColour } from "../design/colour.ts";
import { major, wholeMoney } from "../design/format.ts";
import styles from "./money-text.module.css";

export function MoneyText({ amount }: { amount: Money }) {
  return <data value={String(major(amount))}>{wholeMoney(amount)}</data>;
}

/** A change of budget: arrow, sign and colour say the same thing; no change stays quiet. */
export function MoneyChange({ amount }: { amount: Money }) {
  return (
    <span className={styles.change} data-none={amount.minor === 0} style={{ color: changeColour(amount.minor) }}>
      {amount.minor !== 0 && (
        <span aria-hidden className={styles.arrow}>
          {changeArrow(amount.minor)}
        </span>
      )}
      <data value={String(major(amount))}>{wholeMoney(amount, { signed: true })}</data>
    </span>
  );
}
