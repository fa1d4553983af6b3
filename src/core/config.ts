/**
 * Every hyperparameter with its default, range, unit, reason and source. Names are TRL's or
 * Hugging Face's. Sources: IG = Ouyang et al. 2022 (InstructGPT); LMHP = openai/lm-human-preferences;
 * SUM = Stiennon et al. 2020; TRL = huggingface/trl; ours = chosen on the shipped models,
 * see docs/log.md.
 */
import { SFT_BUGS } from './bugs';
import { ADAMW_FIELDS, COSINE_FIELDS } from './config-optimizer';
import { DPO_FIELDS } from './config-dpo';
import { PPO_FIELDS } from './config-ppo';
import { REWARD_FIELDS } from './config-reward';
import { choice, completeConfig, flag, real, whole, type ConfigOf, type Fields } from './fields';
import type { Stage } from './domain';
import { RANKING_MODES } from './ranking-task';

// no `satisfies Fields` here: it would widen the options of a choice to string
export const PRETRAIN_FIELDS = {
  max_steps: whole({
    default: 600,
    min: 1,
    max: 100000,
    scale: 'log',
    unit: 'steps',
    label: 'Steps',
    why: 'How many batches the model reads.',
    source: 'ours',
  }),
  per_device_train_batch_size: whole({
    default: 16,
    min: 1,
    max: 256,
    scale: 'log',
    unit: 'rows',
    label: 'Batch size',
    why: 'Rows of text read in one step.',
    source: 'ours',
  }),
  max_length: whole({
    default: 64,
    min: 16,
    max: 256,
    unit: 'tokens',
    label: 'Context',
    why: 'Tokens in a row; the model never sees further back than this while it learns.',
    source: 'ours',
  }),
  learning_rate: real({
    default: 3e-3,
    min: 1e-6,
    max: 0.1,
    scale: 'log',
    unit: '',
    label: 'Learning rate',
    why: 'How far each step moves the weights. Too high and the loss jumps; too low and nothing happens.',
    source: 'ours',
  }),
  warmup_ratio: COSINE_FIELDS.warmup_ratio,
  preset: choice({
    default: 'nano',
    options: ['nano', 'tiny', 'small'] as const,
    label: 'Model size',
    why: 'nano has 0.13 M parameters, tiny 1.05 M, small 5.3 M. Larger writes better and trains slower.',
    source: 'ours',
  }),
  eval_steps: whole({
    default: 50,
    min: 1,
    max: 10000,
    unit: 'steps',
    label: 'Look every',
    advanced: true,
    why: 'Held-out loss and samples are taken every so many steps.',
    source: 'TRL',
  }),
  ...ADAMW_FIELDS,
  weight_decay: real({
    ...ADAMW_FIELDS.weight_decay,
    default: 0.1,
    source: 'Llama: 0.1',
  }),
};

export const SFT_FIELDS = {
  num_train_epochs: whole({
    default: 5,
    min: 1,
    max: 100,
    unit: 'epochs',
    label: 'Epochs',
    why: 'How many times the model reads all demonstrations.',
    source: 'IG section 3.5: 16',
  }),
  per_device_train_batch_size: whole({
    default: 8,
    min: 1,
    max: 128,
    scale: 'log',
    unit: 'demonstrations',
    label: 'Batch size',
    why: 'Demonstrations read in one step.',
    source: 'ours (IG: 32, on far more data)',
  }),
  learning_rate: real({
    default: 1e-3,
    min: 1e-6,
    max: 0.1,
    scale: 'log',
    unit: '',
    label: 'Learning rate',
    why: 'How far each step moves the weights. Small models take larger steps than large ones.',
    source: 'ours (TRL: 2e-5, for models a thousand times larger)',
  }),
  warmup_ratio: { ...COSINE_FIELDS.warmup_ratio, default: 0.1 },
  min_lr_ratio: { ...COSINE_FIELDS.min_lr_ratio, source: 'IG appendix C.1: 10 %' },
  held_out_ratio: real({
    default: 0.15,
    min: 0,
    max: 0.5,
    unit: 'share',
    label: 'Held out',
    why: 'This share of the demonstrations is never trained on; its loss shows when the model starts to memorise.',
    source: 'ours',
  }),
  max_length: whole({
    default: 96,
    min: 16,
    max: 256,
    unit: 'tokens',
    label: 'Longest row',
    advanced: true,
    why: 'Prompt and completion together; longer demonstrations are left out and named.',
    source: 'TRL',
  }),
  eval_steps: whole({
    default: 10,
    min: 1,
    max: 1000,
    unit: 'steps',
    label: 'Look every',
    advanced: true,
    why: 'Held-out loss and samples are taken every so many steps.',
    source: 'TRL',
  }),
  resid_pdrop: real({
    default: 0,
    min: 0,
    max: 0.5,
    unit: 'share',
    label: 'Dropout',
    advanced: true,
    why: 'Leaves out this share of what each half of a block adds, at random, so that the model does not lean on single paths.',
    source: 'IG appendix C.1: 0.2, for 16 epochs; ours 0, for 5',
  }),
  bug: choice({
    default: 'none',
    options: SFT_BUGS,
    label: 'Bug lab',
    advanced: true,
    why: 'Plants a classic bug, to see what it does to the curves and how it is found. Never for a model you want to keep.',
    source: 'ours; see core/bugs.ts',
  }),
  ...ADAMW_FIELDS,
};

export const RANKINGS_FIELDS = {
  num_completions: whole({
    default: 4,
    min: 4,
    max: 9,
    unit: 'completions',
    label: 'Completions per prompt (K)',
    why: 'More completions give more comparisons for one reading of the prompt: K = 4 gives 6 pairs, K = 9 gives 36.',
    source: 'IG section 3.5: K = 4 to 9',
  }),
  temperature: real({
    default: 1,
    min: 0.1,
    max: 2,
    unit: '',
    label: 'Temperature',
    why: 'Below 1 the model plays safe, above 1 it wanders. Rankings need variety.',
    source: 'IG, TRL',
  }),
  max_new_tokens: whole({
    default: 64,
    min: 4,
    max: 128,
    unit: 'tokens',
    label: 'Longest completion',
    why: 'Writing stops here even when the model has not ended by itself.',
    source: 'ours (TRL: 53)',
  }),
  mode: choice({
    default: 'list',
    options: RANKING_MODES,
    label: 'Ask for',
    advanced: true,
    why: 'A list puts all completions of a prompt in order; pairs shows two at a time, which is easier and tells less.',
    source: 'IG section 3.5 ranks lists; SUM and Chatbot Arena compare pairs',
  }),
  silent_repeats: flag({
    default: true,
    label: 'Silent repeats',
    advanced: true,
    why: 'About one set in ten comes again in another order, to see how far people agree with themselves. The reward model never counts it twice.',
    source: 'ours',
  }),
};

export type PretrainConfig = ConfigOf<typeof PRETRAIN_FIELDS>;
export type SftConfig = ConfigOf<typeof SFT_FIELDS>;
export type RankingsConfig = ConfigOf<typeof RANKINGS_FIELDS>;
export type RewardConfig = ConfigOf<typeof REWARD_FIELDS>;
export type PpoConfig = ConfigOf<typeof PPO_FIELDS>;
export type DpoConfig = ConfigOf<typeof DPO_FIELDS>;

export interface StageConfigs {
  pretrain: PretrainConfig;
  sft: SftConfig;
  reward: RewardConfig;
  ppo: PpoConfig;
  dpo: DpoConfig;
}

export const STAGE_FIELDS = {
  pretrain: PRETRAIN_FIELDS,
  sft: SFT_FIELDS,
  reward: REWARD_FIELDS,
  ppo: PPO_FIELDS,
  dpo: DPO_FIELDS,
} as const satisfies Record<Stage, Fields>;

/**
 * The complete, checked configuration of a stage, cross-field rules included.
 * @throws PlaygroundError `config` naming the field and its range.
 */
export function stageConfig<S extends Stage>(
  stage: S,
  partial: Readonly<Record<string, unknown>>,
): StageConfigs[S] {
  return completeConfig(STAGE_FIELDS[stage] as Fields, partial) as unknown as StageConfigs[S];
}
