import { describe, expect, it } from 'vitest';
import { permutation, STREAM } from '../../../src/core/rng';
import { holdOutPrompts } from '../../../src/rlhf/rankings';

const ranked = (...prompts: string[]) => prompts.map((prompt, id) => ({ prompt, id }));
const ids = (list: readonly { id: number }[]) => list.map(({ id }) => id);

describe('holdOutPrompts', () => {
  it('draws by the split stream: prompts in random order, the first ones held out', () => {
    const all = ranked('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j');
    const order = permutation(10, 7, STREAM.split);
    const { train, heldOut } = holdOutPrompts(all, 0.3, 7);
    expect(ids(heldOut)).toEqual(order.slice(0, 3));
    expect(ids(train)).toEqual(order.slice(3));
  });

  it('never has a prompt on both sides, whoever ranked it', () => {
    const all = ranked('a', 'b', 'a', 'c', 'b', 'd', 'a', 'd');
    for (let seed = 0; seed < 20; seed++) {
      const { train, heldOut } = holdOutPrompts(all, 0.4, seed);
      const trained = new Set(train.map(({ prompt }) => prompt));
      expect(heldOut.some(({ prompt }) => trained.has(prompt))).toBe(false);
      expect(train.length + heldOut.length).toBe(all.length);
      expect(heldOut.length).toBeGreaterThanOrEqual(3);
    }
  });

  it('leaves one prompt to train on', () => {
    expect(ids(holdOutPrompts(ranked('a', 'a'), 0.5, 1).train)).toEqual([0, 1]);
    expect(holdOutPrompts(ranked('a', 'b'), 0.9, 1).train).toHaveLength(1);
  });

  it('holds out nothing for a ratio of 0', () => {
    expect(holdOutPrompts(ranked('a', 'b', 'c'), 0, 1).heldOut).toEqual([]);
  });
});
