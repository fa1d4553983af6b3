/** Rankings that an experiment makes up for itself: never stored among a project's own. */
import type { Ranking } from '../core/domain';
import type { SimulatedValues } from '../core/people';
import { ranksByValues, type ValuedText } from '../core/simulated-gold';

/** A simulated labeler of these values ranks a few texts. */
export function simulatedRanking(
  values: SimulatedValues,
  { prompt, texts }: { prompt: string; texts: readonly ValuedText[] },
  seed: number,
  seq: number,
): Ranking {
  return {
    id: `simulated-${seq}`,
    projectId: '',
    setId: null,
    prompt,
    completions: texts.map(({ text }) => text),
    ranks: ranksByValues(values, prompt, texts, seed),
    outcome: 'ranked',
    labeler: 'simulated:experiment',
    simulated: true,
    flags: texts.map(() => []),
    order: texts.map((_, i) => i),
    seq,
  };
}
