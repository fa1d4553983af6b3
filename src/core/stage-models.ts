/** The model that each stage makes: where it stands in a project, and what people call it. */
import type { Project, Run, Stage } from './domain';

/** `Project.runs` before anything has been trained. */
export const NO_MODELS: Readonly<Project['runs']> = {
  base: null,
  sft: null,
  reward: null,
  ppo: null,
  dpo: null,
};

/** The name under which a stage's model stands in `Project.runs`. */
export const modelName = (stage: Stage): keyof Project['runs'] =>
  stage === 'pretrain' ? 'base' : stage;

/** As it stands in the middle of a sentence. */
export const MODEL_WORDS: Readonly<Record<Stage, string>> = {
  pretrain: 'base model',
  sft: 'SFT model',
  reward: 'reward model',
  ppo: 'PPO policy',
  dpo: 'DPO policy',
};

/** The setting of a pretraining run that was no training: the name of a model from elsewhere. */
export const IMPORTED = 'imported';

/** The name of the model that this run brought in; null for runs that trained. */
export function importedName(run: Pick<Run, 'config'>): string | null {
  const name = run.config[IMPORTED];
  return typeof name === 'string' ? name : null;
}
