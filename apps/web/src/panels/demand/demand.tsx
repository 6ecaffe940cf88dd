// Demand: what happened as dots, what is forecast as a band, and the weather above both.
import { Skeleton } from "@mantine/core";
import { Suspense, lazy, useState } from "react";
import type { DemandDay, Period } from "../../api/contracts.ts";
import { Card } from "../../components/card.tsx";
import { DataTable } from "../../components/data-table.tsx";
import { type RibbonName, Ribbons } from "../../components/ribbons.tsx";
import { decimal, isCurrency, middle, range, shortDay } from "../../design/format.ts";
import styles from "./demand.module.css";

const DemandChart = lazy(() => import("./demand-chart.tsx"));

const TITLE = "Demand, so far and ahead";

interface DemandProps {
  days: readonly DemandDay[];
  unit: string;
  /** The days the plan is for. */
  period: Period;
  ribbons: readonly RibbonName[];
}

export function Demand({ days, unit, period, ribbons }: DemandProps) {
  const [asTable, setAsTable] = useState(false);
  const ahead = days.filter((day) => day.forecast !== null);
  const hasWeather = days.some((day) => day.temp_anomaly_z !== null);
  return (
    <Card
      title={isCurrency(unit) ? TITLE : `${TITLE}, in ${unit}`}
      aside={
        <div className={styles.aside}>
          <Ribbons names={ribbons} />
          <button
            type="button"
            className={styles.link}
            onClick={() => {
              setAsTable(!asTable);
            }}
          >
            {asTable ? "as chart" : "as table"}
          </button>
        </div>
      }
    >
      {asTable ? (
        <ForecastTable days={ahead} unit={unit} />
      ) : (
        <Suspense fallback={<Skeleton height={320} />}>
          <DemandChart days={days} unit={unit} period={period} />
        </Suspense>
      )}
      {!asTable && <Key hasWeather={hasWeather} />}
    </Card>
  );
}

function Key({ hasWeather }: { hasWeather: boolean }) {
  return (
    <ul className={styles.key}>
      <li>
        <span className={styles.dot} /> what happened
      </li>
      <li>
        <span className={styles.line} /> most likely
      </li>
      <li>
        <span className={styles.band} /> 8 in 10 cases
      </li>
      <li>
        <span className={styles.planned} /> the days of the plan
      </li>
      {hasWeather && (
        <li>
          <span className={styles.ramp} /> colder to warmer than normal
        </li>
      )}
    </ul>
  );
}

function ForecastTable({ days, unit }: { days: readonly DemandDay[]; unit: string }) {
  return (
    <DataTable
      label="Forecast of demand"
      rows={days}
      keyOf={(day) => day.date}
      columns={[
        { title: "Day", cell: (day) => shortDay(day.date), words: true },
        { title: "Most likely", cell: (day) => day.forecast && middle(day.forecast, unit) },
        { title: "8 in 10 cases", cell: (day) => day.forecast && range(day.forecast, unit) },
        {
          title: "Temperature against normal, in usual swings of these places",
          cell: (day) => (day.temp_anomaly_z === null ? "not known" : decimal(day.temp_anomaly_z, 1, { signed: true })),
        },
      ]}
    />
  );
}
