// What the weather does to demand: by kind of weather, a line a category, with zero marked.
import type { WeatherEffect } from "../../api/contracts.ts";
import { Card } from "../../components/card.tsx";
import { type Domain, IntervalBar, domainOf } from "../../components/interval-bar.tsx";
import { share, shareRange, title } from "../../design/format.ts";
import styles from "./weather-effects.module.css";

const INDEX: Readonly<Record<string, string>> = { warm: "Warmth", cold: "Cold", wet: "Rain" };
const AT_FIRST = 5;

export function WeatherEffects({ effects }: { effects: readonly WeatherEffect[] }) {
  if (effects.length === 0) {
    return (
      <Card title="What the weather does">
        <p className={styles.teach}>
          Not known: this model holds no weather effect, so the plan does not follow the weather. With daily weather for
          each place, at least a year of it, what weather does to demand appears here with its range.
        </p>
      </Card>
    );
  }
  const domain = domainOf(effects.flatMap((effect) => [effect.rel_p05, effect.rel_p95]));
  const kinds = [...new Set(effects.map((effect) => effect.index))];
  return (
    <Card title="What the weather does">
      {kinds.map((kind) => (
        <Kind key={kind} effects={effects.filter((effect) => effect.index === kind)} domain={domain} />
      ))}
      <p className={styles.note}>Change of demand; the range holds 9 in 10 cases. The dashed line marks no effect; a grey bar may be no effect.</p>
    </Card>
  );
}

/** The effects of one kind of weather, the largest first. */
function Kind({ effects, domain }: { effects: readonly WeatherEffect[]; domain: Domain }) {
  const [first] = effects;
  if (first === undefined) return null;
  const sorted = [...effects].sort((a, b) => Math.abs(b.rel_p50) - Math.abs(a.rel_p50));
  const rest = sorted.slice(AT_FIRST);
  return (
    <section className={styles.kind}>
      <h3 className={styles.head}>
        <span className={styles.index}>{INDEX[first.index] ?? title(first.index)}</span> {first.unit}
      </h3>
      <Effects effects={sorted.slice(0, AT_FIRST)} domain={domain} />
      {rest.length > 0 && (
        <details>
          <summary className={styles.more}>{rest.length} more</summary>
          <Effects effects={rest} domain={domain} />
        </details>
      )}
    </section>
  );
}

function Effects({ effects, domain }: { effects: readonly WeatherEffect[]; domain: Domain }) {
  return (
    <ul className={styles.effects}>
      {effects.map((effect) => {
        const told = effect.rel_p05 > 0 || effect.rel_p95 < 0;
        const size = share(effect.rel_p50, { signed: true });
        const ends = shareRange(effect.rel_p05, effect.rel_p95, { signed: true });
        const name = title(effect.category);
        return (
          <li key={effect.category} className={styles.effect}>
            <span>{name}</span>
            <IntervalBar
              label={`${name}: demand ${size}, ${ends}, for ${effect.unit}${told ? "" : "; this may be no effect"}`}
              low={effect.rel_p05}
              middle={effect.rel_p50}
              high={effect.rel_p95}
              domain={domain}
              tone={!told ? "neutral" : effect.rel_p50 > 0 ? "up" : "down"}
            />
            <span className={styles.size}>
              <strong>{size}</strong> <span className={styles.ends}>{ends}</span>
            </span>
          </li>
        );
      })}
    </ul>
  );
}
