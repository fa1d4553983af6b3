import { describe, expect, it } from 'vitest';
import type { Choice } from '../../../src/core/experiments';
import {
  learningCurve,
  needsInWords,
  rankingsFor,
  rankingsNeeded,
} from '../../../src/core/learning-needs';

const curve = (choice: Choice, accuracies: number[], seed = 1) =>
  accuracies.map((accuracy, i) => ({ seed, choice, rankings: 10 * (i + 1), accuracy }));

describe('learning curves', () => {
  it('are means over the seeds with their range', () => {
    const points = [...curve('random', [0.5, 0.6], 1), ...curve('random', [0.7, 0.8], 2)];
    expect(learningCurve([...points, ...curve('disagreement', [1, 1])], 'random')).toEqual([
      { rankings: 10, accuracy: 0.6, low: 0.5, high: 0.7 },
      { rankings: 20, accuracy: 0.7, low: 0.6, high: 0.8 },
    ]);
  });

  it('reach an accuracy between two points, at the first of them, or never', () => {
    const own = learningCurve(curve('random', [0.5, 0.6, 0.8]), 'random');
    expect(rankingsFor(own, 0.7)).toBeCloseTo(25, 9);
    expect(rankingsFor(own, 0.4)).toBe(10);
    expect(rankingsFor(own, 0.9)).toBeNull();
  });
});

describe('rankings needed', () => {
  it('are compared at the best accuracy that both reach', () => {
    const points = [...curve('disagreement', [0.6, 0.8, 0.9]), ...curve('random', [0.6, 0.7, 0.8])];
    const needs = rankingsNeeded(points)!;
    expect(needs).toEqual({ accuracy: 0.8, disagreement: 20, random: 30 });
    expect(needsInWords(needs)).toContain('33 % fewer');
  });

  it('say so when asking first gains nothing or loses', () => {
    const same = curve('random', [0.6, 0.7, 0.8]);
    const asked = same.map((point) => ({ ...point, choice: 'disagreement' as const }));
    expect(needsInWords(rankingsNeeded([...same, ...asked])!)).toContain('no gain here');
    const worse = [...curve('disagreement', [0.5, 0.6, 0.7]), ...curve('random', [0.6, 0.7, 0.8])];
    expect(needsInWords(rankingsNeeded(worse)!)).toContain('worse than chance');
  });

  it('are unknown without both curves', () => {
    expect(rankingsNeeded(curve('random', [0.6]))).toBeNull();
  });
});
