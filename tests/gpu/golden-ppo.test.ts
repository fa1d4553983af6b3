/** Log-probabilities, values, policy and value loss with their gradients, against TRL. */
import * as tf from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { closeEngine } from '../../src/engine/backend';
import { collate } from '../../src/engine/batch';
import { ScalarModel } from '../../src/engine/heads';
import { scores, tokenLogprobs, values } from '../../src/engine/inference';
import { addLosses, ppoPolicyLoss, ppoValueLoss, pretrainingLoss } from '../../src/engine/losses';
import { Llama } from '../../src/engine/model';
import { rolloutMetrics, type Rollout } from '../../src/rlhf/rollout';
import {
  EPISODES,
  fingerprint,
  MODEL,
  ONE_SHOT,
  PPO_MODELS,
  PPO_SETTINGS,
  RANKED,
} from '../../tools/golden/rlhf/inputs';
import rollout from '../golden/rlhf/rollout.json';
import update from '../golden/rlhf/update.json';
import { parity } from '../../tools/golden/rlhf/parity';
import { compareGradients, differentiated, measured, openSetup, SETUPS } from './golden-fixture';

const TRL = 'TRL `PPOTrainer.train`';
const rows = EPISODES.map(({ prompt, response }) => ({
  input_ids: [...prompt, ...response],
  promptLength: prompt.length,
}));
const batch = collate(rows);
const { B, T } = batch;
const { temperature, vf_coef } = PPO_SETTINGS;

/** Where the first response token of a row was chosen. */
const first = (b: number) => b * T + rows[b]!.promptLength - 1;

/** Numbers of the response tokens → [B, T]; NaN elsewhere, so that nothing else is read. */
function placed(perRow: readonly (readonly number[])[]): Float32Array {
  const all = new Float32Array(B * T).fill(NaN);
  perRow.forEach((row, b) => all.set(row, first(b)));
  return all;
}

/** [B, T] → those of the response tokens. */
function ofResponses(all: ArrayLike<number>): number[] {
  return EPISODES.flatMap(({ response }, b) => response.map((_, t) => all[first(b) + t]!));
}

/** The fixture's full [B, 8] rows without their padding. */
const cut = (full: readonly (readonly number[])[]) =>
  full.map((row, b) => row.slice(0, EPISODES[b]!.response.length));

const atLast = rollout['last-token'];
const old = {
  // 0 × NaN is NaN: where the losses multiply by a mask, padding has to be a number.
  oldLogprobs: placed(rollout.logprobs).map((x) => (Number.isNaN(x) ? -100 : x)),
  advantages: placed(cut(atLast.advantages)).map((x) => (Number.isNaN(x) ? 100 : x)),
  oldValues: placed(rollout.values).map((x) => (Number.isNaN(x) ? 100 : x)),
  returns: placed(cut(atLast.returns)).map((x) => (Number.isNaN(x) ? -100 : x)),
};

test('the fixtures belong to these inputs', () => {
  expect([rollout.inputs, update.inputs]).toEqual(Array(2).fill(fingerprint(ONE_SHOT)));
});

describe.each(SETUPS)('on %s', (on) => {
  // Once for all tests: most of their time is compiling kernels.
  beforeAll(() => openSetup(on));
  afterAll(() => closeEngine());

  test('token log-probabilities and entropies', async ({ task }) => {
    for (const [name, weights, at, golden, float32] of [
      ['', PPO_MODELS.old, temperature, rollout.logprobs, rollout.spread.logprobs],
      [
        ', reference',
        PPO_MODELS.reference,
        temperature,
        rollout.refLogprobs,
        rollout.spread.refLogprobs,
      ],
      [
        ', updated policy',
        PPO_MODELS.policy,
        1,
        rollout.plainLogprobs,
        rollout.spread.plainLogprobs,
      ],
    ] as const) {
      const model = Llama.load(MODEL, weights);
      const { logprobs } = await tokenLogprobs(model, batch, at);
      parity(task, {
        quantity: `log π of the response tokens${name}, temperature ${at}`,
        on,
        source: 'TRL `forward`, `selective_log_softmax`',
        actual: ofResponses(logprobs),
        expected: golden.flat(),
        float32,
      });
      model.dispose();
    }
    const policy = Llama.load(MODEL, PPO_MODELS.policy);
    const { entropy } = await tokenLogprobs(policy, batch, temperature);
    parity(task, {
      quantity: `entropy, temperature ${temperature}`,
      on,
      source: 'TRL `entropy_from_logits`',
      actual: ofResponses(entropy),
      expected: rollout.entropy.flat(),
      float32: rollout.spread.entropy,
    });
    policy.dispose();
  });

  test('values and scores', async ({ task }) => {
    const source = 'TRL `get_reward`';
    const value = ScalarModel.load(MODEL, PPO_MODELS.oldValue, 1);
    const reward = ScalarModel.load(MODEL, PPO_MODELS.reward, 1);
    parity(task, {
      quantity: `values of the response tokens`,
      on,
      source,
      actual: ofResponses(await values(value, batch)),
      expected: rollout.values.flat(),
      float32: rollout.spread.values,
    });
    parity(task, {
      quantity: `scores at the last token`,
      on,
      source,
      actual: await scores(reward, batch),
      expected: rollout.rawScores,
      float32: rollout.spread.rawScores,
    });
    value.dispose();
    reward.dispose();
  });

  test('policy loss, its statistics and gradients', async ({ task }) => {
    const model = Llama.load(MODEL, PPO_MODELS.policy);
    const { numbers, gradients } = await differentiated(model.parameters, () =>
      ppoPolicyLoss(model, batch, old, PPO_SETTINGS),
    );
    for (const [quantity, actual, expected, float32] of [
      ['policy loss', numbers['loss']!, update.policyLoss, update.spread.policyLoss],
      ['policy/clipfrac', numbers['clipfrac']!, update.clipfrac, update.spread.clipfrac],
    ] as const) {
      parity(task, { quantity, on, source: TRL, actual, expected, float32 });
    }
    for (const [quantity, actual, expected, float32] of [
      ['policy/approxkl', numbers['approxkl']!, update.approxkl, update.spread.approxkl],
      ['policy/entropy', numbers['entropy']!, update.entropy, update.spread.entropy],
      ['val/ratio', numbers['ratio']!, update.ratio, update.spread.ratio],
      ['val/ratio_var', numbers['ratio_var']!, update.ratioVariance, update.spread.ratioVariance],
    ] as const) {
      const source = `${TRL}, mean by its \`masked_mean\``;
      parity(task, { quantity, on, source, actual, expected, float32 });
    }
    compareGradients(
      task,
      {
        quantity: `gradients of the policy loss by every weight`,
        on,
        source: TRL,
        float32: update.spread.policyGradients,
      },
      gradients,
      update.policyGradients,
    );
    model.dispose();
  });

  test('value loss, its statistics and gradients', async ({ task }) => {
    const model = ScalarModel.load(MODEL, PPO_MODELS.value, 1);
    const { numbers, gradients } = await differentiated(model.parameters, () =>
      ppoValueLoss(model, batch, old, PPO_SETTINGS),
    );
    for (const [quantity, actual, expected, float32] of [
      ['value loss', numbers['vf_loss']!, update.valueLoss, update.spread.valueLoss],
      [
        'value loss × vf_coef',
        numbers['loss']!,
        vf_coef * update.valueLoss,
        update.spread.valueLoss,
      ],
      ['val/clipfrac', numbers['vf_clipfrac']!, update.valueClipfrac, update.spread.valueClipfrac],
    ] as const) {
      parity(task, { quantity, on, source: TRL, actual, expected, float32 });
    }
    compareGradients(
      task,
      {
        quantity: `gradients of the value loss by every weight`,
        on,
        source: TRL,
        float32: update.spread.valueGradients,
      },
      gradients,
      update.valueGradients,
    );
    model.dispose();
  });

  test('gradients by the logits and by the values themselves', async ({ task }) => {
    const policy = Llama.load(MODEL, PPO_MODELS.policy);
    const value = ScalarModel.load(MODEL, PPO_MODELS.value, 1);
    const logits = tf.tidy(() => tf.variable(policy.logits(policy.hiddenStates(batch))));
    const vpred = tf.tidy(() => tf.variable(value.scoresAt(batch)));
    const hidden = tf.zeros([B * T, 4]);
    // Models whose output is a variable: its gradient is what reaches the model.
    const outputs = (model: object, methods: object): object =>
      Object.assign(Object.create(Object.getPrototypeOf(model) as object) as object, methods);
    const toLogits = outputs(policy, { hiddenStates: () => hidden, logits: () => logits }) as Llama;
    const toValues = outputs(value, { scoresAt: () => vpred }) as ScalarModel;

    const byLogits = await differentiated(new Map([['logits', logits]]), () =>
      ppoPolicyLoss(toLogits, batch, old, PPO_SETTINGS),
    );
    const all = byLogits.gradients.get('logits')!;
    const V = MODEL.vocab_size;
    const actual = [1, 3].flatMap((b) => [
      ...all.subarray(first(b) * V, (first(b) + EPISODES[b]!.response.length) * V),
    ]);
    parity(task, {
      quantity: `gradient of the policy loss by the logits of two rows`,
      on,
      source: TRL,
      actual,
      expected: update.logitGradients.flat(),
      float32: update.spread.logitGradients,
    });
    // Rows outside the mask included: they must be 0.
    parity(task, {
      quantity: `norm of the gradient by all logits`,
      on,
      source: TRL,
      actual: Math.hypot(...all),
      expected: update.logitGradientNorm,
      float32: update.spread.logitGradientNorm,
    });

    const byValues = await differentiated(new Map([['values', vpred]]), () =>
      ppoValueLoss(toValues, batch, old, PPO_SETTINGS),
    );
    parity(task, {
      quantity: `gradient of the value loss by the values`,
      on,
      source: TRL,
      actual: ofResponses(byValues.gradients.get('values')!),
      expected: update.valueGradient.flat(),
      float32: update.spread.valueGradient,
    });
    const outside = byValues.gradients.get('values')!.filter((_, i) => batch.mask[i] === 0);
    expect(outside.every((x) => x === 0)).toBe(true);
    tf.dispose([logits, vpred, hidden]);
    policy.dispose();
    value.dispose();
  });

  test('both losses on one trunk, and the pretraining term', async ({ task }) => {
    const policy = Llama.load(MODEL, PPO_MODELS.policy);
    const head = ScalarModel.onTrunk(policy, PPO_MODELS.value, 1);
    const together = new Map([...policy.parameters, ...head.parameters]);
    const shared = await differentiated(together, () =>
      addLosses(
        ppoPolicyLoss(policy, batch, old, PPO_SETTINGS),
        ppoValueLoss(head, batch, old, PPO_SETTINGS),
      ),
    );
    compareGradients(
      task,
      {
        quantity: `gradients of policy + value loss on a shared trunk`,
        on,
        source: TRL,
        float32: update.spread.sharedGradients,
      },
      shared.gradients,
      update.sharedGradients,
    );

    // Whole texts: every token but the first is learnt.
    const texts = collate(
      RANKED.flatMap((group) => group.rows).map((row) => ({ ...row, promptLength: 1 })),
    );
    const ptx = await differentiated(policy.parameters, () =>
      pretrainingLoss(policy, texts, PPO_SETTINGS.ptx_coef),
    );
    const source = 'transformers `LlamaForCausalLM`, × 27.8';
    parity(task, {
      quantity: `PPO-ptx term`,
      on,
      source,
      actual: ptx.numbers['loss']!,
      expected: update.pretrainingLoss,
      float32: update.spread.pretrainingLoss,
    });
    compareGradients(
      task,
      {
        quantity: `gradients of the PPO-ptx term`,
        on,
        source,
        float32: update.spread.pretrainingGradients,
      },
      ptx.gradients,
      update.pretrainingGradients,
    );
    head.dispose();
    policy.dispose();
  });

  test('policy loss −1.2 and −0.3679 for Δ log π = ±1', async ({ task }) => {
    const model = Llama.load(MODEL, PPO_MODELS.policy);
    const { logprobs } = await tokenLogprobs(model, batch, temperature);
    const advantages = new Float32Array(B * T).fill(1);
    for (const [by, expected] of [
      [1, -1.2],
      [-1, -Math.exp(-1)],
    ] as const) {
      const oldLogprobs = logprobs.map((x) => x - by);
      const numbers = await measured(() =>
        ppoPolicyLoss(model, batch, { oldLogprobs, advantages }, PPO_SETTINGS),
      );
      parity(task, {
        quantity: `policy loss, Δ log π = ${by}, A = 1, clip 0.2`,
        on,
        source: 'worked out by hand',
        actual: numbers['loss']!,
        expected,
      });
    }
    model.dispose();
  });
});

test('what is logged of a rollout', ({ task }) => {
  const zero = (x: Float32Array) => x.map((value) => (Number.isNaN(value) ? 0 : value));
  const charges = zero(placed(rollout.logprobs)).map(
    (x, i) => -PPO_SETTINGS.kl_coef * (x - zero(placed(rollout.refLogprobs))[i]!),
  );
  const logged: Rollout = {
    prompts: EPISODES.map(() => ''),
    written: EPISODES.map(({ response, ends }, b) => ({
      tokens: response,
      logprobs: rollout.logprobs[b]!,
      finish: ends ? 'eos' : 'length',
    })),
    rows,
    batch,
    logprobs: zero(placed(rollout.logprobs)),
    refLogprobs: zero(placed(rollout.refLogprobs)),
    values: zero(placed(rollout.values)),
    charges,
    rewards: zero(placed(cut(atLast.rewards))),
    advantages: zero(placed(cut(atLast.advantages))),
    returns: zero(placed(cut(atLast.returns))),
    rawScores: rollout.rawScores,
    scores: atLast.scores,
    kl: EPISODES.map((_, b) =>
      rollout.logprobs[b]!.reduce((sum, x, t) => sum + x - rollout.refLogprobs[b]![t]!, 0),
    ),
  };
  const metrics = rolloutMetrics(logged, PPO_SETTINGS.kl_coef, { whiten_rewards: false });
  for (const name of ['kl', 'entropy', 'non_score_reward', 'rlhf_reward'] as const) {
    parity(task, {
      quantity: `objective/${name}`,
      on: 'host',
      source: TRL,
      actual: metrics[`objective/${name}`]!,
      expected: atLast[name],
      float32: rollout.spread['last-token'],
    });
  }
  parity(task, {
    quantity: 'objective/kl_k3',
    on: 'host',
    source: `${TRL}, \`kl_estimator="k3"\``,
    actual: metrics['objective/kl_k3']! * EPISODES.length,
    expected: rollout.k3.flat().reduce((a, b) => a + b, 0),
  });
});
