// Colours that carry a number: weather against normal, and budget up or down.

/** Blue for colder, sand for normal, rust for warmer; `reach` is the anomaly that gets the full colour, either way. */
export function anomalyColour(anomaly: number, reach: number): string {
  const share = Math.min(1, Math.abs(anomaly) / reach) * 100;
  const end = anomaly < 0 ? "var(--wv-cold)" : "var(--wv-warm)";
  return `color-mix(in oklab, ${end} ${share.toFixed(0)}%, var(--wv-sand))`;
}

/** Teal for more, plum for less, grey for no change. */
export function changeColour(change: number): string {
  if (change > 0) return "var(--wv-up)";
  return change < 0 ? "var(--wv-down)" : "var(--wv-neutral)";
}

/** The same, without relying on colour. */
export function changeArrow(change: number): string {
  if (change > 0) return "▲";
  return change < 0 ? "▼" : "●";
}
