import type { HostTensor, WeightMap } from '../../../src/core/domain';
import { PlaygroundError } from '../../../src/core/errors';
import { writeProjectFile, type ProjectBundle } from '../../../src/formats/project-file';

const tensor = (shape: number[], ...values: number[]): HostTensor => ({
  shape,
  data: Float32Array.from(values),
});

/** Its tensors can be changed before they are loaded. */
export type TestBundle = ProjectBundle & { checkpoints: { tensors: WeightMap }[] };

/** A small project with something in every table. */
export function bundle(): TestBundle {
  const projectId = 'p-1';
  const tensors = new Map([
    ['model.norm.weight', tensor([3], 1, -0, 0.1)],
    ['adam.v.model.norm.weight', tensor([1, 3], 1e-45, 3.4e38, 1e-30)],
  ]);
  return {
    project: {
      id: projectId,
      name: 'Ziegen 🐐 "x"\n',
      base: 'nano',
      seed: 7,
      page: 'ppo',
      settings: { sft: { learning_rate: 1e-3, packing: false, optimizer: 'adamw' }, ppo: {} },
      runs: { base: null, sft: 'run_1', reward: null, ppo: null, dpo: null },
      bestOfN: {
        inputHash: 'sft:1 reward:2',
        points: [{ n: 2, reward: -0.25, deviation: 0.5, kl: 0.1931471805599453 }],
        prompts: 24,
        completions: 16,
      },
      electorate: { ann: 0, 'ben "x"': 2.5 },
      experiments: {
        electorate: {
          inputHash: 'sft:1 rankings:2-00000000 groups:2-00000000',
          ppoIterations: 3,
          models: [
            {
              name: 'everyone',
              simulated: false,
              rankings: 2,
              comparisons: 12,
              accuracy: [{ value: 0.75, low: 0.5, high: 1, count: 4 }],
            },
            { name: 'day', simulated: true, rankings: 0, comparisons: 0, accuracy: null },
          ],
          judges: [{ name: 'day', simulated: true, rankings: 1, pairs: 4 }],
          heldOutPrompts: 1,
          sets: 1,
          changedSets: 1,
          reorderedSets: 1,
          changed: [{ prompt: 'Hi', completions: ['a', 'b'], best: [1], ranks: [[2, 1]] }],
          warnings: ['day: 0 rankings'],
          policies: [
            {
              name: 'SFT model',
              scores: [-0.1],
              kl: 0,
              attributes: { polite: 0.5, happy: 0, cats: 1 },
              flagged: 0.25,
              shown: ['a'],
            },
          ],
          shownPrompts: ['Hi'],
          answers: 4,
        },
        harmDial: {
          inputHash: 'sft:1 prompts:1-00000000',
          values: { attribute: 'polite', noise: 0.5, harm_aversion: -1.5, length_bias: 0 },
          comparisons: 240,
          ppoIterations: 20,
          seeds: 1,
          runs: [
            {
              seed: 7,
              exposure: 0.05,
              harmful: 12,
              harmAccuracy: 0.5,
              harmlessAccuracy: 0.8,
              harmRate: 0.2,
              kl: 1.5,
            },
          ],
          baseline: [0.26],
          harmPairs: 150,
          harmlessPairs: 140,
          answers: 192,
          written: 114,
          surrogates: 18,
        },
        rightPair: {
          inputHash: 'sft:1 prompts:1-00000000',
          values: { attribute: 'cats', noise: 0, harm_aversion: 0, length_bias: 1 },
          seeds: 2,
          points: [{ seed: 7, choice: 'disagreement', rankings: 6, accuracy: 0.6 }],
          heldOutPairs: 90,
          pool: 128,
        },
      },
      askFirst: ['s1'],
      seq: 1,
      createdAt: 1_700_000_000_000,
      updatedAt: 1_700_000_000_001,
    },
    demonstrations: [
      {
        id: 'd1',
        projectId,
        prompt: 'Hi\nthere',
        completion: 'Ho\u2028\u0000',
        heldOut: true,
        seq: 0,
      },
      { id: 'd2', projectId, prompt: 'lone \ud800', completion: '', heldOut: false, seq: 1 },
    ],
    prompts: [{ id: 'q1', projectId, text: 'Hi', seq: 0 }],
    sets: [
      {
        id: 's1',
        projectId,
        promptId: 'q1',
        prompt: 'Hi',
        completions: [
          { text: 'a', tokens: [5, 1], logprobs: [-0.1, -1.1920928955078125e-7], finish: 'eos' },
        ],
        order: [0],
        sourceRunId: 'run_1',
        temperature: 0.7,
        seed: 4294967295,
        seq: 0,
      },
    ],
    rankings: [
      {
        id: 'r1',
        projectId,
        setId: null,
        prompt: 'Hi',
        completions: ['a', 'b'],
        ranks: [1, 1],
        outcome: 'ranked',
        labeler: 'Ada',
        simulated: false,
        flags: [[], ['insult', 'other']],
        order: [1, 0],
        seq: 0,
      },
    ],
    runs: [
      {
        id: 'run_1',
        projectId,
        stage: 'sft',
        config: { learning_rate: 1e-3, name: 'x', ok: true },
        seed: 1,
        status: 'failed',
        step: 2,
        totalSteps: 10,
        inputHash: 'abc',
        parentId: 'nano',
        checkpointId: 'c1',
        finalRow: { step: 2, loss: NaN, grad_norm: Infinity, eval_loss: -Infinity },
        error: 'NaN in loss',
        rewardShift: 0,
        rewardScale: 1,
        seq: 0,
        startedAt: 1_700_000_000_000,
      },
    ],
    inputs: [
      {
        runId: 'run_1',
        projectId,
        data: {
          stage: 'sft',
          seed: 7,
          start: { kind: 'shipped', id: 'nano', runId: 'nano' },
          demonstrations: [
            { id: 'gone', projectId, prompt: 'Old', completion: '', heldOut: false, seq: 0 },
          ],
          samplePrompts: ['Hi'],
        },
      },
    ],
    samples: [
      {
        runId: 'run_1',
        steps: [
          {
            step: 1,
            samples: [
              {
                prompt: 'Hi',
                text: ' a\n',
                tokens: [' a', '\n'],
                logprobs: [-0, -Infinity],
                refLogprobs: [],
                score: NaN,
                kl: null,
                finish: 'length',
              },
            ],
          },
        ],
      },
    ],
    metrics: [
      {
        runId: 'run_1',
        rows: [
          { step: 1, 'objective/kl': 0.1 + 0.2, 'objective/non_score_reward': -0 },
          { step: 2, loss: NaN },
        ],
      },
    ],
    checkpoints: [
      {
        manifest: {
          id: 'c1',
          projectId,
          runId: 'run_1',
          stage: 'sft',
          step: 2,
          modelConfig: {
            vocab_size: 512,
            hidden_size: 64,
            intermediate_size: 176,
            num_hidden_layers: 2,
            num_attention_heads: 4,
            num_key_value_heads: 2,
            max_position_embeddings: 256,
            rms_norm_eps: 1e-5,
            rope_theta: 10000,
            tie_word_embeddings: true,
          },
          tensors: [
            { name: 'model.norm.weight', shape: [3], chunks: ['h1', 'h2'] },
            { name: 'adam.v.model.norm.weight', shape: [1, 3], chunks: [] },
          ],
          state: { optimizer_step: 2, nested: { kl_coef: 0.05, list: [1, null, 'x'] } },
          bytes: 24,
          seq: 0,
        },
        tensors,
        load: () => Promise.resolve(tensors),
      },
    ],
  };
}

/** The bytes of its project file. */
export const bytesOfFile = async (given: ProjectBundle): Promise<Uint8Array<ArrayBuffer>> =>
  new Uint8Array(await (await writeProjectFile(given)).arrayBuffer());

export async function errorOf(promise: Promise<unknown>): Promise<PlaygroundError> {
  const thrown: unknown = await promise.then(
    () => null,
    (error: unknown) => error,
  );
  if (thrown instanceof PlaygroundError) return thrown;
  throw new Error(`expected a PlaygroundError, got ${String(thrown)}`);
}
