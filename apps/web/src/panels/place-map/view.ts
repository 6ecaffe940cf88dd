// What a place can show: the weather against normal, or the change of its budget; its colour, sign and words.
import type { GeoOutlook, Money } from "../../api/contracts.ts";
import { anomalyColour, changeArrow, changeColour } from "../../design/colour.ts";
import { anomaly, share, wholeMoney } from "../../design/format.ts";

export type ViewName = "weather" | "change";

export interface View {
  name: ViewName;
  label: string;
  /** The number a place shows; null where it is not known. */
  value: (geo: GeoOutlook) => number | null;
  colour: (value: number) => string;
  /** What can be read on that colour. */
  ink: (value: number) => string;
  /** A sign beside the colour, so that colour never speaks alone. */
  sign: (value: number) => string;
  /** The anomaly that gets the full colour, in °C. */
  reach: number;
}

/** The views these places allow: no weather view without weather, no change view where nothing changes. */
export function views(geos: readonly GeoOutlook[]): View[] {
  const anomalies = geos.flatMap((geo) => (geo.temp_anomaly_c === null ? [] : [Math.abs(geo.temp_anomaly_c)]));
  const reach = Math.max(3, Math.ceil(Math.max(0, ...anomalies)));
  const weather: View = {
    name: "weather",
    label: "Temperature",
    value: (geo) => geo.temp_anomaly_c,
    colour: (value) => anomalyColour(value, reach),
    ink: (value) => (Math.abs(value) > reach / 2 ? "var(--wv-on-strong)" : "var(--wv-on-sand)"),
    sign: (value) => (Math.abs(value) < 0.5 ? "" : value > 0 ? "+" : "−"),
    reach,
  };
  const change: View = {
    name: "change",
    label: "Budget change",
    value: (geo) => changeOf(geo).minor,
    colour: changeColour,
    ink: () => "var(--wv-on-strong)",
    sign: (value) => (value === 0 ? "" : changeArrow(value)),
    reach: 0,
  };
  const moves = geos.some((geo) => changeOf(geo).minor !== 0);
  return [...(anomalies.length > 0 ? [weather] : []), ...(moves || anomalies.length === 0 ? [change] : [])];
}

/** The change of a place's budget: the sum of its lines' changes, exact. */
export function changeOf({ current, recommended }: GeoOutlook): Money {
  return { minor: recommended.minor - current.minor, currency: current.currency };
}

/** A place in words: its weather, what that does to demand, and its budget. */
export function describe(geo: GeoOutlook, currency: string): string {
  const parts = [
    geo.temp_anomaly_c === null ? "no forecast" : anomaly(geo.temp_anomaly_c),
    geo.demand_weather_rel === null ? "" : `demand ${share(geo.demand_weather_rel, { signed: true })} by weather`,
    `budget ${wholeMoney(geo.current)} to ${wholeMoney(geo.recommended)} (${changeWords(geo, currency)})`,
  ];
  return parts.filter((part) => part !== "").join(", ");
}

function changeWords(geo: GeoOutlook, currency: string): string {
  const change = changeOf(geo);
  return change.minor === 0 ? "unchanged" : wholeMoney({ ...change, currency }, { signed: true });
}
