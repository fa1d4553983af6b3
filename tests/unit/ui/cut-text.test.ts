import { expect, test } from 'vitest';
import { cutText } from '../../../src/ui/charts/cut-text';

test('a cut in words: what happened, where, and what was computed again', () => {
  expect(cutText({ at: 57, from: 45, why: 'device-lost' })).toBe(
    'The GPU was lost after step 57 (dashed). The run went on from its checkpoint of step 45; ' +
      'steps 46 to 57 were computed again (tinted).',
  );
  expect(cutText({ at: 1, from: 0, why: 'closed' })).toBe(
    'The page was closed or crashed after step 1 (dashed). The run began again; ' +
      'step 1 was computed again (tinted).',
  );
  expect(cutText({ at: 9, from: 9, why: 'closed' })).toBe(
    'The page was closed or crashed after step 9 (dashed); nothing had to be computed again.',
  );
});
