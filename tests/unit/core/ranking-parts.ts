/** Sets and rankings for tests. */
import type { CandidateSet, Ranking } from '../../../src/core/domain';

export const aSet = (
  seq: number,
  texts: readonly string[] = ['a', 'b', 'c', 'd'],
  order: readonly number[] = texts.map((_, i) => i),
): CandidateSet => ({
  id: `s${seq}`,
  projectId: 'p1',
  promptId: `q${seq}`,
  prompt: `Where is boat ${seq}?`,
  completions: texts.map((text) => ({ text, tokens: [], logprobs: [], finish: 'eos' })),
  order: [...order],
  sourceRunId: 'sft-1',
  temperature: 1,
  seed: 1,
  seq,
});

export const aRanking = (set: CandidateSet, change: Partial<Ranking> = {}): Ranking => ({
  id: `r-${set.id}-${change.seq ?? 0}`,
  projectId: 'p1',
  setId: set.id,
  prompt: set.prompt,
  completions: set.completions.map(({ text }) => text),
  ranks: set.completions.map((_, i) => i + 1),
  outcome: 'ranked',
  labeler: 'me',
  simulated: false,
  flags: set.completions.map(() => []),
  order: set.order,
  seq: 0,
  ...change,
});
