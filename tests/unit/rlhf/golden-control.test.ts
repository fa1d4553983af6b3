/** The KL controller and the schedules against TRL and transformers, and the hand-checked numbers. */
import { describe, expect, test } from 'vitest';
import { generalizedAdvantage, tokenRewards } from '../../../src/core/advantage';
import { adaptKlCoef } from '../../../src/core/kl';
import { cosineFactor, ppoFactor } from '../../../src/core/schedule';
import { CONTROLLER, fingerprint, MIN_LR_RATIO, ONE_SHOT } from '../../../tools/golden/rlhf/inputs';
import { parity } from '../../../tools/golden/rlhf/parity';
import control from '../../golden/rlhf/control.json';

test('the fixture belongs to these inputs', () => {
  expect(control.inputs).toBe(fingerprint(ONE_SHOT));
});

test('the adaptive KL controller equals TRL over a run', ({ task }) => {
  const { target_kl, kl_horizon, episodes } = CONTROLLER;
  let { kl_coef } = CONTROLLER;
  const actual = CONTROLLER.kls.map(
    (kl) => (kl_coef = adaptKlCoef(kl_coef, kl, { target_kl, kl_horizon, episodes })),
  );
  parity(task, {
    quantity: 'adaptive KL coefficient over 8 iterations',
    on: 'host',
    source: `TRL ${control.controllerVersion} \`AdaptiveKLController\``,
    actual,
    expected: control.controller.adaptive,
  });
});

describe.each(control.schedules)('$total steps, warm-up $warmup', (golden) => {
  const { total, warmup } = golden;
  const steps = golden.cosine.map((_, step) => step);
  const note = `, ${total} steps, warm-up ${warmup}`;

  test('cosine to 10 % equals transformers', ({ task }) => {
    parity(task, {
      quantity: `cosine to 10 %${note}: the warm-up`,
      on: 'host',
      source: 'transformers `get_cosine_with_min_lr_schedule_with_warmup_lr_rate`',
      actual: steps.slice(0, warmup + 1).map((s) => cosineFactor(s, total, warmup, MIN_LR_RATIO)),
      // Theirs counts the step after the warm-up as one of the cosine: there both are at the peak.
      expected: [...golden.cosineWarmup.slice(0, warmup), 1],
    });
    parity(task, {
      quantity: `cosine to 10 %${note}: after it`,
      on: 'host',
      source: 'transformers `get_cosine_with_min_lr_schedule_with_warmup`',
      actual: steps.slice(warmup).map((s) => cosineFactor(s, total, warmup, MIN_LR_RATIO)),
      expected: golden.cosine.slice(warmup),
    });
  });

  test('constant after a warm-up equals transformers, one step ahead', ({ task }) => {
    parity(task, {
      quantity: `constant${note}`,
      on: 'host',
      source: 'transformers `get_constant_schedule_with_warmup`, at step + 1',
      actual: steps.slice(0, -1).map((s) => ppoFactor(s, total, warmup, 'constant')),
      expected: golden.constant.slice(1),
    });
  });
});

test('linear to 0 without a warm-up equals transformers', ({ task }) => {
  const golden = control.schedules.find(({ warmup }) => warmup === 0)!;
  parity(task, {
    quantity: `linear to 0, ${golden.total} steps`,
    on: 'host',
    source: 'transformers `get_linear_schedule_with_warmup`',
    actual: golden.linear.map((_, step) => ppoFactor(step, golden.total, 0, 'linear')),
    expected: golden.linear,
  });
});

describe('hand-checked', () => {
  const source = 'worked out by hand';
  test('KL controller: β 0.15, KL 12, target 6, 512 episodes', ({ task }) => {
    const change = { target_kl: 6, kl_horizon: 10000, episodes: 512 };
    parity(task, {
      quantity: 'KL controller, β 0.15 at KL 12',
      on: 'host',
      source,
      actual: adaptKlCoef(0.15, 12, change),
      expected: 0.151536,
    });
  });

  test('GAE: v = r = [0, 0, 0, 1], γ 0.9, λ 0.95', ({ task }) => {
    const x = Float32Array.of(0, 0, 0, 1);
    const mask = Float32Array.of(1, 1, 1, 1);
    const { returns } = generalizedAdvantage(x, x, mask, { B: 1, T: 4 }, 0.9, 0.95);
    parity(task, {
      quantity: 'GAE returns of [0, 0, 0, 1]',
      on: 'host',
      source,
      actual: returns,
      // 0.9²·0.95 = 0.7695, 0.9³·0.95² = 0.6579225
      expected: [0.6579225, 0.7695, 0.9, 1],
    });
  });

  test('rewards: scores 1, 2, 3, KL −0.1, −0.2, −0.3 per token, β 0.5', ({ task }) => {
    const logprobs = Float32Array.of(-0.1, -0.1, -0.2, -0.2, -0.3, -0.3);
    const { rewards } = tokenRewards({
      B: 3,
      T: 2,
      mask: new Float32Array(6).fill(1),
      logprobs,
      refLogprobs: new Float32Array(6),
      scores: [1, 2, 3],
      kl_coef: 0.5,
    });
    parity(task, {
      quantity: 'rewards of the last tokens',
      on: 'host',
      source,
      actual: [rewards[1]!, rewards[3]!, rewards[5]!],
      expected: [1.05, 2.1, 3.15],
    });
  });
});
