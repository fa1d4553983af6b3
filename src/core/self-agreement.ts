/** How often a simulated labeler agrees with itself, and the noise that makes it agree that often. */
import { comparisonsOf } from './comparisons';
import { simulateRanking, type SimulatedTask } from './simulated-labeler';

type LabeledSet = Omit<SimulatedTask, 'seed' | 'noise'>;

/**
 * Share of the pairs that both of two rankings of each set decide, and decide alike. Chance is 0.5;
 * InstructGPT's labelers agree with each other on 72.6 ± 1.5 % (section 3.4).
 * @returns null when no pair is decided twice
 */
export function selfAgreement(
  sets: readonly LabeledSet[],
  { noise, seed }: { noise: number; seed: number },
): number | null {
  let same = 0;
  let both = 0;
  for (const set of sets) {
    const first = decided(set, noise, 2 * seed);
    const second = decided(set, noise, 2 * seed + 1);
    for (const [pair, winner] of first) {
      const other = second.get(pair);
      if (other === undefined) continue;
      both++;
      if (other === winner) same++;
    }
  }
  return both === 0 ? null : same / both;
}

/** Winner of each decided pair of one ranking. */
function decided(set: LabeledSet, noise: number, seed: number): Map<string, number> {
  const { ranks } = simulateRanking({ ...set, noise, seed });
  return new Map(
    comparisonsOf(ranks).map(({ winner, loser }) => [
      `${Math.min(winner, loser)} ${Math.max(winner, loser)}`,
      winner,
    ]),
  );
}

/** Noise beyond this is a coin. */
const MOST_NOISE = 8;
const HALVINGS = 12;

/** The noise at which a labeler agrees with itself on `share` of the pairs of these sets (bisection). */
export function noiseForAgreement(
  sets: readonly LabeledSet[],
  share: number,
  seed: number,
): number {
  let [low, high] = [0, MOST_NOISE];
  for (let i = 0; i < HALVINGS; i++) {
    const noise = (low + high) / 2;
    const agreement = selfAgreement(sets, { noise, seed });
    if (agreement === null || agreement < share) high = noise;
    else low = noise;
  }
  return (low + high) / 2;
}
