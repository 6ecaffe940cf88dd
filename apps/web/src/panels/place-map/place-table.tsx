// The same places as a table: everything the map can show, and what it cannot.
import type { GeoOutlook } from "../../api/contracts.ts";
import { DataTable } from "../../components/data-table.tsx";
import { MoneyChange, MoneyText } from "../../components/money-text.tsx";
import { decimal, degrees, middle, range, share } from "../../design/format.ts";
import { changeOf } from "./view.ts";

const UNKNOWN = "not known";

export function PlaceTable({ geos, unit }: { geos: readonly GeoOutlook[]; unit: string }) {
  return (
    <DataTable
      label="Places"
      rows={geos}
      keyOf={(geo) => geo.geo}
      columns={[
        { title: "Place", cell: (geo) => geo.name, words: true },
        {
          title: "Against normal",
          cell: (geo) => (geo.temp_anomaly_c === null ? UNKNOWN : degrees(geo.temp_anomaly_c, { signed: true })),
        },
        { title: "Change", cell: (geo) => <MoneyChange amount={changeOf(geo)} /> },
        { title: "Planned", cell: (geo) => <MoneyText amount={geo.recommended} /> },
        {
          title: "Demand by weather",
          cell: (geo) => (geo.demand_weather_rel === null ? UNKNOWN : share(geo.demand_weather_rel, { signed: true })),
        },
        { title: "Wet days", cell: (geo) => (geo.wet_days === null ? UNKNOWN : decimal(geo.wet_days, 1)) },
        { title: "Demand", cell: (geo) => `${middle(geo.demand, unit)}, ${range(geo.demand, unit)}` },
      ]}
    />
  );
}
