/**
 * The bug lab: classic mistakes of RLHF code, each planted by a setting. Every one is caught by a
 * test and named by `core/diagnosis.ts` from the logged numbers alone.
 */

export const SFT_BUGS = ['none', 'pad-is-eos', 'no-prompt-mask'] as const;
export const REWARD_BUGS = ['none', 'shuffled-pairs'] as const;
export const PPO_BUGS = [
  'none',
  'wrong-temperature',
  'reward-on-wrong-token',
  'unmasked-whitening',
  'reference-dropout',
  'returns-after-whitening',
  'value-not-initialised',
  'kl-sign',
] as const;

type Listed = (typeof SFT_BUGS | typeof REWARD_BUGS | typeof PPO_BUGS)[number];
export type BugId = Exclude<Listed, 'none'>;

export interface Bug {
  title: string;
  /** What the planted code does, one sentence. */
  what: string;
  /** How people meet it, with threads that describe it. */
  symptom: string;
}

/** What a person reads of each bug. */
export const BUGS: Readonly<Record<BugId, Bug>> = {
  'pad-is-eos': {
    title: 'Padding is the end token',
    what: 'One id serves as padding and as end, so the loss hides the end token with the padding and the model never learns to stop.',
    symptom: 'completions never end (TRL pull requests 992, 3091)',
  },
  'no-prompt-mask': {
    title: 'The prompt is not masked',
    what: 'The model is trained to write prompts as well as answers.',
    symptom: 'the loss is low from the start, and answers repeat the question',
  },
  'shuffled-pairs': {
    title: 'Pairs of a prompt are shuffled apart',
    what: 'Every comparison is an example of its own and is read many times over, so the reward model memorises completions.',
    symptom: 'training accuracy near 1, held-out accuracy falling (InstructGPT, section 3.5)',
  },
  'wrong-temperature': {
    title: 'Two temperatures',
    what: 'The update computes log-probabilities at another temperature than the one that wrote the completions.',
    symptom: 'the ratio is not 1 before the first update (trl issue 454, trlx issues 107 and 508)',
  },
  'reward-on-wrong-token': {
    title: 'Reward on the wrong token',
    what: 'The score lands on the last place of the padded row instead of on the last token.',
    symptom:
      'the reward does not move (trl issues 1893, 2387 and 3750 are about end tokens and padding)',
  },
  'unmasked-whitening': {
    title: 'Whitening over padding',
    what: 'Mean and spread of the advantages are taken over padding too.',
    symptom: 'learning slows down as rows differ in length',
  },
  'reference-dropout': {
    title: 'Dropout left on in the reference',
    what: 'The reference model drops activations at random, so its log-probabilities are noise.',
    symptom: 'the KL is not 0 at the start, and can be negative (trl issues 256, 925, 1005, 1161)',
  },
  'returns-after-whitening': {
    title: 'Returns taken after whitening',
    what: 'The value model is trained on whitened advantages plus values instead of on returns.',
    symptom: 'the value model predicts numbers of another size than the returns',
  },
  'value-not-initialised': {
    title: 'Value model not initialised',
    what: 'The value model starts from random weights in its head instead of from the reward model.',
    symptom: 'a long start in which advantages are noise (trlx issues 203 and 345)',
  },
  'kl-sign': {
    title: 'KL with the wrong sign',
    what: 'Leaving the reference is paid for instead of charged.',
    symptom: 'the KL runs away while the charge is positive (trl issues 256, 925)',
  },
};
