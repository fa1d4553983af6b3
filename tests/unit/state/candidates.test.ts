import { describe, expect, it } from 'vitest';
import { Candidates } from '../../../src/state/candidates.svelte';
import { Preferences } from '../../../src/state/preferences.svelte';
import { SaveQueue } from '../../../src/state/save-queue.svelte';
import { memoryStore, scriptedLink } from './parts';

const SET = {
  projectId: 'p1',
  promptId: 'x',
  prompt: 'Hello?',
  completions: ['a', 'b'].map((text) => ({
    text,
    tokens: [],
    logprobs: [],
    finish: 'eos' as const,
  })),
  order: [1, 0],
  sourceRunId: 'sft-1',
  temperature: 1,
  seed: 1,
};
const RANKED = { outcome: 'ranked' as const, ranks: [1, 2] };

function candidates() {
  const preferences = new Preferences(null);
  const { link, calls } = scriptedLink({ generateCandidates: [SET] });
  const { store } = memoryStore();
  const queue = new SaveQueue(
    (changes) => store.commit(changes),
    () => {},
  );
  const made = new Candidates({ projectId: 'p1', link, queue, preferences, askFirst: () => [] });
  return { made, preferences, calls };
}

describe('two labelers on one machine', () => {
  it('each ranks every set, and takes back only what is their own', () => {
    const { made, preferences } = candidates();
    made.sets = ['s1', 's2'].map((id, seq) => ({ ...SET, id, seq }));
    const pending = () => made.pendingSets.map(({ id }) => id);
    const mine = made.submit('s1', RANKED);
    expect(pending()).toEqual(['s2']);

    preferences.labeler = 'anna';
    expect(pending()).toEqual(['s1', 's2']);
    const hers = made.submit('s1', { outcome: 'ranked', ranks: [2, 1] });
    expect(pending()).toEqual(['s2']);

    preferences.labeler = 'me';
    expect(made.undo()?.id).toBe(mine.id);
    expect(made.rankings.map(({ id }) => id)).toEqual([hers.id]);
    expect(pending()).toEqual(['s1', 's2']);
    expect(made.undo()).toBeNull();
    expect(made.rankings).toHaveLength(1);
  });
});

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
