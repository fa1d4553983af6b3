import { expect, test } from 'vitest';
import { noiseForAgreement, selfAgreement } from '../../../src/core/self-agreement';

const TEXTS = [
  'Please come in, my friend. Thank you.',
  'It is by the pier.',
  'Go away, you turnip.',
  'Of course. I am glad to help.',
];
const sets = Array.from({ length: 80 }, (_, i) => ({
  attribute: 'polite' as const,
  prompt: `Where is boat ${i}?`,
  completions: TEXTS.map((text) => ({ text, finish: 'eos' as const })),
}));

test('without noise a labeler always agrees with itself; with much it is a coin', () => {
  expect(selfAgreement(sets, { noise: 0, seed: 1 })).toBe(1);
  expect(selfAgreement(sets, { noise: 1000, seed: 1 })).toBeCloseTo(0.5, 1);
});

test('the noise for 73 % gives 73 %, also with other draws', () => {
  const noise = noiseForAgreement(sets, 0.73, 1);
  expect(Math.abs(selfAgreement(sets, { noise, seed: 1 })! - 0.73)).toBeLessThan(0.01);
  expect(Math.abs(selfAgreement(sets, { noise, seed: 2 })! - 0.73)).toBeLessThan(0.06);
});

test('where nothing is decided there is no agreement to speak of', () => {
  const ties = [
    { ...sets[0]!, completions: [0, 1].map(() => ({ text: 'A boat.', finish: 'eos' as const })) },
  ];
  expect(selfAgreement(ties, { noise: 1, seed: 1 })).toBeNull();
});
