/**
 * An ensemble of reward models on bootstrap samples of the rankings (Lakshminarayanan et al. 2017 with
 * Breiman's bagging): where its members disagree, the rankings have not said yet what is better, so that
 * is what to ask next (query by committee, Seung et al. 1992; for rewards Christiano et al. 2017, 2.2.4).
 */
import type { RewardConfig } from '../core/config';
import type { Ranking } from '../core/domain';
import type { Electorate } from '../core/electorate';
import type { ExperimentProgress } from '../core/experiments';
import { randomInt, STREAM } from '../core/rng';
import { pulled, scoreTexts, type ExperimentStart, type ExperimentSteps } from './experiment-steps';
import { trainReward, type RewardOutput } from './reward';

/** Members of the ensemble. */
export const MEMBERS = 4;

/** As many rankings, drawn with replacement: a function of (seed, member). */
export const bootstrapSample = <T>(items: readonly T[], seed: number, member: number): T[] =>
  items.map((_, i) => items[randomInt(items.length, seed, STREAM.bootstrap, i, member)]!);

/** Each member has a bootstrap sample, a head and an order of its own. */
export async function* trainEnsemble(
  start: ExperimentStart,
  rankings: readonly Ranking[],
  settings: { config: RewardConfig; electorate?: Electorate; members?: number },
  tick: (member: number) => ExperimentProgress,
): ExperimentSteps<RewardOutput[]> {
  const { config, electorate, members = MEMBERS } = settings;
  const ensemble: RewardOutput[] = [];
  for (let member = 0; member < members; member++) {
    const input = {
      ...start,
      rankings: bootstrapSample(rankings, start.seed, member),
      ...(electorate && { electorate }),
      seed: (start.seed + 1 + member) >>> 0,
    };
    ensemble.push(
      yield* pulled(trainReward(input, { ...config, held_out_ratio: 0, bug: 'none' }, start), () =>
        tick(member),
      ),
    );
  }
  return ensemble;
}

/** Completions of one prompt, not ranked yet. */
export interface OpenSet {
  prompt: string;
  texts: readonly string[];
}

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

/**
 * Mean over the pairs of a set of the variance of p(i above j) = σ(r_i − r_j) over the members, 0 … 0.25.
 * @param rewards by member, of the set's texts
 */
export function pairDisagreement(rewards: readonly (readonly number[])[]): number {
  const K = rewards[0]?.length ?? 0;
  let sum = 0;
  let pairs = 0;
  for (let i = 0; i < K; i++) {
    for (let j = i + 1; j < K; j++) {
      const p = rewards.map((own) => sigmoid(own[i]! - own[j]!));
      const center = p.reduce((a, b) => a + b, 0) / p.length;
      sum += p.reduce((a, b) => a + (b - center) ** 2, 0) / p.length;
      pairs++;
    }
  }
  return pairs === 0 ? 0 : sum / pairs;
}

/** The disagreement about each set. */
export async function disagreements(
  start: ExperimentStart,
  ensemble: readonly RewardOutput[],
  sets: readonly OpenSet[],
): Promise<number[]> {
  const texts = sets.flatMap(({ prompt, texts }) => texts.map((text) => ({ prompt, text })));
  const scores: number[][] = [];
  for (const member of ensemble) scores.push(await scoreTexts(start, member, texts));
  let offset = 0;
  return sets.map(({ texts: own }) => {
    const first = offset;
    offset += own.length;
    return pairDisagreement(scores.map((all) => all.slice(first, offset)));
  });
}
