import type { PageStage, Stage } from '../../core/domain';

/** The steps of the staircase, in order. */
export const PAGES: readonly { page: PageStage; label: string }[] = [
  { page: 'base', label: 'Base' },
  { page: 'sft', label: 'SFT' },
  { page: 'rankings', label: 'Rankings' },
  { page: 'reward', label: 'Reward model' },
  { page: 'ppo', label: 'PPO' },
  { page: 'compare', label: 'Compare' },
  { page: 'people', label: 'Whose preferences' },
];

/** What each stage calls itself, and one of its steps. */
export const STAGE_WORDS: Record<Stage, { name: string; step: string; verb: string }> = {
  pretrain: { name: 'Pretraining', step: 'step', verb: 'Pretrain' },
  sft: { name: 'SFT', step: 'step', verb: 'Train SFT' },
  reward: { name: 'Reward model', step: 'step', verb: 'Train reward model' },
  ppo: { name: 'PPO', step: 'iteration', verb: 'Start PPO' },
  dpo: { name: 'DPO', step: 'step', verb: 'Train DPO' },
};

/** The training stage that a page of the staircase runs, if it runs one. */
export function trainingStage(page: PageStage): Stage | null {
  switch (page) {
    case 'base':
      return 'pretrain';
    case 'sft':
    case 'reward':
    case 'ppo':
      return page;
    case 'rankings':
    case 'compare':
    case 'people':
      return null;
  }
}
