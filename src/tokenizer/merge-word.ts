import { Heap } from './heap';
import { pairKey } from './pair-key';

/** Merge rules: `ranks` gives each pair's place in the list, `results` the id that it becomes. */
export interface MergeTable {
  ranks: ReadonlyMap<number, number>;
  results: Int32Array;
}

/** Above this many symbols the quadratic scan loses to the heap. */
const HEAP_FROM = 48;

/**
 * Applies the merges to one pre-token: always the earliest-learned pair, the leftmost of equals,
 * one at a time, as Hugging Face `tokenizers` does (`Word::merge_all`). Changes `symbols`.
 */
export function mergeWord(symbols: number[], table: MergeTable): number[] {
  return symbols.length < HEAP_FROM ? mergeByScan(symbols, table) : mergeByHeap(symbols, table);
}

function mergeByScan(symbols: number[], { ranks, results }: MergeTable): number[] {
  for (;;) {
    let bestRank = Infinity;
    let bestAt = -1;
    for (let i = 0; i + 1 < symbols.length; i++) {
      const rank = ranks.get(pairKey(symbols[i]!, symbols[i + 1]!));
      if (rank !== undefined && rank < bestRank) {
        bestRank = rank;
        bestAt = i;
      }
    }
    if (bestAt < 0) return symbols;
    symbols.splice(bestAt, 2, results[bestRank]!);
  }
}

interface Candidate {
  rank: number;
  at: number;
  key: number;
}

/** Same result in O(n log n): a pasted megabyte without a space must not stop the page. */
function mergeByHeap(symbols: number[], { ranks, results }: MergeTable): number[] {
  const count = symbols.length;
  // A doubly linked list over positions; a symbol merged away is −1.
  const next = new Int32Array(count);
  const previous = new Int32Array(count);
  for (let i = 0; i < count; i++) {
    next[i] = i + 1 < count ? i + 1 : -1;
    previous[i] = i - 1;
  }
  const heap = new Heap<Candidate>((a, b) => a.rank < b.rank || (a.rank === b.rank && a.at < b.at));
  const offer = (at: number): void => {
    const right = at < 0 ? -1 : next[at]!;
    if (right < 0) return;
    const key = pairKey(symbols[at]!, symbols[right]!);
    const rank = ranks.get(key);
    if (rank !== undefined) heap.push({ rank, at, key });
  };
  for (let i = 0; i < count; i++) offer(i);

  for (let top = heap.pop(); top !== undefined; top = heap.pop()) {
    const left = symbols[top.at]!;
    const right = left < 0 ? -1 : next[top.at]!;
    // Stale: one of the two symbols has been merged with another neighbour since.
    if (right < 0 || pairKey(left, symbols[right]!) !== top.key) continue;
    symbols[top.at] = results[top.rank]!;
    symbols[right] = -1;
    const after = next[right]!;
    next[top.at] = after;
    if (after >= 0) previous[after] = top.at;
    offer(previous[top.at]!);
    offer(top.at);
  }
  return symbols.filter((id) => id >= 0);
}
