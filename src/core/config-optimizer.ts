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
