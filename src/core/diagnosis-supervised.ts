/** What the rows of SFT and of the reward model say. */
import { numberSetting, type Check, type CheckedRun } from './diagnosis-finding';
import {
  meanOf,
  noiseOf,
  percent,
  pointsOf,
  said,
  stepsOf,
  windowsOf,
  wilsonInterval,
  type Point,
} from './diagnosis-series';

const LEAST = 2;

/** The end token of every row is trained on. */
export const endToken: Check = ({ rows }) => {
  const shares = pointsOf(rows, 'check/end_tokens');
  const bad = shares.filter(({ value }) => value < 1);
  if (bad.length < LEAST) return null;
  return {
    id: 'pad-is-eos',
    severity: 'alarm',
    title: 'The end token is not learnt',
    steps: stepsOf(bad),
    evidence: `In ${percent(meanOf(bad))} of the rows the end token counts in the loss (${bad.length} of ${shares.length} steps); it must count in all.`,
    cause: 'Padding and end share one id, so that hiding the padding hides the end too.',
    remedy: 'Give padding an id of its own; otherwise the model never learns to stop.',
  };
};

/** No token of a prompt is trained on. */
export const promptMask: Check = ({ rows }) => {
  const counts = pointsOf(rows, 'check/prompt_tokens');
  const bad = counts.filter(({ value }) => value > 0);
  if (bad.length < LEAST) return null;
  return {
    id: 'no-prompt-mask',
    severity: 'alarm',
    title: 'The prompt is learnt too',
    steps: stepsOf(bad),
    evidence: `${said(meanOf(bad))} prompt tokens of a batch count in the loss (${bad.length} of ${counts.length} steps); none may.`,
    cause:
      'The prompt is not masked, so the model learns to write questions, and the loss is not that of the answers.',
    remedy: 'Take the loss on the tokens of the completion only.',
  };
};

/** Steps at the end of a run that are compared with as many before: a quarter, within these bounds. */
const LEAST_STEPS = 3;
const MOST_STEPS = 50;
const LOSS_RISE = 0.2;
/** Standard errors of a difference that chance may make. */
const LOSS_ERRORS = 5;

/** The training loss ends above where it has been. */
export const lossRising: Check = (run) => {
  const loss = pointsOf(run.rows, 'loss');
  if (loss.length < 2 * LEAST_STEPS) return null;
  const size = Math.min(MOST_STEPS, Math.max(LEAST_STEPS, Math.floor(loss.length / 4)));
  const late = loss.slice(-size);
  const best = [loss.slice(0, 1), ...windowsOf(loss.slice(0, -size), size)].reduce((low, window) =>
    meanOf(window) < meanOf(low) ? window : low,
  );
  const rise = meanOf(late) - meanOf(best);
  const noise = noiseOf(loss) * Math.sqrt(1 / size + 1 / best.length);
  if (!(rise > Math.max(LOSS_RISE, LOSS_ERRORS * noise))) return null;
  return {
    id: 'loss-rising',
    severity: 'alarm',
    title: 'The loss is rising',
    steps: [best[0]!.step, late.at(-1)!.step],
    evidence: `It was ${said(meanOf(best))} at step ${best.at(-1)!.step} and is ${said(meanOf(late))} over the last ${size} steps.`,
    cause: `The learning rate (${said(numberSetting(run, 'learning_rate', NaN))}) is too high: each step overshoots.`,
    remedy: 'Train again with a third of it.',
  };
};

/** The last `epochs` of a run. */
export function lastEpochs(rows: CheckedRun['rows'], epochs: number): CheckedRun['rows'] {
  const end = rows.at(-1)?.epoch ?? 0;
  return rows.filter((row) => (row.epoch ?? 0) > end - epochs);
}

/** How far the newest held-out loss is above the lowest one. */
function heldOutRise(rows: CheckedRun['rows']): { best: Point; last: Point } | null {
  const held = pointsOf(rows, 'eval_loss');
  const last = held.at(-1);
  if (held.length < 3 || last === undefined) return null;
  const best = held.reduce((low, point) => (point.value < low.value ? point : low));
  return { best, last };
}

const MEMORISES_SHARE = 0.25;
const MEMORISES_NATS = 0.1;
const TRAINING_BELOW = 0.5;

/** Held-out loss well above its lowest while the training loss is far below it. */
export const sftMemorises: Check = ({ rows }) => {
  const held = heldOutRise(rows);
  if (held === null) return null;
  const { best, last } = held;
  const training = meanOf(pointsOf(lastEpochs(rows, 1), 'loss'));
  const rise = last.value - best.value;
  if (!(rise > Math.max(MEMORISES_NATS, MEMORISES_SHARE * best.value))) return null;
  if (!(training < TRAINING_BELOW * last.value)) return null;
  return {
    id: 'sft-memorises',
    severity: 'warning',
    title: 'It memorises the demonstrations',
    steps: [best.step, last.step],
    evidence: `The held-out loss rose from ${said(best.value)} at step ${best.step} to ${said(last.value)}, while the training loss fell to ${said(training)}.`,
    cause: 'The same demonstrations have been read too often for their number.',
    remedy: `Fewer epochs, or more demonstrations. A little of this does no harm: InstructGPT trained past it on purpose.`,
  };
};

const OVERFIT_SHARE = 0.1;
const OVERFIT_NATS = 0.05;
const OVERFIT_ACCURACY = 0.95;
/** Held-out accuracy lost since its best. */
const OVERFIT_LOST = 0.05;

/** Held-out loss rises after more than one epoch, with nearly every training pair right. */
export const rewardOverfits: Check = ({ rows }) => {
  const held = heldOutRise(rows);
  const epochs = rows.at(-1)?.epoch ?? 0;
  if (held === null || !(epochs > 1)) return null;
  const { best, last } = held;
  const rise = last.value - best.value;
  if (!(rise > Math.max(OVERFIT_NATS, OVERFIT_SHARE * best.value))) return null;
  const end = lastEpochs(rows, 1);
  const accuracy = meanOf(pointsOf(end, 'accuracy'));
  const training = meanOf(pointsOf(end, 'loss'));
  if (!(accuracy > OVERFIT_ACCURACY) || !(training < TRAINING_BELOW * last.value)) return null;
  const right = pointsOf(rows, 'eval_accuracy').map(({ value }) => value);
  const fell = Math.max(...right) - right.at(-1)! > OVERFIT_LOST;
  return {
    id: 'shuffled-pairs',
    severity: fell ? 'alarm' : 'warning',
    title: 'The reward model memorises the comparisons',
    steps: [best.step, last.step],
    evidence: `${percent(accuracy)} of the training pairs are right in the last epoch, but the held-out loss rose from ${said(best.value)} at step ${best.step} to ${said(last.value)} (${said(epochs)} epochs).`,
    cause:
      'The same completions were read many times: several epochs, or the pairs of a prompt shuffled apart, so that each completion comes up K − 1 times in every epoch.',
    remedy: 'One epoch, with all pairs of a prompt in one batch element; and more rankings.',
  };
};

/**
 * Pairs that count as independent. The K(K−1)/2 pairs of one ranking share completions: by chance
 * alone the number ordered right varies (2K+5)/9 times as much as that of independent pairs (Kendall
 * 1938: K(K−1)(2K+5)/72 against K(K−1)/8).
 */
export const independentPairs = (pairs: number, completions: number): number =>
  (pairs * 9) / (2 * Math.max(2, completions) + 5);

export const COIN = 0.5;
const NEAR_COIN = 0.55;
/** What a good reward model reaches on people's rankings: 0.6 to 0.75. */
const GOOD = 0.7;

export interface HeldOutAccuracy {
  step: number;
  share: number;
  /** Wilson's 95 % interval for pairs that count as independent. */
  low: number;
  high: number;
  /** The numbers in words. */
  measured: string;
}

/** The newest held-out accuracy, once all rankings have been read; null where it cannot be told. */
export function heldOutAccuracy(
  { rows, counts }: CheckedRun,
  metric: string,
): HeldOutAccuracy | null {
  const last = pointsOf(rows, metric).at(-1);
  const epoch = rows.find(({ step }) => step === last?.step)?.epoch ?? 0;
  if (last === undefined || counts === undefined || counts.heldOutPairs < 1 || epoch < 1)
    return null;
  const count = independentPairs(counts.heldOutPairs, counts.completions);
  const [low, high] = wilsonInterval(last.value, count);
  const measured = `${percent(last.value)} of about ${Math.round(counts.heldOutPairs)} held-out pairs are right; as pairs of one ranking hang together, that means ${percent(low)} to ${percent(high)} (95 %)`;
  return { step: last.step, share: last.value, low, high, measured };
}

/** Held-out accuracy whose interval holds 50 %. */
export const rewardNearChance: Check = (run) => {
  const held = heldOutAccuracy(run, 'eval_accuracy');
  if (held === null || held.low > COIN) return null;
  const { step, share, high, measured } = held;
  if (high < COIN) {
    return {
      id: 'reward-upside-down',
      severity: 'alarm',
      title: 'The reward model has the order upside down',
      steps: [step, step],
      evidence: `${measured}: surely below the 50 % of a coin.`,
      cause:
        'Ranks were read the wrong way round, or the held-out rankings are by someone who wants the opposite.',
      remedy: 'Rank 1 is the best. Look at who ranked what, and rank again where it is wrong.',
    };
  }
  const near = share < NEAR_COIN && high < GOOD;
  return {
    id: 'reward-near-chance',
    severity: near ? 'alarm' : 'warning',
    title: near ? 'The reward model guesses' : 'The reward model may be no better than a coin',
    steps: [step, step],
    evidence: `${measured}, and a coin gets 50 %.`,
    cause: near
      ? 'The rankings hold too little or contradict each other; or the learning rate is far too high, if the loss has not fallen below ln 2 = 0.693.'
      : 'Too few pairs are held out to tell.',
    remedy: near
      ? 'Lower the learning rate, or rank more prompts by one clear rule. PPO against this reward learns noise.'
      : 'Rank more prompts before you trust the reward.',
  };
};

/** On our own tasks 24 rankings of 4 gave a reward model that PPO exploited, 40 did not (docs/log.md). */
const FEW_RANKINGS = 30;

/** Too few rankings to learn from. */
export const tooFewRankings: Check = ({ rows, counts }) => {
  if (counts === undefined || counts.rankings >= FEW_RANKINGS || rows.length === 0) return null;
  return {
    id: 'too-few-rankings',
    severity: 'warning',
    title: 'Few rankings',
    steps: stepsOf(pointsOf(rows, 'loss')),
    evidence: `${counts.rankings} rankings give ${counts.pairs} pairs. In our own runs 24 rankings of 4 made a reward model that PPO could exploit; 40 did not.`,
    cause:
      'A reward model of few rankings knows too few texts: PPO finds ones that it wrongly likes.',
    remedy: `Rank at least ${FEW_RANKINGS}, better 40, or keep PPO short and β high.`,
  };
};
