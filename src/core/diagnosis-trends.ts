/**
 * What PPO's curves say. Every number of one iteration is a mean over a few dozen completions, so
 * each check looks at means over several iterations and says nothing about shorter runs.
 * Limits: the healthy ranges of the metrics' catalogue (core/metrics.ts), which are TRL's and
 * InstructGPT's, and what our own healthy runs keep to.
 */
import { numberSetting, type Check } from './diagnosis-finding';
import type { MetricRow } from './domain';
import {
  correlation,
  meanOf,
  noiseOf,
  percent,
  pointsBy,
  pointsOf,
  said,
  stepsOf,
  sustainedAbove,
  type Point,
} from './diagnosis-series';

/** Iterations at either end of a run that a trend is taken between. */
export const TREND = 5;

/** Means over the first and the last iterations; null while the two would overlap. */
function change(points: readonly Point[]): { from: number; to: number; noise: number } | null {
  if (points.length < 2 * TREND) return null;
  return {
    from: meanOf(points.slice(0, TREND)),
    to: meanOf(points.slice(-TREND)),
    noise: noiseOf(points) * Math.sqrt(2 / TREND),
  };
}

const SPIKE_NATS = 5;
/** Iterations that it must jump above. */
const SPIKE_AFTER = 3;
/** Standard errors of a difference that chance may make. */
const SPIKE_ERRORS = 4;

/** Completions written in an iteration: `episode` counts all so far. */
const episodesOf = (row: MetricRow): number => (row.episode ?? NaN) / (row.step ?? NaN);

/**
 * Standard error of a batch's mean KL, nats: k1 of one completion spreads by √(2·KL) while the policy
 * is near, and by a share of the KL more when it is not (on our runs about a third: ±1.8 nats at
 * a KL of 11 and 24 completions).
 */
const klNoise = (kl: number, episodes: number): number =>
  (Math.sqrt(2 * Math.max(0, kl)) + 0.3 * Math.max(0, kl)) / Math.sqrt(episodes);

/** One iteration's jump that is far above what came before it. */
export const klSpike: Check = ({ rows }) => {
  const kl = pointsOf(rows, 'objective/kl');
  const episodes = meanOf(pointsBy(rows, episodesOf));
  const spikes = kl.slice(SPIKE_AFTER).flatMap((after, i) => {
    // The highest of the last few, so that coming back from a dip is no jump.
    const before = kl.slice(i, i + SPIKE_AFTER).reduce((a, b) => (b.value > a.value ? b : a));
    const chance = klNoise((before.value + after.value) / 2, episodes);
    const limit = Math.max(SPIKE_NATS, before.value, SPIKE_ERRORS * Math.SQRT2 * chance);
    const jump = after.value - before.value;
    return jump > limit ? [{ before, after, jump }] : [];
  });
  const [worst] = spikes.sort((a, b) => b.jump - a.jump);
  if (worst === undefined) return null;
  const { before, after } = worst;
  return {
    id: 'kl-spike',
    severity: 'warning',
    title: 'The KL jumps',
    steps: [after.step, after.step],
    evidence: `From at most ${said(before.value)} nats in the iterations before to ${said(after.value)} in one.`,
    cause:
      'One update moved the policy too far: a few completions with odd scores, or a learning rate at its upper end.',
    remedy:
      'Lower the learning rate or the number of PPO epochs, or write more rollouts per iteration.',
  };
};

const FAR_NATS = 15;
const FAR_WINDOW = 5;

/** More than 15 nats a completion, or twice the target of the adaptive controller where that is more. */
export const klTooHigh: Check = (run) => {
  const target = run.config.kl_controller === 'adaptive' ? numberSetting(run, 'target_kl', 0) : 0;
  const limit = Math.max(FAR_NATS, 2 * target);
  const high = sustainedAbove(pointsOf(run.rows, 'objective/kl'), FAR_WINDOW, limit);
  if (high === null) return null;
  return {
    id: 'kl-too-high',
    severity: high.highest > 2 * limit ? 'alarm' : 'warning',
    title: 'The policy has left the SFT model far behind',
    steps: high.steps,
    evidence: `The KL reached ${said(high.highest)} nats a completion, as a mean over ${FAR_WINDOW} iterations; ${said(limit)} is the most that is healthy here.`,
    cause:
      'The KL costs too little beside what the reward model pays, so the reward model scores texts unlike any it learnt from.',
    remedy:
      'Raise β, lower the learning rate, or stop earlier. Read the samples: is what scores high also good?',
  };
};

const LENGTH_RATIO = 1.4;
const LENGTH_TOKENS = 4;
const REWARD_RISE = 0.2;
const LENGTH_CORRELATION = 0.5;

/** Reward and length rise together. */
export const rewardByLength: Check = ({ rows }) => {
  const scores = pointsOf(rows, 'objective/scores');
  const lengths = pointsOf(rows, 'response_length');
  const reward = change(scores);
  const length = change(lengths);
  if (reward === null || length === null) return null;
  const together = correlation(lengths, scores);
  const rises = reward.to - reward.from > Math.max(REWARD_RISE, 3 * reward.noise);
  const grows =
    length.to > LENGTH_RATIO * length.from &&
    length.to - length.from > Math.max(LENGTH_TOKENS, 3 * length.noise);
  if (!rises || !grows || !(together > LENGTH_CORRELATION)) return null;
  return {
    id: 'reward-by-length',
    severity: 'warning',
    title: 'Length is rising with the reward',
    steps: stepsOf(lengths),
    evidence: `Completions grew from ${said(length.from)} to ${said(length.to)} tokens while the reward went from ${said(reward.from)} to ${said(reward.to)}; over the iterations the two have a correlation of ${said(together)}.`,
    cause:
      'The reward model may like length: people’s rankings often favour longer answers, and it learns that first.',
    remedy:
      'Compare short and long samples of equal worth; rank pairs in which the shorter answer is the better one; raise β.',
  };
};

const ENTROPY_SHARE = 1 / 3;
const ENTROPY_NATS = 1;

/** A completion holds little choice any more: the policy writes one text whatever it is asked. */
export const entropyCollapse: Check = ({ rows }) => {
  const points = pointsOf(rows, 'objective/entropy');
  const entropy = change(points);
  if (entropy === null || entropy.to > ENTROPY_SHARE * entropy.from) return null;
  const reward = change(pointsOf(rows, 'objective/scores'));
  const rose = reward !== null && reward.to - reward.from > 3 * reward.noise;
  // A third of the choice may be what the reward asks for; a third with nothing gained is not.
  if (entropy.to > ENTROPY_NATS && rose) return null;
  return {
    id: 'entropy-collapse',
    severity: 'alarm',
    title: 'It repeats itself',
    steps: stepsOf(points),
    evidence: `The entropy fell from ${said(entropy.from)} to ${said(entropy.to)} nats a completion${reward === null ? '' : `, the reward went from ${said(reward.from)} to ${said(reward.to)}`}.`,
    cause:
      'The policy has found one text that scores and writes nothing else: nothing is left to explore.',
    remedy:
      'Raise β or lower the learning rate, and go back to the last checkpoint whose samples still differ.',
  };
};

const VALUE_WINDOW = 10;
/** Iterations before the value model is judged. */
const VALUE_START = 10;

/** Explained variance below 0 for long: a constant would do better. */
export const valueFailing: Check = ({ rows }) => {
  const fit = pointsOf(rows, 'ppo/val/var_explained').slice(VALUE_START);
  const late = fit.slice(-VALUE_WINDOW);
  if (late.length < VALUE_WINDOW || meanOf(late) >= 0) return null;
  return {
    id: 'value-failing',
    severity: 'warning',
    title: 'The value model is worse than a constant',
    steps: stepsOf(late),
    evidence: `It explains ${percent(meanOf(late))} of the variance of the returns over the last ${VALUE_WINDOW} iterations; a constant explains 0 %.`,
    cause: 'It learns too slowly, or the policy moves faster than it can follow.',
    remedy:
      'Raise the value loss weight or the value clip range, lower the policy’s learning rate, or give it more iterations.',
  };
};

const EOS_WINDOW = 3;
const FEW_END = 0.5;
const NONE_END = 0.05;

/** Completions that the policy ends itself. */
export const eosMissing: Check = (run) => {
  if (run.config.missing_eos === 'off') return null;
  const cut = pointsBy(run.rows, (row) => 1 - (row['val/num_eos_tokens'] ?? NaN) / episodesOf(row));
  const many = sustainedAbove(cut, EOS_WINDOW, 1 - FEW_END);
  if (many === null) return null;
  const ended = 1 - many.highest;
  const none = ended < NONE_END;
  const unlearnt = meanOf(cut.slice(0, EOS_WINDOW)) <= 1 - FEW_END;
  const tokens = meanOf(pointsOf(run.rows, 'response_length'));
  const { cause, remedy } = unlearnt ? EOS_UNLEARNT : none ? EOS_NEVER_LEARNT : EOS_CUT;
  return {
    id: 'eos-missing',
    severity: none ? 'alarm' : 'warning',
    title: none ? 'Completions never end' : 'Few completions end',
    steps: many.steps,
    evidence: `Down to ${percent(ended)} of the completions end by themselves (over ${EOS_WINDOW} iterations); they are ${said(tokens)} tokens long on average.`,
    cause,
    remedy,
  };
};

const EOS_NEVER_LEARNT = {
  cause:
    'The SFT model never learnt the end token (it was masked, or padding has the same id), or completions are cut before they can end.',
  remedy:
    'Train SFT on the end token, with an id of its own for padding; then allow completions as long as the demonstrations.',
};
const EOS_CUT = {
  cause: 'The longest completion that is allowed is shorter than what the demonstrations taught.',
  remedy: 'Allow longer completions, or teach with shorter demonstrations.',
};
const EOS_UNLEARNT = {
  cause:
    'The completions ended at first: PPO has unlearnt it, as not ending costs too little or the policy has fallen apart.',
  remedy: 'Raise the penalty for not ending, raise β, or lower the learning rate.',
};

const UPDATE_WINDOW = 3;
const APPROX_KL = 0.1;
const CLIPPED = 0.3;

/** policy/approxkl_avg above its alarm. */
export const updateTooLarge: Check = ({ rows }) => {
  const high = sustainedAbove(pointsOf(rows, 'policy/approxkl_avg'), UPDATE_WINDOW, APPROX_KL);
  if (high === null) return null;
  return {
    id: 'update-too-large',
    severity: 'alarm',
    title: 'Updates move the policy too far',
    steps: high.steps,
    evidence: `The approximate KL of an update reached ${said(high.highest)} nats over ${UPDATE_WINDOW} iterations; healthy is below 0.02, the alarm at ${APPROX_KL}.`,
    cause: 'The learning rate is too high, or the same rollouts are learnt from too often.',
    remedy: 'Lower the learning rate, or the number of PPO epochs or minibatches.',
  };
};

/** policy/clipfrac_avg above its alarm. */
export const clippedTooOften: Check = ({ rows }) => {
  const high = sustainedAbove(pointsOf(rows, 'policy/clipfrac_avg'), UPDATE_WINDOW, CLIPPED);
  if (high === null) return null;
  return {
    id: 'clipped-too-often',
    severity: 'alarm',
    title: 'Most of the push is clipped away',
    steps: high.steps,
    evidence: `${percent(high.highest)} of the tokens hit the clip over ${UPDATE_WINDOW} iterations; healthy is below 20 %, the alarm at ${percent(CLIPPED)}.`,
    cause:
      'The steps are so large that the clip, not the advantage, decides where the policy goes.',
    remedy: 'Lower the learning rate or the number of PPO epochs.',
  };
};
