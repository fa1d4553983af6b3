/** Vocabulary ids must stay below this, so that a pair of ids packs exactly into one double. */
export const MAX_VOCAB_SIZE = 2 ** 20;

/** (left, right) as one number; the order of keys is the lexicographic order of pairs. */
export function pairKey(left: number, right: number): number {
  return left * MAX_VOCAB_SIZE + right;
}

export function leftOf(key: number): number {
  return Math.floor(key / MAX_VOCAB_SIZE);
}

export function rightOf(key: number): number {
  return key % MAX_VOCAB_SIZE;
}
