/** What a chart draws. Colours are CSS values, `var(--…)` included, so that themes carry over. */
export interface ChartSeries {
  /** Key of the metric row. */
  key: string;
  label: string;
  /** e.g. `var(--reward)`. */
  color: string;
  /** Dash pattern in px; repeats in shape what the colour says. */
  dash?: number[];
  /** A disc at every point: for few points, which were measured one by one. */
  marks?: boolean;
  /** Keys of the lower and upper edge of a band around the line. */
  band?: [string, string];
}

export interface ChartPanel {
  title: string;
  series: ChartSeries[];
  /** A level to aim at, drawn as a dotted line. */
  target?: { value: number; label: string };
  /** Height of the drawing, CSS px. */
  height?: number;
}
