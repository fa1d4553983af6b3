/** Settings of AdamW, shared by all stages. Sources: IG = Ouyang et al. 2022 (InstructGPT); LMHP =
 * openai/lm-human-preferences; SUM = Stiennon et al. 2020; TRL = huggingface/trl; ours = chosen on the
 * shipped models. */
import { real, type Fields } from './fields';

export const ADAMW_FIELDS = {
  adam_beta1: real({
    default: 0.9,
    min: 0,
    max: 0.999,
    unit: '',
    label: 'Adam β1',
    advanced: true,
    why: 'How long the optimizer remembers the direction of the gradient.',
    source: 'IG appendix C: 0.9',
  }),
  adam_beta2: real({
    default: 0.95,
    min: 0,
    max: 0.9999,
    unit: '',
    label: 'Adam β2',
    advanced: true,
    why: 'How long the optimizer remembers the size of the gradient.',
    source: 'IG appendix C: 0.95',
  }),
  weight_decay: real({
    default: 0,
    min: 0,
    max: 1,
    unit: '',
    label: 'Weight decay',
    advanced: true,
    why: 'Pulls every weight matrix towards zero a little at each step.',
    source: 'TRL default 0',
  }),
  max_grad_norm: real({
    default: 1,
    min: 0,
    max: 100,
    unit: '',
    label: 'Gradient clip',
    advanced: true,
    why: 'A larger gradient is scaled down to this norm, so that one odd batch cannot wreck the model. 0 turns it off.',
    source: 'TRL default 1.0',
  }),
} satisfies Fields;

/** Settings of the cosine schedule (core/schedule.ts); each stage has its own defaults. */
export const COSINE_FIELDS = {
  warmup_ratio: real({
    default: 0.05,
    min: 0,
    max: 1,
    unit: 'share of steps',
    label: 'Warm-up',
    advanced: true,
    why: 'The learning rate rises from 0 over this share of the steps.',
    source: 'TRL',
  }),
  min_lr_ratio: real({
    default: 0.1,
    min: 0,
    max: 1,
    unit: '× the peak',
    label: 'Final learning rate',
    advanced: true,
    why: 'The cosine schedule ends at this share of the peak.',
    source: 'IG appendix C: 10 %',
  }),
} satisfies Fields;
