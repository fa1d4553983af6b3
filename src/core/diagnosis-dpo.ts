/** What the rows of DPO say. Its reward is implicit, β·(log π − log π_ref), so it fails in ways of its own. */
import { numberSetting, type Check } from './diagnosis-finding';
import { meanOf, percent, pointsOf, said, stepsOf } from './diagnosis-series';
import { COIN, heldOutAccuracy, lastEpochs } from './diagnosis-supervised';

/** In our own run the better answers stayed within 4 nats of the SFT model’s (docs/log.md). */
const FORGETS_NATS = 8;

/** The better answers become far less likely too: only the gap grows (Razin et al. 2024, arXiv:2410.08847). */
export const dpoForgets: Check = (run) => {
  const end = lastEpochs(run.rows, 1);
  const beta = numberSetting(run, 'beta', NaN);
  const chosen = pointsOf(end, 'rewards/chosen');
  const moved = meanOf(chosen) / beta;
  if (!(moved < -FORGETS_NATS)) return null;
  return {
    id: 'dpo-forgets',
    severity: 'alarm',
    title: 'The better answers become unlikely too',
    steps: stepsOf(chosen),
    evidence: `In the last epoch the better answers are ${said(-moved)} nats less likely than under the SFT model, the worse ones ${said(-meanOf(pointsOf(end, 'rewards/rejected')) / beta)}.`,
    cause:
      'The loss asks only for the gap between the two: it is served as well by making all ranked answers unlikely, and what the model writes instead nobody has ranked.',
    remedy: 'A larger β, a lower learning rate or fewer epochs; then read what it writes.',
  };
};

const MEMORISED = 0.95;
/** Held-out accuracy below that of the training pairs. */
const MEMORISES_GAP = 0.25;
const MEMORISES_EPOCHS = 1;

/** Nearly every training pair is right, and the held-out ones are not. */
export const dpoMemorises: Check = (run) => {
  const held = heldOutAccuracy(run, 'eval_rewards/accuracies');
  if (held === null || !((run.rows.at(-1)?.epoch ?? 0) > MEMORISES_EPOCHS)) return null;
  const end = pointsOf(lastEpochs(run.rows, 1), 'rewards/accuracies');
  const training = meanOf(end);
  if (!(training > MEMORISED && held.high < MEMORISED && training - held.share > MEMORISES_GAP))
    return null;
  return {
    id: 'dpo-memorises',
    severity: 'warning',
    title: 'DPO memorises the pairs',
    steps: stepsOf(end),
    evidence: `${percent(training)} of the training pairs are ordered as ranked in the last epoch. ${held.measured}.`,
    cause: 'The same pairs were read too often for their number.',
    remedy: 'Fewer epochs, a lower learning rate, or more rankings.',
  };
};

/** Held-out accuracy whose interval holds 50 %, or lies below it. */
export const dpoNearChance: Check = (run) => {
  const held = heldOutAccuracy(run, 'eval_rewards/accuracies');
  if (held === null || held.low > COIN) return null;
  const below = held.high < COIN;
  return {
    id: 'dpo-near-chance',
    severity: below ? 'alarm' : 'warning',
    title: below ? 'DPO has the order upside down' : 'DPO may order pairs no better than a coin',
    steps: [held.step, held.step],
    evidence: `${held.measured}, and a coin gets 50 %.`,
    cause: below
      ? 'Ranks were read the wrong way round, or the held-out rankings are by someone who wants the opposite.'
      : 'Few pairs are held out; or the rankings hold too little, or contradict each other.',
    remedy: below
      ? 'Rank 1 is the best. Look at who ranked what.'
      : 'Rank more prompts, by one clear rule, before you trust what it learnt.',
  };
};
