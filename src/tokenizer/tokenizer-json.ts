import { PlaygroundError } from '../core/errors';
import { PAD_TOKEN, SPECIAL_TOKENS } from './special-tokens';
import { Tokenizer, type Merge } from './tokenizer';

/** The parts of Hugging Face's `tokenizer.json` that are written here. */
export interface TokenizerJson {
  version: '1.0';
  truncation: null;
  padding: null;
  added_tokens: {
    id: number;
    content: string;
    single_word: boolean;
    lstrip: boolean;
    rstrip: boolean;
    normalized: boolean;
    special: boolean;
  }[];
  normalizer: null;
  pre_tokenizer: ByteLevel;
  post_processor: ByteLevel;
  decoder: ByteLevel;
  model: {
    type: 'BPE';
    dropout: null;
    unk_token: null;
    continuing_subword_prefix: null;
    end_of_word_suffix: null;
    fuse_unk: boolean;
    byte_fallback: boolean;
    ignore_merges: boolean;
    vocab: Record<string, number>;
    merges: string[];
  };
}

interface ByteLevel {
  type: 'ByteLevel';
  add_prefix_space: boolean;
  trim_offsets: boolean;
  use_regex: boolean;
}

function byteLevel(): ByteLevel {
  return { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true };
}

/**
 * The tokenizer as a `tokenizer.json` object that Hugging Face `tokenizers` loads with equal ids.
 * (There a special token typed in a text is parsed as special: `encode(…, { allowSpecial: true })`.)
 */
export function toTokenizerJson(tokenizer: Tokenizer): TokenizerJson {
  const { vocab, merges } = tokenizer;
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: SPECIAL_TOKENS.map((content) => ({
      id: vocab.indexOf(content),
      content,
      single_word: false,
      lstrip: false,
      rstrip: false,
      normalized: false,
      special: true,
    })).sort((a, b) => a.id - b.id),
    normalizer: null,
    pre_tokenizer: byteLevel(),
    post_processor: byteLevel(),
    decoder: byteLevel(),
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: false,
      vocab: Object.fromEntries(vocab.map((piece, id) => [piece, id])),
      // "a b" strings are read by every version of the library; pairs only since 0.20.
      merges: merges.map(([left, right]) => `${vocab[left]!} ${vocab[right]!}`),
    },
  };
}

function bad(message: string): PlaygroundError {
  return new PlaygroundError({
    code: 'format',
    field: 'tokenizer.json',
    message: `tokenizer.json: ${message}.`,
    remedy: `Use a byte-level BPE tokenizer.json with GPT-2's pre-tokenizer and the special tokens ${SPECIAL_TOKENS.join(' ')}.`,
  });
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * Reads a `tokenizer.json` (the parsed object or its text). Refuses what would encode differently
 * here: another model or pre-tokenizer, a normalizer, more added tokens than the four specials.
 * @throws PlaygroundError `format` naming what does not fit
 */
export function fromTokenizerJson(json: unknown): Tokenizer {
  const root = typeof json === 'string' ? parse(json) : json;
  if (!isRecord(root)) throw bad('it is not a JSON object');
  const model = root['model'];
  if (!isRecord(model)) throw bad('the field model is missing');
  if (model['type'] !== 'BPE') throw bad(`model.type is ${String(model['type'])}, not BPE`);
  for (const field of ['dropout', 'continuing_subword_prefix', 'end_of_word_suffix']) {
    const value = model[field];
    if (value !== undefined && value !== null && value !== '' && value !== 0) {
      throw bad(`model.${field} is not supported`);
    }
  }
  if (model['ignore_merges'] === true) throw bad('model.ignore_merges is not supported');
  if (root['normalizer'] !== undefined && root['normalizer'] !== null) {
    throw bad('a normalizer is not supported');
  }
  checkPreTokenizer(root['pre_tokenizer']);

  const { vocab, idOf } = readVocab(model['vocab'], root['added_tokens']);
  return new Tokenizer(vocab, readMerges(model['merges'], idOf));
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw bad('it is not valid JSON');
  }
}

function checkPreTokenizer(value: unknown): void {
  if (!isRecord(value) || value['type'] !== 'ByteLevel') {
    throw bad('pre_tokenizer must be ByteLevel');
  }
  if (value['add_prefix_space'] !== false) {
    throw bad('pre_tokenizer.add_prefix_space must be false');
  }
  if (value['use_regex'] === false) throw bad('pre_tokenizer.use_regex must be true');
}

function readVocab(
  value: unknown,
  addedTokens: unknown,
): { vocab: string[]; idOf: Map<string, number> } {
  if (!isRecord(value)) throw bad('model.vocab is missing');
  const idOf = new Map<string, number>();
  for (const [piece, id] of Object.entries(value)) {
    if (!Number.isInteger(id)) throw bad(`model.vocab: the id of ${JSON.stringify(piece)} is bad`);
    idOf.set(piece, id as number);
  }
  if (addedTokens !== undefined && !Array.isArray(addedTokens)) {
    throw bad('added_tokens is not a list');
  }
  for (const token of (addedTokens ?? []) as unknown[]) {
    if (!isRecord(token)) throw bad('added_tokens holds something that is not a token');
    const { content, id } = token;
    if (typeof content !== 'string' || !Number.isInteger(id)) {
      throw bad('an added token has no content or id');
    }
    if (!SPECIAL_TOKENS.includes(content)) {
      throw bad(`the added token ${JSON.stringify(content)} is not supported`);
    }
    const known = idOf.get(content);
    if (known !== undefined && known !== id) {
      throw bad(`the added token ${content} has id ${String(id)}, but ${known} in model.vocab`);
    }
    idOf.set(content, id as number);
  }
  if (!idOf.has(PAD_TOKEN)) throw bad(`the special token ${PAD_TOKEN} is missing`);

  const vocab = new Array<string | undefined>(idOf.size).fill(undefined);
  for (const [piece, id] of idOf) {
    if (id < 0 || id >= vocab.length)
      throw bad(`id ${id} leaves a hole: ids must be 0 … ${vocab.length - 1}`);
    if (vocab[id] !== undefined) throw bad(`id ${id} is used twice`);
    vocab[id] = piece;
  }
  // No holes: as many distinct ids in range as there are places.
  return { vocab: vocab as string[], idOf };
}

function readMerges(value: unknown, idOf: ReadonlyMap<string, number>): Merge[] {
  if (!Array.isArray(value)) throw bad('model.merges is missing');
  return value.map((entry: unknown, rank): Merge => {
    const parts: unknown[] =
      typeof entry === 'string' ? entry.split(' ') : Array.isArray(entry) ? entry : [];
    const [left, right] = parts;
    const leftId = typeof left === 'string' ? idOf.get(left) : undefined;
    const rightId = typeof right === 'string' ? idOf.get(right) : undefined;
    if (parts.length !== 2 || leftId === undefined || rightId === undefined) {
      throw bad(`merge ${rank} (${JSON.stringify(entry)}) does not name two tokens`);
    }
    return [leftId, rightId];
  });
}
