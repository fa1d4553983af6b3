import { PlaygroundError } from '../core/errors';
import { BYTE_TO_CHAR, pieceToBytes } from './byte-alphabet';
import { mergeWord, type MergeTable } from './merge-word';
import { MAX_VOCAB_SIZE, pairKey } from './pair-key';
import { preTokens } from './pre-tokenize';
import {
  ASSISTANT_TOKEN,
  END_TOKEN,
  PAD_TOKEN,
  SPECIAL_TOKENS,
  USER_TOKEN,
} from './special-tokens';

/** A merge rule as a pair of ids. */
export type Merge = readonly [number, number];

/** Cached pre-tokens; natural text has few distinct ones, so almost every lookup hits. */
const CACHE_ENTRIES = 50_000;
const CACHE_WORD_LENGTH = 64;

const SPECIAL_PATTERN = /<\|(?:pad|end|user|assistant)\|>/g;

function malformed(message: string): PlaygroundError {
  return new PlaygroundError({
    code: 'format',
    field: 'tokenizer.json',
    message: `The tokenizer is malformed: ${message}.`,
    remedy: 'Use a byte-level BPE tokenizer.json that was written by this page.',
  });
}

/**
 * Byte-level BPE. Any text encodes (all 256 bytes are in the vocabulary), and every well-formed
 * string decodes to itself. Immutable but for its cache.
 */
export class Tokenizer {
  /** Token text by id, in GPT-2's byte alphabet; special tokens literally. */
  readonly vocab: readonly string[];
  readonly merges: readonly Merge[];
  readonly padId: number;
  readonly endId: number;
  readonly userId: number;
  readonly assistantId: number;

  private readonly bytesOf: Uint8Array[];
  private readonly byteIds: Int32Array;
  private readonly specialIds: ReadonlyMap<string, number>;
  private readonly specialSet: ReadonlySet<number>;
  private readonly mergeTable: MergeTable;
  private readonly cache = new Map<string, readonly number[]>();
  private readonly utf8 = new TextEncoder();

  /**
   * @param vocab token text by id; holds the four specials, the 256 bytes, every merge result
   * @param merges pairs of ids, earliest-learned first
   * @throws PlaygroundError `format` when the two do not fit together
   */
  constructor(vocab: readonly string[], merges: readonly Merge[]) {
    if (vocab.length > MAX_VOCAB_SIZE) throw malformed(`${vocab.length} tokens are too many`);
    const idOf = new Map<string, number>();
    for (const [id, piece] of vocab.entries()) {
      if (idOf.has(piece)) throw malformed(`token ${JSON.stringify(piece)} occurs twice`);
      idOf.set(piece, id);
    }
    const require = (piece: string): number => {
      const id = idOf.get(piece);
      if (id === undefined) throw malformed(`token ${JSON.stringify(piece)} is missing`);
      return id;
    };

    this.vocab = vocab;
    this.merges = merges;
    this.padId = require(PAD_TOKEN);
    this.endId = require(END_TOKEN);
    this.userId = require(USER_TOKEN);
    this.assistantId = require(ASSISTANT_TOKEN);
    this.specialIds = new Map(SPECIAL_TOKENS.map((token) => [token, require(token)]));
    this.specialSet = new Set(this.specialIds.values());
    this.byteIds = Int32Array.from(BYTE_TO_CHAR, require);
    this.bytesOf = vocab.map((piece, id) => {
      if (this.specialSet.has(id)) return this.utf8.encode(piece);
      const bytes = pieceToBytes(piece);
      if (bytes === null) throw malformed(`token ${JSON.stringify(piece)} is not byte-level`);
      return bytes;
    });

    const ranks = new Map<number, number>();
    const results = new Int32Array(merges.length);
    for (const [rank, [left, right]] of merges.entries()) {
      if (vocab[left] === undefined || vocab[right] === undefined) {
        throw malformed(`merge ${rank} names an unknown token`);
      }
      const key = pairKey(left, right);
      if (ranks.has(key)) throw malformed(`merge ${rank} occurs twice`);
      ranks.set(key, rank);
      results[rank] = require(vocab[left] + vocab[right]);
    }
    this.mergeTable = { ranks, results };
  }

  /** Number of ids: specials, bytes and merged tokens. The model's `vocab_size`. */
  get vocabSize(): number {
    return this.vocab.length;
  }

  isSpecial(id: number): boolean {
    return this.specialSet.has(id);
  }

  /**
   * Text → ids. A special token written in `text` is plain text, so nobody can end a turn or
   * speak as the assistant by typing it; `allowSpecial` turns such literals into their ids.
   * A lone surrogate becomes U+FFFD, as in all UTF-8 encoders.
   */
  encode(text: string, options: { allowSpecial?: boolean } = {}): number[] {
    const ids: number[] = [];
    if (options.allowSpecial !== true) {
      this.encodeText(text, ids);
      return ids;
    }
    let from = 0;
    for (const match of text.matchAll(SPECIAL_PATTERN)) {
      this.encodeText(text.slice(from, match.index), ids);
      ids.push(this.specialIds.get(match[0])!);
      from = match.index + match[0].length;
    }
    this.encodeText(text.slice(from), ids);
    return ids;
  }

  /** Whether every id means the same to both. */
  hasSameTokens(other: Tokenizer): boolean {
    return (
      this.vocabSize === other.vocabSize &&
      this.vocab.every((token, id) => token === other.vocab[id])
    );
  }

  /**
   * Ids → text. Bytes that are not UTF-8 become U+FFFD; special tokens are written out literally
   * unless `skipSpecial`.
   * @throws PlaygroundError `argument` when an id is outside the vocabulary
   */
  decode(ids: ArrayLike<number>, options: { skipSpecial?: boolean } = {}): string {
    const kept: Uint8Array[] = [];
    let length = 0;
    for (let i = 0; i < ids.length; i++) {
      const bytes = this.bytesFor(ids[i]!);
      if (options.skipSpecial === true && this.specialSet.has(ids[i]!)) continue;
      kept.push(bytes);
      length += bytes.length;
    }
    const all = new Uint8Array(length);
    let at = 0;
    for (const bytes of kept) {
      all.set(bytes, at);
      at += bytes.length;
    }
    return newDecoder().decode(all);
  }

  /**
   * One piece of text for each id; joined they equal `decode(ids)`. A character split over several
   * tokens appears in the piece that completes it, the pieces before it are empty.
   * @throws PlaygroundError `argument` when an id is outside the vocabulary
   */
  decodeTokens(ids: ArrayLike<number>): string[] {
    const decoder = newDecoder();
    const pieces: string[] = [];
    for (let i = 0; i < ids.length; i++) {
      const stream = i + 1 < ids.length;
      pieces.push(decoder.decode(this.bytesFor(ids[i]!), { stream }));
    }
    return pieces;
  }

  private bytesFor(id: number): Uint8Array {
    const bytes = this.bytesOf[id];
    if (bytes === undefined) {
      throw new PlaygroundError({
        code: 'argument',
        field: 'ids',
        message: `Token id ${id} is outside the vocabulary of ${this.vocabSize}.`,
        remedy: 'Use the tokenizer that belongs to the model.',
      });
    }
    return bytes;
  }

  private encodeText(text: string, into: number[]): void {
    for (const word of preTokens(text)) {
      for (const id of this.encodeWord(word)) into.push(id);
    }
  }

  private encodeWord(word: string): readonly number[] {
    const known = this.cache.get(word);
    if (known !== undefined) return known;
    const symbols = Array.from(this.utf8.encode(word), (byte) => this.byteIds[byte]!);
    const ids = mergeWord(symbols, this.mergeTable);
    if (word.length <= CACHE_WORD_LENGTH) {
      if (this.cache.size >= CACHE_ENTRIES) this.cache.clear();
      this.cache.set(word, ids);
    }
    return ids;
  }
}

/** Keeps a leading U+FEFF: it is a character of the text, and decode(encode(s)) must be s. */
function newDecoder(): TextDecoder {
  return new TextDecoder('utf-8', { ignoreBOM: true });
}
