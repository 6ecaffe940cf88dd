// The fan chart itself, in its own chunk because the chart library is the heaviest thing on the page.
import { LineChart } from "echarts/charts";
import { GridComponent, MarkAreaComponent, TooltipComponent } from "echarts/components";
import { init, use as register } from "echarts/core";
import { SVGRenderer } from "echarts/renderers";
import { useEffect, useRef } from "react";
import type { DemandDay, Period } from "../../api/contracts.ts";
import { middle, range, shortDay } from "../../design/format.ts";
import { demandOption } from "./option.ts";
import styles from "./demand-chart.module.css";

// Everything on the chart is a line or an area, which keeps the chunk small.
register([GridComponent, LineChart, MarkAreaComponent, SVGRenderer, TooltipComponent]);

export interface DemandChartProps {
  days: readonly DemandDay[];
  unit: string;
  /** The days the plan is for. */
  period: Period;
}

export default function DemandChart({ days, unit, period }: DemandChartProps) {
  const holder = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const element = holder.current;
    if (element === null) return;
    const chart = init(element, null, { renderer: "svg" });
    const fit = new ResizeObserver(() => {
      chart.resize();
      chart.setOption(demandOption(days, unit, period, element.clientWidth));
    });
    fit.observe(element);
    return () => {
      fit.disconnect();
      chart.dispose();
    };
  }, [days, unit, period]);
  return (
    <div role="img" aria-label={inWords(days, unit)}>
      <div ref={holder} className={styles.chart} />
    </div>
  );
}

function inWords(days: readonly DemandDay[], unit: string): string {
  const ahead = days.filter((day) => day.forecast !== null);
  const said = ahead.map(({ date, forecast }) =>
    forecast ? `${shortDay(date)} ${middle(forecast, unit)}, ${range(forecast, unit)}` : "",
  );
  return `Demand: ${String(days.length - ahead.length)} periods that happened, then the forecast: ${said.join("; ")}`;
}
