import type { MetricRow } from '../../../core/domain';

/** A short sentence with its evidence. */
export interface PpoFinding {
  title: string;
  text: string;
}

/** Rows that a trend is taken over. */
const WINDOW = 5;

function mean(rows: readonly MetricRow[], key: string): number | null {
  const values = rows.map((row) => row[key]).filter((value) => value !== undefined);
  if (values.length === 0) return null;
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/**
 * What a person should look at, from the metric rows of a PPO run: KL out of its band, entropy that
 * collapses, length that rises with the reward, a value model worse than a constant, completions
 * that do not end. Empty while there are fewer than two windows of rows.
 */
export function ppoFindings(rows: readonly MetricRow[]): PpoFinding[] {
  if (rows.length < 2 * WINDOW) return [];
  const early = rows.slice(0, WINDOW);
  const late = rows.slice(-WINDOW);
  const before = (key: string): number => mean(early, key) ?? Number.NaN;
  const now = (key: string): number => mean(late, key) ?? Number.NaN;
  const found: PpoFinding[] = [];

  const kl = now('objective/kl');
  if (kl > 15) {
    found.push({
      title: 'The policy has left the SFT model far behind',
      text: `KL is ${kl.toFixed(1)} nats a completion; beyond 15 the reward model is scoring texts unlike any it learnt from. Raise β or lower the learning rate.`,
    });
  }
  const entropy = now('objective/entropy');
  if (entropy < 1 && entropy < before('objective/entropy') / 3) {
    found.push({
      title: 'It repeats itself',
      text: `Entropy fell from ${before('objective/entropy').toFixed(1)} to ${entropy.toFixed(1)} nats a completion: nearly every answer is the same now. Raise β.`,
    });
  }
  const length = now('response_length');
  const lengthBefore = before('response_length');
  if (length > 1.4 * lengthBefore && now('objective/scores') > before('objective/scores')) {
    found.push({
      title: 'Length is rising with reward',
      text: `Completions grew from ${lengthBefore.toFixed(0)} to ${length.toFixed(0)} tokens while the reward rose. The reward model may like length: read the samples.`,
    });
  }
  const fit = now('ppo/val/var_explained');
  if (fit < 0 && rows.length > 4 * WINDOW) {
    found.push({
      title: 'The value model is worse than a constant',
      text: `It explains ${(100 * fit).toFixed(0)} % of the returns. Advantages are noisy until that is above 0: give it time, or a higher value weight.`,
    });
  }
  return found;
}
