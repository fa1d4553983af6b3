/**
 * Where the bug lab departs from the right code (core/bugs.ts says what each bug is). Every function
 * gives the right value unless its bug is on, so the stages read the same with and without.
 */
import { lastPosition } from '../core/advantage';
import type { PpoConfig, RewardConfig, SftConfig } from '../core/config';
import type { TokenBatch } from '../engine/batch';
import type { Dropout } from '../engine/dropout';
import type { RankedPrompt } from './rankings';

type Ppo = Pick<PpoConfig, 'bug'>;

/** β as it is charged. */
export function chargedKlCoef({ bug }: Ppo, kl_coef: number): number {
  return bug === 'kl-sign' ? -kl_coef : kl_coef;
}

/** The temperature of the update's log-probabilities. */
export function updateTemperature({ bug, temperature }: Ppo & Pick<PpoConfig, 'temperature'>) {
  return bug === 'wrong-temperature' ? 0.7 * temperature : temperature;
}

/** The places that whitening looks at, [B, T]. */
export function whitenedPlaces({ bug }: Ppo, mask: Float32Array): Float32Array {
  return bug === 'unmasked-whitening' ? mask.map(() => 1) : mask;
}

/** Rewards [B, T] with the score where it belongs. */
export function placedRewards(
  { bug }: Ppo,
  rewards: Float32Array,
  { B, T, mask }: TokenBatch,
  scores: readonly number[],
): Float32Array {
  if (bug !== 'reward-on-wrong-token') return rewards;
  const moved = rewards.slice();
  for (let b = 0; b < B; b++) {
    const last = lastPosition(mask, b, T);
    if (last === null) continue;
    moved[last]! -= scores[b]!;
    moved[(b + 1) * T - 1]! += scores[b]!;
  }
  return moved;
}

/** What the value model is trained on, [B, T]. */
export function valueTargets(
  { bug }: Ppo,
  { returns, whitened, values }: Record<'returns' | 'whitened' | 'values', Float32Array>,
): Float32Array {
  return bug === 'returns-after-whitening' ? whitened.map((a, i) => a + values[i]!) : returns;
}

/** Dropout of the reference model: none. */
export function referenceDropout(
  { bug }: Ppo,
  seed: number,
  iteration: number,
): Dropout | undefined {
  return bug === 'reference-dropout' ? { p: 0.1, seed, step: iteration } : undefined;
}

/** The batch with the mask that SFT learns by. */
export function learntTokens({ bug }: Pick<SftConfig, 'bug'>, batch: TokenBatch): TokenBatch {
  const { B, T, lengths } = batch;
  const mask = batch.mask.slice();
  for (let b = 0; b < B; b++) {
    const last = b * T + lengths[b]! - 2;
    if (bug === 'no-prompt-mask') mask.fill(1, b * T, last + 1);
    if (bug === 'pad-is-eos') mask[last] = 0;
  }
  return { ...batch, mask };
}

/** Epochs and groups as the reward model reads them. */
export function rewardExamples(
  { bug, num_train_epochs }: Pick<RewardConfig, 'bug' | 'num_train_epochs'>,
  groups: RankedPrompt[],
): { groups: RankedPrompt[]; epochs: number } {
  if (bug !== 'shuffled-pairs') return { groups, epochs: num_train_epochs };
  const pairs = groups.flatMap((group) => {
    const two = <T>(xs: readonly T[], i: number, j: number): T[] => [xs[i]!, xs[j]!];
    return group.rows.flatMap((_, i) =>
      group.rows.slice(i + 1).map((_, after): RankedPrompt => {
        const j = i + 1 + after;
        return {
          ...group,
          rows: two(group.rows, i, j),
          ranks: two(group.ranks, i, j),
          texts: two(group.texts, i, j),
          flags: two(group.flags, i, j),
        };
      }),
    );
  });
  return {
    groups: pairs.filter(({ ranks }) => ranks[0] !== ranks[1]),
    epochs: SHUFFLED_EPOCHS * num_train_epochs,
  };
}

/** Enough for a small reward model to memorise its completions. */
const SHUFFLED_EPOCHS = 8;
