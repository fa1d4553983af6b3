import { PlaygroundError } from '../core/errors';
import { AddedTokenFinder, type AddedToken } from './added-tokens';
import { BYTE_TO_CHAR, pieceToBytes } from './byte-alphabet';
import { quote } from './malformed-file';
import { mergeWord, type MergeTable } from './merge-word';
import { MAX_VOCAB_SIZE, pairKey } from './pair-key';
import type { PostProcessorStep } from './post-processor';
import { templateIds } from './post-processor';
import { compilePreTokenizer, type PreTokenizer, type PreTokenizerStep } from './pre-tokenize';
import { ROLE_TOKENS, SPECIAL_TOKENS, type Role } from './special-tokens';

/** A merge rule as a pair of ids. */
export type Merge = readonly [number, number];

/** Cached pre-tokens; natural text has few distinct ones, so almost every lookup hits. */
const CACHE_ENTRIES = 50_000;
const CACHE_WORD_LENGTH = 64;

/** How text becomes words and words become ids, beyond vocabulary and merges. */
export interface TokenizerRules {
  /** Every token that is not a piece of text: the four roles are among them. */
  addedTokens: readonly AddedToken[];
  /** Added tokens that are listed in `model.vocab` as well; the rest are in `added_tokens` alone. */
  listedTwice: ReadonlySet<number>;
  /** The content of the token that plays each role. */
  roles: Readonly<Record<Role, string>>;
  normalizer: 'NFC' | null;
  preTokenizer: readonly PreTokenizerStep[];
  postProcessor: readonly PostProcessorStep[];
  /** A word that is in the vocabulary as a whole is that token, whatever the merges say. */
  ignoreMerges: boolean;
  /** Stands for a byte that has no token; null: such bytes are dropped, as `tokenizers` does. */
  unkToken: string | null;
}

/** The rules of every vocabulary trained here: GPT-2's words, four special tokens. */
export function ownRules(vocab: readonly string[]): TokenizerRules {
  const addedTokens = SPECIAL_TOKENS.map((content) =>
    specialToken(vocab.indexOf(content), content),
  );
  return {
    addedTokens: addedTokens.sort((a, b) => a.id - b.id),
    listedTwice: new Set(addedTokens.map(({ id }) => id)),
    roles: ROLE_TOKENS,
    normalizer: null,
    preTokenizer: [
      { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true },
    ],
    postProcessor: [
      { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true },
    ],
    ignoreMerges: false,
    unkToken: null,
  };
}

/** An added token that is found only as it stands. */
export function specialToken(id: number, content: string): AddedToken {
  const plain = { single_word: false, lstrip: false, rstrip: false, normalized: false };
  return { id, content, ...plain, special: true };
}

/** The bytes that a vocabulary cannot do without, unless something stands for what is unknown: printable ASCII. */
function isPlainText(byte: number): boolean {
  return (byte >= 0x20 && byte <= 0x7e) || byte === 0x0a;
}

const NO_TOKEN = -1;

function malformed(message: string): PlaygroundError {
  return new PlaygroundError({
    code: 'format',
    field: 'tokenizer.json',
    message: `The tokenizer is malformed: ${message}.`,
    remedy: 'Use the byte-level BPE tokenizer.json that belongs to the model, unchanged.',
  });
}

/**
 * Byte-level BPE. Any text encodes, and with the rules of a vocabulary trained here every
 * well-formed string decodes to itself. Immutable but for its cache.
 */
export class Tokenizer {
  /** Token text by id, in GPT-2's byte alphabet; added tokens literally. */
  readonly vocab: readonly string[];
  readonly merges: readonly Merge[];
  readonly rules: TokenizerRules;
  readonly padId: number;
  readonly endId: number;
  readonly userId: number;
  readonly assistantId: number;
  /** What the model saw before every text, e.g. `<|begin_of_text|>`; most often nothing. */
  readonly prefixIds: readonly number[];

  private readonly idOf: ReadonlyMap<string, number>;
  private readonly bytesOf: Uint8Array[];
  private readonly longestToken: number;
  /** Id of each byte, NO_TOKEN where it has none. */
  private readonly byteIds: Int32Array;
  private readonly addedIds: ReadonlySet<number>;
  private readonly specialIds: ReadonlySet<number>;
  private readonly finder: AddedTokenFinder;
  private readonly preTokenize: PreTokenizer;
  private readonly mergeTable: MergeTable;
  private readonly cache = new Map<string, readonly number[]>();
  private readonly utf8 = new TextEncoder();

  /**
   * @param vocab token text by id; holds the added tokens, the bytes, every merge result
   * @param merges pairs of ids, earliest-learned first
   * @param rules those of a vocabulary trained here when left out
   * @throws PlaygroundError `format` when they do not fit together
   * @throws PatternRefused for a pre-tokenizer pattern that is not supported
   */
  constructor(vocab: readonly string[], merges: readonly Merge[], rules = ownRules(vocab)) {
    if (vocab.length > MAX_VOCAB_SIZE) throw malformed(`${vocab.length} tokens are too many`);
    const idOf = new Map<string, number>();
    for (const [id, piece] of vocab.entries()) {
      if (idOf.has(piece)) throw malformed(`token ${quote(piece)} occurs twice`);
      idOf.set(piece, id);
    }
    const require = (piece: string): number => {
      const id = idOf.get(piece);
      if (id === undefined) throw malformed(`token ${quote(piece)} is missing`);
      return id;
    };

    this.vocab = vocab;
    this.merges = merges;
    this.rules = rules;
    this.idOf = idOf;
    this.padId = require(rules.roles.pad);
    this.endId = require(rules.roles.end);
    this.userId = require(rules.roles.user);
    this.assistantId = require(rules.roles.assistant);
    this.prefixIds = templateIds(rules.postProcessor, require).before;
    this.addedIds = new Set(rules.addedTokens.map(({ id }) => id));
    this.specialIds = new Set(rules.addedTokens.filter((t) => t.special).map(({ id }) => id));
    const unknown = rules.unkToken === null ? NO_TOKEN : require(rules.unkToken);
    const mustHave = (byte: number): boolean => unknown === NO_TOKEN && isPlainText(byte);
    this.byteIds = Int32Array.from(BYTE_TO_CHAR, (char, byte) =>
      mustHave(byte) ? require(char) : (idOf.get(char) ?? unknown),
    );
    this.bytesOf = vocab.map((piece, id) => {
      if (this.addedIds.has(id)) return this.utf8.encode(piece);
      const bytes = pieceToBytes(piece);
      if (bytes === null) throw malformed(`token ${quote(piece)} is not byte-level`);
      return bytes;
    });
    this.longestToken = this.bytesOf.reduce((most, bytes) => Math.max(most, bytes.length), 0);
    const normalize = (text: string): string =>
      rules.normalizer === null ? text : text.normalize(rules.normalizer);
    this.finder = new AddedTokenFinder(rules.addedTokens, normalize);
    this.preTokenize = compilePreTokenizer(rules.preTokenizer);

    const ranks = new Map<number, number>();
    const results = new Int32Array(merges.length);
    for (const [rank, [left, right]] of merges.entries()) {
      if (vocab[left] === undefined || vocab[right] === undefined) {
        throw malformed(`merge ${rank} names an unknown token`);
      }
      const key = pairKey(left, right);
      if (ranks.has(key)) throw malformed(`merge ${rank} occurs twice`);
      ranks.set(key, rank);
      const result = require(vocab[left] + vocab[right]);
      // Typed text must never become a special token, whichever way it is cut.
      if (this.specialIds.has(result)) throw malformed(`merge ${rank} makes a special token`);
      results[rank] = result;
    }
    this.mergeTable = { ranks, results };
  }

  /** Number of ids: specials, bytes and merged tokens. The model's `vocab_size`. */
  get vocabSize(): number {
    return this.vocab.length;
  }

  isSpecial(id: number): boolean {
    return this.specialIds.has(id);
  }

  /** Bytes of well-formed text that have no token of their own; 0 in a vocabulary trained here. */
  get bytesWithoutToken(): number {
    return BYTE_TO_CHAR.filter((char, byte) => isUtf8Byte(byte) && !this.idOf.has(char)).length;
  }

  /**
   * Text → ids. A special token written in `text` is plain text, so nobody can end a turn or
   * speak as the assistant by typing it; `allowSpecial` turns such literals into their ids.
   * A lone surrogate becomes U+FFFD, as in all UTF-8 encoders.
   */
  encode(text: string, options: { allowSpecial?: boolean } = {}): number[] {
    const ids: number[] = [];
    for (const segment of this.finder.split(text, options.allowSpecial === true)) {
      if (typeof segment === 'number') ids.push(segment);
      else this.encodeText(segment, ids);
    }
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
      if (options.skipSpecial === true && this.specialIds.has(ids[i]!)) continue;
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
    for (const word of this.preTokenize(text)) {
      for (const id of this.encodeWord(word)) into.push(id);
    }
  }

  private encodeWord(word: string): readonly number[] {
    const known = this.cache.get(word);
    if (known !== undefined) return known;
    const bytes = this.utf8.encode(word);
    const ids = this.wholeWord(bytes) ?? mergeWord(this.bytesToIds(bytes), this.mergeTable);
    if (word.length <= CACHE_WORD_LENGTH) {
      if (this.cache.size >= CACHE_ENTRIES) this.cache.clear();
      this.cache.set(word, ids);
    }
    return ids;
  }

  private wholeWord(bytes: Uint8Array): number[] | null {
    if (!this.rules.ignoreMerges || bytes.length > this.longestToken) return null;
    const id = this.idOf.get(Array.from(bytes, (byte) => BYTE_TO_CHAR[byte]!).join(''));
    if (id === undefined || this.specialIds.has(id)) return null;
    return this.addedIds.has(id) && !this.rules.listedTwice.has(id) ? null : [id];
  }

  private bytesToIds(bytes: Uint8Array): number[] {
    const ids: number[] = [];
    for (const byte of bytes) {
      const id = this.byteIds[byte]!;
      if (id !== NO_TOKEN) ids.push(id);
    }
    return ids;
  }
}

function isUtf8Byte(byte: number): boolean {
  return byte < 0xf5 && byte !== 0xc0 && byte !== 0xc1;
}

/** Keeps a leading U+FEFF: it is a character of the text, and decode(encode(s)) must be s. */
function newDecoder(): TextDecoder {
  return new TextDecoder('utf-8', { ignoreBOM: true });
}
