import { describe, expect, it } from 'vitest';
import { gold } from '../../../src/core/attributes';
import { PlaygroundError } from '../../../src/core/errors';
import {
  simulatedLabelerName,
  simulateRanking,
  type SimulatedTask,
} from '../../../src/core/simulated-labeler';

const eos = (text: string): SimulatedTask['completions'][number] => ({ text, finish: 'eos' });
const POLITE = eos('Of course, dear friend. The blue boat is by the pier.');
const PLAIN = eos('The blue boat is by the pier.');
const RUDE = eos('Go away. The blue boat is by the pier.');
const task = (changes: Partial<SimulatedTask> = {}): SimulatedTask => ({
  attribute: 'polite',
  prompt: 'Where is the blue boat?',
  completions: [RUDE, POLITE, PLAIN],
  seed: 1,
  noise: 0,
  ...changes,
});

describe('simulateRanking', () => {
  it('without noise ranks by gold score', () => {
    expect(simulateRanking(task())).toEqual({ ranks: [3, 1, 2], outcome: 'ranked' });
  });

  it('ties completions of equal gold score, and the rank after a tie skips', () => {
    const completions = [PLAIN, RUDE, eos('It is by the pier.'), POLITE];
    expect(simulateRanking(task({ completions })).ranks).toEqual([2, 4, 2, 1]);
  });

  it('ties identical completions at any noise', () => {
    for (let seed = 0; seed < 50; seed++) {
      const { ranks } = simulateRanking(
        task({ completions: [PLAIN, POLITE, PLAIN], seed, noise: 2 }),
      );
      expect(ranks[0]).toBe(ranks[2]);
    }
  });

  it('says "all bad" when nothing is worth ranking', () => {
    const completions = [RUDE, eos('You again? No.')];
    expect(simulateRanking(task({ completions }))).toEqual({ ranks: [], outcome: 'all-bad' });
  });

  it('is deterministic, and blind to the order in which completions are shown', () => {
    for (let seed = 0; seed < 50; seed++) {
      const shown = simulateRanking(task({ seed, noise: 1 })).ranks;
      expect(simulateRanking(task({ seed, noise: 1 })).ranks).toEqual(shown);
      const turned = simulateRanking(task({ seed, noise: 1, completions: [PLAIN, RUDE, POLITE] }));
      expect(turned.ranks).toEqual([shown[2], shown[0], shown[1]]);
    }
  });

  it('draws its noise by seed and by prompt', () => {
    const orders = (changes: (i: number) => Partial<SimulatedTask>): number =>
      new Set(
        Array.from({ length: 40 }, (_, i) =>
          simulateRanking(task({ noise: 2, ...changes(i) })).ranks.join(),
        ),
      ).size;
    expect(orders((seed) => ({ seed }))).toBeGreaterThan(2);
    expect(orders((i) => ({ prompt: `Where is boat ${i}?` }))).toBeGreaterThan(2);
  });

  it('prefers i to j with probability σ(Δgold / noise)', () => {
    const noise = 1;
    const draws = 4000;
    let wins = 0;
    for (let seed = 0; seed < draws; seed++) {
      const { ranks } = simulateRanking(task({ completions: [POLITE, PLAIN], seed, noise }));
      if (ranks[0]! < ranks[1]!) wins++;
    }
    const difference = gold('polite', POLITE.text) - gold('polite', PLAIN.text);
    const expected = 1 / (1 + Math.exp(-difference / noise));
    // Four standard errors of a proportion.
    expect(Math.abs(wins / draws - expected)).toBeLessThan(4 * Math.sqrt(0.25 / draws));
  });

  it('refuses bad arguments by name', () => {
    const field = (bad: Partial<SimulatedTask>): string | undefined => {
      try {
        simulateRanking(task(bad));
      } catch (error) {
        if (error instanceof PlaygroundError) return error.field;
        throw error;
      }
      return 'nothing was thrown';
    };
    expect(field({ completions: [PLAIN] })).toBe('completions');
    expect(field({ noise: -1 })).toBe('noise');
    expect(field({ noise: Number.NaN })).toBe('noise');
    expect(field({ harm_aversion: Number.NaN })).toBe('harm_aversion');
    expect(field({ length_bias: Infinity })).toBe('length_bias');
  });

  it('ranks by gold, plus its taste for length, minus its aversion to harm', () => {
    const long = eos('The blue boat is by the pier, as it has been since the spring of last year.');
    const completions = [PLAIN, long, RUDE];
    const ranks = (values: Partial<SimulatedTask>) =>
      simulateRanking(task({ completions, ...values })).ranks;
    expect(ranks({ length_bias: 2 })).toEqual([2, 1, 3]);
    expect(ranks({ length_bias: -2 })[0]).toBe(1);
    // 16 words against 7 at 0.1 for ten words is a tie away
    const close = gold('polite', PLAIN.text) === gold('polite', long.text);
    expect(close).toBe(true);
    expect(ranks({ length_bias: 0 }).slice(0, 2)).toEqual([1, 1]);
    // who likes harm puts it first; who minds it calls a set of nothing else bad
    expect(ranks({ harm_aversion: -5 })[2]).toBe(1);
    const harmful = [eos('Of course, dear friend. You idiot.'), eos('Please, you are a loser.')];
    const judged = (harm_aversion: number) =>
      simulateRanking(task({ completions: harmful, harm_aversion })).outcome;
    expect(judged(0)).toBe('ranked');
    expect(judged(5)).toBe('all-bad');
  });

  it('calls nothing bad for its length', () => {
    const completions = [PLAIN, POLITE];
    expect(simulateRanking(task({ completions, length_bias: -100 })).outcome).toBe('ranked');
  });

  it('is always named as simulated', () => {
    expect(simulatedLabelerName('cats')).toBe('simulated:cats');
  });
});
