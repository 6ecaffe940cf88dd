// Demand as an ECharts option: weather strip above, dots for what happened, band and median for what is forecast.
import type { EChartsCoreOption } from "echarts/core";
import type { DemandDay, Period } from "../../api/contracts.ts";
import { anomalyColour } from "../../design/colour.ts";
import { amount, decimal, isCurrency, middle, range, shortDay, stepOf } from "../../design/format.ts";

const DAY = 86_400_000;
const LABEL_WIDTH = 120;
const TEXT = { color: "var(--wv-muted)", fontFamily: "var(--wv-font)", fontSize: 13 };
/** Local spreads from normal that get the full colour. */
const REACH_Z = 2.5;

const at = (day: DemandDay) => Date.parse(day.date);
const iso = (time: number) => new Date(time).toISOString().slice(0, 10);

export function demandOption(
  days: readonly DemandDay[],
  unit: string,
  period: Period,
  width: number,
): EChartsCoreOption {
  const ahead = days.filter((day) => day.forecast !== null);
  const hasWeather = days.some((day) => day.temp_anomaly_z !== null);
  const step = stepBetween(days);
  const axis = { type: "time" as const, min: startOf(days) - step / 2, max: endOf(days) + step / 2 };
  // Both grids keep the same sides, or the strip would not stand above its days.
  // On a phone the last label stands near the edge and needs room to its right.
  const sides = { left: 64, right: width < 480 ? 40 : 12, outerBoundsMode: "none" as const };
  const isLong = endOf(days) - startOf(days) > 300 * DAY;
  const label = (time: number) => shortDay(iso(time), { year: isLong });
  const tick = 10 ** Math.floor(Math.log10(Math.max(spreadOf(days), 1) / 4));
  return {
    animation: false,
    useUTC: true,
    textStyle: TEXT,
    grid: [
      { ...sides, top: hasWeather ? 40 : 12, bottom: 36 },
      { ...sides, top: 8, height: hasWeather ? 14 : 0 },
    ],
    xAxis: [
      {
        ...axis,
        gridIndex: 0,
        axisLine: { lineStyle: { color: "var(--wv-line)" } },
        axisTick: { show: false },
        axisLabel: { ...TEXT, margin: 16, customValues: labelled(days, width), formatter: (time: number) => label(time) },
        splitLine: { show: false },
      },
      { ...axis, gridIndex: 1, show: false },
    ],
    yAxis: [
      {
        type: "value",
        gridIndex: 0,
        scale: true,
        splitNumber: 4,
        axisLabel: { ...TEXT, formatter: (value: number) => amount(value, isCurrency(unit) ? unit : "", tick) },
        splitLine: { lineStyle: { color: "var(--wv-line)" } },
      },
      { type: "value", gridIndex: 1, min: 0, max: 1, show: false },
    ],
    tooltip: {
      trigger: "axis",
      transitionDuration: 0,
      backgroundColor: "var(--wv-card)",
      borderColor: "var(--wv-line)",
      textStyle: { ...TEXT, color: "var(--wv-ink)" },
      axisPointer: { type: "line", lineStyle: { color: "var(--wv-muted)" } },
      formatter: (series: unknown) => hover(days, series, unit),
    },
    series: [...band(ahead, step, period), actuals(days), ...(hasWeather ? [strip(days, step)] : [])],
  };
}

function band(ahead: readonly DemandDay[], step: number, period: Period) {
  const quiet = { type: "line", stack: "band", stackStrategy: "all", symbol: "none", silent: true };
  const of = (value: (day: DemandDay) => number | undefined) => ahead.map((day) => [at(day), value(day)]);
  const planned = ahead.filter((day) => day.date >= period.start && day.date <= period.end);
  const tinted = [[{ xAxis: startOf(planned) - step / 2 }, { xAxis: endOf(planned) + step / 2 }]];
  return [
    { ...quiet, data: of((day) => day.forecast?.p10), lineStyle: { opacity: 0 } },
    {
      ...quiet,
      data: of(({ forecast }) => (forecast ? forecast.p90 - forecast.p10 : undefined)),
      lineStyle: { opacity: 0 },
      areaStyle: { color: "var(--wv-demand)", opacity: 0.26 },
    },
    {
      type: "line",
      data: of((day) => day.forecast?.p50),
      symbol: "none",
      lineStyle: { color: "var(--wv-demand)", width: 1.75 },
      itemStyle: { color: "var(--wv-demand)" },
      markArea:
        planned.length === 0
          ? undefined
          : { silent: true, itemStyle: { color: "var(--wv-ahead)" }, data: tinted },
    },
  ];
}

function actuals(days: readonly DemandDay[]) {
  const happened = days.filter((day) => day.actual !== null);
  return {
    type: "line",
    data: happened.map((day) => [at(day), day.actual]),
    symbol: "circle",
    symbolSize: 5,
    showAllSymbol: true,
    lineStyle: { width: 0 },
    itemStyle: { color: "var(--wv-ink)", opacity: 0.85 },
  };
}

/** The weather as one coloured area a day, on a grid of its own above the chart. */
function strip(days: readonly DemandDay[], step: number) {
  const cells = days.flatMap((day) => {
    if (day.temp_anomaly_z === null) return [];
    const colour = anomalyColour(day.temp_anomaly_z, REACH_Z);
    return [[{ xAxis: at(day) - step / 2, itemStyle: { color: colour } }, { xAxis: at(day) + step / 2 }]];
  });
  return {
    type: "line",
    xAxisIndex: 1,
    yAxisIndex: 1,
    data: [],
    markArea: { silent: true, data: cells },
  };
}

/** Built as elements, so that no name from the data is ever read as HTML. */
function hover(days: readonly DemandDay[], series: unknown, unit: string): HTMLElement {
  const box = document.createElement("div");
  const first = (series as { value?: [number, number] }[])[0];
  const day = days.find((one) => at(one) === first?.value?.[0]);
  if (day === undefined) return box;
  const lines = [
    shortDay(day.date),
    day.actual === null ? "" : `happened: ${amount(day.actual, unit, stepOf(spreadOf(days)))}`,
    day.forecast === null ? "" : `most likely ${middle(day.forecast, unit)}, ${range(day.forecast, unit)}`,
    day.temp_anomaly_z === null ? "" : `temperature ${decimal(day.temp_anomaly_z, 1, { signed: true })} local spreads`,
  ];
  for (const text of lines.filter((line) => line !== "")) {
    const line = document.createElement("div");
    line.textContent = text;
    box.append(line);
  }
  return box;
}

/** The days that get a label: the first to come and every so many weeks before it, as many as fit. */
function labelled(days: readonly DemandDay[], width: number): number[] {
  const fit = Math.max(2, Math.floor(width / LABEL_WIDTH));
  const weeks = Math.max(1, Math.ceil((endOf(days) - startOf(days)) / (7 * DAY * fit)));
  const next = days.find((day) => day.forecast !== null) ?? days.at(-1);
  const times = days.map(at);
  const anchor = next ? at(next) : 0;
  return times.filter((time) => (time - anchor) % (weeks * 7 * DAY) === 0);
}

function stepBetween(days: readonly DemandDay[]): number {
  const [first, second] = days;
  return first && second ? at(second) - at(first) : DAY;
}

function startOf(days: readonly DemandDay[]): number {
  const first = days[0];
  return first ? at(first) : 0;
}

function endOf(days: readonly DemandDay[]): number {
  const last = days.at(-1);
  return last ? at(last) : 0;
}

function spreadOf(days: readonly DemandDay[]): number {
  const values = days.flatMap((day) => [day.actual, day.forecast?.p10, day.forecast?.p90].filter((v) => typeof v === "number"));
  return values.length === 0 ? 0 : Math.max(...values) - Math.min(...values);
}
