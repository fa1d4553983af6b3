import { PlaygroundError } from '../core/errors';
import { BYTE_TO_CHAR } from './byte-alphabet';
import { Heap } from './heap';
import { MAX_VOCAB_SIZE, leftOf, pairKey, rightOf } from './pair-key';
import { preTokens } from './pre-tokenize';
import { FIRST_BYTE_ID, MIN_VOCAB_SIZE, SPECIAL_TOKENS } from './special-tokens';
import { Tokenizer, type Merge } from './tokenizer';

export interface TrainBpeOptions {
  /** Tokens in all: 4 specials + 256 bytes + merges. 260 … 1 048 576. */
  vocab_size: number;
  /** Called now and then with merges learned and merges wanted. */
  onProgress?: (merged: number, total: number) => void;
}

/** A pair seen once compresses nothing; learning it would memorise the corpus. */
const MIN_COUNT = 2;
/** Words are cut at this many bytes while learning, so that text without spaces stays linear. */
const MAX_WORD_BYTES = 256;
const PROGRESS_EVERY = 64;

interface Word {
  /** Symbols; the first `length` are in use. */
  ids: Int32Array;
  length: number;
  /** How often the corpus has it. */
  count: number;
}

interface PairCount {
  key: number;
  count: number;
}

/**
 * Learns a byte-level BPE vocabulary (Sennrich et al. 2016, on bytes as in GPT-2). The most
 * frequent pair is merged first; of equally frequent ones the one with the smaller (left, right)
 * ids, so the result depends on the text alone. Stops early when no pair occurs twice: then
 * `vocabSize` is smaller than asked for.
 * @throws PlaygroundError `config` when `vocab_size` is out of range
 */
export function trainBpe(texts: Iterable<string>, options: TrainBpeOptions): Tokenizer {
  const { vocab_size, onProgress } = options;
  if (!Number.isInteger(vocab_size) || vocab_size < MIN_VOCAB_SIZE || vocab_size > MAX_VOCAB_SIZE) {
    throw new PlaygroundError({
      code: 'config',
      field: 'vocab_size',
      message: `vocab_size is ${vocab_size}; it must be a whole number from ${MIN_VOCAB_SIZE} to ${MAX_VOCAB_SIZE}.`,
      remedy: 'Choose 512 for a nano model, 2048 for tiny and small ones.',
    });
  }

  const words = countWords(texts);
  const pairs = new PairIndex(words);
  const vocab = [...SPECIAL_TOKENS, ...BYTE_TO_CHAR];
  const merges: Merge[] = [];
  const wanted = vocab_size - vocab.length;

  while (vocab.length < vocab_size) {
    const key = pairs.popMostFrequent();
    if (key === null) break;
    const left = leftOf(key);
    const right = rightOf(key);
    // No other pair spells the same token: merges are applied everywhere as they are learned, so
    // a string that became one token was always built in the same way.
    const merged = vocab.push(vocab[left]! + vocab[right]!) - 1;
    merges.push([left, right]);
    pairs.merge(key, merged);
    if (onProgress !== undefined && merges.length % PROGRESS_EVERY === 0) {
      onProgress(vocab.length - MIN_VOCAB_SIZE, wanted);
    }
  }
  onProgress?.(wanted, wanted);
  return new Tokenizer(vocab, merges);
}

function countWords(texts: Iterable<string>): Word[] {
  const counts = new Map<string, number>();
  for (const text of texts) {
    for (const word of preTokens(text)) counts.set(word, (counts.get(word) ?? 0) + 1);
  }
  const utf8 = new TextEncoder();
  const words: Word[] = [];
  for (const [text, count] of counts) {
    const bytes = utf8.encode(text);
    for (let from = 0; from < bytes.length; from += MAX_WORD_BYTES) {
      const part = bytes.subarray(from, from + MAX_WORD_BYTES);
      const ids = Int32Array.from(part, (byte) => FIRST_BYTE_ID + byte);
      if (ids.length > 1) words.push({ ids, length: ids.length, count });
    }
  }
  return words;
}

/**
 * Pair counts that are kept up to date merge by merge: only the words that hold the merged pair
 * are rewritten. The heap is lazy: a popped entry whose count has fallen is pushed back corrected.
 */
class PairIndex {
  private readonly words: Word[];
  private readonly counts = new Map<number, number>();
  /** Words that hold, or once held, the pair. */
  private readonly places = new Map<number, Set<number>>();
  private readonly heap = new Heap<PairCount>(
    (a, b) => a.count > b.count || (a.count === b.count && a.key < b.key),
  );

  constructor(words: Word[]) {
    this.words = words;
    for (const [at, { ids, length, count }] of words.entries()) {
      for (let i = 0; i + 1 < length; i++) this.add(pairKey(ids[i]!, ids[i + 1]!), count, at);
    }
    for (const [key, count] of this.counts) this.heap.push({ key, count });
  }

  /** The pair to merge next, or null when none occurs often enough. */
  popMostFrequent(): number | null {
    for (let top = this.heap.pop(); top !== undefined; top = this.heap.pop()) {
      const count = this.counts.get(top.key) ?? 0;
      if (count === top.count && count >= MIN_COUNT) return top.key;
      if (count !== top.count && count >= MIN_COUNT) this.heap.push({ key: top.key, count });
    }
    return null;
  }

  /** Replaces the pair by `merged` in every word, left to right. */
  merge(key: number, merged: number): void {
    const left = leftOf(key);
    const right = rightOf(key);
    const grown = new Set<number>();
    for (const at of this.places.get(key) ?? []) {
      const word = this.words[at]!;
      const { ids, count } = word;
      let write = 0;
      for (let read = 0; read < word.length; read++) {
        const here = ids[read]!;
        if (here !== left || read + 1 >= word.length || ids[read + 1] !== right) {
          ids[write++] = here;
          continue;
        }
        if (write > 0) {
          const before = ids[write - 1]!;
          this.remove(pairKey(before, left), count);
          const made = pairKey(before, merged);
          this.add(made, count, at);
          grown.add(made);
        }
        if (read + 2 < word.length) {
          const after = ids[read + 2]!;
          this.remove(pairKey(right, after), count);
          const made = pairKey(merged, after);
          this.add(made, count, at);
          grown.add(made);
        }
        ids[write++] = merged;
        read++;
      }
      word.length = write;
    }
    this.places.delete(key);
    this.counts.delete(key);
    for (const made of grown) {
      const count = this.counts.get(made);
      if (count !== undefined) this.heap.push({ key: made, count });
    }
  }

  private add(key: number, count: number, at: number): void {
    this.counts.set(key, (this.counts.get(key) ?? 0) + count);
    const places = this.places.get(key);
    if (places === undefined) this.places.set(key, new Set([at]));
    else places.add(at);
  }

  private remove(key: number, count: number): void {
    this.counts.set(key, (this.counts.get(key) ?? 0) - count);
  }
}
