import type { Page } from '@playwright/test';

/** The steps of the staircase, by the name on the page. */
export const STEPS = [
  'Base',
  'SFT',
  'Rankings',
  'Reward model',
  'PPO',
  'Compare',
  'Whose preferences',
] as const;

/** Goes to a step by clicking it on the staircase. */
export const openStep = (page: Page, step: (typeof STEPS)[number]): Promise<void> =>
  page.getByRole('navigation', { name: 'Steps' }).getByText(step, { exact: true }).click();
