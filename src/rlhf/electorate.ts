/**
 * Swap the electorate: the same SFT model, the same prompts held out, one reward model for each group of
 * labelers, judged by the held-out rankings of every group. Then, if asked, a short PPO against each.
 */
import { shareStatistic } from '../core/agreement';
import { estimate, type Estimate } from '../core/bootstrap';
import { atOnce } from '../core/slices';
import { comparisonsOf } from '../core/comparisons';
import type { PpoConfig, RewardConfig } from '../core/config';
import type { Ranking } from '../core/domain';
import {
  electorateGroups,
  electorateShares,
  underRepresented,
  weightOf,
  type Electorate,
  type ElectorateGroup,
} from '../core/electorate';
import type { ChangedSet, ElectorateModel, ElectorateRecord } from '../core/experiments';
import type { Labeler } from '../core/people';
import { minusLogSigmoid, pairAgreement } from './measures';
import {
  Meter,
  PPO_UNITS,
  pulled,
  rewardUnits,
  scoreTexts,
  writingBatches,
  WRITING_UNITS,
  type ExperimentStart,
  type ExperimentSteps,
} from './experiment-steps';
import {
  ANSWERS_PER_PROMPT,
  electoratePolicies,
  MOST_PROMPTS,
  SHOWN_PROMPTS,
} from './electorate-policies';
import { holdOutPrompts, learntRankings, type RankedPrompt } from './rankings';
import { trainReward, type RewardOutput } from './reward';

export interface ElectorateInput extends ExperimentStart {
  rankings: Ranking[];
  labelers: readonly Labeler[];
  /** The weights that the project trains with. */
  electorate?: Electorate;
  /** PPO's. */
  prompts: string[];
  reward: RewardConfig;
  ppo: PpoConfig;
}

/** Sets in another order that are kept to be shown. */
const CHANGED_SHOWN = 12;

/** Who trains a reward model: everyone, whoever the project lets count, each group. */
interface Voters {
  name: string;
  simulated: boolean;
  electorate: Electorate;
}

function votersOf(input: ElectorateInput, groups: readonly ElectorateGroup[]): Voters[] {
  const codes = [...new Set(input.rankings.map(({ labeler }) => labeler))];
  const isSimulated = input.rankings.every(({ simulated }) => simulated);
  const weights = codes.map((code) => weightOf(input.electorate, code));
  const weighted = weights.some((weight) => weight !== weights[0]);
  return [
    { name: 'everyone', simulated: isSimulated, electorate: {} },
    ...(weighted
      ? [{ name: 'as weighted now', simulated: isSimulated, electorate: input.electorate! }]
      : []),
    ...groups.map(({ name, simulated, labelers }) => ({
      name,
      simulated,
      electorate: Object.fromEntries(codes.map((code) => [code, labelers.includes(code) ? 1 : 0])),
    })),
  ];
}

/**
 * @throws PlaygroundError `missing` when no ranking prefers one completion to another; `input` when a
 *   prompt is too long
 */
export async function* swapElectorate(
  input: ElectorateInput,
  ppoIterations: number,
): ExperimentSteps<Omit<ElectorateRecord, 'inputHash'>> {
  // 1. prompts held out for everyone alike
  const { modelConfig, tokenizer, seed } = input;
  const ranked = learntRankings(tokenizer, input.rankings, modelConfig.max_position_embeddings);
  const { heldOut } = holdOutPrompts(ranked, input.reward.held_out_ratio, seed);
  const test = new Set(heldOut.map(({ prompt }) => prompt));
  const training = input.rankings.filter(({ prompt }) => !test.has(prompt));
  const groups = electorateGroups(input.rankings, input.labelers);
  const voters = votersOf(input, groups).map((voter) => {
    const own = training.filter(({ labeler }) => weightOf(voter.electorate, labeler) > 0);
    const [given] = electorateShares(
      [{ name: '', labelers: own.map(({ labeler }) => labeler), simulated: false }],
      own,
    );
    return { ...voter, own, rankings: given!.rankings, comparisons: given!.comparisons };
  });
  const teachable = voters.filter(({ comparisons }) => comparisons > 0);
  const prompts = input.prompts.slice(0, MOST_PROMPTS);
  const meter = new Meter(
    teachable.reduce((sum, voter) => sum + rewardUnits(voter.rankings, input.reward) + 1, 0) +
      (ppoIterations === 0
        ? 0
        : teachable.length * ppoIterations * PPO_UNITS +
          (teachable.length + 1) *
            writingBatches(prompts.length, ANSWERS_PER_PROMPT) *
            WRITING_UNITS),
  );

  // 2. a reward model for each electorate
  const rewards: { name: string; output: RewardOutput }[] = [];
  const models: ElectorateModel[] = [];
  /** By model with weights: scores of all held-out rows. */
  const scores: number[][] = [];
  for (const { name, simulated, own, electorate, rankings, comparisons } of voters) {
    const told = { name, simulated, rankings, comparisons };
    if (comparisons === 0) {
      models.push({ ...told, accuracy: null });
      continue;
    }
    const output = yield* pulled(
      trainReward(
        { ...input, rankings: own, electorate },
        { ...input.reward, held_out_ratio: 0, bug: 'none' },
        { tokenizer },
      ),
      () => meter.took(1, `reward model of ${name}`),
    );
    const rowScores = await scoreTexts(input, output, textsOf(heldOut));
    rewards.push({ name, output });
    scores.push(rowScores);
    models.push({
      ...told,
      accuracy: groups.map(({ labelers }) =>
        judged(heldOut, rowScores, (labeler) => labelers.includes(labeler), seed),
      ),
    });
    yield meter.took(1, `reward model of ${name}`);
  }

  // 3. what each policy becomes
  const policies =
    ppoIterations === 0
      ? null
      : yield* electoratePolicies({ ...input, prompts }, rewards, ppoIterations, meter);
  const changed = changedSets(heldOut, scores);
  return {
    ppoIterations,
    models,
    judges: groups.map(({ name, simulated, labelers }) => {
      const own = heldOut.filter(({ labeler }) => labelers.includes(labeler));
      const pairs = own.reduce((sum, { ranks }) => sum + comparisonsOf(ranks).length, 0);
      return { name, simulated, rankings: own.length, pairs };
    }),
    heldOutPrompts: test.size,
    sets: changed.sets,
    changedSets: changed.best.length,
    reorderedSets: changed.best.length + changed.order.length,
    changed: [...changed.best, ...changed.order].slice(0, CHANGED_SHOWN),
    warnings: underRepresented(electorateShares(groups, training, input.electorate)),
    policies,
    shownPrompts: policies === null ? [] : prompts.slice(0, SHOWN_PROMPTS),
    answers: policies === null ? 0 : prompts.length * ANSWERS_PER_PROMPT,
  };
}

const textsOf = (groups: readonly RankedPrompt[]): { prompt: string; text: string }[] =>
  groups.flatMap(({ prompt, texts }) => texts.map((text) => ({ prompt, text })));

/** Share of the judge's pairs that are ordered as they did; the interval comes from redrawn prompts. */
function judged(
  heldOut: readonly RankedPrompt[],
  scores: readonly number[],
  isJudge: (labeler: string) => boolean,
  seed: number,
): Estimate {
  let offset = 0;
  const parts = heldOut.flatMap((group) => {
    const own = scores.slice(offset, (offset += group.rows.length));
    if (!isJudge(group.labeler)) return [];
    const { accuracy, pairs } = pairAgreement([group], own, minusLogSigmoid);
    return [{ prompt: group.prompt, same: accuracy * pairs, both: pairs }];
  });
  return atOnce(estimate(shareStatistic(parts), seed));
}

/**
 * Held-out sets that the models do not put in the same order: those of another best completion, and
 * those that differ further down. A set that several labelers ranked counts once.
 * @param scores of `allRows(heldOut)`, by model
 */
export function changedSets(
  heldOut: readonly RankedPrompt[],
  scores: readonly (readonly number[])[],
): { sets: number; best: ChangedSet[]; order: ChangedSet[] } {
  const seen = new Set<string>();
  const changed = { best: [] as ChangedSet[], order: [] as ChangedSet[] };
  let offset = 0;
  for (const { prompt, texts } of heldOut) {
    const first = offset;
    offset += texts.length;
    const key = JSON.stringify([prompt, ...[...texts].sort()]);
    if (seen.has(key)) continue;
    seen.add(key);
    const ranks = scores.map((own) => ranksOf(own.slice(first, offset)));
    const best = ranks.map((own) => own.indexOf(1));
    const set = { prompt, completions: [...texts], best, ranks };
    if (best.some((one) => texts[one] !== texts[best[0]!])) changed.best.push(set);
    else if (ranks.some((own) => own.some((rank, i) => rank !== ranks[0]![i]))) {
      changed.order.push(set);
    }
  }
  return { sets: seen.size, ...changed };
}

/** 1 for the highest score; equal scores share a rank. */
const ranksOf = (scores: readonly number[]): number[] =>
  scores.map((own) => 1 + scores.filter((other) => other > own).length);
