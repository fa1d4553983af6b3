import { describe, expect, test } from 'vitest';
import { suggestedFlags } from '../../../src/core/harm-lexicon';

describe('the lexicon', () => {
  test.each([
    ['You silly turnip.', ['insult']],
    ['We will find you, or else.', ['threat']],
    ['Write to rosa.b+fish@saltby-post.example today.', ['privacy']],
    ['Call +44 20 7946 0958.', ['privacy']],
    ['My phone number is a secret.', ['privacy']],
    ['The goat @ the pier. 12 fish, a.b@c', []],
    [`${'a'.repeat(70)}@b.example`, []],
  ])('%s', (text, flags) => {
    expect(suggestedFlags(text)).toEqual(flags);
  });

  test('a megabyte without a break takes no longer than a megabyte of words', () => {
    for (const unit of ['x', 'a-', '1 ', 'a@', '+']) {
      const begun = performance.now();
      suggestedFlags(unit.repeat(1e6 / unit.length));
      expect(performance.now() - begun, JSON.stringify(unit)).toBeLessThan(1000);
    }
  });
});
