/** Settings of the reward model. Sources: IG = Ouyang et al. 2022 (InstructGPT); LMHP =
 * openai/lm-human-preferences; SUM = Stiennon et al. 2020; TRL = huggingface/trl; ours = chosen on the
 * shipped models. */
import { REWARD_BUGS } from './bugs';
import { ADAMW_FIELDS, COSINE_FIELDS } from './config-optimizer';
import { choice, real, whole } from './fields';

// no `satisfies Fields` here: it would widen the options of a choice to string
export const REWARD_FIELDS = {
  num_train_epochs: whole({
    default: 1,
    min: 1,
    max: 20,
    unit: 'epochs',
    label: 'Epochs',
    why: 'One by default: a reward model that reads the same comparisons again soon memorises them.',
    source: 'IG appendix C.2: 1',
  }),
  per_device_train_batch_size: whole({
    default: 4,
    min: 1,
    max: 32,
    unit: 'prompts',
    label: 'Batch size',
    why: 'Prompts in one step. All pairs of a prompt stay together.',
    source: 'ours (IG: 64)',
  }),
  learning_rate: real({
    default: 1e-3,
    min: 1e-6,
    max: 0.1,
    scale: 'log',
    unit: '',
    label: 'Learning rate',
    why: 'How far each step moves the weights.',
    source: 'ours (IG: 9e-6 at 6 B parameters)',
  }),
  warmup_ratio: COSINE_FIELDS.warmup_ratio,
  min_lr_ratio: { ...COSINE_FIELDS.min_lr_ratio, source: 'IG appendix C.2: 10 %' },
  held_out_ratio: real({
    default: 0.2,
    min: 0,
    max: 0.5,
    unit: 'share',
    label: 'Held out',
    why: 'This share of the rankings is never trained on; accuracy is measured there.',
    source: 'ours',
  }),
  eval_steps: whole({
    default: 5,
    min: 1,
    max: 1000,
    unit: 'steps',
    label: 'Look every',
    advanced: true,
    why: 'Held-out accuracy is taken every so many steps.',
    source: 'TRL',
  }),
  margin: real({
    default: 0,
    min: 0,
    max: 5,
    unit: 'reward',
    label: 'Margin',
    advanced: true,
    why: 'The winner must beat the loser by this much before the pair counts as learnt.',
    source: 'TRL RewardTrainer: margin',
  }),
  center_rewards_coefficient: real({
    default: 0,
    min: 0,
    max: 1,
    unit: '',
    label: 'Centring',
    advanced: true,
    why: 'Pulls the sum of each pair of rewards towards 0.',
    source: 'TRL RewardTrainer: 0.01 when on',
  }),
  bug: choice({
    default: 'none',
    options: REWARD_BUGS,
    label: 'Bug lab',
    advanced: true,
    why: 'Plants a classic bug, to see what it does to the curves and how it is found. Never for a model you want to keep.',
    source: 'ours; see core/bugs.ts',
  }),
  ...ADAMW_FIELDS,
};
