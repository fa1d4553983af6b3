import { describe, expect, it } from 'vitest';
import { Candidates } from '../../../src/state/candidates.svelte';
import { Preferences } from '../../../src/state/preferences.svelte';
import { SaveQueue } from '../../../src/state/save-queue.svelte';
import { aSet } from '../core/ranking-parts';
import { memoryStore, scriptedLink } from './parts';

/** What the worker hands over; the page gives it an id and a place. */
const WRITTEN = aSet(0);

function candidates() {
  const preferences = new Preferences(null);
  const { link, calls } = scriptedLink({ generateCandidates: [WRITTEN] });
  const { store } = memoryStore();
  const queue = new SaveQueue({
    commit: async (changes) => void (await store.commit(changes, 'p1')),
    commitAtOnce: () => {},
    requireWriter: () => {},
    onFailure: () => {},
  });
  const guideline = () => 1;
  const made = new Candidates({
    projectId: 'p1',
    link,
    queue,
    preferences,
    guideline,
    askFirst: () => [],
  });
  return { made, preferences, calls };
}

describe('writing completions', () => {
  const settings = { k: 2, temperature: 1, maxNewTokens: 8 };
  it('draws a second round from another seed, and the same rounds again in a copy', async () => {
    const seeds = async () => {
      const { made, calls } = candidates();
      made.addPrompts('Hello?');
      const promptIds = made.prompts.map(({ id }) => id);
      for (let round = 0; round < 3; round++) await made.generate({ promptIds }, settings, 7);
      return calls.map(({ request }) => (request as { seed: number }).seed);
    };
    const first = await seeds();
    expect(new Set(first).size).toBe(3);
    expect(await seeds()).toEqual(first);
  });
});

describe('simulated labelers', () => {
  const TEXTS = [
    'Of course, my friend.',
    'It is by the pier.',
    'Please come in, you are welcome.',
    'Go away, you fool.',
  ];
  const values = { attribute: 'polite' as const, noise: 2, harm_aversion: 0, length_bias: 0 };
  const labeler = (code: string) => ({ code, simulated: values });
  const withSets = () => {
    const { made, preferences } = candidates();
    made.sets = Array.from({ length: 30 }, (_, seq) => aSet(seq, TEXTS));
    return { made, preferences };
  };

  it('rank the same sets, each with its own noise, and are marked', () => {
    const { made } = withSets();
    expect(made.simulateBy(labeler('simulated:a'), 10, 7)).toBe(10);
    expect(made.simulateBy(labeler('simulated:b'), 100, 7)).toBe(30);
    expect(made.simulateBy(labeler('simulated:a'), 100, 7)).toBe(20);
    expect(made.openFor('simulated:a')).toBe(0);
    expect(made.rankings.every(({ simulated }) => simulated)).toBe(true);
    expect(made.rankings.map(({ seq }) => seq)).toEqual(made.rankings.map((_, i) => i));
    const ranksOf = (code: string) =>
      made.rankings
        .filter((ranking) => ranking.labeler === code)
        .sort((a, b) => (a.setId! < b.setId! ? -1 : 1))
        .map(({ ranks }) => ranks.join());
    expect(ranksOf('simulated:a')).not.toEqual(ranksOf('simulated:b'));
    // nothing of theirs is a person's: all sets still wait
    expect(made.pendingSets).toHaveLength(30);
  });

  it('of the demo rank what nobody has ranked, under one name', () => {
    const { made } = withSets();
    made.simulateBy(labeler('simulated:a'), 10, 7);
    expect(made.simulate({ attribute: 'polite' }, 7)).toBe(20);
    expect(made.rankings.at(-1)).toMatchObject({ labeler: 'simulated:polite', simulated: true });
    expect(made.simulate({ attribute: 'polite' }, 7)).toBe(0);
  });

  it('are never people', () => {
    const { made } = withSets();
    expect(() => made.simulateBy({ code: 'anna', simulated: null }, 1, 7)).toThrow(/person/);
  });
});
