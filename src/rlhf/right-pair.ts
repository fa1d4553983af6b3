/**
 * Ask me the right pair: the sets that wait, those first about which an ensemble disagrees; and the
 * experiment that tells whether it pays: learning curves by disagreement and by chance.
 */
import type { RewardConfig } from '../core/config';
import type { Ranking } from '../core/domain';
import { PlaygroundError } from '../core/errors';
import type { Electorate } from '../core/electorate';
import type {
  Choice,
  Disagreement,
  RightPairPoint,
  RightPairRecord,
  RightPairRequest,
} from '../core/experiments';
import { comparisonsOf } from '../core/comparisons';
import { permutation, STREAM } from '../core/rng';
import type { ValuedText } from '../core/simulated-gold';
import { ScalarModel } from '../engine/heads';
import {
  Meter,
  pulled,
  rewardUnits,
  writeAnswers,
  writingBatches,
  WRITING_UNITS,
  type ExperimentStart,
  type ExperimentSteps,
} from './experiment-steps';
import { rewardAccuracy } from './measures';
import { learntRankings, rankedRows } from './rankings';
import { trainReward } from './reward';
import { disagreements, MEMBERS, trainEnsemble } from './reward-ensemble';
import { simulatedRanking } from './simulated-rankings';

export interface AskFirstInput extends ExperimentStart {
  rankings: Ranking[];
  electorate?: Electorate;
  /** That wait to be ranked. */
  sets: readonly { id: string; prompt: string; texts: string[] }[];
  reward: RewardConfig;
}

/**
 * The sets, largest disagreement first; equal ones stay in their order.
 * @throws PlaygroundError `missing` when no ranking prefers one completion to another
 */
export async function* askFirst(input: AskFirstInput): ExperimentSteps<Disagreement[]> {
  const { rankings, electorate, sets, tokenizer, modelConfig } = input;
  const context = modelConfig.max_position_embeddings;
  // A bootstrap sample of rankings that decide nothing could not be learnt from.
  learntRankings(tokenizer, rankings, context, electorate);
  const teaching = rankings.filter((ranking) =>
    rankedRows(tokenizer, [ranking], context, electorate).some(({ weight }) => weight > 0),
  );
  const meter = new Meter(MEMBERS * rewardUnits(teaching.length, input.reward) + 1);
  const ensemble = yield* trainEnsemble(
    input,
    teaching,
    { config: input.reward, ...(electorate && { electorate }) },
    (member) => meter.took(1, `reward model ${member + 1} of ${MEMBERS}`),
  );
  const found = await disagreements(input, ensemble, sets);
  yield meter.took(1, 'disagreement');
  return sets
    .map(({ id }, i) => ({ setId: id, disagreement: found[i]! }))
    .sort((a, b) => b.disagreement - a.disagreement);
}

export interface RightPairInput extends ExperimentStart {
  /** PPO's; a third of them is held out. */
  prompts: string[];
  reward: RewardConfig;
  response_length: number;
}

const MOST_PROMPTS = 48;
const HELD_OUT = 1 / 3;
const K = 4;
/** Sets of each prompt to choose from. */
const SETS_PER_PROMPT = 4;
/** Rankings after which accuracy is taken; the first are drawn by chance. */
const SIZES = [6, 12, 18, 24, 36, 48];
const APART = 4_000_037;

interface WrittenSet {
  prompt: string;
  texts: ValuedText[];
}

/**
 * @throws PlaygroundError `missing` when there are too few prompts to choose from; `input` when one is too
 *   long
 */
export async function* rightPairCurves(
  input: RightPairInput,
  request: RightPairRequest,
): ExperimentSteps<Omit<RightPairRecord, 'inputHash'>> {
  const distinct = [...new Set(input.prompts)];
  const prompts = permutation(distinct.length, input.seed, STREAM.prompts)
    .slice(0, MOST_PROMPTS)
    .map((i) => distinct[i]!);
  const held = prompts.slice(0, Math.round(HELD_OUT * prompts.length));
  const sizes = SIZES.filter((size) => size <= SETS_PER_PROMPT * (prompts.length - held.length));
  if (held.length === 0 || sizes.length < 2) {
    throw new PlaygroundError({
      code: 'missing',
      field: 'prompts',
      message: `Choosing what to rank needs at least 5 prompts; there are ${prompts.length}.`,
      remedy: 'Add prompts in the Rankings stage.',
    });
  }
  const config: RewardConfig = { ...input.reward, held_out_ratio: 0, bug: 'none' };
  const training = sizes.reduce((sum, size) => sum + rewardUnits(size, config), 0);
  const perSeed =
    writingBatches(prompts.length, SETS_PER_PROMPT * K) * WRITING_UNITS +
    2 * training +
    MEMBERS * (training - rewardUnits(sizes.at(-1)!, config));
  const meter = new Meter(request.seeds * perSeed);

  const points: RightPairPoint[] = [];
  let heldOutPairs = 0;
  let pool = 0;
  for (let s = 0; s < request.seeds; s++) {
    const seed = (input.seed + s) >>> 0;
    const own = { ...input, seed };
    const answers = yield* writeAnswers(
      input,
      prompts,
      SETS_PER_PROMPT * K,
      {
        temperature: 1,
        max_new_tokens: input.response_length,
        seed: (seed + APART) >>> 0,
      },
      () => meter.took(WRITING_UNITS, `sets to rank, seed ${s + 1}`),
    );
    const sets = Array.from({ length: answers.length / K }, (_, i): WrittenSet => {
      const four = answers.slice(i * K, (i + 1) * K);
      return {
        prompt: four[0]!.prompt,
        texts: four.map(({ completion: { text, finish } }) => ({ text, finish })),
      };
    });
    const isHeld = new Set(held);
    const open = sets.filter(({ prompt }) => !isHeld.has(prompt));
    pool = open.length;
    // by the values without noise: what is right, not what was said
    const truth = rankedRows(
      input.tokenizer,
      sets
        .filter(({ prompt }) => isHeld.has(prompt))
        .map((set, i) => simulatedRanking({ ...request.values, noise: 0 }, set, seed, i)),
      input.modelConfig.max_position_embeddings,
    );
    heldOutPairs += truth.reduce((sum, { ranks }) => sum + comparisonsOf(ranks).length, 0);
    const ranked = open.map((set, i) => simulatedRanking(request.values, set, seed, i));
    const chance = permutation(open.length, seed, STREAM.order);

    for (const choice of ['disagreement', 'random'] as const satisfies readonly Choice[]) {
      let asked = chance.slice(0, sizes[0]);
      for (const [step, size] of sizes.entries()) {
        const said = `${size} rankings by ${choice === 'random' ? 'chance' : 'disagreement'}, seed ${s + 1}`;
        const tick = () => meter.took(1, said);
        const rankings = asked.map((i) => ranked[i]!);
        // accuracy is that of one model on all of them, as the Reward stage would train it
        const reward = yield* pulled(trainReward({ ...own, rankings }, config, input), tick);
        const model = ScalarModel.load(input.modelConfig, reward.weights, seed);
        try {
          const { accuracy } = await rewardAccuracy(model, truth);
          points.push({ seed, choice, rankings: size, accuracy });
        } finally {
          model.dispose();
        }
        const next = sizes[step + 1];
        if (next === undefined) continue;
        const rest = chance.filter((i) => !asked.includes(i));
        if (choice === 'random') {
          asked = [...asked, ...rest.slice(0, next - size)];
          continue;
        }
        const ensemble = yield* trainEnsemble(own, rankings, { config }, tick);
        const found = await disagreements(
          own,
          ensemble,
          rest.map((i) => ({
            prompt: open[i]!.prompt,
            texts: open[i]!.texts.map(({ text }) => text),
          })),
        );
        const order = rest.map((_, at) => at).sort((a, b) => found[b]! - found[a]!);
        asked = [...asked, ...order.slice(0, next - size).map((at) => rest[at]!)];
      }
    }
  }
  return { ...request, points, heldOutPairs, pool };
}
