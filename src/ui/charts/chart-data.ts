import type { MetricRow } from '../../core/domain';
import type { ChartPanel, ChartSeries } from './chart-types';
import { smooth } from './smooth';

/** One line of uPlot data with what it is. */
export interface DrawnLine {
  series: ChartSeries;
  kind: 'raw' | 'smoothed' | 'band-low' | 'band-high';
}

/** The lines of a panel, in the order of `panelData`'s columns after x. */
export function drawnLines(panel: ChartPanel): DrawnLine[] {
  return panel.series.flatMap((series): DrawnLine[] => [
    ...(series.band
      ? [
          { series, kind: 'band-low' as const },
          { series, kind: 'band-high' as const },
        ]
      : []),
    { series, kind: 'raw' },
    { series, kind: 'smoothed' },
  ]);
}

/** The values of one key; null where a row has none or it is not finite. */
export function column(rows: readonly MetricRow[], key: string): (number | null)[] {
  return rows.map((row) => {
    const value = row[key];
    return value === undefined || !Number.isFinite(value) ? null : value;
  });
}

/** Columns for uPlot: x, then one for each of `drawnLines`. */
export function panelData(
  panel: ChartPanel,
  rows: readonly MetricRow[],
  xKey: string,
): [number[], ...(number | null)[][]] {
  const x = rows.map((row, index) => row[xKey] ?? index);
  const lines = drawnLines(panel).map(({ series, kind }) => {
    switch (kind) {
      case 'band-low':
        return column(rows, series.band?.[0] ?? '');
      case 'band-high':
        return column(rows, series.band?.[1] ?? '');
      case 'raw':
        return column(rows, series.key);
      case 'smoothed':
        return smooth(column(rows, series.key)) ?? column(rows, series.key);
    }
  });
  return [x, ...lines];
}

/** Keys of a chart in the order they are drawn, x first, bands included. */
export function chartKeys(panels: readonly ChartPanel[], xKey: string): string[] {
  const keys = panels.flatMap((panel) =>
    panel.series.flatMap((series) => [series.key, ...(series.band ?? [])]),
  );
  return [...new Set([xKey, ...keys])];
}

/** The drawn numbers as CSV: one row for each step, full precision, empty where unknown. */
export function chartCsv(
  panels: readonly ChartPanel[],
  rows: readonly MetricRow[],
  xKey: string,
): string {
  const keys = chartKeys(panels, xKey);
  const lines = rows.map((row) => keys.map((key) => row[key] ?? '').join(','));
  return [keys.join(','), ...lines].join('\n') + '\n';
}
