// A single place without coordinates: nothing to map, so its outlook in words.
import type { GeoOutlook } from "../../api/contracts.ts";
import { Card } from "../../components/card.tsx";
import { Facts } from "../../components/facts.tsx";
import { anomaly, middle, range, share, wholeMoney } from "../../design/format.ts";
import { changeOf } from "./view.ts";
import styles from "./place-map.module.css";

export function OnePlace({ geo, unit }: { geo: GeoOutlook; unit: string }) {
  const change = changeOf(geo);
  const weather = geo.temp_anomaly_c === null ? "no forecast" : anomaly(geo.temp_anomaly_c);
  const effect = geo.demand_weather_rel === null ? "" : `, demand ${share(geo.demand_weather_rel, { signed: true })} by it`;
  return (
    <Card title={`Where: ${geo.name}`}>
      <p className={styles.teach}>
        Sales and spend come for one place, so there is no map. By state or city, the plan could follow the weather from
        place to place.
      </p>
      <Facts
        facts={[
          { name: "Demand over the period", value: `${middle(geo.demand, unit)}, ${range(geo.demand, unit)}` },
          {
            name: "Budget over the period",
            value: `${wholeMoney(geo.recommended)}, ${change.minor === 0 ? "as now" : wholeMoney(change, { signed: true })}`,
          },
          { name: "Weather", value: `${weather}${effect}` },
        ]}
      />
    </Card>
  );
}
