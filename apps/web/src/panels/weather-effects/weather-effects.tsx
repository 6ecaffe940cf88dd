// What the weather does to demand: per category and kind of weather, with zero marked.
import type { WeatherEffect } from "../../api/contracts.ts";
import { Card } from "../../components/card.tsx";
import { IntervalBar, domainOf } from "../../components/interval-bar.tsx";
import { share, shareRange, title } from "../../design/format.ts";
import styles from "./weather-effects.module.css";

const INDEX: Readonly<Record<string, string>> = { warm: "warmth", cold: "cold", wet: "rain" };

export function WeatherEffects({ effects }: { effects: readonly WeatherEffect[] }) {
  if (effects.length === 0) {
    return (
      <Card title="What the weather does">
        <p className={styles.note}>
          This model holds no weather effect. Import daily weather for your places beside at least a year of sales, and
          what weather does to demand appears here, with its range.
        </p>
      </Card>
    );
  }
  const domain = domainOf(effects.flatMap((effect) => [effect.rel_p05, effect.rel_p95]));
  return (
    <Card title="What the weather does">
      <ul className={styles.effects}>
        {effects.map((effect) => {
          const told = effect.rel_p05 > 0 || effect.rel_p95 < 0;
          const words = `${share(effect.rel_p50, { signed: true })} (${shareRange(effect.rel_p05, effect.rel_p95, { signed: true })})`;
          const name = `${title(effect.category)} · ${INDEX[effect.index] ?? effect.index}`;
          return (
            <li key={`${effect.category} ${effect.index}`}>
              <p className={styles.head}>
                <strong>{name}</strong>
                <span className={styles.size}>{words}</span>
              </p>
              <IntervalBar
                label={`${name}: demand ${words} for ${effect.unit}`}
                low={effect.rel_p05}
                middle={effect.rel_p50}
                high={effect.rel_p95}
                domain={domain}
                tone={!told ? "neutral" : effect.rel_p50 > 0 ? "up" : "down"}
              />
              <p className={styles.note}>
                Demand for {effect.unit}{told ? "" : ": cannot be told from zero"}
              </p>
            </li>
          );
        })}
      </ul>
      <p className={styles.note}>Ranges hold 9 in 10 cases; dashed: no effect.</p>
    </Card>
  );
}
