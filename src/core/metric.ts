/**
 * What each logged number means: the text behind every tile, tooltip and report. Ids are TRL's.
 * `band` is the healthy range [low, high], null where a side is open.
 */
export interface Metric {
  id: string;
  label: string;
  unit: string;
  formula: string;
  /** One plain sentence. */
  sentence: string;
  healthy: string;
  band: [number | null, number | null];
  /** What to do when it leaves the band. */
  remedy: string;
  digits: number;
}

/** A catalogue entry from its parts, in the order in which a reader asks for them. */
export const metric = (
  id: string,
  label: string,
  unit: string,
  formula: string,
  sentence: string,
  healthy: string,
  band: [number | null, number | null] = [null, null],
  remedy = '',
  digits = 3,
): Metric => ({ id, label, unit, formula, sentence, healthy, band, remedy, digits });
