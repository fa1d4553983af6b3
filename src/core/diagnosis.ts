/**
 * What a person should know about a run, in plain words, from its logged numbers alone: identities that
 * hold in correct code (diagnosis-exact.ts), trends of PPO (diagnosis-trends.ts), SFT and the reward
 * model (diagnosis-supervised.ts), and DPO (diagnosis-dpo.ts).
 */
import { dpoForgets, dpoMemorises, dpoNearChance } from './diagnosis-dpo';
import {
  firstRatio,
  klSign,
  negativeKl,
  referenceStart,
  returnsOrder,
  rewardPlace,
  valueStart,
  whitening,
} from './diagnosis-exact';
import type { Check, CheckedRun, Finding } from './diagnosis-finding';
import {
  endToken,
  lossRising,
  promptMask,
  rewardNearChance,
  rewardOverfits,
  sftMemorises,
  tooFewRankings,
} from './diagnosis-supervised';
import {
  clippedTooOften,
  entropyCollapse,
  eosMissing,
  klSpike,
  klTooHigh,
  rewardByLength,
  TREND,
  updateTooLarge,
  valueFailing,
} from './diagnosis-trends';

/** Causes before symptoms: a broken identity explains the curves below it. */
const CHECKS: Record<CheckedRun['stage'], readonly Check[]> = {
  sft: [endToken, promptMask, lossRising, sftMemorises],
  reward: [lossRising, rewardOverfits, rewardNearChance, tooFewRankings],
  dpo: [lossRising, dpoForgets, dpoMemorises, dpoNearChance],
  ppo: [
    klSign,
    rewardPlace,
    returnsOrder,
    whitening,
    firstRatio,
    referenceStart,
    valueStart,
    negativeKl,
    klTooHigh,
    entropyCollapse,
    eosMissing,
    updateTooLarge,
    clippedTooOften,
    klSpike,
    rewardByLength,
    valueFailing,
  ],
};

/** Rows from which most checks of a stage can say something. */
const ENOUGH: Record<CheckedRun['stage'], number> = {
  sft: 6,
  reward: 6,
  dpo: 6,
  ppo: 2 * TREND,
};

/** All findings of a run, alarms first, causes before symptoms. */
export function diagnose(run: CheckedRun): Finding[] {
  const found = CHECKS[run.stage].map((check) => check(run)).filter((finding) => finding !== null);
  return [
    ...found.filter(({ severity }) => severity === 'alarm'),
    ...found.filter(({ severity }) => severity === 'warning'),
  ];
}

/** Whether no finding means that nothing was found, and not that it is too early to tell. */
export const enoughRows = ({ stage, rows }: Pick<CheckedRun, 'stage' | 'rows'>): boolean =>
  rows.length >= ENOUGH[stage];
