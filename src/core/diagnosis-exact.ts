/**
 * Identities of PPO that hold in correct code whatever the data, so that a broken one names its bug.
 * They are exact but for rounding: two rows are enough, and one where only the first iteration can
 * tell. Two rather than one, so that a single odd row (a run cut off while it wrote) says nothing.
 */
import type { Check } from './diagnosis-finding';
import type { MetricRow } from './domain';
import {
  deviationOf,
  meanOf,
  noiseOf,
  pointsBy,
  pointsOf,
  said,
  stepsOf,
  windowsOf,
  type Point,
} from './diagnosis-series';

/** Rounding in f32, for sums of rewards and means of advantages. */
const ROUNDING = 1e-3;
/** The same for a mean of charges, which is near 0 while the KL is. */
const CHARGE_SHARE = 1e-3;
const CHARGE_ROUNDING = 1e-5;
/** Nats: sampling with a cache and training without one round differently, but not by this much. */
const LOGPROB_GAP = 0.01;
/** Whitened advantages: 0 ± 1e-3 and 1 ± 1e-2 in healthy runs. */
const WHITE_MEAN = 0.01;
const WHITE_DEVIATION = 1.02;
/** The first ratio is 1 ± 1e-4. */
const RATIO_ROUNDING = 1e-4;
/**
 * Of one token. π_new/π_old has mean 1 over samples of π_old for any π_new, so two policies show only
 * in how the mean of n tokens scatters, 1/√n of what one token does: 0.06 at temperatures 1 and 0.7.
 */
const RATIO_OTHER_FUNCTION = 0.02;
const VALUE_GAP = 0.01;

const LEAST = 2;

function broken(points: readonly Point[], holds: (value: number) => boolean): Point[] | null {
  const bad = points.filter(({ value }) => !holds(value));
  return bad.length >= LEAST ? bad : null;
}

const inRows = (bad: readonly Point[], all: readonly Point[]): string =>
  `in ${bad.length} of ${all.length} iterations`;

/** objective/non_score_reward = −β·KL, so never above 0 while the KL is. */
export const klSign: Check = ({ rows }) => {
  const price = (row: MetricRow) =>
    (row['objective/kl_coef'] ?? NaN) * (row['objective/kl'] ?? NaN);
  const errors = pointsBy(rows, (row) => {
    const error = (row['objective/non_score_reward'] ?? NaN) + price(row);
    return error / (CHARGE_SHARE * Math.abs(price(row)) + CHARGE_ROUNDING);
  });
  const bad = broken(errors, (error) => Math.abs(error) <= 1);
  if (bad === null) return null;
  const [first, last] = stepsOf(bad);
  const there = rows.filter(({ step }) => step !== undefined && step >= first && step <= last);
  const charge = meanOf(pointsOf(there, 'objective/non_score_reward'));
  const due = -meanOf(pointsBy(there, price));
  const paid = charge * due < 0;
  return {
    id: 'kl-sign',
    severity: 'alarm',
    title: paid ? 'Leaving the SFT model is paid for, not charged' : 'The KL charge is not −β·KL',
    steps: [first, last],
    evidence: `The charge is ${said(charge)} on average where −β·KL is ${said(due)} (${inRows(bad, errors)}).`,
    cause: paid
      ? 'The KL enters the reward with the wrong sign.'
      : 'The KL that is charged is not the KL that is logged: another estimate, another mask or another β.',
    remedy: 'Charge −β·(log π − log π_ref) on each token: minus, policy first.',
  };
};

/** The rewards of a completion add up to its score and its KL charge. */
export const rewardPlace: Check = ({ rows }) => {
  const errors = pointsOf(rows, 'check/reward_sum_error');
  const bad = broken(errors, (error) => error <= ROUNDING);
  if (bad === null) return null;
  return {
    id: 'reward-on-wrong-token',
    severity: 'alarm',
    title: 'The score does not reach the completion',
    steps: stepsOf(bad),
    evidence: `The rewards of a completion miss score − β·KL by ${said(meanOf(bad))} on average (${inRows(bad, errors)}); they must add up to it.`,
    cause:
      'The score lies on a token that does not count: padding after the end, or a token of the prompt.',
    remedy:
      'Put it on the last token of the completion (the end token, where there is one), not on the last place of the padded row.',
  };
};

/** Whitened advantages have mean 0 and deviation 1 over the tokens that count. */
export const whitening: Check = ({ rows }) => {
  const means = pointsOf(rows, 'check/advantage_mean');
  const deviations = pointsOf(rows, 'check/advantage_std');
  const off =
    broken(means, (mean) => Math.abs(mean) <= WHITE_MEAN) ??
    broken(deviations, (deviation) => deviation <= WHITE_DEVIATION);
  if (off === null) return null;
  return {
    id: 'unmasked-whitening',
    severity: 'alarm',
    title: 'Advantages are whitened over padding',
    steps: stepsOf(off),
    evidence: `Over the completions' tokens their mean is ${said(meanOf(means))} and their deviation ${said(meanOf(deviations))} (${inRows(off, means)}); whitening makes them 0 and 1.`,
    cause: 'Mean and spread were taken over prompts and padding too.',
    remedy:
      'Whiten with the mask of the completion: padding must not enter the mean or the variance.',
  };
};

/** The return at the last token is its reward: nothing comes after it. */
export const returnsOrder: Check = ({ rows }) => {
  const errors = pointsOf(rows, 'check/return_last_error');
  const bad = broken(errors, (error) => error <= ROUNDING);
  if (bad === null) return null;
  return {
    id: 'returns-after-whitening',
    severity: 'alarm',
    title: 'The value model is taught the wrong numbers',
    steps: stepsOf(bad),
    evidence: `At the last token the return misses the reward by ${said(meanOf(bad))} on average (${inRows(bad, errors)}); nothing comes after it, so they are equal.`,
    cause: 'Returns are advantages + values, taken after the advantages were whitened.',
    remedy: 'Take the returns first, whiten the advantages last.',
  };
};

/** Before the first update, value model and reward model are one. */
export const valueStart: Check = ({ rows }) => {
  const gap = pointsOf(rows.slice(0, 1), 'check/value_init_gap');
  if (!(meanOf(gap) > VALUE_GAP)) return null;
  return {
    id: 'value-not-initialised',
    severity: 'alarm',
    title: 'The value model did not start as the reward model',
    steps: stepsOf(gap),
    evidence: `Before the first update it misses the scores by ${said(meanOf(gap))} on average; a copy of the reward model would give the scores themselves.`,
    cause: 'Its head (or all of it) started at random.',
    remedy:
      'Start it from the reward model’s weights, head and normalisation included; else the first advantages are noise.',
  };
};

/** Policy and reference are the same model before the first update, so their KL is 0. */
export const referenceStart: Check = ({ rows }) => {
  const first = rows.slice(0, 1).filter(({ step }) => step === 1);
  const kl = pointsOf(first, 'objective/kl');
  const k3 = pointsOf(first, 'objective/kl_k3');
  if (!(Math.abs(meanOf(kl)) > ROUNDING || meanOf(k3) > ROUNDING)) return null;
  return {
    id: 'reference-dropout',
    severity: 'alarm',
    title: 'The reference is not the model that PPO started from',
    steps: [1, 1],
    evidence: `Before the first update the KL is ${said(meanOf(kl))} nats${k3.length > 0 ? ` (k3: ${said(meanOf(k3))})` : ''}; a model and its copy have a KL of exactly 0.`,
    cause: 'Dropout is on in the reference, or it has other weights or another temperature.',
    remedy:
      'Turn dropout off in all four models, and load policy and reference from the same weights.',
  };
};

/** Tokens of a rollout; `episode` counts all completions so far. */
const tokensOf = (rows: readonly MetricRow[]): number =>
  meanOf(
    pointsBy(
      rows,
      (row) => ((row.episode ?? NaN) / (row.step ?? NaN)) * (row.response_length ?? NaN),
    ),
  );

/** Before the first update the ratio is exp(0). */
export const firstRatio: Check = ({ rows }) => {
  const gaps = pointsOf(rows, 'check/old_logprob_gap');
  const apart = broken(gaps, (gap) => gap <= LOGPROB_GAP);
  const ratios = pointsBy(rows, (row) => Math.abs((row['val/ratio_first'] ?? NaN) - 1));
  const off = broken(ratios, (distance) => distance <= RATIO_ROUNDING);
  const bad = apart ?? off;
  if (bad === null) return null;
  const measured = [
    off && `the ratio before the first update is off 1 by ${said(meanOf(off))}`,
    apart && `log π as sampled and as computed again differ by ${said(meanOf(apart))} nats a token`,
  ].filter((text) => text !== null);
  const evidence = `On average ${measured.join(', and ')} (${inRows(bad, apart === null ? ratios : gaps)}).`;
  if (apart === null && !(meanOf(off ?? []) * Math.sqrt(tokensOf(rows)) > RATIO_OTHER_FUNCTION)) {
    return {
      id: 'first-ratio',
      severity: 'warning',
      title: 'The first ratio is not quite 1',
      steps: stepsOf(bad),
      evidence,
      cause:
        'Old and new log-probabilities round differently (another kernel, precision or padding), or their temperatures differ a little.',
      remedy: 'Compute both by the same code, at one temperature, on rows padded alike.',
    };
  }
  return {
    id: 'wrong-temperature',
    severity: 'alarm',
    title: 'The update sees another policy than the one that wrote',
    steps: stepsOf(bad),
    evidence,
    cause:
      'Two temperatures: the completions were written at one and their log-probabilities computed at another. Dropout in the policy, or top-k or top-p while writing, do the same.',
    remedy: 'Use one temperature for writing, old, new and reference log-probabilities.',
  };
};

/** Rows in a window: KL means of small batches are noisy. */
const KL_WINDOW = 8;
const KL_BELOW = -0.05;
/** Standard errors. Many windows are looked at, so chance must be far from any of them. */
const KL_ERRORS = 5;

/** KL ≥ 0 (Gibbs): its estimate from samples of the policy may dip below 0, but not on average. */
export const negativeKl: Check = ({ rows }) => {
  const kl = pointsOf(rows, 'objective/kl');
  const noise = noiseOf(kl);
  const low = windowsOf(kl, KL_WINDOW)
    .filter((window) => {
      const error = Math.max(noise, deviationOf(window)) / Math.sqrt(KL_WINDOW);
      return meanOf(window) < Math.min(KL_BELOW, -KL_ERRORS * error);
    })
    .flat();
  if (low.length === 0) return null;
  return {
    id: 'negative-kl',
    severity: 'alarm',
    title: 'The KL is negative',
    steps: stepsOf(low),
    evidence: `It is ${said(meanOf(low))} nats a completion on average; a KL cannot be below 0 for longer than chance allows.`,
    cause:
      'The completions were not drawn from the policy whose log-probabilities are compared: top-k or top-p, another temperature, padding in the sum, or dropout in a model.',
    remedy:
      'Draw from the full distribution at the temperature of the log-probabilities, sum over completion tokens only, and turn dropout off.',
  };
};
