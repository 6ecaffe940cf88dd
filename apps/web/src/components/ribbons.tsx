// Labelled ribbons: what a reader must know before believing a card, in words on the card itself.
import type { Ribbon } from "../api/contracts.ts";
import styles from "./ribbons.module.css";

export type RibbonName = Ribbon | "stale";

const WORDS: Record<RibbonName, { label: string; meaning: string }> = {
  demo: { label: "Demo", meaning: "every number here is generated" },
  not_calibrated: { label: "Not calibrated", meaning: "the ranges have not been shown to hold" },
  no_media_signal: { label: "No media signal", meaning: "what ads bring in cannot be told from zero" },
  no_weather_forecast: { label: "No weather forecast", meaning: "the weather that is coming is not in this plan" },
  extrapolates: { label: "Beyond what was observed", meaning: "some budgets are higher than any seen so far" },
  stale: { label: "Out of date", meaning: "the days it plans for have passed" },
};

export function Ribbons({ names, explain = false }: { names: readonly RibbonName[]; explain?: boolean }) {
  if (names.length === 0) return null;
  return (
    <ul className={styles.list} aria-label="Please note">
      {names.map((name) => (
        <li key={name} className={styles.item}>
          <span className={styles.ribbon}>{WORDS[name].label}</span>
          {explain && <span className={styles.meaning}>{WORDS[name].meaning}</span>}
        </li>
      ))}
    </ul>
  );
}
