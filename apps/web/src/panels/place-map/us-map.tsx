// The United States with the places on it; one tab stop, arrow keys from place to place, west to east.
import { geoAlbersUsa, geoPath } from "d3-geo";
import { type KeyboardEvent, useRef } from "react";
import { feature, mesh } from "topojson-client";
import type { GeometryCollection, Topology } from "topojson-specification";
import states from "us-atlas/states-albers-10m.json";
import type { GeoOutlook } from "../../api/contracts.ts";
import type { View } from "./view.ts";
import styles from "./us-map.module.css";

// The atlas file is already projected onto 975 × 610; this is the projection it names, for the points.
const project = geoAlbersUsa().scale(1300).translate([487.5, 305]);
const atlas = states as unknown as Topology<{ states: GeometryCollection; nation: GeometryCollection }>;
const path = geoPath();
const LAND = path(feature(atlas, atlas.objects.nation)) ?? "";
const BORDERS = path(mesh(atlas, atlas.objects.states, (a, b) => a !== b)) ?? "";
const RADIUS = 20;

interface UsMapProps {
  geos: readonly GeoOutlook[];
  view: View;
  active: string | undefined;
  onPick: (geo: string) => void;
  describe: (geo: GeoOutlook) => string;
}

interface Point {
  geo: GeoOutlook;
  x: number;
  y: number;
}

export default function UsMap({ geos, view, active, onPick, describe }: UsMapProps) {
  const drawing = useRef<SVGSVGElement>(null);
  const points = geos.flatMap(pointOf).sort((a, b) => a.x - b.x);
  const outside = geos.length - points.length;
  const focusable = points.some((point) => point.geo.geo === active) ? active : points[0]?.geo.geo;

  const onKey = (event: KeyboardEvent, index: number) => {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    const next = step === undefined ? undefined : points[(index + step + points.length) % points.length];
    if (next === undefined) return;
    event.preventDefault();
    onPick(next.geo.geo);
    drawing.current?.querySelector<SVGGElement>(`[data-geo="${CSS.escape(next.geo.geo)}"]`)?.focus();
  };

  return (
    <>
      {outside > 0 && (
        <p className={styles.outside}>
          {points.length === 0 ? "None of the places lies" : `${String(outside)} of the places do not lie`} on this map of
          the United States; the table has them all.
        </p>
      )}
      {points.length > 0 && (
        <svg ref={drawing} className={styles.map} viewBox="0 0 975 610" role="group" aria-label={`Map: ${view.label} by place`}>
          <path className={styles.land} d={LAND} />
          <path className={styles.borders} d={BORDERS} />
          {inDrawingOrder(points, active).map(({ point, index }) => (
            <g
              key={point.geo.geo}
              data-geo={point.geo.geo}
              className={styles.place}
              data-active={point.geo.geo === active}
              role="button"
              aria-pressed={point.geo.geo === active}
              aria-label={`${point.geo.name}: ${describe(point.geo)}`}
              tabIndex={point.geo.geo === focusable ? 0 : -1}
              transform={`translate(${point.x.toFixed(1)} ${point.y.toFixed(1)})`}
              onClick={() => {
                onPick(point.geo.geo);
              }}
              onMouseEnter={() => {
                onPick(point.geo.geo);
              }}
              onKeyDown={(event) => {
                onKey(event, index);
              }}
            >
              <Mark view={view} geo={point.geo} />
            </g>
          ))}
        </svg>
      )}
    </>
  );
}

function Mark({ view, geo }: { view: View; geo: GeoOutlook }) {
  const value = view.value(geo);
  if (value === null) return <circle className={styles.unknown} r={RADIUS - 5} />;
  return (
    <>
      <circle className={styles.mark} r={RADIUS} style={{ fill: view.colour(value) }} />
      <text className={styles.sign} style={{ fill: view.ink(value) }} dy="0.36em" aria-hidden>
        {view.sign(value)}
      </text>
    </>
  );
}

function pointOf(geo: GeoOutlook): Point[] {
  if (geo.latitude === null || geo.longitude === null) return [];
  const at = project([geo.longitude, geo.latitude]);
  return at === null ? [] : [{ geo, x: at[0], y: at[1] }];
}

/** The active place last, so that it lies on top of its neighbours; each keeps its west-to-east index. */
function inDrawingOrder(points: readonly Point[], active: string | undefined) {
  return points
    .map((point, index) => ({ point, index }))
    .sort((a, b) => Number(a.point.geo.geo === active) - Number(b.point.geo.geo === active));
}
