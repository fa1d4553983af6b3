import type { Estimate } from '../../core/bootstrap';

export type IntervalMark = 'dot' | 'diamond' | 'square';

/** A share with its range, 0 … 1. */
export interface IntervalRow extends Pick<Estimate, 'value' | 'low' | 'high'> {
  label: string;
  /** Says the same as the colour. */
  mark: IntervalMark;
  hollow?: boolean;
  /** A CSS value, `var(--…)` included. */
  color: string;
}

/** A published value ± its standard error, 0 … 1. */
export interface IntervalReference {
  label: string;
  value: number;
  error: number;
  /** Dash pattern, px. */
  dash: string;
}
