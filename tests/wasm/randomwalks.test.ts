/**
 * Random walks, trlx's task: imitation gives a model that wanders, PPO has to make it take the shortest
 * way. On WebAssembly, where so small a model is fastest.
 */
import { expect, test } from 'vitest';
import { stageConfig } from '../../src/core/config';
import type { WeightMap } from '../../src/core/domain';
import { openEngine } from '../../src/engine/backend';
import { Llama } from '../../src/engine/model';
import { initialWeights } from '../../src/engine/weights';
import { trainPpo } from '../../src/rlhf/ppo';
import { sampleCompletions } from '../../src/rlhf/sampling';
import { trainSft } from '../../src/rlhf/sft';
import {
  LONGEST,
  optimality,
  randomWalks,
  STARTS,
  walksGraph,
  walksTokenizer,
} from './randomwalks';
import { drain } from '../gpu/rlhf-fixture';

const SEED = 1;
const WALKS = 1000;
const ANSWERS = 16;

const graph = walksGraph(SEED);
const tokenizer = walksTokenizer();
const modelConfig = {
  vocab_size: tokenizer.vocabSize,
  hidden_size: 64,
  intermediate_size: 128,
  num_hidden_layers: 2,
  num_attention_heads: 4,
  num_key_value_heads: 4,
  max_position_embeddings: 16,
  rms_norm_eps: 1e-5,
  rope_theta: 10000,
  tie_word_embeddings: true,
};

/** Mean over answers from every start, temperature 1. */
async function measured(weights: WeightMap): Promise<number> {
  const model = Llama.load(modelConfig, weights);
  const options = { temperature: 1, max_new_tokens: LONGEST, seed: SEED };
  const sets = await sampleCompletions(model, tokenizer, STARTS, ANSWERS, options);
  model.dispose();
  const each = sets.flatMap((answers, i) =>
    answers.map(({ text }) => optimality(graph, STARTS[i]!, text)),
  );
  return each.reduce((sum, one) => sum + one, 0) / each.length;
}

test('the measure: shortest 1, wandering less, cut off or off the edges 0', () => {
  const { edges, shortest } = {
    edges: [[], [0, 2], [1, 3], [0]],
    shortest: [1, 2, 3, 2],
  };
  const of = (walk: string) => optimality({ edges, shortest }, walk[0]!, walk.slice(1));
  expect(of('ba')).toBe(1);
  expect(of('cba')).toBe(1);
  expect(of('bcba')).toBeCloseTo(6 / 8);
  expect(of('bcba?')).toBeCloseTo(6 / 8);
  expect(of('ca')).toBe(0);
  expect(of('bcbcbcbcbcba')).toBe(0);
  expect(of('bc')).toBe(0);
  expect(of('c?a')).toBe(0);
});

test('PPO learns the shortest walks: optimality ≥ 0.9', { timeout: 300_000 }, async () => {
  await openEngine({ force: 'wasm' });
  const demonstrations = randomWalks(graph, WALKS, SEED).map((walk, seq) => ({
    ...walk,
    id: String(seq),
    projectId: '',
    heldOut: false,
    seq,
  }));
  const sft = await drain(
    trainSft(
      {
        modelConfig,
        weights: initialWeights(modelConfig, SEED),
        demonstrations,
        samplePrompts: [],
        seed: SEED,
      },
      stageConfig('sft', {
        per_device_train_batch_size: 64,
        num_train_epochs: 15,
        learning_rate: 3e-3,
      }),
      { tokenizer },
    ),
  );
  const policyWeights = sft.output!.weights;
  const before = await measured(policyWeights);

  const ppo = await drain(
    trainPpo(
      {
        modelConfig,
        policyWeights,
        reward: {
          kind: 'rule',
          score: (prompt, { text }) => optimality(graph, prompt, text),
        },
        prompts: [...STARTS],
        seed: SEED,
      },
      stageConfig('ppo', {
        num_iterations: 40,
        rollout_batch_size: 80,
        response_length: LONGEST,
        learning_rate: 1e-3,
        lr_schedule: 'constant',
        kl_coef: 0.05,
      }),
      { tokenizer },
    ),
  );
  const after = await measured(ppo.output!.weights);
  const { 'objective/kl': kl } = ppo.rows.at(-1)!;
  console.info(`optimality ${before.toFixed(3)} → ${after.toFixed(3)}, KL ${kl!.toFixed(1)} nats`);
  expect(before).toBeLessThan(0.7);
  expect(after).toBeGreaterThanOrEqual(0.9);
});
