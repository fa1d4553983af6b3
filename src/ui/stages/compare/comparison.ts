import type { PolicyName } from '../../../core/domain';
import type { Comparisons } from '../../../state/comparisons.svelte';

/** What one model answered: a cell of the Compare stage. */
export type Comparison = Awaited<ReturnType<Comparisons['compare']>>[number];

/** The policies as the page calls them. */
export const MODEL_NAMES: Readonly<Record<PolicyName, string>> = {
  base: 'Base',
  sft: 'SFT',
  ppo: 'PPO',
};
