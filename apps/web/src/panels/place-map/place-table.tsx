// The same places as a table: everything the map can show, and what it cannot.
import type { GeoOutlook } from "../../api/contracts.ts";
import { type Column, DataTable } from "../../components/data-table.tsx";
import { MoneyChange, MoneyText } from "../../components/money-text.tsx";
import { decimal, degrees, middle, range, share } from "../../design/format.ts";
import { changeOf } from "./view.ts";

const UNKNOWN = "not known";
const TEMPERATURE: Column<GeoOutlook> = {
  title: "Against normal",
  cell: (geo) => (geo.temp_anomaly_c === null ? UNKNOWN : degrees(geo.temp_anomaly_c, { signed: true })),
};
const EFFECT: Column<GeoOutlook> = {
  title: "Demand by weather",
  cell: (geo) => (geo.demand_weather_rel === null ? UNKNOWN : share(geo.demand_weather_rel, { signed: true })),
};
const WET: Column<GeoOutlook> = {
  title: "Wet days",
  cell: (geo) => (geo.wet_days === null ? UNKNOWN : decimal(geo.wet_days, 1)),
};

/** A column of weather is there where any place has that weather. */
export function PlaceTable({ geos, unit }: { geos: readonly GeoOutlook[]; unit: string }) {
  const known = (key: "temp_anomaly_c" | "demand_weather_rel" | "wet_days") => geos.some((geo) => geo[key] !== null);
  return (
    <DataTable
      label="Places"
      rows={geos}
      keyOf={(geo) => geo.geo}
      columns={[
        { title: "Place", cell: (geo) => geo.name, words: true },
        ...(known("temp_anomaly_c") ? [TEMPERATURE] : []),
        { title: "Change", cell: (geo) => <MoneyChange amount={changeOf(geo)} /> },
        { title: "Planned", cell: (geo) => <MoneyText amount={geo.recommended} /> },
        ...(known("demand_weather_rel") ? [EFFECT] : []),
        ...(known("wet_days") ? [WET] : []),
        { title: "Demand", cell: (geo) => `${middle(geo.demand, unit)}, ${range(geo.demand, unit)}` },
      ]}
    />
  );
}
