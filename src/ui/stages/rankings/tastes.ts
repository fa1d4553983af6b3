import type { AttributeName } from '../../../core/attributes';

/** What a simulated labeler likes, in words. */
export const TASTES: Record<AttributeName, string> = {
  polite: 'polite and brief',
  happy: 'a happy ending',
  cats: 'only cats',
};
