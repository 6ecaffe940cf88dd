// What colour and sign mean, in words and numbers.
import { changeArrow, changeColour } from "../../design/colour.ts";
import { degrees } from "../../design/format.ts";
import type { View } from "./view.ts";
import styles from "./legend.module.css";

export function Legend({ view }: { view: View }) {
  if (view.name === "change") {
    return (
      <ul className={styles.words}>
        {[1, 0, -1].map((sign) => (
          <li key={sign}>
            <span aria-hidden style={{ color: changeColour(sign) }}>
              {changeArrow(sign)}
            </span>{" "}
            {sign > 0 ? "more budget" : sign < 0 ? "less budget" : "unchanged"}
          </li>
        ))}
      </ul>
    );
  }
  const steps = [-1, -0.5, 0, 0.5, 1].map((share) => view.colour(share * view.reach));
  return (
    <div className={styles.scale}>
      <span>− colder, {degrees(-view.reach, { signed: true })}</span>
      <span className={styles.ramp} style={{ background: `linear-gradient(to right, ${steps.join(", ")})` }} />
      <span>+ warmer, {degrees(view.reach, { signed: true })}</span>
    </div>
  );
}
