/**
 * What the two training trajectories read: a tokenizer trained on these sentences, a small model,
 * 40 demonstrations and 40 rankings. The batches are those that the stages draw by themselves.
 */
import { stageConfig } from '../../../src/core/config';
import { comparisonsOf } from '../../../src/core/comparisons';
import type { Demonstration, ModelConfig, Ranking, WeightMap } from '../../../src/core/domain';
import { randomInt, STREAM } from '../../../src/core/rng';
import { holdOutPrompts, rankedRows } from '../../../src/rlhf/rankings';
import { epochBatches } from '../../../src/rlhf/stage';
import { encodeDialogue } from '../../../src/tokenizer/chat-template';
import type { Tokenizer } from '../../../src/tokenizer/tokenizer';
import { trainBpe } from '../../../src/tokenizer/train-bpe';
import { drawnWeights, withHead } from './inputs';

const SEED = 5;
const WHO = ['the cat', 'a dog', 'my hen', 'the old goat', 'a small bird', 'our cow'];
const WHERE = ['by the door', 'on the hill', 'in the barn', 'under the tree', 'at home'];
const WHAT = ['sleeps', 'sits', 'sings', 'waits', 'eats hay', 'runs about'];
const TONE = ['Yes, my dear.', 'Go away.', 'I am glad that you ask.', 'Why not?', 'Well.'];

const pick = (from: readonly string[], index: number, sub: number) =>
  from[randomInt(from.length, SEED, STREAM.corpus, index, sub)]!;
const question = (i: number) => `Where is ${pick(WHO, i, 0)}? (${i})`;
const answer = (i: number, sub: number) =>
  `${pick(TONE, i, sub)} It ${pick(WHAT, i, sub + 1)} ${pick(WHERE, i, sub + 2)}.`;

const DEMONSTRATIONS: Demonstration[] = Array.from({ length: 40 }, (_, seq) => ({
  id: `d${seq}`,
  projectId: 'golden',
  prompt: question(seq),
  completion: answer(seq, 10),
  heldOut: seq % 13 === 6,
  seq,
}));

const RANKINGS: Ranking[] = Array.from({ length: 40 }, (_, seq) => {
  const k = 4 - (seq % 3);
  const completions = Array.from({ length: k }, (_, i) => answer(seq, 20 + 5 * i));
  // Three ranks for up to four completions: many ties, never all alike.
  const ranks = completions.map((_, i) => 1 + randomInt(3, SEED, STREAM.labeler, seq, i));
  if (new Set(ranks).size === 1) ranks[0] = ranks[0]! === 1 ? 2 : 1;
  return {
    id: `r${seq}`,
    projectId: 'golden',
    setId: null,
    prompt: question(100 + seq),
    completions,
    ranks,
    outcome: 'ranked',
    labeler: 'golden',
    simulated: false,
    flags: completions.map(() => []),
    order: completions.map((_, i) => i),
    seq,
  };
});

/** 37 demonstrations in batches of 8: five steps for each of ten epochs, the fifth of 5 rows. */
const SFT_CONFIG = stageConfig('sft', {
  num_train_epochs: 10,
  per_device_train_batch_size: 8,
  learning_rate: 3e-3,
  warmup_ratio: 0.1,
  min_lr_ratio: 0.1,
  weight_decay: 0.1,
  max_grad_norm: 1,
  max_length: 96,
  eval_steps: 25,
});

/** 40 rankings in batches of 2: 20 steps, one epoch. */
const REWARD_CONFIG = stageConfig('reward', {
  num_train_epochs: 1,
  per_device_train_batch_size: 2,
  learning_rate: 2e-3,
  warmup_ratio: 0.1,
  min_lr_ratio: 0.1,
  weight_decay: 0.1,
  max_grad_norm: 1,
  held_out_ratio: 0,
  margin: 0,
  center_rewards_coefficient: 0.01,
});

export interface Trajectories {
  tokenizer: Tokenizer;
  modelConfig: ModelConfig;
  weights: WeightMap;
  rewardWeights: WeightMap;
  demonstrations: Demonstration[];
  rankings: Ranking[];
  seed: number;
  sft: typeof SFT_CONFIG;
  reward: typeof REWARD_CONFIG;
}

export function trajectories(): Trajectories {
  const texts = DEMONSTRATIONS.flatMap(({ prompt, completion }) => [prompt, completion]);
  const tokenizer = trainBpe(texts, { vocab_size: 320 });
  const modelConfig: ModelConfig = {
    vocab_size: tokenizer.vocabSize,
    hidden_size: 32,
    intermediate_size: 48,
    num_hidden_layers: 2,
    num_attention_heads: 4,
    num_key_value_heads: 2,
    max_position_embeddings: 96,
    rms_norm_eps: 1e-5,
    rope_theta: 10000,
    tie_word_embeddings: true,
  };
  const weights = drawnWeights(modelConfig, 31, 0.12);
  return {
    tokenizer,
    modelConfig,
    weights,
    rewardWeights: withHead(modelConfig, weights, 32),
    demonstrations: DEMONSTRATIONS,
    rankings: RANKINGS,
    seed: SEED,
    sft: SFT_CONFIG,
    reward: REWARD_CONFIG,
  };
}

/** The settings that Python has to follow; those that only the page reads are left out. */
function optimizerSettings(config: typeof SFT_CONFIG | typeof REWARD_CONFIG) {
  const { learning_rate, warmup_ratio, min_lr_ratio, weight_decay, max_grad_norm } = config;
  const { adam_beta1, adam_beta2 } = config;
  const schedule = { learning_rate, warmup_ratio, min_lr_ratio };
  return { ...schedule, adam_beta1, adam_beta2, adam_epsilon: 1e-8, weight_decay, max_grad_norm };
}

/** What the fixtures depend on. */
export function trainingInputs(from: Trajectories) {
  const { modelConfig, weights, rewardWeights, sft, reward } = from;
  const { margin, center_rewards_coefficient } = reward;
  return {
    modelConfig,
    weights,
    rewardWeights,
    sft: optimizerSettings(sft),
    reward: { ...optimizerSettings(reward), margin, center_rewards_coefficient },
    batches: trajectoryBatches(from),
  };
}

/** The same as token rows in the order in which the stages read them. */
function trajectoryBatches(from: Trajectories) {
  const { tokenizer, seed, modelConfig } = from;
  const dialogues = (heldOut: boolean) =>
    from.demonstrations
      .filter((demonstration) => demonstration.heldOut === heldOut)
      .map(({ prompt, completion }) => encodeDialogue(tokenizer, prompt, completion));
  const train = dialogues(false);
  const sft = epochBatches(train.length, from.sft.per_device_train_batch_size, seed);
  const groups = holdOutPrompts(
    rankedRows(tokenizer, from.rankings, modelConfig.max_position_embeddings),
    from.reward.held_out_ratio,
    seed,
  ).train;
  const reward = epochBatches(groups.length, from.reward.per_device_train_batch_size, seed);
  const steps = (epochs: number, perEpoch: number) =>
    Array.from({ length: epochs * perEpoch }, (_, step) => step);
  return {
    sft: {
      rows: train,
      heldOut: dialogues(true),
      stepsPerEpoch: sft.stepsPerEpoch,
      batches: steps(from.sft.num_train_epochs, sft.stepsPerEpoch).map((step) => sft.rowsAt(step)),
    },
    reward: {
      groups: groups.map(({ rows, ranks }) => ({ rows, pairs: comparisonsOf(ranks) })),
      demonstrations: [...from.demonstrations].map(({ prompt, completion }) =>
        encodeDialogue(tokenizer, prompt, completion),
      ),
      stepsPerEpoch: reward.stepsPerEpoch,
      batches: steps(from.reward.num_train_epochs, reward.stepsPerEpoch).map((step) =>
        reward.rowsAt(step),
      ),
    },
  };
}
