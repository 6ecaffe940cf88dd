// Where: each place by the weather that is coming or by the change of its budget, on a map or as a table.
import { Skeleton } from "@mantine/core";
import { Suspense, lazy, useState } from "react";
import type { GeoOutlook } from "../../api/contracts.ts";
import { Card } from "../../components/card.tsx";
import { Choice } from "../../components/choice.tsx";
import { Legend } from "./legend.tsx";
import { OnePlace } from "./one-place.tsx";
import { PlaceTable } from "./place-table.tsx";
import { type View, type ViewName, describe, views } from "./view.ts";
import styles from "./place-map.module.css";

const UsMap = lazy(() => import("./us-map.tsx"));

interface PlaceMapProps {
  geos: readonly GeoOutlook[];
  currency: string;
  /** What demand is counted in. */
  unit: string;
}

export function PlaceMap({ geos, currency, unit }: PlaceMapProps) {
  const placed = geos.filter((geo) => geo.latitude !== null && geo.longitude !== null);
  const possible = views(geos);
  const [chosen, setChosen] = useState<ViewName>();
  const [asTable, setAsTable] = useState(false);
  const view = possible.find((one) => one.name === chosen) ?? possible[0];
  if (view === undefined) return null;
  const noMap = placed.length === 0;
  const [only] = geos;
  if (noMap && geos.length === 1 && only !== undefined) return <OnePlace geo={only} unit={unit} />;
  const hasWeather = possible.some((one) => one.name === "weather");
  return (
    <Card
      title="Where"
      aside={
        <div className={styles.switches}>
          {possible.length > 1 && (
            <Choice
              label="What the places show"
              options={possible.map((one) => ({ value: one.name, label: one.label }))}
              value={view.name}
              onChange={setChosen}
            />
          )}
          {!noMap && (
            <button
              type="button"
              className={styles.link}
              onClick={() => {
                setAsTable(!asTable);
              }}
            >
              {asTable ? "as map" : "as table"}
            </button>
          )}
        </div>
      }
    >
      {noMap && (
        <p className={styles.teach}>
          There is no map, because these places have no coordinates. Give each place a latitude and a longitude in your
          mapping file, and it appears here with the weather that is coming.
        </p>
      )}
      {!noMap && !hasWeather && (
        <p className={styles.teach}>No forecast of the weather is stored for these places, so the map shows budgets alone.</p>
      )}
      {noMap || asTable ? (
        <PlaceTable geos={geos} unit={unit} />
      ) : (
        <Drawn placed={placed} view={view} currency={currency} />
      )}
    </Card>
  );
}

function Drawn({ placed, view, currency }: { placed: readonly GeoOutlook[]; view: View; currency: string }) {
  const [picked, setPicked] = useState<string>();
  const most = [...placed].sort((a, b) => Math.abs(view.value(b) ?? 0) - Math.abs(view.value(a) ?? 0))[0];
  const active = placed.find((geo) => geo.geo === picked) ?? most;
  return (
    <>
      <Suspense fallback={<Skeleton className={styles.waiting} />}>
        <UsMap geos={placed} view={view} active={active?.geo} onPick={setPicked} describe={(geo) => describe(geo, currency)} />
      </Suspense>
      <Legend view={view} />
      {active && (
        <p className={styles.readout} aria-live="polite">
          <strong>{active.name}</strong>: {describe(active, currency)}
        </p>
      )}
    </>
  );
}
