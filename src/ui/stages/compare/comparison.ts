import type { PolicyName } from '../../../core/domain';
import type { App } from '../../../state/app.svelte';
import type { Comparisons } from '../../../state/comparisons.svelte';

/** What one model answered: a cell of the Compare stage. */
export type Comparison = Awaited<ReturnType<Comparisons['compare']>>[number];

/** What is asked, and how the models are to write. */
export interface Ask {
  prompt: string;
  seed: number;
  temperature: number;
  maxNewTokens: number;
}

export type DemoTask = App['demoTasks'][number];

/** The policies as the page calls them. */
export const MODEL_NAMES: Readonly<Record<PolicyName, string>> = {
  base: 'Base',
  sft: 'SFT',
  dpo: 'DPO',
  ppo: 'PPO',
};
