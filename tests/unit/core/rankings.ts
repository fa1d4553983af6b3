/** A ranking of four completions, as tests need one. */
import type { Ranking } from '../../../src/core/domain';

export const aRanking = (change: Partial<Ranking> = {}): Ranking => ({
  id: 'r',
  projectId: 'p',
  setId: null,
  prompt: 'Who is Sam?',
  completions: ['Gladly.', 'In the shed.', 'Go away.', 'No.'],
  ranks: [1, 2, 4, 3],
  outcome: 'ranked',
  labeler: 'ann',
  simulated: false,
  flags: [[], [], [], []],
  order: [0, 1, 2, 3],
  seq: 1,
  ...change,
});
