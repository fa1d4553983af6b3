/** What the records of src/core/experiments.ts must look like in project files. */
import * as v from 'valibot';
import type { Experiments } from '../core/experiments';
import { simulatedValuesSchema } from './people-schemas';
import { count, finite, text, type Schema } from './schema-parts';

const estimate = v.strictObject({
  value: v.nullable(finite),
  low: v.nullable(finite),
  high: v.nullable(finite),
  count,
});

const electorate = v.strictObject({
  inputHash: text,
  ppoIterations: count,
  models: v.array(
    v.strictObject({
      name: text,
      simulated: v.boolean(),
      rankings: count,
      comparisons: count,
      accuracy: v.nullable(v.array(estimate)),
    }),
  ),
  judges: v.array(
    v.strictObject({ name: text, simulated: v.boolean(), rankings: count, pairs: count }),
  ),
  heldOutPrompts: count,
  sets: count,
  changedSets: count,
  reorderedSets: v.exactOptional(count),
  changed: v.array(
    v.strictObject({
      prompt: text,
      completions: v.array(text),
      best: v.array(count),
      ranks: v.exactOptional(v.array(v.array(count))),
    }),
  ),
  warnings: v.array(text),
  policies: v.nullable(
    v.array(
      v.strictObject({
        name: text,
        scores: v.array(finite),
        kl: finite,
        attributes: v.strictObject({ polite: finite, happy: finite, cats: finite }),
        flagged: finite,
        shown: v.array(text),
      }),
    ),
  ),
  shownPrompts: v.array(text),
  answers: count,
});

const harmDial = v.strictObject({
  inputHash: text,
  values: simulatedValuesSchema,
  comparisons: count,
  ppoIterations: count,
  seeds: count,
  runs: v.array(
    v.strictObject({
      seed: count,
      exposure: finite,
      harmful: count,
      harmAccuracy: finite,
      harmlessAccuracy: finite,
      harmRate: finite,
      kl: finite,
    }),
  ),
  baseline: v.array(finite),
  harmPairs: count,
  harmlessPairs: count,
  answers: count,
  written: count,
  surrogates: count,
});

const rightPair = v.strictObject({
  inputHash: text,
  values: simulatedValuesSchema,
  seeds: count,
  points: v.array(
    v.strictObject({
      seed: count,
      choice: v.picklist(['disagreement', 'random']),
      rankings: count,
      accuracy: finite,
    }),
  ),
  heldOutPairs: count,
  pool: count,
});

export const experimentsSchema: Schema<Experiments> = v.strictObject({
  electorate: v.exactOptional(electorate),
  harmDial: v.exactOptional(harmDial),
  rightPair: v.exactOptional(rightPair),
});
