import type { AttributeName } from '../../../../core/attributes';

/** What a simulated labeler likes, after "likes". */
export const TASTES: Readonly<Record<AttributeName, string>> = {
  polite: 'politeness',
  happy: 'happy endings',
  cats: 'cats',
};
